from django.db import migrations


def into_mailboxes(apps, schema_editor):
    """What a team called its address is an address of its mailbox, which is made where it has none:
    mail to it goes to the team, as it does now, and answers come from it."""
    Team = apps.get_model("people", "Team")
    Mailbox = apps.get_model("messaging", "Mailbox")
    MailboxAddress = apps.get_model("messaging", "MailboxAddress")
    for team in Team.objects.exclude(email="").order_by("position", "pk"):
        address = team.email.strip().lower()
        if "+" in address or MailboxAddress.objects.filter(address=address).exists():
            continue
        box = Mailbox.objects.filter(team=team, archived_at=None).order_by("pk").first()
        if box is None or team.archived_at:
            box = Mailbox.objects.create(
                name=team.name[:80], team=team, archived_at=team.archived_at
            )
        MailboxAddress.objects.create(
            mailbox=box,
            address=address,
            position=MailboxAddress.objects.filter(mailbox=box).count(),
        )


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0016_templates"),
        ("people", "0010_may_handle_mail"),
    ]

    operations = [migrations.RunPython(into_mailboxes, migrations.RunPython.noop)]
