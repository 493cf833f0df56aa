"""That two records are one person. What stands above this room (tickets, their conversations) is
moved by `tickets.actions.customers`, which calls these two in its transaction."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from people.actions.customers import CustomerWasMerged
from people.actions.identities import place_identities
from people.audit import record_change
from people.models import Customer, CustomerMerge, Tier, User

_TIERS = [Tier.STANDARD, Tier.PLUS, Tier.VIP]


class SameCustomer(Exception):
    """A record is not merged with itself."""


class MergeWasUndone(Exception):
    """Somebody took the two apart already."""


class MergeIsBuried(Exception):
    """The kept record was merged into a third since; that merge is undone first."""


def absorb(kept: Customer, absorbed: Customer, *, actor: User) -> CustomerMerge:
    """Move what this room holds of one customer to another, and lead from the one to the other.

    The kept record stays as it is and gains what it lacks: organisation, time zone, attributes. The
    higher tier holds, and so does a wish not to be asked. Raises `SameCustomer`, and
    `CustomerWasMerged` when either was merged meanwhile.
    """
    if kept.pk == absorbed.pk:
        raise SameCustomer
    kept, absorbed = _both_locked(kept, absorbed)
    for one in (kept, absorbed):
        if one.merged_into_id is not None:
            raise CustomerWasMerged(one)
    before = _held(kept)
    _gain(kept, absorbed)
    kept.save(update_fields=list(before))
    absorbed.merged_into = kept
    absorbed.save(update_fields=["merged_into"])
    first, second = list(kept.identities.all()), list(absorbed.identities.all())
    moved: dict[str, Any] = {"identities": [one.pk for one in second]}
    for name in ("notes", "touchpoints"):
        rows = getattr(absorbed, name)
        moved[name] = list(rows.order_by("pk").values_list("pk", flat=True))
        rows.update(customer=kept)
    absorbed.identities.update(customer=kept)
    place_identities([*first, *second])
    moved["values"] = {
        name: [value, now] for name, value in before.items() if (now := _held(kept)[name]) != value
    }
    merge = CustomerMerge.objects.create(
        kept=kept, absorbed=absorbed, moved=moved, merged_by=actor, merged_at=timezone.now()
    )
    record_change(actor, "merged", absorbed, after={"merged into": kept.name, "customer": kept.pk})
    return merge


def release(merge: CustomerMerge, *, actor: User) -> CustomerMerge:
    """Move back what `absorb` moved and is still there.

    What the kept record gained it loses again, where nobody has changed it since. Raises
    `MergeWasUndone` and `MergeIsBuried`.
    """
    kept, absorbed = _both_locked(merge.kept, merge.absorbed)
    merge = CustomerMerge.objects.select_for_update(of=("self",)).get(pk=merge.pk)
    if merge.undone_at is not None:
        raise MergeWasUndone
    if kept.merged_into_id is not None:
        raise MergeIsBuried
    for name, (before, after) in merge.moved.get("values", {}).items():
        _give_back(kept, name, before, after)
    kept.save(update_fields=list(_held(kept)))
    absorbed.merged_into = None
    absorbed.save(update_fields=["merged_into"])
    for name in ("identities", "notes", "touchpoints"):
        getattr(kept, name).filter(pk__in=merge.moved.get(name, [])).update(customer=absorbed)
    for one in (kept, absorbed):
        place_identities(list(one.identities.all()))
    merge.kept, merge.absorbed = kept, absorbed
    merge.undone_by, merge.undone_at = actor, timezone.now()
    merge.save(update_fields=["undone_by", "undone_at"])
    record_change(actor, "unmerged", absorbed, before={"merged into": kept.name})
    return merge


def _both_locked(one: Customer, other: Customer) -> tuple[Customer, Customer]:
    """In the order of their ids, so that two who merge the same two the other way round wait for
    one another instead of both waiting for ever."""
    rows = Customer.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    found = {row.pk: row for row in rows.filter(pk__in=[one.pk, other.pk])}
    return found[one.pk], found[other.pk]


def _held(customer: Customer) -> dict[str, Any]:
    return {
        "organisation_id": customer.organisation_id,
        "time_zone": customer.time_zone,
        "tier": customer.tier,
        "accepts_surveys": customer.accepts_surveys,
        "attributes": dict(customer.attributes),
    }


def _gain(kept: Customer, absorbed: Customer) -> None:
    kept.organisation_id = kept.organisation_id or absorbed.organisation_id
    kept.time_zone = kept.time_zone or absorbed.time_zone
    kept.tier = max(kept.tier, absorbed.tier, key=lambda tier: _TIERS.index(Tier(tier)))
    kept.accepts_surveys = kept.accepts_surveys and absorbed.accepts_surveys
    kept.attributes = {**absorbed.attributes, **kept.attributes}


def _give_back(kept: Customer, name: str, before: Any, after: Any) -> None:
    if name != "attributes":
        if getattr(kept, name) == after:
            setattr(kept, name, before)
        return
    gained = {key: value for key, value in after.items() if key not in before}
    kept.attributes = {
        key: value
        for key, value in kept.attributes.items()
        if key not in gained or gained[key] != value
    }
