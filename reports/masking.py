"""Personal data in what outsiders wrote, masked: for whatever leaves the deployment, a mail, a page, a picture."""

from __future__ import annotations

import re
from typing import Literal, Protocol

from trueup.storage.escaping import for_header
from trueup.storage.locations import is_local
from trueup.storage.personal_data import ADDRESS, NUMBER, is_figure

MaskRule = Literal["auto", "always", "never"]


class Mask(Protocol):
    """What a text of outsiders is shown through: one line of it, cut at `length` characters."""

    def __call__(self, text: str, length: int = 120) -> str: ...


_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@\w{2,}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){3,8}\b")
_READ = 4_000  # characters that are looked at; what is shown is far shorter


def masks_at(rule: MaskRule, place: str) -> bool:
    """Whether what is written to a place is masked: a folder or an URL; empty: the home folder."""
    return rule == "always" or (rule == "auto" and not is_local(place))


def masked(text: str, length: int = 120) -> str:
    """The text on one line without addresses, links, names of accounts and long numbers, cut at `length` characters.

    Names of people in running text stay: no pattern tells them from other words.
    """
    line = for_header(text[:_READ])
    for pattern, shown in ((_LINK, "[link]"), (ADDRESS, "[address]"), (_IBAN, "[number]"), (NUMBER, _number),
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
    return found[0] if is_figure(found[0]) else "[number]"
