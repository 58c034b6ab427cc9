"""Ratings as people write them, as numbers: 4/5, "5.0 out of 5 stars", 4,5 and ★★★★☆. Importing this is light."""

from __future__ import annotations

import re

from trueup.feedback.values import number

_AMOUNT = r"(\d{1,3}(?:[.,]\d{1,3})?)"
_OF = r"(?:/|out of|of|von|sur|de|su|di|van|av|z|из|/)"
_STARS = r"(?:stars?|star rating|sterne?n?|[ée]toiles?|estrellas?|estrelas?|stelle|sterren|points?|punkte|点|星|つ星)"
_RATED = re.compile(
    rf"(?:[^\W\d]+:?\s+)?{_AMOUNT}\s*(?:{_OF}\s*{_AMOUNT})?\s*{_STARS}?(?:\s*\(?{_STARS}\)?)?\.?", re.IGNORECASE
)
_FULL, _HALF, _HOLLOW = "★⭐🌟", "½⯨", "☆✩"
_SIGNS = frozenset(_FULL + _HALF + _HOLLOW + " ")


def rating(text: str) -> tuple[float, float | None] | None:
    """The number that a rating writes, and out of how many where it says so; None where it is no rating.

    A decimal comma counts as one: 4,5 is four and a half. Hollow stars say how many there could have been.
    """
    value = number(text)
    if value is not None:
        return value, None
    bare = text.strip().replace("\ufe0f", "")
    if bare and set(bare) <= _SIGNS:
        full, half, hollow = (sum(bare.count(s) for s in signs) for signs in (_FULL, _HALF, _HOLLOW))
        return full + half / 2, float(full + half + hollow) if hollow else None
    found = _RATED.fullmatch(bare)
    if not found:
        return None
    said, of = (float(part.replace(",", ".")) if part else None for part in (found[1], found[2]))
    return None if said is None or (of is not None and said > of) else (said, of)
