"""How long a large check takes and how much memory it needs, beside Evidently's `DataDriftPreset`.

    .venv/bin/python -m benchmarks.detection.speed --rows 100000 --results DIR [--text] [--repetitions 5]

A deployment is made in a temporary folder through the commands' own code: `--rows` records in the champion's snapshot
and as many in the window after it, ten mixed columns, a label for some, every answer of the champion stored. Then, in
turn and each in a process of its own, two things are timed, after each was done on a few records, so that everything
is imported that it imports at first use:

- ours: `single_check`, that is what `trueup check` does once it has started: it reads the store, tests every column,
  the model's answers and the labels, draws the report and stores it;
- theirs: `DataDriftPreset` on the same rows as data frames that are in memory already, its page saved.

Ratios are of the time passed and, for a machine that does other things as well, of the processor's time. Peaks are
those of the whole process, its imports included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STREAM = "speed"
START = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=1)
NUMERIC = ("normal", "lognormal", "uniform", "tailed", "gapped", "lumpy")
LEVELS = {"five": 5, "eight": 8, "many": 200}
LABELLED, FEWEST_LABELS = 0.02, 1_000  # few, so that training, which is not measured, ends
WORDS = 3_000
FEW, OF_FEW = "few", 1_000  # the deployment for first use, beside the large one, and its records on a side

SETTINGS = """
[streams.{stream}]
id = "id"
time = "at"
text = {text}
numeric = {numeric}
categorical = {categorical}

[streams.{stream}.label]
column = "label"

[streams.{stream}.policy]
window = {rows}
reference = {rows}

[streams.{stream}.training]
time_limit = "1s"
"""


def made(rows: int, *, text: bool, later: bool) -> pd.DataFrame:
    """The records of one side: the same distributions on both, so that no test can stop early."""
    rng = np.random.default_rng(2 if later else 1)
    first = rows if later else 0
    frame = pd.DataFrame({
        "id": [f"r{first + k}" for k in range(rows)],
        "at": pd.Timestamp(START).tz_localize(None) + (first + np.arange(rows)) * pd.Timedelta(STEP),
        "normal": rng.normal(0, 1, rows),
        "lognormal": rng.lognormal(0, 1, rows),
        "uniform": rng.random(rows),
        "tailed": rng.standard_t(3, rows),
        "gapped": np.where(rng.random(rows) < 0.05, np.nan, rng.normal(10, 3, rows)),
        "lumpy": rng.poisson(3, rows).astype(float),
    })
    for column, count in LEVELS.items():
        names, shares = np.array([f"{column}-{k}" for k in range(count)]), 1 / np.arange(1, count + 1)
        frame[column] = names[rng.choice(count, rows, p=shares / shares.sum())]
    frame[tenth(text)] = _texts(rng, rows) if text else rng.gamma(2, 2, rows)
    positive = frame["normal"] + rng.normal(0, 1, rows) > 0
    answers = np.where(positive, "yes", "no").astype(object)
    answers[rng.random(rows) >= max(LABELLED, FEWEST_LABELS / rows)] = None
    frame["label"] = answers
    return frame


def _texts(rng: np.random.Generator, rows: int) -> list[str]:
    shares = 1 / np.arange(1, WORDS + 1)
    lengths = rng.integers(4, 12, rows)
    drawn = rng.choice(WORDS, lengths.sum(), p=shares / shares.sum())
    return [" ".join(f"w{k}" for k in part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]


def tenth(text: bool) -> str:
    """The column beside the nine that never change: a short text, or one more number."""
    return "text" if text else "gamma"


def as_of(rows: int, *, later: bool) -> datetime:
    """The time at which all records of a side are known."""
    return START + (2 * rows if later else rows) * STEP


def build(folder: Path, rows: int, text: bool) -> None:
    """The deployment that is timed, and within its folder the one of few records."""
    (folder / FEW).mkdir()
    for home, count in ((folder, rows), (folder / FEW, OF_FEW)):
        _deployed(home, count, text)


def _deployed(folder: Path, rows: int, text: bool) -> None:
    """A deployment: both sides taken in, the champion trained on the first, its answers for the second stored."""
    from trueup.feedback.intake import ingest
    from trueup.flows.app import open_app
    from trueup.flows.check.champion import champion_of
    from trueup.flows.check.predictions import score_new
    from trueup.flows.cycle.train_on_demand import train_now

    numeric = [*NUMERIC, *([] if text else [tenth(text)])]
    settings = SETTINGS.format(
        stream=STREAM, rows=rows, numeric=json.dumps(numeric), categorical=json.dumps(list(LEVELS)),
        text=json.dumps([tenth(text)] if text else []),
    )
    (folder / "trueup.toml").write_text(settings)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream(STREAM)
    for later in (False, True):
        file = folder / f"{int(later)}.parquet"
        made(rows, text=text, later=later).to_parquet(file)
        ingest(app.store, stream, [str(file)], now=as_of(rows, later=later))
        if not later:
            train_now(app, stream, as_of(rows, later=later))
    score_new(app, stream, champion_of(app, stream), as_of(rows, later=True))
    app.close()


def ours(folder: Path, rows: int) -> dict[str, float]:
    """One check, from the open deployment to the stored report; garbage is looked for as the command does."""
    from trueup.flows.garbage import collect_rarely

    collect_rarely()
    checked(folder / FEW, OF_FEW)
    return checked(folder, rows)


def checked(folder: Path, rows: int) -> dict[str, float]:
    """What a check of a deployment takes: seconds passed and spent, the peak of memory."""
    from trueup.flows.app import open_app
    from trueup.flows.check.champion import champion_of
    from trueup.flows.check.run import single_check

    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream, now = app.stream(STREAM), as_of(rows, later=True)
    champion = champion_of(app, stream)
    clock = _Clock()
    single_check(app, stream, champion, now)
    found = clock.read()
    app.close()
    return found


def theirs(folder: Path, text: bool) -> dict[str, float]:
    """Evidently's preset on data frames in memory, and its page saved."""
    _preset(*(made(OF_FEW, text=text, later=later) for later in (False, True)), text=text)
    columns = [*NUMERIC, *LEVELS, tenth(text)]
    before, now = (pd.read_parquet(folder / f"{side}.parquet", columns=columns) for side in (0, 1))
    clock = _Clock()
    _preset(before, now, text=text).save_html(str(folder / "theirs.html"))
    return clock.read()


def _preset(before: pd.DataFrame, now: pd.DataFrame, *, text: bool) -> Any:
    """The preset's run."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(
        numerical_columns=[*NUMERIC, *([] if text else [tenth(text)])],
        categorical_columns=list(LEVELS),
        text_columns=[tenth(text)] if text else [],
    )
    columns = [*NUMERIC, *LEVELS, tenth(text)]
    sides = [Dataset.from_pandas(side[columns], data_definition=definition) for side in (now, before)]
    return Report([DataDriftPreset()]).run(*sides)


class _Clock:
    """Time passed and spent by this process (all threads), and its peak of memory."""

    def __init__(self) -> None:
        self._started = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {
            "seconds": time.perf_counter() - self._started[0],
            "cpu_seconds": time.process_time() - self._started[1],
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,  # Linux gives it in KiB
        }


def _apart(part: str, folder: Path, rows: int, text: bool) -> Any:
    """One part in a fresh process; what it printed."""
    words = [sys.executable, "-m", "benchmarks.detection.speed", "--rows", str(rows), "--part", part]
    words += ["--folder", str(folder), *(["--text"] if text else [])]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"DO_NOT_TRACK": "true"})
    if done.returncode:
        raise SystemExit(f"{part} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def figures(folder: Path, rows: int, text: bool, repetitions: int) -> dict[str, Any]:
    """Both in turn, `repetitions` times: seconds, peaks, and the ratio of each pair."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "theirs": []}
    for number in range(repetitions):
        for part in list(runs)[:: 1 if number % 2 else -1]:
            runs[part].append(_apart(part, folder, rows, text))
            print(f"{part}: {runs[part][-1]}", file=sys.stderr)
    found: dict[str, Any] = {"rows_a_side": rows, "columns": 10, "text": text}
    for figure, name in (("seconds", "ratio"), ("cpu_seconds", "cpu_ratio")):
        ratios = [a[figure] / b[figure] for a, b in zip(runs["ours"], runs["theirs"], strict=True)]
        found[name] = {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
    for part, measured in runs.items():
        medians = {figure: statistics.median(run[figure] for run in measured) for figure in measured[0]}
        found[part] = {**medians, "peak_mb": max(run["peak_mb"] for run in measured), "runs": measured}
    return found


def main() -> None:
    """Make the deployment, time both in turn, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="a side")
    parser.add_argument("--text", action="store_true", help="the tenth column is a short text")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--results", type=Path, help="a folder for the JSON file")
    parser.add_argument("--part", choices=("build", "ours", "theirs"), help="only this part, in --folder")
    parser.add_argument("--folder", type=Path, help="the deployment's, for --part")
    chosen = parser.parse_args()
    if chosen.part:
        parts = {
            "build": lambda: build(chosen.folder, chosen.rows, chosen.text),
            "ours": lambda: ours(chosen.folder, chosen.rows),
            "theirs": lambda: theirs(chosen.folder, chosen.text),
        }
        print(json.dumps(parts[chosen.part]()))
        return
    with tempfile.TemporaryDirectory() as folder:
        _apart("build", Path(folder), chosen.rows, chosen.text)
        found = figures(Path(folder), chosen.rows, chosen.text, chosen.repetitions)
    text = json.dumps(found, indent=2)
    if chosen.results:
        chosen.results.mkdir(parents=True, exist_ok=True)
        name = f"speed-{chosen.rows}{'-text' if chosen.text else ''}.json"
        (chosen.results / name).write_text(f"{text}\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
