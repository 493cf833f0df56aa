import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0011_suppression"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="MailRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("pattern", models.CharField(max_length=320, unique=True, verbose_name="sender")),
                (
                    "verdict",
                    models.CharField(
                        choices=[("block", "Block"), ("allow", "Allow")],
                        max_length=10,
                        verbose_name="what becomes of its mail",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["pattern"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("pattern", django.db.models.functions.text.Lower("pattern")),
                            ("pattern__contains", "@"),
                        ),
                        name="messaging_mailrule_pattern",
                    )
                ],
            },
        ),
    ]
