from administration.actions.colleagues import part_with, send_invitation
from administration.actions.teams import SameTeam, retire_team

__all__ = ["SameTeam", "part_with", "retire_team", "send_invitation"]
