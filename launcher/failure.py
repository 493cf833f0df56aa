"""How the launcher gives up: one sentence, never a traceback."""


class Failure(Exception):
    """Something that the person at the keyboard can mend; its text is one clear sentence."""


def last_line(text: str) -> str:
    """The last line of a tool's output that says anything, without its colon or full stop."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(" .:") if lines else "it said nothing"
