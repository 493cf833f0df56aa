from django.urls import path

from administration import (
    api,
    api_held,
    api_mail_templates,
    api_mailboxes,
    api_senders,
    api_vocabulary,
)

urlpatterns = [
    path("users/", api.UserList.as_view(), name="api_users"),
    path("users/<int:pk>/", api.UserDetail.as_view(), name="api_user"),
    path("teams/", api.TeamList.as_view(), name="api_teams"),
    path("teams/<int:pk>/", api.TeamDetail.as_view(), name="api_team"),
    path("held-mail/", api_held.HeldMailList.as_view(), name="api_held_mails"),
    path("held-mail/<int:pk>/", api_held.HeldMailDetail.as_view(), name="api_held_mail"),
    path("held-mail/<int:pk>/let-in/", api_held.HeldMailLetIn.as_view(), name="api_let_in"),
    path(
        "held-mail/<int:pk>/read-again/",
        api_held.HeldMailReadAgain.as_view(),
        name="api_read_again",
    ),
    path("held-mail/<int:pk>/block/", api_held.HeldMailBlock.as_view(), name="api_block"),
    path("sender-rules/", api_senders.SenderRuleList.as_view(), name="api_sender_rules"),
    path("sender-rules/<int:pk>/", api_senders.SenderRuleDetail.as_view(), name="api_sender_rule"),
    path(
        "undeliverable-addresses/",
        api_senders.UndeliverableList.as_view(),
        name="api_undeliverable_addresses",
    ),
    path(
        "undeliverable-addresses/<int:pk>/",
        api_senders.UndeliverableDetail.as_view(),
        name="api_undeliverable_address",
    ),
    path("mailboxes/", api_mailboxes.MailboxList.as_view(), name="api_mailboxes"),
    path("mailboxes/<int:pk>/", api_mailboxes.MailboxDetail.as_view(), name="api_mailbox"),
    path(
        "mail-templates/",
        api_mail_templates.MailTemplateList.as_view(),
        name="api_mail_templates",
    ),
    path(
        "mail-templates/<str:kind>/<str:language>/",
        api_mail_templates.MailTemplateDetail.as_view(),
        name="api_mail_template",
    ),
    path("statuses/", api_vocabulary.StatusList.as_view(), name="api_statuses"),
    path("categories/", api_vocabulary.CategoryList.as_view(), name="api_categories"),
    path("fields/", api_vocabulary.FieldList.as_view(), name="api_fields"),
    path("macros/", api_vocabulary.MacroList.as_view(), name="api_macros"),
]
