from people.models.changes import Change
from people.models.company import Company
from people.models.customers import Customer, Identity, Organisation, Tier
from people.models.invitations import Invitation
from people.models.journey import CustomerMerge, CustomerNote, Stage, Touchpoint, TouchpointKind
from people.models.names import TranslatedName
from people.models.permissions import CustomRole, Permission
from people.models.sharing import Audience, Shared, SharedQuerySet
from people.models.teams import AssignmentMethod, Membership, Team, TeamHours
from people.models.tokens import ApiToken
from people.models.users import Role, User

__all__ = [
    "ApiToken",
    "AssignmentMethod",
    "Audience",
    "Change",
    "Company",
    "CustomRole",
    "Customer",
    "CustomerMerge",
    "CustomerNote",
    "Identity",
    "Invitation",
    "Membership",
    "Organisation",
    "Permission",
    "Role",
    "Shared",
    "SharedQuerySet",
    "Stage",
    "Team",
    "TeamHours",
    "Tier",
    "Touchpoint",
    "TouchpointKind",
    "TranslatedName",
    "User",
]
