"""The metric estimated before labels arrive (PRF-EST), against what was measured, beside NannyML's CBPE and DLE.

    .venv/bin/python -m benchmarks.detection.estimated --results DIR [--peer PYTHON_WITH_NANNYML] [--healthy 1000]

Real sets, taken in by the product's own intake; champions of several families are fitted on the training side of the
first 30, 50 and 70 %. Each window after that holds labelled records of new content: `time` windows follow each other,
`shifted` ones are drawn from all of them with weights that grow with one input (covariate shift, the labels as they
are). Every window is estimated from its answers alone. The very rows are written to DIR/estimated_rows/ as Parquet, and
NannyML, where the interpreter of another environment is given, estimates on these (`estimated_peer.py`): its reference
is what ours is calibrated on. DIR/estimated.json holds a row for each window and metric, the mean absolute errors with
intervals (bootstrap over cut-off and window), and how often windows breached that were drawn at random with their
reference (`healthy`: max_drop 0; the level is what may breach).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trueup.feedback.intake import ingest
from trueup.flows.app import open_app
from trueup.flows.check.labels import snapshot_rows
from trueup.monitoring.check import Verdict
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.signals.estimated_performance import estimated_performance, estimator
from trueup.monitoring.signals.pending import PendingTest
from trueup.monitoring.stats.columns import as_numbers, numbers, texts
from trueup.monitoring.stats.metrics import metric
from trueup.monitoring.stats.performance_drop import answered
from trueup.storage.rows import Rows, new_content, stack, unique_content
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import default_recipes
from trueup.training.models.fitting import answer, fit, ordered_classes
from trueup.training.models.out_of_time import out_of_time
from trueup.training.models.recency import recent_row_count

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
CUTS = (0.3, 0.5, 0.7)
STEEPNESS = (1.0, 3.0)  # a shifted window takes the highest of an input e and e³ times as often as the lowest
DRAWS = 2_000


@dataclass(frozen=True)
class Set:
    """A data set, the families of its champions, the size of its windows, and the inputs that shift."""

    name: str
    file: str
    families: tuple[str, ...]
    size: int
    inputs: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy", "f1_score", "roc_auc")


LINEAR = ("logistic_regression", "linear_svm", "naive_bayes")
SETS = (
    Set("greenlight", "greenlight_play.csv", LINEAR, 250, ("longer", "shorter")),
    Set("flipkart", "flipkart_badminton.csv", LINEAR, 250, ("longer", "shorter")),
    Set("elec2", "elec2.csv", ("logistic_regression", "random_forest"), 336, ("vicdemand", "nswprice", "period")),
    Set(
        "bike", "bike_sharing_hour.csv", ("ridge", "random_forest"), 336, ("temp", "hum", "windspeed"), ("mae", "rmse"),
    ),
)


@dataclass(frozen=True)
class Case:
    """A champion, the labelled rows that its estimate is learnt from, and the windows after it, each with its kind."""

    name: str
    stream: StreamSettings
    classes: tuple[str, ...]
    known: Rows
    later: Rows
    windows: tuple[tuple[str, np.ndarray], ...]


def taken_in(chosen: Set) -> tuple[StreamSettings, Rows]:
    """The set as the store holds it."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "trueup.toml"
        config.write_text((ROOT / "examples" / f"{chosen.name}.toml").read_text(encoding="utf-8"), encoding="utf-8")
        app = open_app(config, Path(folder) / ".trueup")
        stream = app.stream(chosen.name)
        ingest(app.store, stream, [str(DATA / chosen.file)], now=app.now())
        rows = snapshot_rows(app, stream, datetime(2030, 1, 1, tzinfo=UTC))
        app.close()
    return stream, rows


def cases(chosen: Set) -> Iterator[Case]:
    """Every champion of a set."""
    stream, rows = taken_in(chosen)
    for cut in CUTS:
        edge = int(cut * len(rows))
        past, later = rows.take(slice(0, edge)), rows.take(slice(edge, None))
        held_out = past.meta["evaluation"].to_numpy(dtype=bool)
        reference, later = unique_content(past.take(held_out), past), new_content(later, past)
        for family in chosen.families:
            recipe = next(r for r in default_recipes(stream) if r.model == family and r.history == "all")
            model = fit(recipe, stream, past.take(~held_out), 0, recent_row_count(stream, past)).model
            own, after = (_answered(model, stream, part.take(part.labelled)) for part in (reference, later))
            known = out_of_time(stream, recipe, past, 0).rows
            if not stream.series:
                known = stack([own, new_content(known, own)], stream.columns)
            classes = ordered_classes(stream, known.meta["label"].to_numpy())
            windows = (*_in_time(after, chosen.size), *_shifted(stream, after, chosen))
            yield Case(f"{chosen.name}-{cut}-{family}", stream, classes, known, after, windows)


def estimates(chosen: Set, case: Case) -> Iterator[dict[str, Any]]:
    """Estimated and measured, for every window and metric."""
    for name in chosen.metrics:
        stream = _judged_by(case.stream, name)
        estimate = estimator(stream, case.known, case.classes)
        for number, (kind, which) in enumerate(case.windows):
            rows = case.later.take(which)
            part = answered(stream, rows)
            measured = metric(name, part.truth, part.predicted, part.score, case.classes)
            yield {
                "set": chosen.name, "case": case.name, "kind": kind, "window": number, "metric": name,
                "measured": measured, "trueup": estimate(rows),
            }


def frame(case: Case) -> pd.DataFrame:
    """The rows as a peer reads them: the reference (window -1), then the windows, each as long as the other."""
    parts = [(-1, case.known), *((n, case.later.take(which)) for n, (_, which) in enumerate(case.windows))]
    found = []
    for number, rows in parts:
        read: dict[str, Any] = {column: numbers(rows, column) for column in case.stream.numeric}
        read |= {column: rows.features[column].astype(str).to_numpy() for column in case.stream.categorical}
        if case.classes:
            read["y_true"], read["y_pred"] = (
                (rows.meta[column].astype(str) == case.classes[-1]).astype(int).to_numpy()
                for column in ("label", "predicted")
            )
            read["y_pred_proba"] = rows.meta["score"].to_numpy()
        else:
            read["y_true"], read["y_pred"] = (as_numbers(rows.meta[column]) for column in ("label", "predicted"))
        found.append(pd.DataFrame({**read, "window": number}, index=range(len(rows))))
    return pd.concat(found, ignore_index=True)


def healthy(case: Case, name: str, repetitions: int) -> dict[str, Any]:
    """How often a window breaches that was drawn at random from the same rows as its reference."""
    stream = _judged_by(case.stream.model_copy(update={"series": False}), name, max_drop=0.0)
    rng, sizes = np.random.default_rng(0), (500, 500, 250)
    shares = {0.05: 0, 0.01: 0}
    for _ in range(repetitions):
        order = rng.permutation(len(case.later))
        first, second, now = (
            case.later.take(np.sort(part)) for part in np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
        )
        given = Comparison(
            first, now, first, now, second, np.zeros(len(second), dtype=int), now, first, Intake.nothing(),
            datetime(2030, 1, 1, tzinfo=UTC), int(rng.integers(2**31)),
        )
        (asked,) = estimated_performance(stream, given)
        assert isinstance(asked, PendingTest)
        signal = asked.run(max(shares))
        assert signal.p_value is not None
        assert (signal.verdict is Verdict.BREACHED) == (signal.p_value < max(shares))
        for level in shares:
            shares[level] += signal.p_value < level
    return {"case": case.name, "metric": name, "repetitions": repetitions, "breached": shares}


def summary(rows: pd.DataFrame, seed: int = 0) -> list[dict[str, Any]]:
    """Mean absolute error by set and kind, ours and the peer's, with 95 % intervals of each and of the difference."""
    errors = rows.assign(
        trueup=(rows["trueup"] - rows["measured"]).abs(), cbpe=(rows["cbpe"] - rows["measured"]).abs(),
        draw=rows["case"].str.split("-").str[1] + "/" + rows["window"].astype(str),
    )
    found = []
    for (name, kind), part in errors.groupby(["set", "kind"], sort=False):
        means = part.groupby("draw")[["trueup", "cbpe"]].mean().to_numpy(dtype=float)
        drawn = np.random.default_rng(seed).integers(0, len(means), (DRAWS, len(means)))
        again = means[drawn].mean(axis=1)
        row: dict[str, Any] = {"set": name, "kind": kind, "windows": len(part), "draws": len(means)}
        for at, who in enumerate(("trueup", "cbpe")):
            row[who] = _with_interval(float(part[who].mean()), again[:, at])
        row["difference"] = _with_interval(
            float((part["trueup"] - part["cbpe"]).mean()), again[:, 0] - again[:, 1]
        )
        found.append(row)
    return found


def _with_interval(value: float, draws: np.ndarray) -> list[float] | None:
    return None if np.isnan(value) else [round(float(x), 5) for x in (value, *np.quantile(draws, [0.025, 0.975]))]


def _judged_by(stream: StreamSettings, name: str, **policy: Any) -> StreamSettings:
    return stream.model_copy(update={"policy": stream.policy.model_copy(update={"metric": name, **policy})})


def _answered(model: Any, stream: StreamSettings, rows: Rows) -> Rows:
    predicted, score = answer(model, stream, rows.features)
    return rows.with_meta(predicted=predicted.astype(object), score=score)


def _in_time(rows: Rows, size: int) -> list[tuple[str, np.ndarray]]:
    return [("time", np.arange(at, at + size)) for at in range(0, len(rows) - size + 1, size)]


def _shifted(stream: StreamSettings, rows: Rows, chosen: Set) -> list[tuple[str, np.ndarray]]:
    rng, found = np.random.default_rng(0), []
    for name in chosen.inputs:
        if stream.text:
            lengths = np.array([len(text or "") for text in texts(rows, stream.text)], dtype=float)
            values = lengths if name == "longer" else -lengths
        else:
            values = numbers(rows, name)
        place = pd.Series(values).rank(pct=True).to_numpy()
        for steepness in STEEPNESS:
            weights = np.exp(steepness * place)
            found.append(("shifted", rng.choice(len(rows), chosen.size, replace=False, p=weights / weights.sum())))
    return found


def main() -> None:
    """Estimate, have the peer estimate, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--peer", help="an interpreter that has NannyML")
    parser.add_argument("--healthy", type=int, default=0, help="random windows to judge, for two metrics (0: none)")
    chosen = parser.parse_args()
    folder = chosen.results / "estimated_rows"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    levels: list[dict[str, Any]] = []
    for one in SETS:
        if not (DATA / one.file).exists():
            print(f"{one.name}: left out, since {one.file} is not among the data sets")
            continue
        for case in cases(one):
            frame(case).to_parquet(folder / f"{case.name}.parquet")
            rows += estimates(one, case)
            if chosen.healthy and case.name in ("greenlight-0.5-naive_bayes", "elec2-0.5-random_forest"):
                levels += [healthy(case, name, chosen.healthy) for name in ("f1_macro", "roc_auc")]
            if chosen.healthy and case.name == "bike-0.5-ridge":
                levels.append(healthy(case, "mae", max(1, chosen.healthy // 5)))
            print(case.name, flush=True)
    found = pd.DataFrame(rows).assign(cbpe=np.nan)
    if chosen.peer:
        script = Path(__file__).with_name("estimated_peer.py")
        subprocess.run([chosen.peer, str(script), str(folder), str(chosen.results / "estimated_peer.json")], check=True)
        theirs = pd.DataFrame(json.loads((chosen.results / "estimated_peer.json").read_text(encoding="utf-8")))
        found = found.drop(columns="cbpe").merge(theirs, how="left", on=["case", "window", "metric"])
    document = {
        "rows": json.loads(found.to_json(orient="records")), "summary": summary(found), "healthy": levels,
    }
    (chosen.results / "estimated.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    print(json.dumps({"summary": document["summary"], "healthy": levels}, indent=1))


if __name__ == "__main__":
    main()
