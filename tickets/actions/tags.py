"""The company's tags: what they mean, and renaming, joining or removing one everywhere.

A tag is a word on a ticket. Correcting the word says nothing new about any ticket, so that it
writes one line into the log of changes and none into the tickets' histories.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.dispatch import Signal

from people.audit import record_change
from people.models import User
from tickets.actions.classify import normalised_tags
from tickets.models import Tag, Ticket

# The rooms above keep things that name tags. In the transaction of a change they let these name
# another word, or none (`name`, `word`, `actor`).
replaced = Signal()
# Asked by name, each of them says in a few words what names the tag: "3 views", or nothing.
asked = Signal()

#: Tickets are changed so many at a time, so that nobody waits long for one of them.
AT_ONCE = 2000


class TagIsEmpty(Exception):
    """A tag needs a letter or a digit."""


def named_by(name: str) -> list[str]:
    """What names the tag beside tickets, in the reader's language: "3 views", "1 macro"."""
    return [told for _receiver, told in asked.send(sender=Tag, name=name) if told]


@transaction.atomic
def describe_tag(name: str, *, meaning: str, actor: User) -> Tag:
    """Suggest the tag to colleagues, with what it means. Raises `TagIsEmpty`."""
    word = _one(name)
    tag, is_new = Tag.objects.select_for_update().get_or_create(name=word)
    before, tag.meaning = tag.meaning, meaning.strip()[:200]
    tag.save(update_fields=["meaning"])
    record_change(
        actor,
        "created" if is_new else "changed",
        tag,
        before={} if is_new else {"meaning": before},
        after={"meaning": tag.meaning},
    )
    return tag


def rename_tag(name: str, *, to: str, actor: User) -> int:
    """Call the tag otherwise on every ticket and in whatever names it; where `to` is there
    already, the two become one.

    Returns on how many tickets. Raises `TagIsEmpty`.
    """
    word = _one(to)
    if word == name:
        return 0
    with transaction.atomic():
        old = Tag.objects.filter(name=name).first()
        if Tag.objects.filter(name=word).exists():
            Tag.objects.filter(name=name).delete()
        elif old:
            old.name = word
            old.save(update_fields=["name"])
        record_change(
            actor,
            "renamed",
            old,
            before={"name": name},
            after={"name": word},
            kind="tag",
            name=name,
        )
        replaced.send(sender=Tag, name=name, word=word, actor=actor)
    return _replace(name, word)


def remove_tag(name: str, *, actor: User) -> int:
    """Take the tag off every ticket, and suggest it no more. Returns off how many."""
    with transaction.atomic():
        Tag.objects.filter(name=name).delete()
        record_change(actor, "deleted", None, before={"name": name}, kind="tag", name=name)
        replaced.send(sender=Tag, name=name, word=None, actor=actor)
    return _replace(name, None)


def _replace(name: str, word: str | None) -> int:
    """Found by the index on tags, a part at a time; done again it finds what was left."""
    changed = 0
    while True:
        with transaction.atomic():
            found = list(
                Ticket.objects.filter(tags__contains=[name])
                .locked()
                .order_by("pk")
                .values_list("pk", "tags")[:AT_ONCE]
            )
            rows = []
            for pk, tags in found:
                kept = [tag for tag in tags if tag != name] + ([word] if word else [])
                rows.append(Ticket(pk=pk, tags=normalised_tags(kept)))
            # Their version too, so that a page that shows the old word is told.
            Ticket.objects.bulk_update(rows, ["tags"])
            Ticket.objects.filter(pk__in=[row.pk for row in rows]).update(version=F("version") + 1)
        changed += len(found)
        if len(found) < AT_ONCE:
            return changed


def _one(name: str) -> str:
    found = normalised_tags([name.replace(",", " ")])
    if not found:
        raise TagIsEmpty
    return found[0]
