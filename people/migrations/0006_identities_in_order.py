from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0005_sessions_end")]

    operations = [
        migrations.AlterModelOptions(
            name="identity",
            options={"ordering": ["position", "pk"], "verbose_name_plural": "identities"},
        ),
        migrations.AddField(
            model_name="identity",
            name="position",
            field=models.PositiveSmallIntegerField(default=0, db_default=0),
        ),
    ]
