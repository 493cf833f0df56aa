"""How often one visitor may do one thing."""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from django.core.cache import cache
from django.http import HttpRequest

HOUR = 3600


def is_over(scope: str, who: str, *, limit: int, seconds: int = HOUR) -> bool:
    """Count one more of `scope` for `who`; whether that is more than `limit` within `seconds`.

    Without Redis nobody is counted and everybody is let through.
    """
    key = f"limit:{scope}:{sha256(who.encode()).hexdigest()}"
    if cache.add(key, 1, timeout=seconds):
        return limit < 1
    try:
        return (cache.incr(key) or 0) > limit
    except ValueError:
        # The count ended between the two commands: this is the first of the next.
        return False


def network_of(request: HttpRequest) -> str:
    """What one visitor cannot easily change: their address, or with IPv6 their network's."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return address
