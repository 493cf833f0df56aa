from people.models.customers import Customer, Identity, Organisation, Tier
from people.models.names import TranslatedName
from people.models.teams import AssignmentMethod, Membership, Team, TeamHours
from people.models.tokens import ApiToken
from people.models.users import Role, User

__all__ = [
    "ApiToken",
    "AssignmentMethod",
    "Customer",
    "Identity",
    "Membership",
    "Organisation",
    "Role",
    "Team",
    "TeamHours",
    "Tier",
    "TranslatedName",
    "User",
]
