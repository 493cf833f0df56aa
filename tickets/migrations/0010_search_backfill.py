from django.db import migrations, transaction

BATCH = 2000


def fill(apps, schema_editor):
    """The documents of the tickets that are there already, a part at a time."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM tickets_ticket")
        (last,) = cursor.fetchone()
        for first in range(1, last + 1, BATCH):
            with transaction.atomic(using=connection.alias):
                cursor.execute("SELECT tickets_search_rebuild(%s, %s)", [first, first + BATCH - 1])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tickets", "0009_search")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
