"""Signing in to a mailbox's servers, and saying in words what is wrong."""

from __future__ import annotations

import base64
import imaplib
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _
from imap_tools import (
    BaseMailBox,
    MailBox,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailBoxStartTls,
    MailboxStarttlsError,
    MailBoxUnencrypted,
)

from messaging.email.oauth import TokenRefused, access_token, forget_token
from messaging.models import Mailbox

SECONDS: Final = 20
_SIGNED_IN: Final = 235  # RFC 4954
_ASKED: Final = 334
Security = Mailbox.Security
Connection = TypeVar("Connection")


class AccountFails(Exception):
    """A server of the mailbox cannot be used. `step` is where it stopped: address, connection, tls,
    sign_in, folder or server; the text says what to do about it."""

    def __init__(self, step: str, words: str) -> None:
        super().__init__(words)
        self.step = step


@dataclass(frozen=True, slots=True)
class Server:
    """Whom we speak to: IMAP or SMTP, and how, where that is ours to choose."""

    kind: str
    host: str
    port: int
    security: str = ""


def imap(mailbox: Mailbox, *, folder: str | None = None) -> BaseMailBox:
    """An open IMAP connection with the mailbox's folder chosen. Raises `AccountFails`."""
    server = Server("IMAP", mailbox.imap_host, mailbox.imap_port, mailbox.imap_security)

    def signed_in() -> BaseMailBox:
        opened = _imap_connection(server)
        try:
            _sign_in(opened, mailbox)
        except Exception:
            _leave(opened)
            raise
        return opened

    try:
        _look_up(server)
        opened = _with_a_good_token(signed_in, mailbox)
    except Exception as error:
        raise explained(error, server) from error
    chosen = folder or mailbox.folder
    try:
        opened.folder.set(chosen)
    except (MailboxFolderSelectError, imaplib.IMAP4.error) as error:
        names = [one.name for one in opened.folder.list()][:30]
        _leave(opened)
        words = _("There is no folder “%(folder)s” on %(host)s. There are: %(names)s.")
        told = {"folder": chosen, "host": server.host, "names": ", ".join(names)}
        raise AccountFails("folder", words % told) from error
    return opened


def smtp(mailbox: Mailbox) -> smtplib.SMTP:
    """An open SMTP connection, signed in. Raises `AccountFails`."""
    server = Server("SMTP", mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security)

    def signed_in() -> smtplib.SMTP:
        connection = _smtp_connection(server)
        try:
            if mailbox.login:
                _sign_in_to_send(connection, mailbox)
        except Exception:
            connection.close()
            raise
        return connection

    try:
        _look_up(server)
        return _with_a_good_token(signed_in, mailbox)
    except Exception as error:
        raise explained(error, server) from error


def explained(error: Exception, server: Server) -> AccountFails:
    """What went wrong between us and the server, as a sentence for whoever set it up."""
    if isinstance(error, AccountFails):
        return error
    told = {"kind": server.kind, "host": server.host, "port": server.port, "words": said(error)}
    if isinstance(error, socket.gaierror):
        words = _("The name %(host)s is not known. Look for a typing error in the %(kind)s server.")
        return AccountFails("address", words % told)
    if isinstance(error, ssl.SSLCertVerificationError):
        told["words"] = error.verify_message
        words = _("%(host)s shows a certificate that cannot be trusted: %(words)s.")
        return AccountFails("tls", words % told)
    if isinstance(error, ssl.SSLError | MailboxStarttlsError | smtplib.SMTPNotSupportedError):
        words = _(
            "%(host)s does not speak this encryption on port %(port)s. TLS is usual on ports 993 "
            "and 465, STARTTLS on 143 and 587. (%(words)s)"
        )
        return AccountFails("tls", words % told)
    if isinstance(error, TokenRefused):
        words = _("The provider gives no access: %(words)s Sign in to it anew for a new token.")
        return AccountFails("sign_in", words % told)
    if isinstance(error, MailboxLoginError | imaplib.IMAP4.error | smtplib.SMTPAuthenticationError):
        words = _("%(host)s refuses the log-in: %(words)s")
        return AccountFails("sign_in", words % told)
    if isinstance(error, ConnectionRefusedError):
        words = _("Nothing answers on port %(port)s of %(host)s. Is it the %(kind)s port?")
        return AccountFails("connection", words % told)
    if isinstance(error, TimeoutError):
        words = _("%(host)s did not answer on port %(port)s in time. A firewall may be between.")
        return AccountFails("connection", words % told)
    words = _("The connection to %(host)s failed: %(words)s")
    return AccountFails("server", words % told)


def said(error: BaseException) -> str:
    """What a server or a library said, on one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        words: object = error.smtp_error
    elif isinstance(error, MailboxLoginError):
        words = error.command_result[1][0] if error.command_result[1] else ""
    else:
        words = error.args[0] if error.args and isinstance(error.args[0], bytes) else error
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.replace("\0", "").split())[:300] or type(error).__name__


@lru_cache(maxsize=1)
def tls() -> ssl.SSLContext:
    """Certificates are always verified: by the system's authorities and the company's own."""
    context = ssl.create_default_context()
    if settings.MAIL_CA_FILE:
        context.load_verify_locations(settings.MAIL_CA_FILE)
    return context


def is_this_machine(host: str) -> bool:
    """Whether what is sent to this host leaves the machine: then it is never sent in the clear."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _look_up(server: Server) -> None:
    if not server.host:
        words = _("No %(kind)s server is named.") % {"kind": server.kind}
        raise AccountFails("address", words)
    if server.security == Security.NONE and not is_this_machine(server.host):
        words = _("Without encryption only a server on this machine is spoken to.")
        raise AccountFails("tls", words)
    try:
        socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(str(error)) from error


def _imap_connection(server: Server) -> BaseMailBox:
    if server.security == Security.TLS:
        return MailBox(server.host, server.port, timeout=SECONDS, ssl_context=tls())
    if server.security == Security.STARTTLS:
        return MailBoxStartTls(server.host, server.port, timeout=SECONDS, ssl_context=tls())
    return MailBoxUnencrypted(server.host, server.port, timeout=SECONDS)


def _with_a_good_token(signed_in: Callable[[], Connection], mailbox: Mailbox) -> Connection:
    """A server may refuse a token before its time: then a fresh one is tried, once."""
    try:
        return signed_in()
    except (imaplib.IMAP4.error, smtplib.SMTPAuthenticationError):
        if not forget_token(mailbox):
            raise
        return signed_in()


def _sign_in(opened: BaseMailBox, mailbox: Mailbox) -> None:
    if mailbox.sign_in != Mailbox.SignIn.PASSWORD:
        # A refusal comes as a question, which only an empty line answers.
        answers = iter([_shown_token(mailbox)])
        opened.client.authenticate("XOAUTH2", lambda _question: next(answers, b""))
    elif mailbox.login.isascii() and mailbox.secret.isascii():
        opened.login(mailbox.login, mailbox.secret, initial_folder=None)
    else:
        opened.login_utf8(mailbox.login, mailbox.secret, initial_folder=None)


def _smtp_connection(server: Server) -> smtplib.SMTP:
    if server.security == Security.TLS:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=tls())
    connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    if server.security == Security.STARTTLS:
        connection.starttls(context=tls())
    return connection


def _sign_in_to_send(connection: smtplib.SMTP, mailbox: Mailbox) -> None:
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("auth"):
        why = _("%(host)s knows no log-in on port %(port)s. If none is needed, leave it empty.")
        told = {"host": mailbox.smtp_host, "port": mailbox.smtp_port}
        raise AccountFails("sign_in", why % told)
    if mailbox.sign_in == Mailbox.SignIn.PASSWORD:
        connection.login(mailbox.login, mailbox.secret)
        return
    token = base64.b64encode(_shown_token(mailbox)).decode()
    code, words = connection.docmd("AUTH", f"XOAUTH2 {token}")
    if code == _ASKED:
        code, words = connection.docmd("")
    if code != _SIGNED_IN:
        raise smtplib.SMTPAuthenticationError(code, words)


def _shown_token(mailbox: Mailbox) -> bytes:
    return f"user={mailbox.login}\1auth=Bearer {access_token(mailbox)}\1\1".encode()


def _leave(opened: BaseMailBox) -> None:
    try:
        opened.logout()
    except Exception:  # noqa: BLE001 - it is gone either way
        return
