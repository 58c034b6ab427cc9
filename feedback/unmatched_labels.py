"""Labels that match no class, counted while records are taken in: their rows are stored and stay without a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from trueup.feedback.labels import class_of
from trueup.feedback.values import folded
from trueup.storage.stream import StreamSettings

_SHOWN = 5      # values
_KEPT = 10_000  # different values that are counted; of more, the commonest so far
_LENGTH = 40    # characters of a value that is shown


@dataclass
class UnmatchedLabels:
    """Counts of the values that no class of a stream takes. labelled: rows with a value at all."""

    stream: StreamSettings
    labelled: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, raw: np.ndarray) -> None:
        """Take n raw labels into account, str or None."""
        if not self.stream.label.classes:
            return
        for value, rows in Counter(raw.tolist()).most_common():
            if value is None:
                continue
            self.labelled += rows
            if class_of(self.stream.label, value) is None:
                self.counts[folded(value)] += rows
        if len(self.counts) > _KEPT:
            self.counts = Counter(dict(self.counts.most_common(_KEPT // 2)))

    def notes(self) -> Iterator[str]:
        """What is to be told of them."""
        if not self.counts:
            return
        shown = ", ".join(f"'{value[:_LENGTH]}' ({rows:,})" for value, rows in self.counts.most_common(_SHOWN))
        more = len(self.counts) - _SHOWN
        yield (
            f"{self.counts.total():,} of {self.labelled:,} labels match no class: {shown}"
            f"{f' and {more:,} more values' if more > 0 else ''}. These records have no label. If a value "
            f"belongs to a class, add it to `classes` under [streams.{self.stream.name}.label]"
        )
