from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0010_may_handle_mail"),
        # Which takes the addresses over.
        ("messaging", "0017_addresses_of_teams"),
    ]

    operations = [migrations.RemoveField(model_name="team", name="email")]
