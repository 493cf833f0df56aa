import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("people", "0006_identities_in_order")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("merged_into", None)),
                fields=["name", "id"],
                name="people_customer_by_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="people_customer_merged",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("name", config="simple"),
                name="people_customer_words",
            ),
        ),
        AddIndexConcurrently(
            model_name="organisation",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("name", config="simple"),
                name="people_organisation_words",
            ),
        ),
        AddIndexConcurrently(
            model_name="identity",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    models.F("value"), name="varchar_pattern_ops"
                ),
                name="people_identity_beginning",
            ),
        ),
        AddIndexConcurrently(
            model_name="identity",
            index=models.Index(
                django.db.models.functions.text.Right("value", 9),
                condition=models.Q(("kind", "phone")),
                name="people_identity_phone_tail",
            ),
        ),
    ]
