"""Where the mail listener listens and for whom: what the settings say, or what is wrong there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

Network = IPv4Network | IPv6Network


class WrongSetting(Exception):
    """A setting is not what it should be; the text says what it should be."""


@dataclass(frozen=True)
class Address:
    """Where to listen; port 0 is any that is free."""

    host: str
    port: int
    is_lmtp: bool


def address() -> Address:
    """Where and what we speak. Raises `WrongSetting`."""
    try:
        url = urlsplit(settings.MAIL_LISTEN_URL)
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if not host or not port or url.scheme not in ("lmtp", "smtp") or url.path.strip("/"):
        raise WrongSetting(
            "MAIL_LISTEN_URL is lmtp:// or smtp:// with the address and the port to listen on, as "
            "in lmtp://127.0.0.1:8024."
        )
    return Address(host, port, is_lmtp=url.scheme == "lmtp")


def clients() -> tuple[Network, ...]:
    """The networks whose mail servers may hand mail over. Raises `WrongSetting`."""
    found = []
    for given in settings.MAIL_LISTEN_CLIENTS:
        try:
            found.append(ip_network(given.strip()))
        except ValueError as error:
            raise WrongSetting(
                f"MAIL_LISTEN_CLIENTS has addresses and networks, as in 10.1.2.3,192.168.0.0/24: "
                f"{error}."
            ) from error
    if not found:
        raise WrongSetting("MAIL_LISTEN_CLIENTS names nobody, so that nobody could hand mail over.")
    return tuple(found)


def most_bytes() -> int:
    """How large a mail may be to be taken at all. Raises `WrongSetting`."""
    if settings.MAIL_LISTEN_MAX_BYTES < 1:
        raise WrongSetting("MAIL_LISTEN_MAX_BYTES is a number of bytes above 0.")
    return int(settings.MAIL_LISTEN_MAX_BYTES)


def tls() -> ssl.SSLContext | None:
    """What STARTTLS is offered with; none without a certificate. Raises `WrongSetting`."""
    certificate, key = settings.MAIL_LISTEN_CERTIFICATE, settings.MAIL_LISTEN_KEY
    if not certificate:
        if key:
            raise WrongSetting("MAIL_LISTEN_KEY needs its certificate in MAIL_LISTEN_CERTIFICATE.")
        return None
    for name, file in (("MAIL_LISTEN_CERTIFICATE", certificate), ("MAIL_LISTEN_KEY", key)):
        try:
            if file:
                Path(file).read_bytes()
        except OSError as error:
            words = f"{name} names a file that cannot be read: {file} ({error.strerror})."
            raise WrongSetting(words) from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password it would ask for one on the terminal.
        context.load_cert_chain(certificate, key or None, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise WrongSetting("MAIL_LISTEN_KEY is not the key of the certificate.") from error
        raise WrongSetting(
            "MAIL_LISTEN_CERTIFICATE and MAIL_LISTEN_KEY are no certificate and its key in PEM, "
            "the key without a password."
        ) from error
    return context
