"""Our own addresses and message ids: signed, so that a guessed or altered one is nobody's.

A signature is ten bytes of an HMAC in lower-case base 32, because mail servers may change the case
of an address on its way.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal, NamedTuple, cast

from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from people.brand import brand, our_addresses
from people.models import User
from tickets.models import Attachment, Conversation, Ticket

_SIGNATURE_BYTES: Final = 10
_TOKEN: Final = re.compile(r"([0-9a-z]{1,12})-([a-z2-7]{16})")
_MESSAGE_ID: Final = re.compile(r"<([mtxn])\.([0-9a-z]{1,26})\.([a-z2-7]{16})@[^<>@\s]{1,255}>")
_LARGEST_KEY: Final = 2**63 - 1
#: How the tag of every address begins that a colleague's answer comes to. No conversation's does.
_ANSWER_TAG: Final = "desk."
_ANSWER: Final = re.compile(
    r"desk\.([rn])\.([0-9a-z]{1,12})\.([0-9a-z]{1,12})\.([0-9a-z]{1,12})\.([a-z2-7]{16})"
)

#: What an id of ours names: a message, a ticket, a mail about neither, or what colleagues are told
#: of a ticket.
What = Literal["m", "t", "x", "n"]
#: What a colleague's answer becomes: a reply to the customer, or a note.
Becomes = Literal["r", "n"]


class Named(NamedTuple):
    """What one of our message ids names; `key` is a primary key, or random for `x`."""

    what: What
    key: str

    @property
    def pk(self) -> int:
        return base36_to_int(self.key)


def support_address() -> tuple[str, str]:
    """The local part and the domain of the address that customers write to."""
    local, _, domain = brand().support_address.lower().rpartition("@")
    return local, domain


def reply_address(conversation: Conversation, *, base: str = "") -> str:
    """The address whose mail belongs to this conversation, as far as its sender takes part: `base`,
    by default the company's address, with a signed tag."""
    local, _at, domain = (base or "@".join(support_address())).lower().rpartition("@")
    return f"{local}+{_reply_token(conversation)}@{domain}"


def conversation_of(address: str) -> Conversation | None:
    """The conversation that a reply address was made for.

    An empty, short, long, altered or invented token is no one's, all alike.
    """
    given, _, domain = address.strip().lower().rpartition("@")
    base, plus, token = given.partition("+")
    match = _TOKEN.fullmatch(token) if plus else None
    if match is None or f"{base}@{domain}" not in our_addresses():
        return None
    pk = base36_to_int(match[1])
    conversation = Conversation.objects.filter(pk=pk).first() if pk <= _LARGEST_KEY else None
    expected = _signature("reply", conversation.reply_key if conversation else secrets.token_hex())
    return conversation if constant_time_compare(match[2], expected) else None


class AnswerTo(NamedTuple):
    """Whose answer an address takes, to what, and to whom it may go."""

    becomes: Becomes
    user: User
    ticket: Ticket
    customer_pk: int


def answer_address(
    user: User, ticket: Ticket, *, becomes: Becomes, customer_pk: int, base: str = ""
) -> str:
    """The address at which this colleague answers what they are told of the ticket by mail. It is
    nobody else's, and ends when the colleague's own address changes."""
    local, _at, domain = (base or "@".join(support_address())).lower().rpartition("@")
    keys = ".".join(int_to_base36(pk) for pk in (user.pk, ticket.pk, customer_pk))
    return f"{local}+{_ANSWER_TAG}{becomes}.{keys}.{_of_answer(becomes, keys, user)}@{domain}"


def takes_answers(address: str) -> bool:
    """Whether an address claims to be one at which a colleague answers, rightly or not."""
    local, _, _domain = address.strip().lower().rpartition("@")
    tag = local.partition("+")[2]
    return tag.startswith(_ANSWER_TAG) and _plain(address.strip().lower()) in our_addresses()


def answer_to(address: str) -> AnswerTo | None:
    """What an address was made for at which a colleague answers; `None` for an empty, short, long,
    altered or invented signature, all alike."""
    if not takes_answers(address):
        return None
    match = _ANSWER.fullmatch(address.strip().lower().rpartition("@")[0].partition("+")[2])
    if match is None:
        return None
    becomes, *keys, signature = match.groups()
    pks = [base36_to_int(key) for key in keys]
    if max(pks) > _LARGEST_KEY:
        return None
    user = User.objects.filter(pk=pks[0]).first()
    ticket = Ticket.objects.filter(pk=pks[1]).first()
    given = cast("Becomes", becomes)
    expected = _of_answer(given, ".".join(keys), user)
    if not constant_time_compare(signature, expected) or user is None or ticket is None:
        return None
    return AnswerTo(given, user, ticket, pks[2])


def _of_answer(becomes: Becomes, keys: str, user: User | None) -> str:
    own = user.email.lower() if user else secrets.token_hex()
    return _signature("answer", f"{becomes}:{keys}:{own}")


def message_id(what: What, pk: int | None = None) -> str:
    """A message id of ours: always the same one for the same message or ticket."""
    key = secrets.token_hex(10) if pk is None else int_to_base36(pk)
    return f"<{what}.{key}.{_signature(f'id:{what}', key)}@{support_address()[1]}>"


def content_id(file: Attachment) -> str:
    """The id by which a mail's HTML shows a file; a stranger's id is not handed on as it is."""
    return f"{file.key}@{support_address()[1]}"


def named_by(rfc_message_id: str) -> Named | None:
    """What a message id of ours names; `None` for any id that we did not make."""
    match = _MESSAGE_ID.fullmatch(rfc_message_id.strip())
    if match is None:
        return None
    what, key, signature = match.groups()
    if not constant_time_compare(signature, _signature(f"id:{what}", key)):
        return None
    if what != "x" and (len(key) > 12 or base36_to_int(key) > _LARGEST_KEY):
        return None
    return Named(cast("What", what), key)


_asked: ContextVar[set[str] | None] = ContextVar("our_addresses", default=None)


@contextmanager
def asked_once() -> Iterator[None]:
    """Ask the database only once which addresses are ours, as long as one mail is looked at."""
    token = _asked.set(our_addresses())
    try:
        yield
    finally:
        _asked.reset(token)


def foreign(given: Iterable[str]) -> list[str]:
    """Those of the addresses whose mail does not come to us, each once, in lower case."""
    ours = _asked.get() or our_addresses()
    found = dict.fromkeys(address.strip().lower() for address in given)
    return [address for address in found if _plain(address) not in ours]


def _plain(address: str) -> str:
    """The address without the tag after its plus sign."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def is_ours(address_or_id: str) -> bool:
    """Whether an address, or a message id in angle brackets, is one that we made."""
    if address_or_id.startswith("<"):
        return named_by(address_or_id) is not None
    return not foreign([address_or_id])


def _reply_token(conversation: Conversation) -> str:
    return f"{int_to_base36(conversation.pk)}-{_signature('reply', conversation.reply_key)}"


def _signature(purpose: str, value: str) -> str:
    digest = salted_hmac(f"messaging.{purpose}", value, algorithm="sha256").digest()
    return b32encode(digest[:_SIGNATURE_BYTES]).decode("ascii").lower()
