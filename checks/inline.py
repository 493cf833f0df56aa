"""No template holds an inline script, style or event handler: the policy of pages forbids them.

`python -m checks.inline` prints each place and ends with 1 when there is one.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Mail is read by mail programs, which know no style sheets of ours and run no policy of ours.
MAIL_FOLDERS = {"mail", "email"}

_TEMPLATE_CODE = re.compile(r"\{#.*?#\}|\{%\s*comment\b.*?endcomment\s*%\}|<!--.*?-->", re.DOTALL)
_TEMPLATE_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_OPENING_TAG = re.compile(r"<([A-Za-z][\w.:-]*)((?:\"[^\"]*\"|'[^']*'|[^'\">])*)>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([^\s=\"'/]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")


def faults(text: str, *, is_mail: bool = False) -> Iterator[tuple[int, str]]:
    """The line and the kind of each inline script, style or handler in a template's source."""
    text = _TEMPLATE_CODE.sub(_blank, text)
    text = _TEMPLATE_TAG.sub(_blank, text)
    for match in _OPENING_TAG.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        name = match[1].lower()
        attributes = {
            key.lower().lstrip(":"): value.strip("\"'")
            for key, value in _ATTRIBUTE.findall(match[2])
        }
        if name == "script" and not _is_allowed_script(attributes):
            yield line, "an inline script"
        if name == "style" and not is_mail:
            yield line, "a <style> element"
        if "style" in attributes and not is_mail:
            yield line, "a style attribute"
        for key, value in attributes.items():
            if re.fullmatch(r"on[a-z]+|hx-on\b.*|data-hx-on\b.*", key):
                yield line, f"the event handler {key}"
            if value.strip().lower().startswith("javascript:"):
                yield line, "a javascript: address"


def _is_allowed_script(attributes: dict[str, str]) -> bool:
    if "src" in attributes:
        return True
    kind = attributes.get("type", "")
    return kind == "application/json" or (kind == "importmap" and "nonce" in attributes)


def _blank(match: re.Match[str]) -> str:
    """As many lines as there were, and nothing else."""
    return (
        "x" + "\n" * match[0].count("\n")
        if match[0].startswith("{{")
        else re.sub(r"[^\n]+", " ", match[0])
    )


def main() -> int:
    """Check every template of the project."""
    found = 0
    for path in sorted([*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")]):
        place = path.relative_to(ROOT)
        if place.parts[0] in {"node_modules", "var", ".venv"}:
            continue
        is_mail = bool(MAIL_FOLDERS & set(place.parts))
        for line, kind in faults(path.read_text(), is_mail=is_mail):
            print(f"{place}:{line}: {kind}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
