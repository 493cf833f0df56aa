import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

BARE = models.Func(
    models.F("name"),
    models.Value("[!-/:-@\\[-`{-~«»“”„‘’‚‹›–—…•·\\u00a0]+"),
    models.Value(" "),
    models.Value("g"),
    function="REGEXP_REPLACE",
)


def words(name: str) -> django.contrib.postgres.indexes.GinIndex:
    found = django.contrib.postgres.search.SearchVector(BARE, config="simple")
    return django.contrib.postgres.indexes.GinIndex(found, name=name)


class Migration(migrations.Migration):
    # Concurrently, so that nobody waits for it.
    atomic = False

    dependencies = [("people", "0008_newest_customers")]

    operations = [
        RemoveIndexConcurrently("customer", "people_customer_words"),
        RemoveIndexConcurrently("organisation", "people_organisation_words"),
        AddIndexConcurrently("customer", words("people_customer_words")),
        AddIndexConcurrently("organisation", words("people_organisation_words")),
    ]
