"""A real IMAP server for tests: Debian's Dovecot, as nobody in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from imap_tools import BaseMailBox, MailBoxUnencrypted

PROGRAM = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PASSWORD = "correct-horse"

_SETTINGS = """
base_dir = {folder}/state
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
disable_plaintext_auth = no
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service anvil {{
  chroot =
  # Who failed once need not wait before they try again.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
  }}
}}
"""


#: Tokens are judged by whoever gives them out: JSON that says whose a token is, or 401.
_TOKENS = """
introspection_mode = auth
introspection_url = {url}
username_attribute = email
"""


class Dovecot:
    """Runs from `start` to `stop`; every name is a user of it, with one password, or with a token
    that is good at `tokens_url`."""

    def __init__(
        self, folder: Path, certificate: tuple[Path, Path], *, tokens_url: str = "http://localhost"
    ) -> None:
        self.folder = folder
        self.port, self.tls_port = _free_port(), _free_port()
        #: Whose mailbox is meant; a name that is new has an empty one.
        self.user = "support"
        self._identity = _nobody()
        user, group, uid, gid = self._identity
        (folder / "mail").mkdir(parents=True)
        (folder / "state").mkdir()
        (folder / "dovecot.conf").write_text(
            _SETTINGS.format(
                folder=folder,
                user=user,
                group=group,
                uid=uid,
                gid=gid,
                port=self.port,
                tls_port=self.tls_port,
                password=PASSWORD,
                certificate=certificate[0],
                key=certificate[1],
            )
        )
        (folder / "oauth2.conf").write_text(_TOKENS.format(url=tokens_url))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM
        user, group, uid, gid = self._identity
        if os.geteuid() == 0:
            for one in (self.folder, *self.folder.rglob("*")):
                os.chown(one, uid, gid)
        self._process = subprocess.Popen(
            [PROGRAM, "-F", "-c", str(self.folder / "dovecot.conf")],
            user=user if os.geteuid() == 0 else None,
            group=group if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            start_new_session=True,
            stderr=subprocess.STDOUT,
            stdout=(self.folder / "out").open("wb"),
        )
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    told = (self.folder / "out").read_text() + _text(self.folder / "log")
                    raise RuntimeError(f"Dovecot did not start: {told}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            # Asked politely, it waits some seconds for its own programs.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            (self.folder / "state" / "master.pid").unlink(missing_ok=True)

    def opened(self, folder: str = "INBOX") -> BaseMailBox:
        """A connection as the people who work in the mailbox have it."""
        box = MailBoxUnencrypted("127.0.0.1", self.port)
        return box.login(self.user, PASSWORD, initial_folder=folder)

    def put(self, *mails: bytes, folder: str = "INBOX") -> None:
        with self.opened() as box:
            for mail in mails:
                box.append(mail, folder)

    def make(self, folder: str) -> None:
        with self.opened() as box:
            box.folder.create(folder)

    def subjects(self, folder: str = "INBOX", criteria: str = "ALL") -> list[str]:
        with self.opened(folder) as box:
            return [mail.subject for mail in box.fetch(criteria, mark_seen=False)]

    def drop_everyone(self) -> None:
        """Every connection breaks off, as when the server is restarted."""
        self.stop()
        self.start()


def _nobody() -> tuple[str, str, int, int]:
    import grp
    import pwd

    found = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return found.pw_name, grp.getgrgid(found.pw_gid).gr_name, found.pw_uid, found.pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""
