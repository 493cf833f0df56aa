from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0016_our_address"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="quotes",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="heldmessage",
            name="quotes",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
