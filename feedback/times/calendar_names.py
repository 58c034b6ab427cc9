"""Names of months, of days and of the halves of a day in a language: English as strptime knows it, others by Babel."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from trueup.storage.errors import ConfigError

if TYPE_CHECKING:
    from babel import Locale

# What `init` tries, the more widely read first; English (en_GB) beside the built-in for "Sept".
LOCALES = (
    "de", "fr", "es", "it", "pt", "nl", "ru", "pl", "sv", "en_GB", "da", "nb", "fi", "cs", "tr", "uk", "hu", "ro", "el",
    "id", "vi", "ca", "sk", "sl", "hr", "bg", "et", "lv", "lt", "ar", "he", "hi", "ja", "ko", "zh",
)  # fmt: skip
_FULL = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_LETTERS = 3
_CUT = frozenset({"de", "fr", "es", "it", "pt", "nl", "ru", "uk", "pl", "sv", "da", "nb", "tr", "ro", "ca", "id"})
_HALVES = {"am": 0, "a.m.": 0, "a. m.": 0, "pm": 12, "p.m.": 12, "p. m.": 12}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MORE = {"de": {"mrz": 3, "jän": 1, "jänner": 1}, "es": {"setiembre": 9, "set": 9}, "ro": {"mart": 3}}


def check_locale(locale: str) -> None:
    """Refuse a locale that Babel has no data of.

    Raises:
        ConfigError: it has none.
    """
    if locale:
        _babel(locale)


@lru_cache(maxsize=64)
def month_names(locale: str, directive: str) -> dict[str, int]:
    """The number of a month by its name in lower case, as `%b` or `%B` read it.

    English ("") is strict: `%b` reads the three letters, `%B` the whole name. In other languages both read every form
    that the Unicode locale data has (May has "мая" and "май"), with or without a full stop or its accents, and the
    first three letters where people cut names so.
    """
    if not locale:
        return {name if directive == "B" else name[:3]: k for k, name in enumerate(_FULL, start=1)}
    months = _babel(locale).months
    forms = [(name, k) for kind in ("format", "stand-alone") for width in ("wide", "abbreviated")
             for k, name in months[kind][width].items()]  # fmt: skip
    language = locale.split("_")[0]
    names = _named([*forms, *_MORE.get(language, {}).items()])
    if language in _CUT:
        names = {**_named((name[:_LETTERS], k) for name, k in forms if len(name) > _LETTERS), **names}
    return names


@lru_cache(maxsize=64)
def weekday_names(locale: str, directive: str) -> tuple[str, ...]:
    """The names of the days of the week in lower case, as `%a` or `%A` read them."""
    if not locale:
        return tuple(name if directive == "A" else name[:3] for name in _DAYS)
    days = _babel(locale).days
    forms = [(name, k) for kind in ("format", "stand-alone") for width in ("wide", "abbreviated", "short")
             for k, name in days[kind][width].items()]  # fmt: skip
    return tuple(_named(forms))


@lru_cache(maxsize=64)
def half_day_names(locale: str) -> dict[str, int]:
    """0 for the names of the forenoon, 12 for those of the afternoon, in lower case; AM, a.m. and a. m. always."""
    names = dict(_HALVES)
    if locale:
        periods = _babel(locale).day_periods
        for width in ("wide", "abbreviated"):
            here = periods.get("format", {}).get(width, {})
            names |= _named((here[key], hours) for key, hours in (("am", 0), ("pm", 12)) if key in here)
    return names


def _named(forms: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Names as they may be written, each with its number; a name of two numbers is none."""
    found: dict[str, set[int]] = {}
    for name, k in forms:
        whole = " ".join(name.lower().split()).rstrip(".")
        for written in {whole, _bare(whole), whole.upper().lower(), unicodedata.normalize("NFD", whole)}:
            for form in (written, f"{written}."):
                found.setdefault(form, set()).add(k)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and not name[:1].isdigit()}


def _bare(name: str) -> str:
    """A name of Latin letters without its accents."""
    if not unicodedata.name(name[0], "").startswith("LATIN"):
        return name
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


@lru_cache(maxsize=64)
def _babel(locale: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(locale, sep="-" if "-" in locale else "_")
    except (UnknownLocaleError, ValueError):
        raise ConfigError(
            f"time_locale '{locale}' is no language with known month names; write its code, such as 'de' or 'pt_BR'"
        ) from None
