from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION people_change_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'people_change is append-only: what was changed stays on record'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER people_change_append_only
    BEFORE UPDATE OR DELETE ON people_change
    FOR EACH ROW EXECUTE FUNCTION people_change_is_append_only();
"""

NOT_APPEND_ONLY = """
DROP TRIGGER people_change_append_only ON people_change;
DROP FUNCTION people_change_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0003_the_desk")]

    operations = [migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY)]
