"""What in a text is somebody's: mail addresses, phone and card numbers. The one set of rules for masking it."""

from __future__ import annotations

import re
from itertools import pairwise

_OUTER = r"[^\s@<>\"'(),;:]"  # of an address
_NAME = r"[^\s@<>\"(),;:]"  # within its name an apostrophe may stand
ADDRESS = re.compile(rf"(?<!{_OUTER})(?<!{_OUTER}'){_OUTER}{_NAME}*@{_OUTER}{{1,255}}\.{_OUTER}{{2,63}}(?<=\w\w)")
_DASH = "\\-\u2010-\u2015\u2212"  # not raw: RE2, by which Arrow looks, knows no such escapes
_GAP = rf"(?:[\s().{_DASH}/]{{0,2}}|\s[{_DASH}]\s)"
NUMBER = re.compile(rf"(?<!\w)[+(]?\d(?:{_GAP}\d){{6,}}(?!\w)")  # phones, cards, account and order numbers
_FIGURE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d)?|(?:0|[1-9]\d{0,2})\.\d+")  # a day, its hour, a decimal: nobody's
MAYBE = rf"@|(?:\d{_GAP}){{6}}\d"  # what a text holds in which anything could be masked

_PHONE = range(7, 16)  # digits, as E.164 has at most
_CARDS = {2: (16,), 3: (14, 15, 16), 4: (13, 16, 19), 5: range(13, 20), 6: range(13, 20), 8: (16,)}  # by first digit
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?<![\d.\-/])(?:{_YEAR}[.\-/]{_DAY}[.\-/]{_DAY}|{_DAY}[.\-/]{_DAY}[.\-/](?:{_YEAR}|\d\d))(?![\d.\-/])(?:\s\d{{1,2}}(?!\d))?"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HOST = re.compile(
    rf"(?<![\d.])(?!\d\d(?:\.\d\d){{3}}(?!\d)){_BYTE}(?:\.{_BYTE}){{3}}(?![\d.])"
)  # 06.12.34.56 is a phone's
_VERSION = re.compile(r"\d+(?:\.\d+)*\.\d(?:\.\d+)+|\d+(?:\.\d+){2,}\.\d")
_YEARS = re.compile(rf"{_YEAR}(?:[\s{_DASH}/.]+{_YEAR})+")
_HOURS = re.compile(rf"(?:[01]\d|2[0-4])(?:[03]0|[14]5)\s?[{_DASH}]\s?(?:[01]\d|2[0-4])(?:[03]0|[14]5)")
_AMOUNT = re.compile(r"[1-9]\d{0,2}(?:(\s)\d{3}(?:\1\d{3})*|(?:\.\d{3})+)")
_FEW_THOUSAND = re.compile(r"\d{1,2}\D|.*\D000")  # not as a phone's number is grouped, or round
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₹₩₽]|\b(?:usd|eur|gbp|inr|idr|jpy|vnd|rs|rp)\.?)\s?$", re.IGNORECASE)
_MONEY_BEHIND = re.compile(r"(?:,\d\d)?\s?(?:[$€£¥₹₩₽]|(?:usd|eur|gbp|inr|idr|jpy|vnd)\b)|,\d\d\b", re.IGNORECASE)
_WORD = 6  # characters of what may stand before an amount
_FRACTIONS = re.compile(r"\d{1,2}/\d{1,2}(?:\s\d{1,2}/\d{1,2})+")


def is_figure(number: str) -> bool:
    """Whether a number of many digits is a day or a decimal, which names nobody."""
    return bool(_FIGURE.fullmatch(number.lstrip("(+")))


def without_personal_data(text: str) -> str:
    """The text with [address], [card] and [phone] in place of mail addresses, card numbers and phone numbers.

    A card number has 13 to 19 digits, as many as the cards that begin so, and the check digit of Luhn (ISO/IEC
    7812-1). A phone number has 7 to 15 digits and is written as one: with +, brackets or gaps, or from 0 on. All else
    stays as it is, order numbers, days, amounts, versions and addresses of hosts as well; what is masked already does
    not change again.
    """
    return NUMBER.sub(_number, ADDRESS.sub("[address]", text))


def _number(found: re.Match[str]) -> str:
    said = found[0]
    digits = [int(one) for one in said if one.isdigit()]
    if said[0] == "+" and len(digits) in _PHONE:
        return "[phone]"
    if _is_card(digits):
        return "[card]"
    if len(digits) not in _PHONE or len({*digits}) == 1:
        return said
    written = said[0] == "(" or digits[0] == 0 or not said.isdigit()
    return "[phone]" if written and not _is_no_phone(said, found) else said


def _is_no_phone(said: str, found: re.Match[str]) -> bool:
    """Whether digits with gaps are a figure of another kind: an amount, a day, a version, a count."""
    if is_figure(said) or _VERSION.fullmatch(said) or _YEARS.fullmatch(said) or _HOURS.fullmatch(said):
        return True
    left = _HOST.sub("", _DATE.sub("", said))
    if left != said and sum(one.isdigit() for one in left) < _PHONE.start:
        return True
    if _AMOUNT.fullmatch(said):
        text, start = found.string, found.start()
        money = _MONEY_BEFORE.search(text, max(0, start - _WORD), start) or _MONEY_BEHIND.match(text, found.end())
        if money or _FEW_THOUSAND.match(said):
            return True
    return bool(_FRACTIONS.fullmatch(said)) or _counts(said) or _is_isbn(said)


def _counts(said: str) -> bool:
    """Whether it counts up or down, as in 1 2 3 4 5 6 7."""
    steps = [int(part) for part in re.findall(r"\d+", said)]
    return len(steps) > 3 and {b - a for a, b in pairwise(steps)} in ({1}, {-1})


def _is_isbn(said: str) -> bool:
    digits = [int(one) for one in said if one.isdigit()]
    weighed = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return len(digits) == 13 and digits[:2] == [9, 7] and digits[2] in (8, 9) and weighed % 10 == 0


def _is_card(digits: list[int]) -> bool:
    """By how many digits the systems give that begin with the first one, and the check digit."""
    return len(digits) in _CARDS.get(digits[0], ()) and _luhn(digits)


def _luhn(digits: list[int]) -> bool:
    doubled = [d if place % 2 == 0 else (2 * d) % 10 + (2 * d) // 10 for place, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
