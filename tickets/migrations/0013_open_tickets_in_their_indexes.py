from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

OPEN = models.Q(("status_category__in", ["new", "open", "pending", "on_hold"]))
ALONG = (
    "mark",
    "merged_into",
    "snoozed_at",
    "due_at",
    "waiting_since",
    "created_at",
    "number",
)


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("tickets", "0012_held_conversation")]

    operations = [
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                fields=["assignee", "-last_message_at", "-id"],
                include=["priority", "status_category", "team", *ALONG],
                condition=OPEN,
                name="tickets_open_of",
            ),
        ),
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                fields=["-last_message_at", "-id"],
                include=["priority", "status_category", "team", "assignee", *ALONG],
                condition=models.Q(
                    ("assignee", None),
                    ("status_category__in", ["new", "open", "pending", "on_hold"]),
                ),
                name="tickets_open_of_nobody",
            ),
        ),
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                fields=[
                    "-last_message_at",
                    "-id",
                    "priority",
                    "status_category",
                    "team",
                    "assignee",
                ],
                include=ALONG,
                condition=OPEN,
                name="tickets_open",
            ),
        ),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_mine_open"),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_unassigned"),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_all_open"),
    ]
