"""For how long vectors of texts are kept, so that many models and folds read each text once; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

MOST_KEPT = 50_000  # vectors, 1.5 kB each

_kept: ContextVar[dict[tuple[str, str], Any] | None] = ContextVar("kept", default=None)


@contextmanager
def vectors_kept() -> Iterator[None]:
    """Within it the vector of each text is made once; also a decorator, as `@vectors_kept()`."""
    before = _kept.get()
    token = _kept.set({} if before is None else before)
    try:
        yield
    finally:
        _kept.reset(token)


@contextmanager
def vectors_not_kept() -> Iterator[None]:
    """Within it every text is read, as that of a record that nobody saw before."""
    token = _kept.set(None)
    try:
        yield
    finally:
        _kept.reset(token)


def kept_vector(weights: str, text: str) -> Any:
    """The vector of a text by some weights; None where there is none."""
    kept = _kept.get()
    return None if kept is None else kept.get((weights, text))


def keep_vector(weights: str, text: str, vector: Any) -> None:
    """Keep it, where vectors are kept and there is room."""
    kept = _kept.get()
    if kept is not None and len(kept) < MOST_KEPT:
        kept[weights, text] = vector
