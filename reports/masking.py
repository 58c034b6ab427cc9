"""Personal data in what outsiders wrote, masked: for whatever leaves the deployment, a mail, a page, a picture."""

from __future__ import annotations

import re
from typing import Literal, Protocol

from trueup.storage.escaping import for_header
from trueup.storage.locations import is_local

MaskRule = Literal["auto", "always", "never"]


class Mask(Protocol):
    """What a text of outsiders is shown through: one line of it, cut at `length` characters."""

    def __call__(self, text: str, length: int = 120) -> str: ...


_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]{2,}")
_HANDLE = re.compile(r"(?<!\w)@\w{2,}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}\b")
_DIGITS = re.compile(r"(?<!\w)[+(]?\d(?:[\s().\-/]{0,2}\d){6,}(?!\w)")  # phones, cards, account and order numbers
_FIGURE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d)?|(?:0|[1-9]\d{0,2})\.\d+")  # a day, its hour, a decimal: nobody's
_READ = 4_000  # characters that are looked at; what is shown is far shorter


def masks_at(rule: MaskRule, place: str) -> bool:
    """Whether what is written to a place is masked: a folder or an URL; empty: the home folder."""
    return rule == "always" or (rule == "auto" and not is_local(place))


def masked(text: str, length: int = 120) -> str:
    """The text on one line without addresses, links, names of accounts and long numbers, cut at `length` characters.

    Names of people in running text stay: no pattern tells them from other words.
    """
    line = for_header(text[:_READ])
    for pattern, shown in ((_LINK, "[link]"), (_ADDRESS, "[address]"), (_IBAN, "[number]"), (_DIGITS, _number),
                           (_HANDLE, "[account]")):  # fmt: skip
        line = pattern.sub(shown, line)
    return _cut(line, length)


def unmasked(text: str, length: int = 120) -> str:
    """The text on one line, cut at `length` characters: what a page shows where nothing is masked."""
    return _cut(for_header(text[:_READ]), length)


def mask_of(masks: bool) -> Mask:
    """What texts are shown through, where personal data is masked or where it is not."""
    return masked if masks else unmasked


def _cut(line: str, length: int) -> str:
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _number(found: re.Match[str]) -> str:
    return found[0] if _FIGURE.fullmatch(found[0].lstrip("(+")) else "[number]"
