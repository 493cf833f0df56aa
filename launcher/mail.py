"""The local SMTP server that catches mail, as a service that is started and stopped."""

import smtplib
import subprocess
from pathlib import Path

from launcher.failure import Failure, last_line
from launcher.paths import PYTHON, ROOT
from launcher.processes import end, is_alive, wait_until
from launcher.redis import free_port
from launcher.state import State


class MailCatcher:
    """Keeps each mail as an `.eml` file in `folder`; its own state is in `home`."""

    name = "The mail catcher"
    variable = "EMAIL_URL"

    def __init__(self, home: Path, folder: Path, log: Path) -> None:
        self.home = home
        self.folder = folder
        self.log = log
        self.state = State(home / "state.json")

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.state.number('port')}"

    def is_running(self) -> bool:
        return is_alive(self.state.number("pid"))

    def is_up(self) -> bool:
        port, word = self.state.number("port"), self.state.text("word")
        if not port:
            return False
        try:
            with smtplib.SMTP(local_hostname="localhost", timeout=2) as client:
                greeting = client.connect("127.0.0.1", port)[1]
        except (OSError, smtplib.SMTPException):
            return False
        return word.encode() in greeting

    def start(self) -> None:
        """Start the server, on the port it had before if that is free."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        port = free_port(self.state.number("port"))
        self.state.forget()
        arguments = [str(self.folder), str(self.state.path), str(port)]
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                [str(PYTHON), "-m", "launcher.mail_catcher", *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # the keyboard's Ctrl-C is not for the server
            )
        pid = server.pid
        wait_until(lambda: self.is_up() or not is_alive(pid), seconds=20)
        if not self.is_up():
            end(pid)
            why = last_line(self.log.read_text(errors="replace"))
            raise Failure(f"The mail catcher did not start: {why}.")

    def stop(self) -> None:
        """Stop the server; the mail it kept stays."""
        if self.is_up():
            end(self.state.number("pid"))
