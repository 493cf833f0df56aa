from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.models.lookups import LessThanOrEqual

OPEN = models.Q(("status_category__in", ["new", "open", "pending", "on_hold"]))
ALONG = (
    "mark",
    "merged_into",
    "snoozed_at",
    "due_at",
    "waiting_since",
    "created_at",
    "number",
    "tags",
)
# Nine fit, however they are written.
SHORTEN = """
UPDATE tickets_ticket SET tags = tags[1:9]
WHERE octet_length(array_to_string(tags, '')) + cardinality(tags) * 8 > 2000
"""


def concurrently(**index: object) -> AddIndexConcurrently:
    return AddIndexConcurrently(model_name="ticket", index=models.Index(**index))


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("tickets", "0014_message_not_sent")]

    operations = [
        migrations.RunSQL(SHORTEN, migrations.RunSQL.noop),
        AddConstraintNotValid(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=LessThanOrEqual(
                    models.Func(
                        models.Func(
                            "tags",
                            models.Value(""),
                            function="array_to_string",
                            output_field=models.TextField(),
                        ),
                        function="octet_length",
                        output_field=models.IntegerField(),
                    )
                    + models.Func(
                        "tags", function="cardinality", output_field=models.IntegerField()
                    )
                    * 8,
                    2000,
                ),
                name="tickets_ticket_tags_fit_an_index",
            ),
        ),
        ValidateConstraint(model_name="ticket", name="tickets_ticket_tags_fit_an_index"),
        concurrently(
            fields=["assignee", "-last_message_at", "-id"],
            include=["priority", "status_category", "team", *ALONG],
            condition=OPEN,
            name="tickets_open_of_agent",
        ),
        concurrently(
            fields=["-last_message_at", "-id"],
            include=["priority", "status_category", "team", "assignee", *ALONG],
            condition=models.Q(
                ("assignee", None),
                ("status_category__in", ["new", "open", "pending", "on_hold"]),
            ),
            name="tickets_open_unassigned",
        ),
        concurrently(
            fields=["-last_message_at", "-id", "priority", "status_category", "team", "assignee"],
            include=ALONG,
            condition=OPEN,
            name="tickets_open_newest",
        ),
        concurrently(
            fields=["-priority", "-id"],
            include=["status_category", "team", "assignee", "mark", "merged_into", "snoozed_at"],
            condition=OPEN,
            name="tickets_open_urgent_first",
        ),
        concurrently(
            fields=["subject", "id"],
            include=["team", "assignee", "mark", "merged_into"],
            condition=models.Q(("status_category", "solved")),
            name="tickets_solved_by_subject",
        ),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_open_of"),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_open_of_nobody"),
        RemoveIndexConcurrently(model_name="ticket", name="tickets_open"),
    ]
