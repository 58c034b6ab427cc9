"""One way of writing a value, so that the same rows are the same in every kind of file. Importing this is light."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*)\.0+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
MISSING_NUMBER = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none", "<na>", "-", "?"})  # lower case


def plain(text: str | None) -> str | None:
    """A value outside free text: surrounding white space gone, 4.0 as 4, empty as None.

    Only a zero fraction is dropped: a file that held whole numbers beside missing ones comes back with "4.0" for "4",
    while "1.10" and "1.1" may be two versions of an app.
    """
    if text is None:
        return None
    text = text.strip()
    if text.endswith("0") and _WHOLE.fullmatch(text):
        text = text[: text.index(".")]
    return text or None


_TONES = dict.fromkeys([0xFE0F, *range(0x1F3FB, 0x1F400)])  # how an emoji is to be drawn, and its tone of skin


def folded(text: str) -> str:
    """A label as it is compared: without case, outer or repeated white space, and tones of emoji."""
    return " ".join(text.translate(_TONES).casefold().split())


def number(text: str | None) -> float | None:
    """The finite number that a text writes in decimal, or None."""
    if text is None or not _NUMBER.fullmatch(text.strip()):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


def infinite(text: str) -> bool:
    """Whether a text writes a number that is none: infinity, or beyond what a float holds (1e400)."""
    bare = text.strip().lstrip("+-").lower()
    return bare in ("inf", "infinity", "∞") or (_NUMBER.fullmatch(bare) is not None and float(bare) == float("inf"))


def escaped(text: str) -> str:
    """Text that every store can keep: bytes that were no UTF-8 as \\xNN, lone surrogates as \\uNNNN, NUL as \\x00."""
    if text.isascii() and "\x00" not in text:
        return text
    shown = "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8: it holds no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
