"""What in a text is somebody's: mail addresses, phone and card numbers. The one set of rules for masking it."""

from __future__ import annotations

import re

ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]{2,}")
NUMBER = re.compile(r"(?<!\w)[+(]?\d(?:[\s().\-/]{0,2}\d){6,}(?!\w)")  # phones, cards, account and order numbers
_FIGURE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d)?|(?:0|[1-9]\d{0,2})\.\d+")  # a day, its hour, a decimal: nobody's
MAYBE = r"@|(?:\d[\s().\-/]{0,2}){6}\d"  # what a text holds in which anything could be masked
_DATE = re.compile(r"\d{1,4}[.\-/]\d{1,2}[.\-/]\d{1,4}(?:\s\d{1,2})?")
_PHONE = range(7, 16)  # digits, as E.164 has at most
_CARD = range(13, 20)


def is_figure(number: str) -> bool:
    """Whether a number of many digits is a day or a decimal, which names nobody."""
    return bool(_FIGURE.fullmatch(number.lstrip("(+")))


def without_personal_data(text: str) -> str:
    """The text with [address], [card] and [phone] in place of mail addresses, card numbers and phone numbers.

    A card number has 13 to 19 digits and the check digit of Luhn (ISO/IEC 7812-1). A phone number has 7 to 15 digits
    and is written as one: with +, brackets or gaps, or from 0 on. All else stays as it is, order numbers and days as
    well; what is masked already does not change again.
    """
    return NUMBER.sub(_number, ADDRESS.sub("[address]", text))


def _number(found: re.Match[str]) -> str:
    said = found[0]
    digits = [int(one) for one in said if one.isdigit()]
    if len(digits) in _CARD and _luhn(digits):
        return "[card]"
    written = said[0] in "+(" or digits[0] == 0 or not said.isdigit()
    if len(digits) in _PHONE and written and not is_figure(said) and not _DATE.fullmatch(said):
        return "[phone]"
    return said


def _luhn(digits: list[int]) -> bool:
    doubled = [d if place % 2 == 0 else (2 * d) % 10 + (2 * d) // 10 for place, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0
