from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0013_unsubscribing"),
    ]

    operations = [
        migrations.AlterField(
            model_name="inboundmail",
            name="held_for",
            field=models.CharField(
                blank=True,
                choices=[
                    ("suspicious", "Suspicious"),
                    ("unreadable", "Not readable"),
                    ("spam", "Spam"),
                    ("blocked", "Blocked"),
                    ("automatic", "Automatic"),
                    ("answer", "A colleague’s answer"),
                ],
                max_length=20,
            ),
        ),
    ]
