"""The ways in which a value can be read as a time: found by its structure, every one of them, none preferred."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from trueup.feedback.times.calendar_names import LOCALES, month_names, weekday_names
from trueup.feedback.times.reading import read_times
from trueup.feedback.times.time_formats import ISO, can_date

_MONTHS, _DAYS = 12, 31
_SHORT = 4     # letters of a month's name up to which it may be an abbreviation
_SIGNS = " ,.;:-–—/|()[]"
_LONGEST = 120  # characters: a longer value is a text that may speak of a time
_SEP = r"[./_-]|\s|\. |, "
_WORDED = r"(?:[\s.,/-]|\bde\b|\bdel\b|\bof\b)+"
_NAME = r"[^\W\d_]+(?:\.(?=[\s,-]))?"
_YEAR = r"\d{4}|'?\d{2}(?![:.]\d)"
_ORDINAL = r"(?P<ord>st|nd|rd|th|er|º|ª)?"
# Of a date: its expression, and the orders in which its groups a, b, c can be meant.
_DATES = tuple(
    (re.compile(rf"(?<![\d.]){expression}(?!\d)"), orders)
    for expression, orders in (
        (rf"(?P<a>\d{{4}})(?P<s>{_SEP})(?P<b>\d{{1,2}})(?P<t>(?P=s))(?P<c>\d{{1,2}})", ("Ymd", "Ydm")),
        (r"(?P<a>\d{4})(?P<s>[年년] ?)(?P<b>\d{1,2})(?P<t>[月월] ?)(?P<c>\d{1,2})", ("Ymd",)),
        (rf"(?P<a>\d{{1,2}})(?P<s>{_SEP})(?P<b>\d{{1,2}})(?P<t>(?P=s))(?P<c>\d{{4}})", ("dmY", "mdY")),
        (r"(?P<a>\d{1,2})(?P<s> )(?P<b>\d{1,2})(?P<t>, )(?P<c>\d{4})", ("dmY", "mdY")),
        (rf"(?P<a>\d{{1,2}})(?P<s>{_SEP})(?P<b>\d{{1,2}})(?P<t>(?P=s))(?P<c>\d{{2}})(?![:.]\d)", ("dmy", "mdy", "ymd")),
        (rf"(?P<a>\d{{4}})(?P<s>{_WORDED})(?P<b>{_NAME})(?P<t>{_WORDED})(?P<c>\d{{1,2}})", ("Ybd",)),
        (rf"(?P<a>\d{{1,2}}){_ORDINAL}(?P<s>{_WORDED})(?P<b>{_NAME})(?P<t>{_WORDED})(?P<c>{_YEAR})", ("dby",)),
        (rf"(?P<a>\d{{1,2}})(?P<b>[^\W\d_]{{3,4}})(?P<c>{_YEAR})", ("dby",)),
        (rf"(?P<a>{_NAME})(?P<s>{_WORDED})(?P<b>\d{{1,2}}){_ORDINAL}(?P<t>{_WORDED})(?P<c>{_YEAR})", ("bdy",)),
        (rf"(?P<a>{_NAME})(?P<s>{_WORDED})(?P<b>{_YEAR})", ("by",)),
        (rf"(?P<a>\d{{4}})(?P<s>{_WORDED})(?P<b>{_NAME})", ("Yb",)),
        (r"(?P<a>\d{4})(?P<s>[./年-] ?)(?P<b>\d{1,2})", ("Ym",)),
        (r"(?P<a>\d{1,2})(?P<s>[./-] ?)(?P<b>\d{4})", ("mY",)),
        (r"(?P<a>(?:19|20)\d{2})(?P<s>[ -]?W)(?P<b>\d{2})(?P<t>-)(?P<c>[1-7])", ("GVu",)),
        (r"(?P<a>(?:19|20)\d{2})(?P<s>[ -]?W)(?P<b>\d{2})", ("GV",)),
        (r"(?P<a>(?:19|20)\d{2})(?P<s>[ -]?Q)(?P<b>[1-4])", ("Yq",)),
        (r"Q(?P<a>[1-4])(?P<s>[ /-]?)(?P<b>(?:19|20)\d{2})", ("qY",)),
    )
)
_COMPACT = (
    (re.compile(r"(?:19|20)\d{6}(?P<t>[T _-]?)\d{6}"), ("%Y%m%d", "%H%M%S")),
    (re.compile(r"(?:19|20)\d{6}(?P<t>[T _-]?)\d{4}"), ("%Y%m%d", "%H%M")),
    (re.compile(r"(?:19|20)\d{6}(?P<t>[T _-])\d{2}"), ("%Y%m%d", "%H")),
    (re.compile(r"(?:19|20)\d{2}[01]\d[0-3]\d(?!\d)"), ("%Y%m%d",)),
    (re.compile(r"(?:19|20)\d{2}[01]\d(?!\d)"), ("%Y%m",)),
)
_DIGITS = re.compile(r"(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")
_C_TIME = re.compile(  # Fri May 03 10:11:12 +0000 2024
    rf"(?P<b>{_NAME}) +(?P<d>\d{{1,2}}) (?P<clock>\d{{1,2}}:\d{{2}}(?::\d{{2}})?)(?P<zone> [+-]\d{{4}}| [A-Z]{{3,4}})? "
    r"(?P<y>\d{4})(?!\d)"
)
_CLOCK = re.compile(
    r"(?<![\d.])(?:(?P<q>오전|오후|午前|午後|上午|下午)(?P<r>\s?))?(?P<H>\d{1,2})"
    r"(?:(?P<s>[:.]|-(?=\d{2}-\d{2}(?!\d))|h ?|時|时|시 ?)(?P<M>\d{2}|(?<=:)\d)"
    r"(?:(?P<t>[:.-]|m ?|分|분 ?)(?P<S>\d{2}|(?<=:)\d)(?:(?P<u>[.,])(?P<f>\d{1,9}))?)?)?"
    r"(?:(?P<v>[\s\u202f\u00a0]?)(?P<p>[ap]\.?[\s\u00a0]?m\b\.?|[ap]\.[\s\u00a0]?m\.))?(?!\d)",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r"(?P<lead>\s?(?:(?:GMT|UTC)(?=[+-]\d\d))?)(?P<zone>(?:UTC|GMT|UT|Z)(?![A-Za-z+-])"
    r"|[+-]\d{2}(?::?\d{2})?(?!\d)(?: ?UTC)?|[A-Z][A-Za-z]+/[A-Z][A-Za-z_/]+"
    r"|[A-Z]{2,3}T(?![A-Za-z])|[A-Z]{4}(?<=T)(?![A-Za-z])|MSK)"
)
_COMMON_ZONES = {
    "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
}  # fmt: skip
_COMMON = re.compile(r"\s[ECMP]T(?![A-Za-z])")
_ZONE_LIKE = re.compile(r"(?:^|(?<=[\s(\d]))(?:[+-]\d|(?!AM|PM)[A-Z]{2,5}(?![A-Za-z]))")
_BETWEEN = re.compile(r"(?:[\sT,;_|:-]|\.(?=\s)|日|일|\b(?:at|um|à|a las|às|kl|klo|alle|om|г|в)\b\.?)*", re.IGNORECASE)
# Whose clock a name speaks of, where all zones that use it go alike (CST and IST are several).
_ZONES = {
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "EST": "America/New_York", "EDT": "America/New_York",
    "CET": "Europe/Berlin", "CEST": "Europe/Berlin", "EET": "Europe/Helsinki", "EEST": "Europe/Helsinki",
    "WET": "Europe/Lisbon", "WEST": "Europe/Lisbon", "BST": "Europe/London", "JST": "Asia/Tokyo", "KST": "Asia/Seoul",
    "MSK": "Europe/Moscow", "MDT": "America/Denver", "CDT": "America/Chicago", "AEDT": "Australia/Sydney",
}  # fmt: skip
_HALVES = {"오전": "ko", "오후": "ko", "午前": "ja", "午後": "ja", "上午": "zh", "下午": "zh"}
_ISO = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])(?:[T ](?:[01]\d|2[0-4])(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?"
    r"(?: ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?(?: ?UTC)?)?(?:\[\S+\])?| ?[A-Z][a-z]+/\S+)?)?)?", re.IGNORECASE
)
_NUMBER_BESIDE = re.compile(r"\d[./-]\0|\0[./-]\d")
_CLOCK_BESIDE = re.compile(r"\d:[0-5]\d")
_WORD = re.compile(r"[^\W\d_]+\.?")


@dataclass(frozen=True)
class Way:
    """A format, the language of its names ("" is English), and the zone whose times it names ("PDT"), where it does."""

    format: str
    locale: str = ""
    zone: str = ""


def fitting_formats(value: str) -> tuple[str, ...]:
    """The formats without a language or any text that read a value; several mean that it is ambiguous."""
    return tuple(way.format for way in ways_of(value) if not way.locale and not way.zone and "*" not in way.format)


def reads(value: str, time_format: str, locale: str = "", zone: str = "") -> bool:
    """Whether a format reads a value."""
    return not np.isnat(read_times([value], time_format, locale, zone).last[0])


@lru_cache(maxsize=4096)
def ways_of(value: str) -> tuple[Way, ...]:
    """Every way in which a value can be read as a time; empty where there is none, or it is a number alone."""
    return tuple(way for way in possible_ways(value) if reads(value, way.format, way.locale, way.zone))


def possible_ways(value: str) -> tuple[Way, ...]:
    """The ways that a value's structure suggests, of which its figures may forbid some: quick, for many values."""
    value = value.strip()
    if len(value) > _LONGEST or not any(c.isdigit() for c in value):
        return ()
    if _ISO.fullmatch(value):
        return (Way(ISO),)
    return tuple(way for way in dict.fromkeys(_ways(value)) if can_date(way.format))


def _ways(value: str) -> Iterator[Way]:
    for compact, parts in _COMPACT:
        if (begun := compact.match(value)) is not None:
            zone = _ZONE.fullmatch(value, begun.end())
            told = begun.groupdict().get("t", "").join(parts)
            if begun.end() == len(value):
                yield Way(told)
            elif zone and len(parts) > 1:
                yield Way(told + _literal(zone["lead"]) + _zone_sign(zone["zone"]), "", _ZONES.get(zone["zone"], ""))
    found: list[tuple[tuple[int, int], list[Way]]] = []
    if (whole := _C_TIME.search(value)) is not None:
        clock = "%H:%M:%S" if whole["clock"].count(":") == 2 else "%H:%M"
        said = (whole["zone"] or "").strip()
        for directive, locale in _months(whole["b"]):
            core = f"%{directive} %d {clock}{f' {_zone_sign(said)}' if said else ''} %Y"
            way = Way("", locale, _ZONES.get(said, ""))
            found.append((whole.span(), list(_framed(value[: whole.start()], core, value[whole.end() :], way))))
    for expression, orders in _DATES:
        for match in expression.finditer(value):
            if any(start < match.end() and match.start() < end for (start, end), _ in found):
                continue
            ways = [
                way for order in orders for core, locale in _cores(match, order)
                for way in _with_clock(value, match.span(), core, locale)
            ]  # fmt: skip
            found += [(match.span(), ways)] if ways else []
    if (digits := _DIGITS.search(value)) is not None and len(digits[0]) < len(value):
        found.append((digits.span(), list(_with_clock(value, digits.span(), "%Y%m%d", ""))))
    first = min((span for span, _ in found), default=None)  # of two dates, as of a period, the first
    for span, ways in found:
        yield from ways if span == first else ()


def _cores(match: re.Match[str], order: str) -> Iterator[tuple[str, str]]:
    """The pattern of a date, in each language that has its month's name."""
    groups = match.groupdict()
    values = {directive: groups[g] for directive, g in zip(order, "abc", strict=False)}
    if not 1 <= int(values.get("m", 1)) <= _MONTHS or not 1 <= int(values.get("d", 1)) <= _DAYS:
        return
    if order == "Ydm" and int(values["d"]) <= _MONTHS:
        return  # nobody writes it so, but where the other order has no such month
    named = _months(values["b"]) if "b" in order else (("", ""),)
    for directive, locale in named:
        told = []
        for one in order:
            sign = {"b": f"%{directive}", "q": "{quarter}", "y": "%Y" if len(values.get("y", "")) == 4 else "%y"}
            mark = "'" if values[one].startswith("'") else ""
            told.append(mark + sign.get(one, f"%{one}") + ("*" if one == "d" and groups.get("ord") else ""))
        seps = [_literal(groups.get(g) or "") for g in "st"]
        lead = "Q" if order == "qY" else ""
        yield lead + "".join(a + b for a, b in zip(told, [*seps[: len(told) - 1], ""], strict=True)), locale


def _with_clock(value: str, span: tuple[int, int], core: str, locale: str) -> Iterator[Way]:
    """A date's pattern with the time of day behind it or before it, or without any."""
    before, after = value[: span[0]], value[span[1] :]
    gap = _BETWEEN.match(after)
    start = gap.end() if gap else 0
    clock = _CLOCK.match(after, start)
    if clock and start and (clock["M"] or clock["p"] or not after[clock.end() :].strip()):
        told, end, zone = _clock(clock), clock.end(), ""
        said = _ZONE.match(after, end)
        if said:
            told += _literal(said["lead"]) + _zone_sign(said["zone"])
            end, zone = said.end(), _ZONES.get(said["zone"], "")
        elif (local := _COMMON.match(after, end)) is not None:
            told, end, zone = told + local[0], local.end(), _COMMON_ZONES[local[0].strip()]
        elif _ZONE_LIKE.search(after, end):
            return  # of a zone that is not known; without it every time would be hours wrong
        way = Way("", locale or _HALVES.get(clock["q"] or "", ""), zone)
        yield from _framed(before, core + _literal(after[:start]) + told, after[end:], way)
        return
    first = _CLOCK.match(before)
    if first and first["M"] and _BETWEEN.fullmatch(before[first.end() :]) and before[first.end() :]:
        yield from _framed("", _clock(first) + _literal(before[first.end() :]) + core, after, Way("", locale))
        return
    yield from _framed(before, core, after, Way("", locale))


def _zone_sign(zone: str) -> str:
    return "%Z" if zone[:1].isalpha() else "%z"


def _clock(match: re.Match[str]) -> str:
    told = (f"%p{_literal(match['r'])}" if match["q"] else "") + ("%I" if match["p"] or match["q"] else "%H")
    for sep, sign in (("s", "M"), ("t", "S"), ("u", "f")):
        if match[sign]:
            told += _literal(match[sep]) + f"%{sign}"
    return told + (_literal(match["v"] or "") + "%p" if match["p"] else "")


def _framed(before: str, core: str, after: str, way: Way) -> Iterator[Way]:
    """A pattern with the text around it: days of the week as such, other text as it stands, and as any text."""
    lead = _weekdays(before, way.locale)
    said, tail = re.sub("%[aA]", "", lead), _literal(after)
    if not {"%H", "%I", "%y"} & set(re.findall("%[A-Za-z]", core)) and _CLOCK_BESIDE.search(before + after):
        return  # a time of day would be passed over
    if _NUMBER_BESIDE.search(f"{before}\0{after}"):
        return  # part of a longer number
    if not any(c.isdigit() for c in said + tail):
        yield replace(way, format=lead + core + tail)
    if any(c.isalnum() for c in said):
        lead = "*" + _literal(before[len(before.rstrip()) :])
    if any(c.isalnum() for c in tail):
        tail = _literal(after[: len(after) - len(after.lstrip(_SIGNS))]) + "*"
    yield replace(way, format=lead + core + tail)


def _weekdays(text: str, locale: str) -> str:
    for found in _WORD.finditer(text):
        word = found[0].lower()
        for directive in "aA":
            names = weekday_names(locale, directive)
            for written in (word, word.rstrip(".")):
                if written in names:
                    rest = found[0][len(written) :] + text[found.end() :]
                    return _literal(text[: found.start()]) + f"%{directive}" + _literal(rest)
    return _literal(text)


def _literal(text: str) -> str:
    return text.replace("%", "%%")


@lru_cache(maxsize=4096)
def _months(word: str) -> tuple[tuple[str, str], ...]:
    """The directives and languages that read a word as a month: English alone where it is an English one."""
    name = word.lower()
    english = tuple((d, "") for d in "bB" if name in month_names("", d))
    if english:
        return english
    directive = "B" if len(name.rstrip(".")) > _SHORT else "b"
    return tuple((directive, locale) for locale in LOCALES if name in month_names(locale, "B"))
