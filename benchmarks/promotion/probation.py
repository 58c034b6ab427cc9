"""How often a probation sends back a champion that is no worse, and how soon one that is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks import jobs
from benchmarks.page import share, table
from benchmarks.promotion.section import Bound, Options
from trueup.training.evaluation.paired import Paired
from trueup.training.evaluation.probation import RISK, Looks, Outcome, chance_of_previous, conclude, rollback_bound
from trueup.training.models.metrics import REGRESSION_METRICS

TITLE = "Probation"
ROWS = 500  # the default of policy.probation
ALIKE, WORSE = 1500, 300  # probations of champions that are no worse, and that are
QUICK = 10

# name, metric, share of the rarer class, rows that the two answer otherwise, by how much the champion is worse (of
# accuracy, or as a share of the error)
KINDS: tuple[tuple[str, str, float, float, float], ...] = (
    ("balanced classes, 10 % disagree", "f1_macro", 0.5, 0.10, 0.0),
    ("one class in ten, 8 % disagree", "f1_macro", 0.1, 0.08, 0.0),
    ("balanced classes, 10 % disagree", "accuracy", 0.5, 0.10, 0.0),
    ("normal errors", "mae", 0.0, 0.0, 0.0),
    ("errors with heavy tails (t, 3 degrees)", "mae", 0.0, 0.0, 0.0),
    ("errors with heavy tails (t, 3 degrees)", "rmse", 0.0, 0.0, 0.0),
    ("three in ten, 12 % disagree", "f1_macro", 0.3, 0.12, 0.03),
    ("three in ten, 12 % disagree", "f1_macro", 0.3, 0.12, 0.05),
    ("three in ten, 12 % disagree", "f1_macro", 0.3, 0.12, 0.10),
    ("normal errors", "mae", 0.0, 0.0, 0.10),
    ("normal errors", "mae", 0.0, 0.0, 0.20),
    ("errors with heavy tails (t, 3 degrees)", "rmse", 0.0, 0.0, 0.20),
)


def measure(options: Options) -> dict[str, Any]:
    """Whole probations of made champions; cycles bring 5 to 120 labelled rows each, the same number in a probation."""
    todo = []
    for number, kind in enumerate(KINDS):
        runs = QUICK if options.quick else (WORSE if kind[4] else ALIKE)
        todo.append(jobs.Job(str(number), partial(_played, number, runs)))
    return {"kinds": jobs.run(options.folder / "kinds.jsonl", todo, options.processes)}


def _played(number: int, runs: int) -> dict[str, Any]:
    name, metric, rare, disagree, lead = KINDS[number]
    rng = np.random.default_rng(number)
    ends = [_probation(rng, metric, _rows(rng, name, metric, rare, disagree, lead)) for _ in range(runs)]
    back = [rows for outcome, rows in ends if outcome is Outcome.ROLLED_BACK]
    return {"number": number, "runs": runs, "back": len(back), "rows": statistics.median(back) if back else None}


def _rows(rng: np.random.Generator, name: str, metric: str, rare: float, disagree: float, lead: float) -> Paired:
    """ROWS rows answered by both; the challenger's place is the previous version's."""
    if metric in REGRESSION_METRICS:
        truth, shared, *own = (
            rng.normal(size=(4, ROWS)) if name.startswith("normal") else rng.standard_t(3, size=(4, ROWS))
        )
        new, old = (truth + size * (0.8 * shared + 0.6 * error) for size, error in zip((1 + lead, 1), own, strict=True))
        return _pair(truth, new, old, ())
    yes = rng.random(ROWS) < rare
    truth, other = (np.where(which, "yes", "no").astype(object) for which in (yes, ~yes))
    drawn = rng.random(ROWS)
    new = np.where((drawn < (disagree + lead) / 2) | (drawn > 0.95), other, truth)
    old = np.where(((drawn >= (disagree + lead) / 2) & (drawn < disagree)) | (drawn > 0.95), other, truth)
    return _pair(truth, new, old, ("no", "yes"))


def _pair(truth: np.ndarray, new: np.ndarray, old: np.ndarray, classes: tuple[str, ...]) -> Paired:
    unscored = np.full(ROWS, np.nan)
    return Paired(
        opponent="champion",
        truth=truth, opponent_predicted=new, challenger_predicted=old,
        opponent_score=unscored, challenger_score=unscored,
        unit=np.arange(ROWS), evaluation=np.zeros(ROWS, dtype=bool), classes=classes,
    )  # fmt: skip


def _probation(rng: np.random.Generator, metric: str, met: Paired) -> tuple[Outcome, int]:
    """How it ends, and after how many rows."""
    step, looks, outcome = int(rng.integers(5, 120)), Looks(), Outcome.WATCHING
    rows = step
    while outcome is Outcome.WATCHING:
        rows, last = min(rows, ROWS), rows >= ROWS
        if looks.due(rows, last=last):
            looks = Looks(looks.made + 1, rows)
            chance = chance_of_previous(metric, met.take(np.arange(ROWS) < rows), int(rng.integers(1 << 30)))
            outcome = conclude(chance, rollback_bound(looks.made), last=last)
        rows += step
    return outcome, looks.rows


def bounds(found: dict[str, Any]) -> list[Bound]:
    alike = [kind for kind in found["kinds"] if not KINDS[kind["number"]][4]]
    worst = max(alike, key=lambda kind: kind["back"] / kind["runs"])
    said = f"{share(sum(k['back'] for k in alike), sum(k['runs'] for k in alike))} pooled, "
    said += f"{share(worst['back'], worst['runs'])} at worst ({KINDS[worst['number']][1]})"
    return [("champions that are no worse, rolled back within their probation", "–", f"≤ {RISK:.0%}", said)]


def page(found: dict[str, Any]) -> list[str]:
    rows: list[Sequence[str]] = []
    for kind in sorted(found["kinds"], key=lambda kind: kind["number"]):
        name, metric, _, _, lead = KINDS[kind["number"]]
        after = "–" if kind["rows"] is None else f"{kind['rows']:.0f}"
        unit = "% of the error" if metric in REGRESSION_METRICS else "points of accuracy"
        loss = f"{100 * lead:.0f} {unit}" if lead else "none"
        rows.append((name, metric, loss, share(kind["back"], kind["runs"]), after))
    return [*TEXT.strip().splitlines(), "", table(("rows", "metric", "worse by", "rolled back", "median rows"), rows)]


TEXT = f"""
Whole probations of {ROWS} labelled rows (the default of `policy.probation`), by the rule of
`training/evaluation/probation.py`: they are compared at each cycle by which the rows have grown by
half. A champion that is no worse can be exchanged, row by row, with the one before it; at most {RISK:.0%} of those may
be rolled back.
"""
