"""Times for which a file is refused whole, and what would read them: needed only where some cannot be read."""

from __future__ import annotations

import re

from trueup.feedback.times.fitting import fitting_formats, reads, ways_of
from trueup.feedback.times.seen_times import SeenTimes
from trueup.feedback.times.time_formats import EPOCHS, ISO, ISO_WORD, declared_format
from trueup.storage.errors import InputError
from trueup.storage.formatting import counted_noun, percent
from trueup.storage.stream import StreamSettings

UNREAD_SHARE = 0.05   # of a file's times: where more of them cannot be read, the file is refused whole
UNREAD_LEAST = 5      # but not for so few that each costs its own row
_MIXED_SHARE = 0.01   # of the values: above it another format is no slip of the pen
_TRIED = 100          # unreadable values: each must be read by what is advised
_SHOWN = 60           # characters
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}(?:\.\d+)?|\d{15,16}|\d{18,19}")


def refuse_unread(seen: SeenTimes, column: str, stream: StreamSettings, name: str) -> None:
    """Refuse a file whose column is written in another format, in several, or in too many rows in none.

    Raises:
        InputError: it names the column, a value and its line, and says which `time_format` would read it.
    """
    declared = declared_format(stream.time_format)
    if seen.disputed:
        line, value = seen.disputed
        ways = [f for f in stream.time_formats if reads(value, f, stream.time_locale, stream.time_zone)]
        told = " and ".join(f"'{f or ISO_WORD}'" for f in ways)
        raise InputError(
            f"{name}: column '{column}': '{_short(value)}' in line {line} has a different meaning in {told}. "
            "Nothing was stored. Leave out the format that does not apply, or write these rows in a way that only one "
            "format reads."
        )
    if not seen.unread:
        return
    line, value = seen.kept[0]
    if not seen.read:
        raise InputError(
            f"{name}: column '{column}' cannot be read as time: no row follows {declared}, such as '{_short(value)}' "
            f"in line {line}. Nothing was stored. {_advice([v for _, v in seen.kept])}"
        )
    foreign = [(n, v) for n, v in seen.kept if fitting_formats(v) or _epoch_of(v)]
    unread = seen.unread / (seen.read + seen.unread)
    share = len(foreign) / len(seen.kept) * unread
    if foreign and share >= _MIXED_SHARE:
        line, value = foreign[0]
        raise InputError(
            f"{name}: column '{column}' mixes formats: {declared} is that of {counted_noun(seen.read, 'row')}, but "
            f"'{_short(value)}' in line {line} is written in another way, and so are about {percent(share)} of the "
            "rows. Nothing was stored, since a guess could date them wrongly. Write all of them one way, or declare "
            "each way in a list. "
            f"{_advice([v for _, v in foreign])}"
        )
    if unread > UNREAD_SHARE and seen.unread >= UNREAD_LEAST:
        raise InputError(
            f"{name}: column '{column}': {percent(unread)} of the times cannot be read ({seen.unread:,} of "
            f"{seen.read + seen.unread:,}; {100 * UNREAD_SHARE:.0f} % are allowed). The first is '{_short(value)}' in "
            f"line {line}, which does not follow {declared}. Nothing was stored. Empty the cells that hold no time, or "
            "fix them."
        )


def _advice(values: list[str]) -> str:
    counts = _epoch_of(values[0])
    if counts:
        return f'If these numbers count time since 1970, set time_format = "{counts}".'
    ways = [w for w in ways_of(values[0]) if all(reads(v, w.format, w.locale, w.zone) for v in values[:_TRIED])]
    plain = [w for w in ways if "*" not in w.format] or ways
    if any(w.format == ISO for w in plain):
        return "These rows are ISO 8601: leave time_format out to read them."
    if not plain:
        return "Set time_format to how it is written, with the directives of strptime."
    locale = f" and time_locale = '{plain[0].locale}'" if plain[0].locale else ""
    options = [f"'{f}'" for f in dict.fromkeys(w.format for w in plain)]
    if len(options) > 1:
        return f"Set time_format to the one that applies ({' or '.join(options)}){locale}."
    return f"Set time_format = {options[0]}{locale}."


def _epoch_of(value: str) -> str:
    """The unit in which a number counts a time of our years, empty where it is none."""
    return next((unit for unit in EPOCHS if _EPOCH.fullmatch(value) and reads(value, unit)), "")


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
