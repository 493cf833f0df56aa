"""Pictures of other servers, fetched by us when a reader asks, so that their browser asks nobody.

A mail may name any address at all, also one inside our own network. Therefore: only http and https
on their own ports, only addresses of the public internet, checked on the address to which we really
connect (a name that is looked up twice may answer twice), no redirects, no cookies, a limit on time
and bytes, and nothing is handed on that is not a picture by its bytes.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, urlsplit

from tickets.files import HEAD_BYTES, sniffed

MAX_BYTES = 5_000_000
MAX_SECONDS = 8.0
STEP_SECONDS = 4.0
_CHUNK = 65_536
_PORTS = {"http": 80, "https": 443}


class PictureRefused(Exception):
    """The picture cannot be had, or must not be fetched; the text says why, for logs."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    content_type: str


def fetch_picture(url: str) -> Picture:
    """The picture at the address. Raises `PictureRefused`."""
    until = time.monotonic() + MAX_SECONDS
    connection = _connect(url)
    try:
        response = connection.getresponse()
        if response.status != http.client.OK:
            raise PictureRefused(f"it answers {response.status}")
        content = _read(response, until)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PictureRefused(str(error) or type(error).__name__) from error
    finally:
        connection.close()
    kind = sniffed(content[:HEAD_BYTES])
    if not kind:
        raise PictureRefused("it is no picture")
    return Picture(content, kind)


def _connect(url: str) -> http.client.HTTPConnection:
    """A connection on which the request was sent, to an address that was looked at."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host.encode("idna").decode() if not host.isascii() else host
    except ValueError as error:
        raise PictureRefused("its address is none") from error
    default = _PORTS.get(parts.scheme)
    if default is None or not host or parts.username is not None or port not in (None, default):
        raise PictureRefused("its address is not a plain one")
    address = public_address(host, default)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = _CheckedHTTPS(host, address, timeout=STEP_SECONDS, context=_tls())
    else:
        connection = _CheckedHTTP(host, address, timeout=STEP_SECONDS)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=?~-._')}" if parts.query else ""
    try:
        connection.request(
            "GET", path + query, headers={"Accept": "image/*", "User-Agent": "helpdesk-pictures"}
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        raise PictureRefused(str(error) or type(error).__name__) from error
    return connection


def public_address(host: str, port: int) -> str:
    """The first address of the host, when all of them are on the public internet.

    Raises `PictureRefused`.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise PictureRefused("its server is not known") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise PictureRefused("its server is not on the public internet")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether anybody on the internet could ask there too."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in one of its IPv6 disguises is what it is.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    announced = response.getheader("Content-Length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:12]) > MAX_BYTES:
        raise PictureRefused("it is too large")
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > MAX_BYTES:
            raise PictureRefused("it is too large")
        if time.monotonic() > until:
            raise PictureRefused("it takes too long")
    return bytes(content)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _CheckedHTTP(http.client.HTTPConnection):
    """Connects to the address that was looked at, and nowhere else, in the name of its host."""

    def __init__(self, host: str, address: str, *, timeout: float) -> None:
        super().__init__(host, timeout=timeout)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _CheckedHTTPS(http.client.HTTPSConnection):
    """As `_CheckedHTTP`; the certificate is checked against the host's name."""

    def __init__(self, host: str, address: str, *, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, timeout=timeout, context=context)
        self._address = address
        self._tls = context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
