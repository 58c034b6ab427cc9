"""The verdicts of a stream's signals over time, as a page shows them: a column a check, or a period of many."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.heat_map import CheckColumn, signal_heat_map


@dataclass(frozen=True, kw_only=True)
class SignalHistory:
    """What a heat map shows. note: what one column stands for, in a sentence."""

    codes: tuple[str, ...]
    columns: tuple[CheckColumn, ...]
    note: str

    def drawing(self, name: str) -> Drawing:
        """The picture; `name` is of its CSV."""
        return signal_heat_map(self.codes, self.columns, name=name)
