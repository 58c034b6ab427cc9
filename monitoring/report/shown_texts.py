"""Texts of outsiders in what Evidently's script shows: no markup of theirs, and no word that stretches a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

LONGEST_WORD = 40  # characters of a word that a plot or table shows
_TAG = re.compile(r"<(?!/?(?:b|i|br|br/|em|strong|sub|sup|extra)>)")
# writing without spaces is broken anywhere, so it never stretches a page
_LONG = re.compile(rf"[^\s぀-ヿ㐀-鿿豈-﫿]{{{LONGEST_WORD + 1},}}")
_IDS = frozenset({"id", "ids", "graphId", "source_fingerprint", "linked_metrics", "type"})
_NO_TEXTS = frozenset({"bdata", "hovertemplate", "texttemplate"})  # keys of Plotly: packed numbers, and patterns


def without_tags(value: Any, *, plotted: bool = False) -> Any:
    """A document whose plots show every text as it is: Plotly would make a link of `<a href=…>` in a name or a level.

    Its own words use a few tags without attributes, which stay.
    """
    if isinstance(value, str):
        return _TAG.sub("&lt;", value) if plotted else value
    if isinstance(value, dict):
        plotted = plotted or {"data", "layout"} <= value.keys()
        return {name: without_tags(held, plotted=plotted) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [without_tags(held, plotted=plotted) for held in value]
    return value


def with_short_words(value: Any) -> Any:
    """A document whose words have at most 40 characters and a sign that they are cut; different ones stay different."""
    return _with_words(value, _cutter())


def _cutter() -> Callable[[re.Match[str]], str]:
    short: dict[str, str] = {}
    taken: set[str] = set()

    def cut(found: re.Match[str]) -> str:
        word = found[0]
        if word not in short:
            begin = word[: LONGEST_WORD - 5]
            number, name = 1, f"{begin}…"
            while name in taken:
                number += 1
                name = f"{begin}…{number}"
            taken.add(name)
            short[word] = name
        return short[word]

    return cut


def with_texts(value: Any, shown: Callable[[str], str]) -> Any:
    """A document with each of its texts as `shown` makes it; ids, packed numbers and figures in words stay."""
    if isinstance(value, str):
        return value if _is_number(value) else shown(value)
    if isinstance(value, dict):
        return {n: held if n in _NO_TEXTS or n in _IDS else with_texts(held, shown) for n, held in value.items()}
    if isinstance(value, list):
        return [with_texts(held, shown) for held in value]
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _with_words(value: Any, cut: Callable[[re.Match[str]], str]) -> Any:
    if isinstance(value, str):
        return _LONG.sub(cut, value)
    if isinstance(value, dict):
        return {name: held if name in _NO_TEXTS else _with_words(held, cut) for name, held in value.items()}
    if isinstance(value, list):
        return [_with_words(held, cut) for held in value]
    return value
