from workspace.models.bulk import BulkChange, BulkItem
from workspace.models.notifications import Notification, NotificationKind
from workspace.models.views import Pin, View

__all__ = ["BulkChange", "BulkItem", "Notification", "NotificationKind", "Pin", "View"]
