"""What was seen of one column of times, while a file is looked through."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from trueup.feedback.times.reading import Times

KEPT_TIMES = 300  # values of each sort that are looked at more closely


@dataclass
class SeenTimes:
    """Counts, and the first values with their lines: read by no format, shown twice or skipped by the clock.

    disputed: the first that declared formats read differently.
    """

    read: int = 0
    unread: int = 0
    kept: list[tuple[int, str]] = field(default_factory=list)
    doubled: list[tuple[int, str]] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    disputed: tuple[int, str] | None = None

    def add(self, texts: np.ndarray | pa.StringArray, times: Times, lines: np.ndarray) -> None:
        """Look at n times: what was read of each text (None or null where there is none), and its line."""
        if isinstance(texts, pa.StringArray):
            missing = texts.is_null().to_numpy(zero_copy_only=False)
        else:
            missing = np.array([t is None for t in texts], dtype=bool)
        bad = np.isnat(times.last) & ~missing & ~times.skipped
        self.read += int((~np.isnat(times.last)).sum())
        self.unread += int(bad.sum())
        for kept, where in ((self.kept, bad), (self.doubled, times.doubled), (self.skipped, times.skipped)):
            room = KEPT_TIMES - len(kept)
            kept += [(int(lines[k]), str(texts[k])) for k in np.flatnonzero(where)[:room]]
        if self.disputed is None and times.disputed.any():
            k = int(times.disputed.argmax())
            self.disputed = (int(lines[k]), str(texts[k]))
