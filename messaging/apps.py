from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from messaging import checks, reactions  # noqa: F401
        from messaging.models import MailboxAddress
        from people.brand import also_ours

        also_ours(MailboxAddress.objects.known)
