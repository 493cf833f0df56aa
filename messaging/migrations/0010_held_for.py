from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

UNREADABLE = (
    *("no_sender", "nothing_written", "too_large", "left_on_server", "empty"),
    *("header_too_large", "too_many_lines", "too_many_parts", "too_deep"),
    *("file_name_too_long", "archive_bomb", "could_not_be_read"),
)
AUTOMATIC = (
    *("own_mail", "bounce", "feedback_report", "receipt", "report", "auto_submitted"),
    *("vacation", "list", "precedence", "null_sender", "about_mail"),
)


def say_why(apps, schema_editor):
    held = apps.get_model("messaging", "InboundMail").objects.filter(outcome="quarantined")
    held.filter(reason__0__code__in=UNREADABLE).update(held_for="unreadable")
    held.filter(reason__0__code__in=AUTOMATIC).update(held_for="automatic")
    held.filter(held_for="").update(held_for="suspicious")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0009_delivery_states")]

    operations = [
        migrations.AddField(
            model_name="inboundmail",
            name="held_for",
            field=models.CharField(
                blank=True,
                choices=[
                    ("suspicious", "Suspicious"),
                    ("unreadable", "Not readable"),
                    ("automatic", "Automatic"),
                ],
                default="",
                max_length=20,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="inboundmail",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("accepted", "Accepted"),
                    ("duplicate", "Duplicate"),
                    ("quarantined", "Quarantined"),
                    ("deleted", "Deleted"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunPython(say_why, migrations.RunPython.noop, elidable=True),
        AddIndexConcurrently(
            model_name="inboundmail",
            index=models.Index(
                condition=models.Q(("outcome", "quarantined")),
                fields=["held_for", "-received_at", "-id"],
                name="messaging_inbound_held_for",
            ),
        ),
    ]
