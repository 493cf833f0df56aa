"""Pictures of other servers: fetched by us, from the public internet alone, and only pictures."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tickets import pictures
from tickets.pictures import PictureRefused, fetch_picture, is_public

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


class Server:
    """A web server on this machine, so not on the public internet, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.status, self.headers, self.body = 200, {"Content-Type": "image/png"}, PNG
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.path, dict(self.headers)))
                self.send_response(server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(server.body)

            def log_message(self, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.http.server_port


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.http.shutdown()
    one.http.server_close()


@pytest.fixture
def public(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same server, as if `pictures.example` stood on the public internet."""

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        assert address == ("93.184.215.14", 80)
        plain = socket.socket()
        plain.settimeout(5)
        plain.connect(("127.0.0.1", server.port))
        return plain

    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.215.14"))
    monkeypatch.setattr(pictures.socket, "create_connection", connect)
    return server


def _answers(*addresses: str) -> Any:
    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        return [(2, 1, 6, "", (address, port or 0)) for address in addresses]

    return getaddrinfo


def test_a_picture_is_fetched_without_telling_who_reads(public: Server) -> None:
    found = fetch_picture("http://pictures.example/a b.png?x=1&y=é")
    assert (found.content, found.content_type) == (PNG, "image/png")
    (path, headers) = public.asked[0]
    assert path == "/a%20b.png?x=1&y=%C3%A9"
    assert headers["Host"] == "pictures.example"
    assert {"Cookie", "Referer", "Authorization"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (302, {"Location": "http://127.0.0.1/"}, PNG),
        (404, {}, PNG),
        (200, {"Content-Type": "image/png"}, b"<svg onload='alert(1)'></svg>"),
        (200, {"Content-Type": "image/png"}, b"<html><script>alert(1)</script>"),
        (200, {"Content-Type": "image/png", "Content-Length": "999999999"}, PNG),
        (200, {"Content-Type": "image/png"}, PNG + b"\0" * pictures.MAX_BYTES),
        (200, {}, b""),
    ],
    ids=["redirect", "missing", "svg", "page", "said to be large", "large", "empty"],
)
def test_what_is_no_picture_or_leads_elsewhere_is_refused(
    public: Server, status: int, headers: dict[str, str], body: bytes
) -> None:
    public.status, public.headers, public.body = status, headers, body
    with pytest.raises(PictureRefused):
        fetch_picture("http://pictures.example/a.png")
    assert len(public.asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.7",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "not an address",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_addresses_outside_are_public() -> None:
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/a.png",
        "http://localhost:{port}/a.png",
        "http://127.0.0.1/a.png",
        "http://localhost/a.png",
        "http://2130706433/a.png",
        "http://0x7f.1/a.png",
        "http://[::1]/a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://user:password@93.184.215.14/a.png",
        "http://93.184.215.14:22/a.png",
        "https://93.184.215.14:8443/a.png",
        "ftp://93.184.215.14/a.png",
        "file:///etc/passwd",
        "//93.184.215.14/a.png",
        "http://",
        "http://[",
        "http://a b/",
        "http://93.184.215.14:99999/",
        "",
    ],
)
def test_addresses_that_must_not_be_asked_are_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    def connect(*args: Any, **kwargs: Any) -> socket.socket:
        raise AssertionError(f"It connects to {args}.")

    monkeypatch.setattr(pictures.socket, "create_connection", connect)
    with pytest.raises(PictureRefused):
        fetch_picture(url.format(port=server.port))
    assert server.asked == []


def test_a_name_with_one_address_inside_is_not_asked_at_all(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.215.14", "127.0.0.1"))
    with pytest.raises(PictureRefused):
        fetch_picture("http://both.example/a.png")
    assert server.asked == []


def test_a_name_is_looked_up_once_and_what_was_looked_at_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that answers differently the second time (DNS rebinding) gains nothing."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    connected: list[Any] = []

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        return [(2, 1, 6, "", (address, port)) for address in next(answers)]

    def connect(address: Any, *args: Any, **kwargs: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(pictures.socket, "create_connection", connect)
    with pytest.raises(PictureRefused):
        fetch_picture("http://rebind.example/a.png")
    assert connected == [("93.184.215.14", 80)]
    assert next(answers) == ["127.0.0.1"]
