"""One record at a time: how long the registered champion takes for it, beside the pipeline that it is."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.page import table
from benchmarks.promotion import light
from benchmarks.promotion.course import ELEC2, GREENLIGHT, Deployment, RealSet, deployed, with_training
from benchmarks.promotion.section import Bound, Options

TITLE = "Latency of a single record"
BOUND = 1.3
RECORDS, ROUNDS = 300, 5

Call = Callable[[pd.DataFrame], Any]


def measure(options: Options) -> dict[str, Any]:
    """The champion of a set of reviews and of one of columns; a quick look takes twenty records once."""
    records, rounds = (20, 1) if options.quick else (RECORDS, ROUNDS)
    found = []
    for one in (GREENLIGHT, ELEC2):
        candidates = (light.NAME,) if options.quick else ("default",)
        with deployed(one, partial(with_training, candidates=candidates)) as deployment:
            found.append(_of(one, deployment, records, rounds))
    return {"sets": found}


def _of(one: RealSet, deployment: Deployment, records: int, rounds: int) -> dict[str, Any]:
    """The first champion of a set, each way called in turn on each of the newest records."""
    import mlflow
    from sklearn.base import clone

    from trueup.training.models.fitting import answer, targets

    stream, registry = deployment.stream, deployment.app.registry
    done = deployment.cycle(one.starts)
    version = int(done["promotion"]["to_version"])
    held = registry.load(stream.name, version)
    before = deployment.known.meta["time"] <= one.starts.replace(tzinfo=None)
    past = deployment.known.take(before.to_numpy() & deployment.known.labelled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bare = clone(held).fit(past.features[list(stream.features)], targets(stream, past))
        served = mlflow.pyfunc.load_model(f"models:/{stream.name}@champion")
    # what a signature asks for: text as objects, as a request brings it
    newest = deployment.known.newest(records).features[list(stream.features)].reset_index(drop=True)
    plain = newest.astype({c: "float64" if c in stream.numeric else "object" for c in stream.features})
    ones = [plain.iloc[[k]] for k in range(len(plain))]
    calls: dict[str, Call] = {
        "bare": bare.predict,
        "registry": held.predict,
        "pyfunc": served.predict,
        "bare with score": bare.predict_proba,
        "answer": partial(answer, held, stream),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = _timed(calls, ones, rounds)
    return {
        "set": one.name, "recipe": done["training"]["recipe"], "records": len(ones), "rounds": rounds,
        "milliseconds": {name: statistics.median(spent) * 1e3 for name, spent in times.items()},
        "ratios": {
            name: _quartiles(times[name], times[than])
            for name, than in (("registry", "bare"), ("pyfunc", "bare"), ("answer", "bare with score"))
        },
    }


def _timed(calls: dict[str, Call], ones: Sequence[pd.DataFrame], rounds: int) -> dict[str, list[float]]:
    """Seconds of each call on each record, all calls of a record in turn and in an order drawn anew."""
    rng = np.random.default_rng(0)
    names = list(calls)
    times: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        calls[name](ones[0])
    for _ in range(rounds):
        for one in ones:
            for name in rng.permutation(names):
                start = time.perf_counter()
                calls[name](one)
                times[name].append(time.perf_counter() - start)
    return times


def _quartiles(times: Sequence[float], than: Sequence[float]) -> list[float]:
    """Median and quartiles of the ratios of pairs."""
    return [float(q) for q in np.quantile(np.divide(times, than), (0.5, 0.25, 0.75))]


def bounds(found: dict[str, Any]) -> list[Bound]:
    worst = {name: max(one["ratios"][name][0] for one in found["sets"]) for name in ("registry", "pyfunc", "answer")}
    said = f"{worst['pyfunc']:.2f} by MLflow's pyfunc, {worst['registry']:.2f} by the model as the registry gives it"
    return [("single-record latency through the registry's model", "the bare pipeline", f"≤ {BOUND} ×", said)]


def page(found: dict[str, Any]) -> list[str]:
    rows = []
    for one in found["sets"]:
        recipe = f"{one['set']}: {one['recipe']['model']}/{one['recipe']['feature']}"
        for name, said, than in CALLS:
            middle, low, high = one["ratios"][name]
            rows.append((
                recipe, said, f"{one['milliseconds'][name]:.2f}", f"{one['milliseconds'][than]:.2f}",
                f"{middle:.2f} ({low:.2f}–{high:.2f})",
            ))  # fmt: skip
    one = found["sets"][0]
    return [
        *TEXT.strip().splitlines(),
        f"All ways take turns on each of {one['records']} records, {one['rounds']} rounds, in an order drawn anew",
        "for every record; times are medians, ratios those of pairs, median and quartiles.",
        "",
        table(("champion", "called by", "ms", "bare, ms", "ratio"), rows),
    ]


CALLS = (
    ("pyfunc", "`mlflow.pyfunc.load_model(\"models:/…@champion\").predict`", "bare"),
    ("registry", "`predict` of the model that `Registry.load` gives, from its skops file", "bare"),
    ("answer", "`answer`, as `trueup predict` and every check do: class and score", "bare with score"),
)
TEXT = """
One record in a data frame, answered by the registered champion and by the bare pipeline: the same scikit-learn pipeline
fitted in this process and never stored.
"""
