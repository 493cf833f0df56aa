from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION tickets_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'tickets_event is append-only: annul a wrong event by another one'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER tickets_event_append_only
    BEFORE UPDATE OR DELETE ON tickets_event
    FOR EACH ROW EXECUTE FUNCTION tickets_event_is_append_only();
"""

NOT_APPEND_ONLY = """
DROP TRIGGER tickets_event_append_only ON tickets_event;
DROP FUNCTION tickets_event_is_append_only();
"""

# The copy of the status category on the ticket can never differ from its status's own.
STATUS_CATEGORY = """
ALTER TABLE tickets_ticket ADD CONSTRAINT tickets_ticket_status_category_is_its_own
    FOREIGN KEY (status_id, status_category) REFERENCES tickets_status (id, category)
    ON UPDATE CASCADE DEFERRABLE INITIALLY IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
        migrations.RunSQL(
            STATUS_CATEGORY,
            "ALTER TABLE tickets_ticket DROP CONSTRAINT tickets_ticket_status_category_is_its_own",
        ),
    ]
