from django.urls import path

from workspace import live
from workspace.views import (
    account,
    changes,
    fields,
    messages,
    notifications,
    preferences,
    presence,
    queues,
    tickets,
    writing,
)

urlpatterns = [
    path("", queues.desk, name="desk"),
    path("queues/<slug:slug>/", queues.queue, name="desk_queue"),
    path("search/", queues.search, name="desk_search"),
    path("live/", live.unavailable, name="desk_live"),
    path("notifications/", notifications.notifications, name="desk_notifications"),
    path("notifications/unread/", notifications.unread, name="desk_unread"),
    path("notifications/read/", notifications.read, name="desk_notifications_read"),
    path("preferences/", preferences.preferences, name="desk_preferences"),
    path("presence/", presence.others, name="desk_presence"),
    path("presence/leave/", presence.leave, name="desk_leave"),
    path("tickets/<int:number>/presence/", presence.announce, name="desk_announce"),
    path("availability/", account.availability, name="desk_availability"),
    path("attachments/<slug:key>/", tickets.attachment, name="desk_attachment"),
    path("attachments/<slug:key>/picture/", messages.preview, name="desk_preview"),
    path("pictures/<str:token>/", messages.picture, name="desk_picture"),
    path("tickets/<int:number>/", tickets.ticket, name="desk_ticket"),
    path("tickets/<int:number>/since/", tickets.since, name="desk_since"),
    path("tickets/<int:number>/messages/", writing.send, name="desk_send"),
    path("tickets/<int:number>/messages/<int:pk>/", messages.message, name="desk_message"),
    path("tickets/<int:number>/messages/<int:pk>/raw/", messages.raw, name="desk_message_raw"),
    path(
        "tickets/<int:number>/messages/<int:pk>/pictures/",
        messages.pictures,
        name="desk_message_pictures",
    ),
    path("tickets/<int:number>/fields/", fields.change_fields, name="desk_fields"),
    path("tickets/<int:number>/read/", messages.read, name="desk_read"),
    path("tickets/<int:number>/properties/", changes.change, name="desk_change"),
    path("tickets/<int:number>/follow-up/", writing.follow_up, name="desk_follow_up"),
    path("tickets/<int:number>/mails/<int:pk>/", tickets.delivery, name="desk_delivery"),
    path("tickets/<int:number>/mails/<int:pk>/retry/", changes.retry, name="desk_retry"),
]
