from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="solvefact",
            name="resolving_call_count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="revisionfact",
            name="reason",
            field=models.CharField(
                choices=[
                    ("late", "Written down later"),
                    ("annulled", "Declared void"),
                    ("marked", "Marked as spam or test, or no longer"),
                    ("merged", "Merged into another, or no longer"),
                    ("recategorised", "Filed under another category"),
                    ("reopened", "Reopened"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="ticketfact",
            name="mark",
            field=models.CharField(
                blank=True,
                choices=[("spam", "Spam"), ("test", "Test"), ("merged", "Merged")],
                max_length=10,
            ),
        ),
    ]
