"""What the desk itself writes: views, the sidebar, changes to many tickets at once."""

from workspace.actions.bulk import (
    NothingChosen,
    TooLateToUndo,
    TooMany,
    may_undo,
    start_bulk_change,
    undo_bulk_change,
)
from workspace.actions.follow_up import send_follow_up
from workspace.actions.sidebar import arrange_sidebar, move_in_sidebar, pin, unpin
from workspace.actions.views import (
    MayNotShare,
    NotYourView,
    ViewHasChanged,
    ViewWish,
    change_view,
    create_view,
    delete_view,
    duplicate_view,
    may_edit,
)

__all__ = [
    "MayNotShare",
    "NotYourView",
    "NothingChosen",
    "TooLateToUndo",
    "TooMany",
    "ViewHasChanged",
    "ViewWish",
    "arrange_sidebar",
    "change_view",
    "create_view",
    "delete_view",
    "duplicate_view",
    "may_edit",
    "may_undo",
    "move_in_sidebar",
    "pin",
    "send_follow_up",
    "start_bulk_change",
    "undo_bulk_change",
    "unpin",
]
