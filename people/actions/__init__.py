from people.actions.colleagues import (
    BeyondOwnPermissions,
    IsOneself,
    LastAdministrator,
    RoleIsInUse,
    change_user,
    deactivate_user,
    delete_role,
    reactivate_user,
    write_role,
)
from people.actions.customers import recognise
from people.actions.invitations import (
    AlreadyInvited,
    AlreadyWorksHere,
    InvitationIsNoGood,
    accept_invitation,
    invite,
    renew_invitation,
    withdraw_invitation,
)
from people.actions.own import create_api_token, set_availability, set_language

__all__ = [
    "AlreadyInvited",
    "AlreadyWorksHere",
    "BeyondOwnPermissions",
    "InvitationIsNoGood",
    "IsOneself",
    "LastAdministrator",
    "RoleIsInUse",
    "accept_invitation",
    "change_user",
    "create_api_token",
    "deactivate_user",
    "delete_role",
    "invite",
    "reactivate_user",
    "recognise",
    "renew_invitation",
    "set_availability",
    "set_language",
    "withdraw_invitation",
    "write_role",
]
