from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("tickets", "0004_invariants")]

    operations = [
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    ("assignee", None),
                    ("status_category__in", ("new", "open", "pending", "on_hold")),
                ),
                fields=["-last_message_at", "-id"],
                name="tickets_unassigned",
            ),
        ),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_unassigned_open"),
    ]
