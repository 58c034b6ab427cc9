"""What outsiders wrote, as Markdown may hold it: text, never a link, an image, HTML or a table's border."""

from __future__ import annotations

import re

# Signs that begin something within a line, a sign of a scheme or an address that pages link by themselves, and those
# that do so at the line's start.
_SIGNS = re.compile(
    r"[\\`*_\[\]<>|~&]|!(?=\[)|:(?=//)|(?<=\w)@(?=\w)|(?<=www)\.|^[#+-](?=\s)|^(?:=+|-+)$|(?<=^\d)[.)]", re.IGNORECASE
)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


def for_markdown(text: str) -> str:
    """The text as one line of Markdown that shows it as it is."""
    return _SIGNS.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), _UNSAFE.sub(" ", text).strip())
