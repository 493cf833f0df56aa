"""What the launcher says while it works: on stderr, for stdout is the command's own."""

import sys


def say(text: str) -> None:
    """Tell the person at the keyboard what is being done."""
    print(text, file=sys.stderr, flush=True)
