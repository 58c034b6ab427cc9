"""Whether the declared formats, language and zone of a time can be followed. Light to import."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.feedback.times.time_formats import FORMAT_WORDS, ISO, ISO_WORD, check_format, parts_of, tokens_of
from trueup.storage.errors import ConfigError

# 4 March 2005: day, month and year differ in every order.
_WRITTEN = {
    "Y": "2005", "G": "2005", "y": "05", "m": "03", "d": "04", "H": "11", "I": "11", "M": "06", "S": "07", "f": "008",
    "j": "063", "V": "09", "u": "5", "b": "Mar", "B": "March", "a": "Fri", "A": "Friday", "p": "AM", "z": "+0000",
    "Z": "UTC", "quarter": "1", "hour": "11", "w": "5", "U": "09", "W": "09",
}  # fmt: skip


def check_time_formats(time_format: str | Sequence[str], locale: str = "", zone: str = "") -> None:
    """Refuse what could not date a row, or would date it in two ways.

    Raises:
        ConfigError: a format, the language or the zone is not known; of several formats one stands twice, or two read
            the same value as different times.
    """
    formats = (time_format,) if isinstance(time_format, str) else tuple(time_format)
    if not formats:
        raise ConfigError("time_format is an empty list, so no time could be read; for ISO 8601 leave it out")
    for one in formats:
        check_format(one)
    if locale:
        from trueup.feedback.times.calendar_names import check_locale

        check_locale(locale)
    if zone:
        from trueup.feedback.times.zones import check_zone

        check_zone(zone)
    if len(formats) > 1:
        _check_each_other(tuple(ISO if one == ISO_WORD else one for one in formats), locale, zone)


def _check_each_other(formats: tuple[str, ...], locale: str, zone: str) -> None:
    if len(set(formats)) < len(formats):
        raise ConfigError("time_format names one format twice; name each once")
    from trueup.feedback.times.reading import read_times

    for one in formats:
        if one in FORMAT_WORDS or "*" in one or (locale and set(parts_of(one)) & set("aAbBp")):
            continue
        value = "".join(_WRITTEN[said] if kind == "part" else said for kind, said in tokens_of(one))
        own = read_times([value], one, locale, zone).last[0]
        for other in formats:
            read = read_times([value], other, locale, zone).last[0]
            if read == read and own == own and read != own:
                raise ConfigError(
                    f"time_format names '{one}' and '{other or ISO_WORD}', and '{value}' is a different time in "
                    "each, so it could not be dated; leave out the one that does not apply"
                )
