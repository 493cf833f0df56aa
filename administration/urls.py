from django.urls import path, re_path

from administration.views import index, invitations, roles, users

urlpatterns = [
    path("", index.index, name="settings_index"),
    path("users/", users.users, name="settings_users"),
    path("users/<int:pk>/", users.user, name="settings_user"),
    path("users/<int:pk>/deactivate/", users.deactivate, name="settings_user_deactivate"),
    path("users/<int:pk>/reactivate/", users.reactivate, name="settings_user_reactivate"),
    path("users/invite/", invitations.invite, name="settings_invite"),
    path("invitations/<int:pk>/resend/", invitations.resend, name="settings_invitation_resend"),
    path(
        "invitations/<int:pk>/withdraw/",
        invitations.withdraw,
        name="settings_invitation_withdraw",
    ),
    # Whatever stands there is looked up as a token, so that every wrong one is answered alike.
    path("join/", invitations.join),
    re_path(r"^join/(?P<token>[^/]*)/$", invitations.join, name="settings_join"),
    path("roles/", roles.roles, name="settings_roles"),
    path("roles/new/", roles.new_role, name="settings_role_new"),
    path("roles/<int:pk>/", roles.role, name="settings_role"),
    path("roles/<int:pk>/delete/", roles.delete_role, name="settings_role_delete"),
]
