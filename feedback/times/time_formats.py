"""How a column writes its times: words and directives, what they name, whether they can date a row. Light to import.

A format is a word (`iso`, `epoch s`, `epoch ms`, `epoch us`, `epoch ns`, `excel`, `excel day`) or a pattern of strptime
with three additions: `*` is any text, `{hour}` the hours since the day's beginning, `{quarter}` 1 to 4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from trueup.storage.errors import ConfigError

ISO = ""
ISO_WORD = "iso"                 # the same in a list of formats
EPOCHS = {"epoch s": 0, "epoch ms": 3, "epoch us": 6, "epoch ns": 9}  # decimal places of a second that one count is
EXCEL, EXCEL_DAY = "excel", "excel day"
FORMAT_WORDS = (ISO, ISO_WORD, *EPOCHS, EXCEL, EXCEL_DAY)

_TOKEN = re.compile(r"\{hour\}|\{quarter\}|%.?|\*|\s+|[^%*{\s]+|\{", re.DOTALL)
_WHOLE = {"c": "%a %b %d %H:%M:%S %Y", "x": "%m/%d/%y", "X": "%H:%M:%S"}  # as the C locale writes them
_DIRECTIVES = frozenset("aAbBdHIjmMpSUwWyYzZGuVf%")
_YEARS = frozenset("YyG")
_CLOCK = frozenset("HIMSf") | {"hour"}


def tokens_of(time_format: str) -> Iterator[tuple[str, str]]:
    """The parts of a pattern: ("text", …), ("space", …), ("any", "*") or ("part", directive without its sign).

    Raises:
        ConfigError: a directive that is not known.
    """
    for found in _TOKEN.finditer(re.sub("%([cxX])", lambda m: _WHOLE[m[1]], time_format)):
        token = found[0]
        if token.startswith("%"):
            if token[1:] not in _DIRECTIVES:
                raise ConfigError(
                    f"time_format '{time_format}' cannot be read: strptime has no directive '{token}'"
                )
            yield ("text", "%") if token == "%%" else ("part", token[1])
        elif token in ("{hour}", "{quarter}"):
            yield "part", token[1:-1]
        else:
            yield ("any" if token == "*" else "space" if token.isspace() else "text"), token


def parts_of(time_format: str) -> tuple[str, ...]:
    """The directives of a pattern in their order."""
    return tuple(value for kind, value in tokens_of(time_format) if kind == "part")


def check_format(time_format: str) -> None:
    """Refuse a format that cannot date a row.

    Raises:
        ConfigError: a directive is not known or comes twice, or what it names leaves the day open.
    """
    if time_format in FORMAT_WORDS:
        return
    parts = parts_of(time_format)
    named = set(parts)
    if len(named) < len(parts):
        raise ConfigError(
            f"time_format '{time_format}' cannot be read: it has a directive twice; write each once"
        )
    missing = _missing(named)
    if missing:
        raise ConfigError(f"time_format '{time_format}' {missing}")
    kinds = [kind for kind, _ in tokens_of(time_format)]
    if any(pair == ("any", "any") for pair in pairwise(kinds)):
        raise ConfigError(f"time_format '{time_format}' has two '*' side by side; one already reads any text")


def _missing(named: set[str]) -> str:
    """What a pattern that names these directives does not say, in words; empty where it dates a row."""
    if not named & _YEARS:
        return (
            "names no year, so every record would be dated 1900; write the whole time, such as '%Y-%m-%d %H:%M:%S', if "
            "necessary from several columns"
        )
    month = named & set("mbB")
    week = ("G" in named and "V" in named) or (named & set("UW") and named & set("wuaA"))
    if ("G" in named) != ("V" in named):
        return "has only one of %G and %V, the year and the week of ISO 8601; write both"
    if "d" in named and not month:
        return "names a day and no month, so every record would be dated January; add %m"
    if named & _CLOCK and not ("d" in named or "j" in named or week):
        return "names an hour and no day, so every record would be dated the first of its month; add %d"
    if "I" in named and "p" not in named:
        return "reads hours up to 12 without AM or PM; add %p, or write %H for hours up to 24"
    if "p" in named and "I" not in named:
        return "reads AM or PM with hours up to 24; write %I for hours up to 12, or '*' in place of %p to ignore it"
    if "hour" in named and named & set("HIMSf"):
        return "has both {hour} and the hour of a clock; write one of them"
    return ""


def can_date(time_format: str) -> bool:
    """Whether a pattern names all that a time needs, each part once."""
    parts = parts_of(time_format)
    return len(set(parts)) == len(parts) and not _missing(set(parts))


def grain(time_format: str) -> str:
    """What a pattern names: "" an instant, "D" a day, "W" a week, "M" a month, "Q" a quarter, "Y" a year."""
    named = set(parts_of(time_format))
    if named & _CLOCK:
        return ""
    if named & set("dj") or (named & set("wuaA") and named & set("UWV")):
        return "D"
    if "V" in named:
        return "W"
    return "M" if named & set("mbB") else "Q" if "quarter" in named else "Y"


def declared_format(time_format: str | Sequence[str]) -> str:
    """A declared format, or several, as a sentence names them."""
    if time_format in (ISO, ISO_WORD):
        return "ISO 8601 (as in 2021-02-03 10:15:00)"
    if isinstance(time_format, str):
        return f"time_format '{time_format}'"
    return "time_format " + " or ".join(f"'{f or ISO_WORD}'" for f in time_format)
