from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0004_invitations")]

    operations = [
        migrations.AddField(
            model_name="outgoingmail",
            name="recipients",
            field=models.JSONField(blank=True, default=dict),
        ),
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
                ],
                max_length=20,
            ),
        ),
    ]
