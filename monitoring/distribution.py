"""What a picture of one signal shows of both sides: counts in common bins or levels, words that moved, slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

POOLED_LEVEL = "(other values)"  # all but the commonest levels, as one; the last of them


class Shows(StrEnum):
    """What the entries of a distribution are."""

    BINS = "bins"  # of a number: how many values fall in each
    LEVELS = "levels"  # how many records hold each
    WORDS = "words"  # the share of texts that hold each
    SLICES = "slices"  # the metric within each


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """Reference and current of one signal, one entry for each bin, level, word or slice.

    edges: of bins, one more than there are entries, rising. names: of levels, words or slices. ordered: whether the
    levels have an order of their own, which is that of `names`.
    records: of each slice, how many labelled records the window holds. breached: the names of slices that did.
    beyond: share of the values, of both sides, that lie beyond the outer bins and are counted in them.
    """

    shows: Shows
    reference: tuple[float | None, ...]
    current: tuple[float | None, ...]
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    ordered: bool = False
    records: tuple[int, ...] = ()
    breached: tuple[str, ...] = ()
    beyond: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Its fields, those left out that are as they would be by default."""
        bare = asdict(replace(self, edges=(), names=(), ordered=False, records=(), breached=(), beyond=0.0))
        whole = asdict(self)
        return {
            name: value for name, value in whole.items()
            if name in ("shows", "reference", "current") or value != bare[name]
        }  # fmt: skip

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Distribution:
        """What a report kept.

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        kept: dict[str, Any] = {
            name: tuple(held) if isinstance(held, list) else held for name, held in value.items()
        }
        kept["shows"] = Shows(kept["shows"])
        return Distribution(**kept)
