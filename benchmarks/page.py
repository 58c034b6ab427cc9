"""How figures and tables are written in the pages that benchmarks make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scipy.stats import binomtest


def share(hits: int, n: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    if not n:
        return "–"
    low, high = binomtest(hits, n).proportion_ci(method="wilson")
    return f"{short(hits / n)} [{short(low)}, {short(high)}]"


def short(share: float) -> str:
    return f"{share:.4f}".lstrip("0") if 0 < share < 0.02 else f"{share:.2f}".lstrip("0") or "0"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
