"""Made streams with a shift of a known kind, and 20,000 fresh rows of the regime that they end in.

Each class is a mixture of two normal clusters in eight columns; a regime says where the clusters lie, how common they
are, and how many labels are told wrong. A stream is a champion's history under one regime and four windows after it.
What is judged on are fresh rows of the last regime with their true labels: what a promotion is worth from there on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trueup.storage.policy import Policy
from trueup.storage.rows import META, Rows
from trueup.storage.stream import LabelPolicy, StreamSettings

COLUMNS = tuple(f"x{k}" for k in range(8))
WINDOWS = 4
FRESH = 20_000
CLASSES = ("no", "yes")


@dataclass(frozen=True)
class Regime:
    """centre: classes × clusters × columns; weight: classes × clusters; share: of the class "yes".

    wrong: the share of labels told wrong, of each class. deaf: columns that are mere noise.
    """

    centre: np.ndarray
    weight: np.ndarray
    share: float
    wrong: tuple[float, float] = (0.0, 0.0)
    deaf: tuple[int, ...] = ()


Course = Callable[[float], Regime]  # from the place among the new rows (0 to 1) to the regime that holds there


@dataclass(frozen=True)
class Made:
    """A stream's rows in time order, how many of them the champion knows, and fresh rows of the regime it ends in."""

    kind: str
    stream: StreamSettings
    rows: Rows
    known: int
    window: int
    fresh: Rows


def turned_regime(regime: Regime, degrees: float, rng: np.random.Generator) -> Regime:
    """The clusters of both classes turned in the plane of what parts them and another direction."""
    apart = regime.centre[1].mean(axis=0) - regime.centre[0].mean(axis=0)
    first = apart / np.linalg.norm(apart)
    second = rng.normal(size=len(COLUMNS))
    second -= first * (second @ first)
    second /= np.linalg.norm(second)
    angle = math.radians(degrees)
    along, across = regime.centre @ first, regime.centre @ second
    turned = (
        regime.centre
        + ((math.cos(angle) - 1) * along - math.sin(angle) * across)[..., None] * first
        + (math.sin(angle) * along + (math.cos(angle) - 1) * across)[..., None] * second
    )
    return replace(regime, centre=turned)


def _healthy(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    return lambda at: old, old


def _inputs(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    new = replace(old, weight=old.weight[:, ::-1])
    return lambda at: new, new


def _mix(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    new = replace(old, share=float(np.clip(old.share + rng.choice([-0.25, 0.25]), 0.05, 0.8)))
    return lambda at: new, new


def _turn_a_little(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    new = turned_regime(old, rng.uniform(15, 35), rng)
    return lambda at: new, new


def _turn(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    new = turned_regime(old, rng.uniform(45, 120), rng)
    return lambda at: new, new


def _flip(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    new = replace(old, centre=old.centre[::-1], weight=old.weight[::-1], share=1 - old.share)
    return lambda at: new, new


def _sensor(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    apart = np.abs(old.centre[1].mean(axis=0) - old.centre[0].mean(axis=0))
    new = replace(old, deaf=tuple(int(k) for k in np.argsort(apart)[-2:]))
    return lambda at: new, new


def _gradual(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    degrees, seed = rng.uniform(40, 90), int(rng.integers(2**31))

    def course(at: float) -> Regime:
        return turned_regime(old, degrees * at, np.random.default_rng(seed))

    return course, course(1.0)


def _late(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    new = turned_regime(old, rng.uniform(45, 120), rng)
    return lambda at: new if at >= 0.6 else old, new


def _passing(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    for_a_while = turned_regime(old, rng.uniform(45, 120), rng)
    return lambda at: for_a_while if at < 0.12 else old, old


def _wrong_labels(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    share = float(rng.uniform(0.15, 0.35))
    told = replace(old, wrong=(share, share))
    return lambda at: told, old


def _one_sided_labels(old: Regime, rng: np.random.Generator) -> tuple[Course, Regime]:
    told = replace(old, wrong=(0.0, float(rng.uniform(0.2, 0.4))))
    return lambda at: told, old


KINDS: dict[str, Callable[[Regime, np.random.Generator], tuple[Course, Regime]]] = {
    "healthy": _healthy,
    "inputs move": _inputs,
    "class mix": _mix,
    "concept turns a little": _turn_a_little,
    "concept turns": _turn,
    "labels flip": _flip,
    "sensor breaks": _sensor,
    "concept turns slowly": _gradual,
    "concept turns late": _late,
    "change that passes": _passing,
    "wrong labels": _wrong_labels,
    "wrong labels of one class": _one_sided_labels,
}
TURNING = ("concept turns slowly", "concept turns late", "change that passes")  # while rows are judged


def made(kind: str, seed: int) -> Made:
    """One stream of a kind; the same for the same seed."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    old = first_regime(rng)
    course, last = KINDS[kind](old, rng)
    known, window = int(rng.choice([1000, 2000, 4000])), int(rng.choice([100, 200, 500]))
    stream = stream_of_columns(Policy(window=window))
    new = window * WINDOWS
    parts = [draw_part(old, known, rng)]
    parts += [draw_part(course((k + 0.5) / (10 * WINDOWS)), new // (10 * WINDOWS), rng) for k in range(10 * WINDOWS)]
    rows = rows_of_parts(parts, rng)
    clean = replace(last, wrong=(0.0, 0.0))
    return Made(kind, stream, rows, known, window, rows_of_parts([draw_part(clean, FRESH, rng)], rng))


def first_regime(rng: np.random.Generator) -> Regime:
    """A regime that a stream may begin with."""
    apart = rng.normal(size=len(COLUMNS))
    apart *= rng.uniform(1.5, 3.0) / np.linalg.norm(apart)
    centre = np.stack([-apart / 2 + rng.normal(0, 0.7, (2, len(COLUMNS))), apart / 2 + rng.normal(0, 0.7, (2, 8))])
    weight = np.array([[0.8, 0.2], [0.7, 0.3]])
    return Regime(centre, weight, float(rng.choice([0.5, 0.3, 0.15, 0.08])))


def stream_of_columns(policy: Policy) -> StreamSettings:
    """The settings of a made stream under a policy."""
    return StreamSettings(
        name="made",
        time="at",
        numeric=COLUMNS,
        label=LabelPolicy(column="y", classes={name: name for name in CLASSES}),
        policy=policy,
    )


def draw_part(regime: Regime, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many rows of a regime: their values, and the class that each is told to be (0 or 1)."""
    truth = (rng.random(count) < regime.share).astype(int)
    cluster = (rng.random(count) >= regime.weight[truth, 0]).astype(int)
    values = regime.centre[truth, cluster] + rng.normal(size=(count, len(COLUMNS)))
    values[:, list(regime.deaf)] = rng.normal(size=(count, len(regime.deaf)))
    told = np.where(rng.random(count) < np.array(regime.wrong)[truth], 1 - truth, truth)
    return values, told


def rows_of_parts(parts: list[tuple[np.ndarray, np.ndarray]], rng: np.random.Generator) -> Rows:
    """Drawn parts as the rows of a stream, one an hour, a fifth of them on the evaluation side."""
    values = np.concatenate([part[0] for part in parts])
    label = np.array(CLASSES, dtype=object)[np.concatenate([part[1] for part in parts])]
    count = len(values)
    content = rng.permutation(count).astype(np.int64) * 2_654_435_761 % 2**61
    time = pd.date_range("2024-01-01", periods=count, freq="h").astype("datetime64[us]")
    meta = pd.DataFrame(
        {
            "id": [f"r{k}" for k in range(count)],
            "time": time,
            "seq": np.arange(count),
            "evaluation": rng.random(count) < 0.2,
            "content": content,
            "group": content,
            "label": label,
            "known_at": time,
            "provenance": "record",
            "predicted": None,
            "score": np.nan,
        }
    )
    kinds = {name: kind for name, kind in META.items() if name != "label"}
    return Rows(pd.DataFrame(values, columns=COLUMNS), meta.astype(kinds))
