"""A small company in an empty database: `python -m tests.loop.company`."""

import os

import django


def found() -> None:
    from people.models import AssignmentMethod, Membership, Role, Team, TeamHours, User
    from tickets.models import Category
    from triage.models import Keyword

    team = Team.objects.create(name="Orders", assignment_method=AssignmentMethod.ROUND_ROBIN)
    every_day = {
        day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    }
    TeamHours.objects.create(team=team, effective_from="2020-01-01T00:00Z", week=every_day)
    delivery = Category.objects.create(name="Delivery", team=team)
    damage = Category.objects.create(name="Damage", parent=delivery)
    Keyword.objects.create(category=damage, language="en", phrase="cracked")
    ana = User.objects.create_user("ana@casanord.example", "ana-s password", name="Ana Rusu")
    Membership.objects.create(team=team, user=ana)
    User.objects.create_user(
        "sara@casanord.example", "sara-s password", name="Sara Doria", role=Role.MANAGER
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    django.setup()
    found()
