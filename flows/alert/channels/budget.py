"""A letter made to fit a channel: whole items go from the end, the four lines never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from trueup.reports.alerts.letter import Details, Letter, MovedInput

Size = Callable[[Letter, int], int]
_LONGEST_ITEM = 400  # characters of one text below the four lines
_LONGEST_SUBJECT = 100
_SHORTEST_LINE = 80  # the four lines are cut down to this before the command and the link go


def fitted(letter: Letter, budget: int, size: Size) -> tuple[Letter, int]:
    """The letter within a budget, and how many of its items are left out.

    Cut from the end: name and value at the foot, rows of sections, causes; then within the four lines, which keep their
    beginning; then the link and the command.
    size: how long the channel's message of a letter is, where so many items are left out; it must not fall as a letter
        gets longer.
    """
    letter = _lines_cut(_plain_sized(letter), budget)  # no line could be longer
    if size(letter, 0) <= budget:
        return letter, 0
    total = _items(letter)
    if total and size(_first(letter, 0), total) <= budget:
        kept = _largest(0, total - 1, lambda n: size(_first(letter, n), total - n) <= budget)
        return _first(letter, kept), total - kept
    bare = _first(letter, 0)
    longest = max(map(len, bare.lines))
    if longest > _SHORTEST_LINE and size(_lines_cut(bare, _SHORTEST_LINE), total) <= budget:
        most = _largest(_SHORTEST_LINE, longest, lambda n: size(_lines_cut(bare, n), total) <= budget)
        return _lines_cut(bare, most), total
    left = total + (bare.action is not None) + bool(bare.link)
    bare = replace(bare, action=None, link="")
    most = _largest(1, longest, lambda n: size(_lines_cut(bare, n), left) <= budget)
    return _lines_cut(bare, most), left


def clipped(text: str, most: int) -> str:
    """The text's beginning, at most so many characters, with an ellipsis where some are missing."""
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"


def more(left_out: int) -> str:
    """What stands for the items that are left out; empty for none."""
    return f"and {left_out} more" if left_out else ""


def _items(letter: Letter) -> int:
    return len(letter.causes) + sum(len(part.rows) for part in letter.sections) + len(letter.foot)


def _first(letter: Letter, most: int) -> Letter:
    """The letter with its first items alone; a section without rows goes too."""
    causes = letter.causes[:most]
    most -= len(causes)
    sections = []
    for part in letter.sections:
        rows = part.rows[:most]
        most -= len(rows)
        if rows:
            sections.append(replace(part, rows=rows))
    return replace(letter, causes=causes, sections=tuple(sections), foot=letter.foot[:most])


def _lines_cut(letter: Letter, most: int) -> Letter:
    return replace(
        letter,
        wrong=clipped(letter.wrong, most),
        affected=clipped(letter.affected, most),
        done=clipped(letter.done, most),
        todo=clipped(letter.todo, most),
    )


def _plain_sized(letter: Letter) -> Letter:
    """No text below the four lines is so long that it drives out all others; a command and a link stay whole."""

    def cut(text: str) -> str:
        return clipped(text, _LONGEST_ITEM)

    return replace(
        letter,
        stem=clipped(letter.stem, _LONGEST_SUBJECT),
        action=replace(letter.action, changes=cut(letter.action.changes)) if letter.action else None,
        causes=tuple(MovedInput(cut(c.said), tuple(map(cut, c.examples))) for c in letter.causes),
        sections=tuple(
            Details(cut(s.title), tuple(map(cut, s.columns)), tuple(tuple(map(cut, row)) for row in s.rows))
            for s in letter.sections
        ),
        foot=tuple((cut(name), cut(value)) for name, value in letter.foot),
    )


def _largest(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The largest whole number from low to high that fits; low where none does."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
