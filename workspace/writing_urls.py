from django.urls import path

from workspace.views import macros, writing

urlpatterns = [
    path("tickets/<int:number>/messages/", writing.send, name="desk_send"),
    path("tickets/<int:number>/follow-up/", writing.follow_up, name="desk_follow_up"),
    path("tickets/<int:number>/draft/", writing.draft, name="desk_draft"),
    path("tickets/<int:number>/held/<int:pk>/undo/", writing.undo, name="desk_undo_send"),
    path("tickets/<int:number>/macros/", macros.macros, name="desk_macros"),
    path("tickets/<int:number>/macros/<int:pk>/", macros.use_macro, name="desk_macro"),
    path("tickets/<int:number>/colleagues/", macros.colleagues, name="desk_colleagues"),
    path("tickets/<int:number>/uploads/", writing.upload, name="desk_upload_file"),
    path("uploads/<slug:key>/", writing.uploaded, name="desk_upload"),
    path("uploads/<slug:key>/remove/", writing.remove, name="desk_upload_remove"),
]
