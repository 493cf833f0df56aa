import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("tickets", "0007_working_and_writing")]

    operations = [
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="tickets_merged_into",
            ),
        ),
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("snoozed_until__isnull", False)),
                fields=["snoozed_until"],
                name="tickets_to_wake",
            ),
        ),
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    ("due_at__isnull", False),
                    ("status_category__in", ("new", "open", "pending", "on_hold")),
                ),
                fields=["due_at", "-priority", "id"],
                name="tickets_due",
            ),
        ),
        AddIndexConcurrently(
            model_name="ticket",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["fields"], name="tickets_fields", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
