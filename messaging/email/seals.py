"""Signed and encrypted mail (S/MIME, PGP), which is kept and named but neither checked nor opened:
the keys are with people."""

from __future__ import annotations

import re
from typing import Final

_PACKED: Final = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
#: At the beginning of a line: what somebody quotes is none.
_BEGINS: Final = re.compile(r"^-----BEGIN PGP ", re.MULTILINE)
_ENCRYPTED: Final = ("-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----")
_SIGNED: Final = (
    "-----BEGIN PGP SIGNED MESSAGE-----",
    "-----BEGIN PGP SIGNATURE-----",
    "-----END PGP SIGNATURE-----",
)


def seal_of(content_type: str, smime_type: str) -> str:
    """Which code of `messaging.reasons` a part is worth, by its type; usually none."""
    if content_type == "multipart/signed":
        return "signed"
    if content_type in _PACKED and smime_type == "signed-data":
        return "signed_packed"
    if content_type in {"multipart/encrypted", "application/pgp-encrypted", *_PACKED}:
        return "encrypted"
    return ""


def without_armour(text: str) -> tuple[str, str, str]:
    """A text without the PGP around it; that, where it hides the words; and its code."""
    armour = _BEGINS.search(text)
    if armour is None:
        return text, "", ""
    before, rest = text[: armour.start()], text[armour.start() :]
    if rest.startswith(_ENCRYPTED[0]):
        ends = rest.find(_ENCRYPTED[1])
        if ends > 0:
            ends += len(_ENCRYPTED[1])
            return before.lstrip() + rest[ends:].lstrip(), f"{rest[:ends]}\n", "encrypted"
    if rest.startswith(_SIGNED[0]):
        signature = rest.find(_SIGNED[1])
        ends = rest.find(_SIGNED[2], signature)
        # The headers of the armour, "Hash: SHA256", end with the first empty line.
        _armour, _blank, words = rest[: max(signature, 0)].partition("\n\n")
        if ends > signature > 0 and words:
            # Lines that begin with a dash were given one more (RFC 9580, 7.2).
            words = re.sub(r"(?m)^- ", "", words)
            return before + words + rest[ends + len(_SIGNED[2]) :].lstrip("\n"), "", "signed"
    return text, "", ""
