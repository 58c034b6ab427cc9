"""One way of writing a value, so that CSV, JSON Lines and Parquet of the same rows are the same rows."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d*)\.0+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
MISSING_NUMBER = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>"})


def written(value: object) -> str | None:
    """A typed value as text: whole numbers without a fraction, times as ISO 8601, nested values as JSON.

    What is missing (None, NaN, NaT, the empty text) is None. Text is left as it is.
    """
    if isinstance(value, str):
        return value or None
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if number != number:
            return None
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return plain(format(value, "f"))
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape") or None
    if isinstance(value, dict | list | tuple | np.ndarray):
        whole = value.tolist() if isinstance(value, np.ndarray) else value
        return json.dumps(whole, sort_keys=True, ensure_ascii=False, default=written)
    return str(value)


def plain(text: str | None) -> str | None:
    """A value outside free text: surrounding white space gone, 4.0 as 4, empty as None.

    Only a zero fraction is dropped: a file that held whole numbers beside missing ones comes back with "4.0" for "4",
    while "1.10" and "1.1" may be two versions of an app.
    """
    if text is None:
        return None
    text = text.strip()
    if text.endswith("0") and _WHOLE.fullmatch(text):
        text = text[: text.index(".")]
    return text or None


def number(text: str | None) -> float | None:
    """The finite number that a text writes in decimal, or None."""
    if text is None or not _NUMBER.fullmatch(text.strip()):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


def escaped(text: str) -> str:
    """Text that every store can keep: bytes that were no UTF-8 as \\xNN, lone surrogates as \\uNNNN, NUL as \\x00."""
    if text.isascii() and "\x00" not in text:
        return text
    shown = "".join(f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c for c in text)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8: it holds no lone surrogate."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
