from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("people", "0007_finding_customers")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(fields=["created_at", "id"], name="people_customer_created"),
        ),
    ]
