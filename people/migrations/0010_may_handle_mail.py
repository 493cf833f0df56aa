import django.contrib.postgres.fields
from django.db import migrations, models

PERMISSIONS = [
    ("see_every_ticket", "See every team’s tickets"),
    ("see_reviews", "See the reviews"),
    ("merge_customers", "Merge customers"),
    ("share_views", "Share views with a team or everyone"),
    ("share_macros", "Share macros and canned replies"),
    ("manage_teams", "Edit teams and their hours"),
    ("manage_vocabulary", "Edit categories, statuses, tags, fields and forms"),
    ("manage_brand", "Edit name, logo and colours"),
    ("manage_mail", "Set up mailboxes and the mails we send"),
    ("sort_mail", "Read held mail, let it in or delete it"),
    ("manage_users", "Invite users and set their roles"),
    ("read_changes", "Read who changed which setting"),
]


class Migration(migrations.Migration):
    dependencies = [("people", "0009_words_in_every_locale")]

    operations = [
        migrations.RemoveConstraint("customrole", "people_customrole_permissions_are_known"),
        migrations.AlterField(
            model_name="customrole",
            name="permissions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=PERMISSIONS, max_length=40),
                blank=True,
                default=list,
            ),
        ),
        migrations.AddConstraint(
            model_name="customrole",
            constraint=models.CheckConstraint(
                condition=models.Q(permissions__contained_by=[name for name, _ in PERMISSIONS]),
                name="people_customrole_permissions_are_known",
            ),
        ),
    ]
