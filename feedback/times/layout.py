"""A declared pattern as one regular expression (RE2) whose groups hold what it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from trueup.feedback.times.calendar_names import half_day_names, month_names, weekday_names
from trueup.feedback.times.time_formats import grain, tokens_of

_SPACE = r"[\s\p{Z}]+"
_OFFSET = r"[+-]\d{2}(?::?[0-5]\d(?::?[0-5]\d)?)?"
_NAMED = r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+"
ZONE = rf"Z|UTC|GMT|UT|{_OFFSET}(?: ?UTC| GMT)?"
_PARTS = {
    "Y": r"\d{4}", "G": r"\d{4}", "y": r"\d{2}", "m": r"1[0-2]|0?[1-9]", "d": r"3[01]|[12]\d|0?[1-9]| [1-9]",
    "H": r"2[0-4]|[01]?\d", "I": r"1[0-2]|0?[1-9]", "M": r"[0-5]?\d", "S": r"[0-5]?\d", "f": r"\d{1,9}",
    "j": r"36[0-6]|3[0-5]\d|[12]\d{2}|0[1-9]\d|00[1-9]|0?[1-9]\d|0?[1-9]|[1-9]", "V": r"5[0-3]|[1-4]\d|0?[1-9]",
    "U": r"5[0-3]|[0-4]?\d", "W": r"5[0-3]|[0-4]?\d", "u": r"[1-7]", "w": r"[0-6]", "quarter": r"[1-4]",
    "hour": r"\d{1,2}", "z": ZONE, "Z": rf"{ZONE}|{_NAMED}|[A-Za-z]{{2,5}}",
}  # fmt: skip
# Where two numbers touch, each has all of its digits; else "2024111" would be read, one way of two.
_TOUCHING = {
    "y": r"\d{2}", "m": r"1[0-2]|0[1-9]", "d": r"3[01]|[12]\d|0[1-9]", "H": r"2[0-4]|[01]\d", "I": r"1[0-2]|0[1-9]",
    "M": r"[0-5]\d", "S": r"[0-5]\d", "j": r"36[0-6]|3[0-5]\d|[12]\d{2}|0[1-9]\d|00[1-9]",
    "V": r"5[0-3]|[1-4]\d|0[1-9]", "U": r"5[0-3]|[0-4]\d", "W": r"5[0-3]|[0-4]\d", "hour": r"\d{2}",
}  # fmt: skip
_NAMES = frozenset("aAbBpzZ")
_ISO_CLOCK = (
    r"(?:[T ](?P<H>\d{2})(?::?(?P<M>\d{2})(?::?(?P<S>\d{2})(?:[.,](?P<f>\d+))?)?)?"
    rf"(?: ?(?P<z>{ZONE})(?:\[(?:{_NAMED}|UTC|GMT|Z)\])?| ?\[?(?P<Z>{_NAMED})\]?)?)?"
)


@dataclass(frozen=True)
class Layout:
    """pattern: for RE2. groups: those it has. names: of the groups that hold words, the number of each in lower case.

    grain: of every value; None where the value tells (ISO 8601).
    """

    pattern: str
    groups: frozenset[str]
    names: Mapping[str, Mapping[str, int]]
    grain: str | None


ISO_LAYOUT = Layout(
    rf"^(?i)(?P<Y>\d{{4}})-(?P<m>\d{{2}})(?:-(?P<d>\d{{2}}){_ISO_CLOCK})?$", frozenset("YmdHMSfzZ"), {}, None
)


@lru_cache(maxsize=512)
def layout_of(time_format: str, locale: str = "") -> Layout:
    """The layout of a pattern, names in the language of `locale`.

    Raises:
        ConfigError: a directive or the locale is not known.
    """
    tokens = [("", ""), *tokens_of(time_format), ("", "")]
    pieces: list[str] = []
    names: dict[str, Mapping[str, int]] = {}
    for before, (kind, value), after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if kind == "space":
            pieces.append(_SPACE)
        elif kind == "text":
            pieces.append(re.escape(value))
        elif kind == "any":
            pieces.append(_any(before, after))
        elif value in "aA":
            pieces.append(f"(?:{_one_of(weekday_names(locale, value))})")
        elif value in "bBp":
            names[value] = half_day_names(locale) if value == "p" else month_names(locale, value)
            pieces.append(f"(?P<{value}>{_one_of(names[value])})")
        else:
            touching = _is_number(before) or _is_number(after)
            pieces.append(f"(?P<{value}>{_TOUCHING.get(value, _PARTS[value]) if touching else _PARTS[value]})")
    if time_format.endswith("%H.%M"):  # a cell of its own that holds 18.00 is stored as 18, as every whole number is
        pieces[-2:] = [f"(?:{pieces[-2]}{pieces[-1]})?"]
    groups = frozenset(value for kind, value in tokens if kind == "part" and value not in "aA")
    return Layout("^(?i)" + "".join(pieces) + "$", groups, names, grain(time_format))


def _any(before: tuple[str, str], after: tuple[str, str]) -> str:
    """Any text that takes nothing from the numbers and words beside it: "*%d" reads 13 of "on 13", never 3."""
    first = "" if before[0] != "part" else r"[^\p{L}\d]" if before[1] in _NAMES else r"\D"
    last = "" if after[0] != "part" else r"[^\p{L}\d]" if after[1] in _NAMES else r"\D"
    if first and last:
        return f"(?:{first}|{first}.*{last})"
    return f"(?:{first}.*{last})?" if first or last else ".*"


def _is_number(token: tuple[str, str]) -> bool:
    return token[0] == "part" and token[1] not in _NAMES


def _one_of(names: Mapping[str, int] | tuple[str, ...]) -> str:
    """Any of the names, the longer before those that they begin with."""
    return "|".join(re.escape(name).replace(r"\ ", _SPACE) for name in sorted(names, key=lambda n: (-len(n), n)))
