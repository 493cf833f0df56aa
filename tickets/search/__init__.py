"""Finding tickets by what was written, in one line of words and operators.

    parcel "cracked shade" -invoice status:open from:ana@example.org before:2026-10-01

Words are looked for in every message, note, subject, tag and field, and in who the customer is;
operators are conditions of the one condition language, said shortly.
"""

from tickets.search.asked import Asked, BadOperator, read
from tickets.search.find import Found, find, newest_with_words
from tickets.search.letters import Marked

__all__ = ["Asked", "BadOperator", "Found", "Marked", "find", "newest_with_words", "read"]
