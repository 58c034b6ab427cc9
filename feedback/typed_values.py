"""Values as CSV, JSON Lines and Parquet type them, in the one way of writing them."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from trueup.feedback.exact import Exact
from trueup.feedback.values import plain


def written(value: object) -> str | None:
    """A typed value as text: whole numbers without a fraction, times as ISO 8601, nested values as JSON.

    What is missing (None, NaN, NaT, the empty text) is None. Text is left as it is. Finite numbers are `Exact`.
    """
    if isinstance(value, str):
        return value or None
    if value is None or (isinstance(value, datetime) and value != value):
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if number != number:
            return None
        if number in (float("inf"), float("-inf")):
            return repr(number)
        return Exact(int(number) if number.is_integer() and abs(number) < 2**53 else repr(number))
    if isinstance(value, int | np.integer):
        return Exact(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape") or None
    if isinstance(value, dict | list | tuple | np.ndarray):
        whole = value.tolist() if isinstance(value, np.ndarray) else value
        return json.dumps(whole, sort_keys=True, ensure_ascii=False, default=written)
    return str(value)


def _decimal(value: Decimal) -> str | None:
    if value.is_nan():
        return None
    text = plain(format(value, "f"))
    return text if text is None or not value.is_finite() else Exact(text)
