from django.db import migrations

# One status for each status category; a company renames them and adds its own.
STATUSES = [
    # category, agents' name (en, it, ro), customers' name (en, it, ro)
    ("new", ("New", "Nuovo", "Nou"), ("Received", "Ricevuta", "Primită")),
    ("open", ("Open", "Aperto", "Deschis"), ("In progress", "In lavorazione", "În lucru")),
    (
        "pending",
        ("Waiting for customer", "In attesa del cliente", "Așteaptă clientul"),
        ("Waiting for your answer", "In attesa della sua risposta", "Așteaptă răspunsul dvs."),
    ),
    (
        "on_hold",
        ("On hold", "In sospeso", "În așteptare"),
        ("Waiting for a third party", "In attesa di terzi", "Așteaptă un terț"),
    ),
    ("solved", ("Solved", "Risolto", "Rezolvat"), ("Solved", "Risolta", "Rezolvată")),
    ("closed", ("Closed", "Chiuso", "Închis"), ("Closed", "Chiusa", "Închisă")),
]


def create(apps, schema_editor):
    Status = apps.get_model("tickets", "Status")
    Status.objects.bulk_create(
        Status(
            category=category,
            position=position,
            name=ours[0],
            names={"it": ours[1], "ro": ours[2]},
            customer_name=theirs[0],
            customer_names={"it": theirs[1], "ro": theirs[2]},
        )
        for position, (category, ours, theirs) in enumerate(STATUSES)
    )


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_guards")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
