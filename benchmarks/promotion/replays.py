"""Replays of the real sets under many splits: is a promoted challenger ever worse on the rows that follow?

A set is replayed with the split's salt as the only chance: another salt puts other records on the evaluation side, so
other models are trained and another gate decides. Two ways of asking for challengers: the policy of the example, and
`asked`, a challenger at every check whatever it found, so that the gate is asked far more often than any policy would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import beta

from benchmarks import jobs
from benchmarks.page import share, table
from benchmarks.promotion import light
from benchmarks.promotion.afterwards import LEAST, afterwards
from benchmarks.promotion.course import BIKE, ELEC2, SETS, RealSet, deployed, with_training
from benchmarks.promotion.section import Bound, Options
from trueup.storage.stream import StreamSettings

TITLE = "Promotions of replayed sets, judged by the rows that follow"
SALTS = 20
SEARCHED = 3  # salts of `asked` with the default search; the others with one family
OWN_POLICY = 5  # salts of the example's own policy, with the default search
LEVEL, BOUND = 0.01, 0.03
EVERY = {ELEC2.name: 12 * 336, BIKE.name: 8 * 7 * 24}  # records between two checks of `asked`; else a window


@dataclass(frozen=True)
class Play:
    """One replay."""

    set: RealSet
    salt: int
    policy: str  # "default" or "asked"
    search: str  # "default" or "one family"
    checks: int | None = None  # no more than the first

    @property
    def name(self) -> str:
        return f"{self.set.name}, salt {self.salt}, {self.policy}, {self.search} search, {self.checks or 'all'} checks"


def plays() -> list[Play]:
    asked = [
        Play(one, salt, "asked", "default" if salt <= SEARCHED else "one family")
        for salt in range(1, SALTS + 1)
        for one in SETS
    ]
    return [*asked, *(Play(one, salt, "default", "default") for salt in range(1, OWN_POLICY + 1) for one in SETS)]


def play(told: Play) -> dict[str, Any]:
    """The challengers of one replay, each judged by what followed."""
    asked = told.policy == "asked"
    with deployed(told.set, partial(_changed, told)) as deployment:
        first = deployment.cycle(told.set.starts)["promotion"]
        moments = deployment.moments(told.set.starts, EVERY.get(told.set.name) if asked else None)[: told.checks]
        back = 0
        for as_of in moments if first else ():
            deployment.cycle(as_of, ask=asked)
            back += deployment.resume_after_rollback()
        return {
            "set": told.set.name, "salt": told.salt, "policy": told.policy, "search": told.search,
            "metric": deployment.stream.metric, "checks": len(moments) if first else 0, "back": back,
            "challengers": afterwards(deployment),
        }


def _changed(told: Play, stream: StreamSettings) -> StreamSettings:
    candidates = ("default",) if told.search == "default" else (light.NAME,)
    return with_training(stream, split_salt=str(told.salt), candidates=candidates)


def measure(options: Options) -> dict[str, Any]:
    """All replays, each kept as soon as it is done; a quick look takes one check of each set."""
    chosen = plays()
    if options.quick:
        chosen = [Play(one, 1, "asked", "one family", 1) for one in SETS]
    done = jobs.run(
        options.folder / "plays.jsonl", [jobs.Job(p.name, partial(play, p)) for p in chosen], options.processes
    )
    return {"plays": done}


def bounds(found: dict[str, Any]) -> list[Bound]:
    judged = _judged(found["plays"])
    return [(
        "promotions in replays of the real sets, significantly worse at .01 on the rows that follow",
        "–", "upper 95 % limit ≤ 3 %, pooled", _worse(judged),
    ), (
        "challengers of classes in these replays, more than 2 points better on the rows that follow (at .01), for "
        "which the gate had the labels it needs", "–", "refused ≤ 10 %", _missed(found["plays"]),
    )]  # fmt: skip


def page(found: dict[str, Any]) -> list[str]:
    plays = found["plays"]
    lines = TEXT.strip().splitlines()
    rows = []
    for policy in ("default", "asked"):
        for one in SETS:
            mine = [p for p in plays if p["policy"] == policy and p["set"] == one.name]
            if mine:
                rows.append((one.name, policy, *_row(mine)))
        mine = [p for p in plays if p["policy"] == policy]
        if mine:
            rows.append(("all", policy, *_row(mine, gains=False)))
    head = ("set", "policy", "replays", "challengers", "promoted", "judged", "worse at .01", "better at .01",
            "mean gain", "gone back", "refused, judged", "their gain", "of them better at .01")
    lines += ["", table(head, rows), "", f"All together: {_worse(_judged(plays))}."]
    worse = [(p, c) for p in plays for c in _judged([p]) if c["p_worse"] <= LEVEL]
    if worse:
        lines += ["", "The promotions that were significantly worse:", ""]
        lines.append(table(
            ("set", "policy", "salt", "search", "at", "labels after", "old", "new", "p"),
            [(p["set"], p["policy"], str(p["salt"]), p["search"], c["as_of"][:10], str(c["labels"]),
              f"{abs(c['old']):.3f}", f"{abs(c['new']):.3f}", f"{c['p_worse']:.4f}") for p, c in worse],
        ))
    better = _well_shown(plays)
    if better:
        lines += ["", *BETTER.strip().splitlines(), "", table(
            ("set", "policy", "salt", "at", "labels after", "gain after", "the gate's rows", "needed", "gain on them",
             "promoted"),
            [(p["set"], p["policy"], str(p["salt"]), c["as_of"][:10], str(c["labels"]), f"{c['gain']:+.3f}",
              f"{c['gate']['GATE-LABELS'][1]:.0f}", str(c["labels_needed"]), f"{c['gate']['GATE-METRIC'][1]:+.3f}",
              "yes" if c["promoted"] else "no") for p, c in better],
        )]  # fmt: skip
    return lines


TEXT = f"""
Each set is replayed with {SALTS} salts of its split; the salt decides which records the gate may judge by. `default`
is the policy of `examples/`, with the default search and {OWN_POLICY} salts. It trains few challengers, so `asked`
trains one at every check and judges it by the same gate (each window of 500 reviews; every 8 weeks on bike, 12 on
elec2): salts 1 to {SEARCHED} with the default search, the others with one family (logistic regression on reviews, a
forest elsewhere) over all and the newest history. A challenger is then judged by the labelled rows until the next
promotion or the end, at least {LEAST}, of content that neither model knew. "Worse" is a one-sided permutation test on
the stream's own metric that exchanges the two models' answers at random by group, on bike and elec2 by day; of
equally good challengers it calls one in a hundred worse. The limit is Clopper and Pearson's, one-sided at 95 %; it
assumes that promotions are independent, which those of one set under several salts are only in part. Gains are of
macro-F1, on bike of the mean absolute error (rentals an hour); above 0 the new model is better. "Gone back" counts
promotions that probation rolled back; they are judged like the others, and promotion is resumed at once.

The prices of elec2 change with the season: a challenger that was better for twenty weeks can be worse from the next day
on, and nothing in those weeks shows it. Probation exists for that.
"""

BETTER = """
The challengers of classes that were more than two points better on the rows that follow (at .01), and whose gate had
the labels that `GATE-LABELS` needs. They are chosen by what came afterwards, which the gate cannot know: "gain on
them" is what the same challenger gained on the gate's own rows.
"""


def _judged(plays: Sequence[dict[str, Any]], *, promoted: bool = True) -> list[dict[str, Any]]:
    """The challengers of some replays that enough labels followed."""
    return [c for p in plays for c in p["challengers"] if c["promoted"] is promoted and "p_worse" in c]


def _row(plays: Sequence[dict[str, Any]], *, gains: bool = True) -> tuple[str, ...]:
    judged, refused = _judged(plays), _judged(plays, promoted=False)
    tried = [c for p in plays for c in p["challengers"]]
    return (
        str(len(plays)), str(len(tried)), str(sum(c["promoted"] for c in tried)), str(len(judged)),
        str(sum(c["p_worse"] <= LEVEL for c in judged)), str(_better(judged)), _gain(judged) if gains else "",
        str(sum(p["back"] for p in plays)), str(len(refused)), _gain(refused) if gains else "", str(_better(refused)),
    )  # fmt: skip


def _better(challengers: Sequence[dict[str, Any]]) -> int:
    return sum(c["p_better"] <= LEVEL for c in challengers)


def _gain(challengers: Sequence[dict[str, Any]]) -> str:
    return f"{np.mean([c['gain'] for c in challengers]):+.3f}" if challengers else "–"


def _worse(judged: Sequence[dict[str, Any]]) -> str:
    worse, n = sum(c["p_worse"] <= LEVEL for c in judged), len(judged)
    if not n:
        return "no promotion was judged"
    return f"{worse} of {n}, upper 95 % limit {upper(worse, n):.1%}"


def _well_shown(plays: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Play and challenger, where that was clearly better afterwards and its gate had the labels it says it needs."""
    return [
        (p, c) for p in plays if p["metric"] == "f1_macro" for wanted in (True, False)
        for c in _judged([p], promoted=wanted)
        if c["gain"] > 0.02 and c["p_better"] <= LEVEL
        and "GATE-METRIC" in c["gate"] and c["gate"]["GATE-LABELS"][1] >= (c["labels_needed"] or 0)
    ]  # fmt: skip


def _missed(plays: Sequence[dict[str, Any]]) -> str:
    """How many of the clearly better challengers were refused, though the gate had the labels that it says it needs."""
    better = [challenger for _, challenger in _well_shown(plays)]
    refused = sum(not c["promoted"] for c in better)
    return f"{refused} of {len(better)} refused: {share(refused, len(better))}" if better else "there was none"


def upper(hits: int, n: int) -> float:
    """Clopper and Pearson's one-sided upper limit of a share at 95 %."""
    return 1.0 if hits == n else float(beta.ppf(0.95, hits + 1, n - hits))
