from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("tickets", "0010_search_backfill")]

    operations = [
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                fields=["-last_message_at", "-id"],
                condition=models.Q(("snoozed_at__isnull", False)),
                name="tickets_snoozed",
            ),
        ),
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                fields=["-last_message_at", "-id"],
                condition=models.Q(("mark", ""), _negated=True),
                name="tickets_marked",
            ),
        ),
    ]
