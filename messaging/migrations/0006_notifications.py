from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0005_recipients")]

    operations = [
        migrations.AlterField(
            model_name="outgoingmail",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("reply", "Reply"),
                    ("forward", "Forwarded message"),
                    ("acknowledgement", "Acknowledgement"),
                    ("survey", "Survey"),
                    ("login_link", "Log-in link"),
                    ("invitation", "Invitation"),
                    ("notification", "Notification"),
                ],
                max_length=20,
            ),
        ),
        AddIndexConcurrently(
            model_name="outgoingmail",
            index=models.Index(
                fields=["parked_at"],
                condition=models.Q(parked_at__isnull=False),
                name="messaging_outgoingmail_parked",
            ),
        ),
    ]
