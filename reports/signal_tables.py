"""Signals of a check or of two, and tests of a gate, on a terminal: what is wrong in full, the rest counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trueup.monitoring.check import Signal, Verdict
from trueup.reports.comparing import Change
from trueup.reports.tables import Column, table
from trueup.storage.formatting import figure, p_value_figure

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_COLOUR = {Verdict.BREACHED: "bold red", Verdict.OK: "green", Verdict.INSUFFICIENT: "dim"}
_ORDER = tuple(_COLOUR)
_FINDING = Column("what was found", least=44)  # the sentence holds the figures as well, so it goes first
_CODE = Column("signal", least=20)
_FIGURES = (
    Column("value", rank=2, right=True), Column("p", rank=1, right=True), Column("threshold", rank=3, right=True),
)  # fmt: skip


def signals_shown(signals: Sequence[Signal], *, every: bool) -> Iterator[RenderableType]:
    """The breached signals in full, then how many others there are; with `every` one row for each of all."""
    from rich.text import Text

    ordered = sorted(signals, key=lambda s: _ORDER.index(s.verdict))
    of = {verdict: [s for s in ordered if s.verdict is verdict] for verdict in _ORDER}
    if every:
        whole = (_CODE, Column("verdict"), _FINDING, *_FIGURES)
        yield table("signals", whole, [(s.code, verdict_text(s.verdict), s.said, *_figures(s)) for s in ordered])
        return
    if of[Verdict.BREACHED]:
        heads = (_CODE, _FINDING, *_FIGURES)
        rows = [(Text(s.code, style=_COLOUR[s.verdict]), s.said, *_figures(s)) for s in of[Verdict.BREACHED]]
        yield table(f"{len(rows)} breached", heads, rows)
    if unjudged := of[Verdict.INSUFFICIENT]:
        yield Text(f"{len(unjudged)} not judged: {', '.join(s.code for s in unjudged)}")
    yield Text(f"{len(of[Verdict.OK])} ok")


def gate_shown(tests: Sequence[Mapping[str, Any]], *, every: bool) -> Iterator[RenderableType]:
    """The tests that a challenger failed in full, then how many it passed; with `every` one row for each of all."""
    from rich.text import Text

    failed = [test for test in tests if not test["passed"]]
    if shown := tests if every else failed:
        heads = (
            Column("test", least=20), Column("outcome"), _FINDING, Column("value", rank=1, right=True),
            Column("bound", rank=2, right=True),
        )  # fmt: skip
        rows = [
            (t["code"], _outcome(t["passed"]), t["said"], figure(t.get("value")), figure(t.get("bound"))) for t in shown
        ]
        yield table("gate", heads, rows)
    if tests and not every:
        yield Text(f"gate: {len(tests) - len(failed)} of {len(tests)} tests passed")


def changes_shown(changes: Sequence[Change], before: str, after: str, *, every: bool) -> Iterator[RenderableType]:
    """The signals whose verdict turned, then how many did not; `before` and `after` head the verdicts."""
    from rich.text import Text

    shown = [change for change in changes if every or change.turned]
    heads = (
        _CODE, Column(before, least=10), Column(after, least=10),
        *(Column(name, rank=rank, right=True, least=6) for name, rank in
          (("value before", 1), ("value after", 1), ("p before", 2), ("p after", 2))),
    )  # fmt: skip
    rows = [
        (
            Text(change.code, style="bold" if change.turned else ""),
            _either(change.verdict_before), _either(change.verdict_after),
            figure(change.value_before), figure(change.value_after),
            p_value_figure(change.p_value_before), p_value_figure(change.p_value_after),
        )
        for change in shown
    ]  # fmt: skip
    if rows:
        yield table("", heads, rows)
    if same := len(changes) - len(shown):
        yield Text(f"{same} with the same verdict in both")


def verdict_text(verdict: Verdict) -> Text:
    """The one word for a verdict, in its colour."""
    from rich.text import Text

    return Text(verdict.in_words, style=_COLOUR[verdict])


def _either(verdict: Verdict | None) -> Text:
    from rich.text import Text

    return Text("not measured", style="dim") if verdict is None else verdict_text(verdict)


def _figures(signal: Signal) -> tuple[str, str, str]:
    return figure(signal.value), p_value_figure(signal.p_value), figure(signal.threshold)


def _outcome(passed: bool) -> Text:
    from rich.text import Text

    return Text("passed", style="green") if passed else Text("failed", style="bold red")
