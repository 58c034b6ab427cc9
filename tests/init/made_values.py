"""Seeded values with realistic dirt: opinions, stars, moments, numbers, ids, and how moments are spelt."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np

from tests.init.words import OPINIONS

ROWS = 360
LOW, MID, HIGH = "low", "~", "high"  # "~": a person may give it a class of its own, or none
Spelling = str | Callable[[datetime], Any] | None  # strftime, "epoch s|ms|us", a function; None: as the file types it


def spelt(moments: Sequence[datetime | None], how: Spelling) -> list[Any]:
    """Moments as a file writes them."""
    if how is None:
        return list(moments)
    if callable(how):
        return [None if m is None else how(m) for m in moments]
    if how.startswith("epoch"):
        scale = {"s": 1, "ms": 1000, "us": 1_000_000}[how.split()[1]]
        return [None if m is None else int(m.replace(tzinfo=UTC).timestamp() * scale) for m in moments]
    return [None if m is None else m.strftime(how) for m in moments]


class Made:
    """Seeded values for one shape, `rows` of each."""

    def __init__(self, name: str, rows: int = ROWS) -> None:
        self.rows = rows
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.dice = Random(name)  # far quicker than a generator of arrays where one word is drawn at a time

    def moods(self, low: float = 0.3, mid: float = 0.08) -> list[str]:
        """What people think: LOW, MID or HIGH."""
        return self.pick([LOW, MID, HIGH], [low, mid, 1 - low - mid])

    def by(self, moods: Sequence[str], low: Sequence[Any], mid: Sequence[Any], high: Sequence[Any]) -> list[Any]:
        """A cell for each mood out of those that say it."""
        said = {LOW: low, MID: mid or [*low, *high], HIGH: high}
        return [said[m][int(self.rng.integers(len(said[m])))] for m in moods]

    def stars(self, moods: Sequence[str]) -> list[int]:
        """1 to 5."""
        return self.by(moods, [1, 1, 2], [3], [4, 5, 5])

    def texts(self, moods: Sequence[str], language: str = "en", words: tuple[int, int] = (5, 16)) -> list[str]:
        """Opinions that mostly say the mood; a few hold quotes, a line break, an emoji, or are very short."""
        plain, good, bad, glue = OPINIONS[language]
        texts = []
        for mood in moods:
            own = {LOW: bad, HIGH: good}.get(mood, plain)
            length = self.dice.randrange(*words)
            said = [self.dice.choice(own if self.dice.random() < 0.25 else plain) for _ in range(length)]
            said.insert(self.dice.randrange(len(said)), self.dice.choice(own))
            texts.append(glue.join(said))
        for k in self.rng.integers(0, self.rows, self.rows // 25):
            dirt = (f'"{texts[k]}", {texts[k][:9]}', f"{texts[k]}\n{texts[k]}", texts[k][:12].strip())
            texts[k] = dirt[int(self.rng.integers(3))]
        return texts

    def moments(self, start: str = "2023-02-03", days: int = 300, order: int = 1) -> list[datetime]:
        """Moments of `days` to the second; order: 1 oldest first, -1 newest first, 0 none."""
        seconds = np.sort(self.rng.integers(0, days * 86400, self.rows))
        seconds = self.rng.permutation(seconds) if order == 0 else seconds[::order]
        return [datetime.fromisoformat(start) + timedelta(seconds=int(s)) for s in seconds]

    def steady(self, start: str, minutes: float) -> list[datetime]:
        """Moments that far apart."""
        return [datetime.fromisoformat(start) + timedelta(minutes=k * minutes) for k in range(self.rows)]

    def later(self, moments: Sequence[datetime], share: float = 1.0, days: float = 3) -> list[datetime | None]:
        """Up to so many days after, for a share of them."""
        waits = self.rng.integers(60, int(days * 86400), len(moments))
        known = self.rng.random(len(moments)) < share
        return [m + timedelta(seconds=int(w)) if k else None for m, w, k in zip(moments, waits, known, strict=True)]

    def pick(self, options: Sequence[Any], p: Sequence[float] | None = None) -> list[Any]:
        return [options[k] for k in self.rng.choice(len(options), self.rows, p=p)]

    def numbers(self, mean: float = 0, sd: float = 1, digits: int = 2, least: float = -np.inf) -> list[float]:
        return [round(float(x), digits) for x in np.maximum(self.rng.normal(mean, sd, self.rows), least)]

    def waves(self, level: float, swing: float, noise: float, period: int = 24, digits: int = 2) -> list[float]:
        """A quantity that goes up and down with the hours."""
        turn = np.sin(np.arange(self.rows) * 2 * np.pi / period) * swing
        return [round(float(x), digits) for x in level + turn + self.rng.normal(0, noise, self.rows)]

    def counts(self, mean: float = 3) -> list[int]:
        return [int(x) for x in self.rng.geometric(1 / (mean + 1), self.rows) - 1]

    def whole(self, low: int, high: int) -> list[int]:
        return [int(x) for x in self.rng.integers(low, high, self.rows)]

    def hexes(self, digits: int = 24) -> list[str]:
        return [self.rng.bytes((digits + 1) // 2).hex()[:digits] for _ in range(self.rows)]

    def uuids(self) -> list[str]:
        return [f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in self.hexes(32)]

    def people(self) -> list[str]:
        first = ["Ana", "Ben", "Chloé", "Dmitri", "Eva", "Farid", "Grace", "Hiro", "Ida", "Jonas"]
        return [f"{self.dice.choice(first)} {self.dice.choice('BCDFGKLMNPRST')}." for _ in range(self.rows)]

    def gaps(self, cells: Sequence[Any], share: float = 0.1, blank: Any = None) -> list[Any]:
        """The cells, with a share of them left blank."""
        return [blank if self.rng.random() < share else c for c in cells]

    def risen(self, cells: Sequence[float], where: Sequence[Any], of: Any, by: float) -> list[float]:
        """Numbers, higher by so much on average where a cell is `of`: what a model can learn from."""
        return [round(c + (by if w == of else 0), 3) for c, w in zip(cells, where, strict=True)]
