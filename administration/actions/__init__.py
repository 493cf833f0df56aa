from administration.actions.colleagues import part_with, send_invitation

__all__ = ["part_with", "send_invitation"]
