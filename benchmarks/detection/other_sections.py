"""The parts of docs/detection.md that tell of the programs of their own: PRF-EST, speed, replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.page import table

Told = list[tuple[str, str, str]]
SPEED = (("speed-100000.json", "≤ .6", ""), ("speed-100000-text.json", "–", ", one column a text"),
         ("speed-1000000.json", "≤ .15, peak ≤ 1 GB", ""))


def estimated(results: Path) -> tuple[str, Told]:
    """PRF-EST beside NannyML."""
    file = results / "estimated.json"
    if not file.exists():
        return "", []
    rows = []
    for line in json.loads(file.read_text())["summary"]:
        if line.get("cbpe") is None:
            continue
        rows.append((
            f"{line['set']}, {'in time' if line['kind'] == 'time' else 'covariate shift'}", str(line["windows"]),
            _of(line["trueup"]), _of(line["cbpe"]), _of(line["difference"]),
        ))
    worse = [row[0] for row, line in zip(rows, json.loads(file.read_text())["summary"], strict=False)
             if line["difference"][0] > 0]
    text = """## The metric estimated before labels arrive

Mean absolute error of the estimate against what was measured on the window, with a 95 % bootstrap interval over cut-off
and window; champions of several families, fitted on the first 30, 50 and 70 % of each set. NannyML: CBPE for classes
(accuracy, F1, ROC AUC), DLE for bike (rentals), on the very same rows. Neither sees a changed concept: on elec2 and
bike every estimate is far off, which is why the signal's sentence tells what it would have said of records whose labels
have come.

""" + table(("set and windows", "windows", "trueup", "NannyML", "difference"), rows)
    summary = f"larger on {', '.join(worse)}" if worse else "at most NannyML's on every set"
    return text, [("estimated metric against measured, mean absolute error", "≤ NannyML's", summary)]


def _of(figures: list[float]) -> str:
    value, low, high = (f"{figure:.3g}" for figure in figures)
    return f"{value} [{low}, {high}]"


def speed(results: Path) -> tuple[str, Told]:
    """A large check beside DataDriftPreset."""
    rows, bounds = [], []
    for name, bound, more in SPEED:
        if not (results / name).exists():
            continue
        found = json.loads((results / name).read_text())
        ratio, cpu, ours, theirs = (found[key] for key in ("ratio", "cpu_ratio", "ours", "theirs"))
        said = f"{ratio['median']:.2f} ({ratio['least']:.2f}–{ratio['most']:.2f})"
        rows.append((
            f"{found['rows_a_side']:,}{more}", said, f"{cpu['median']:.2f} ({cpu['least']:.2f}–{cpu['most']:.2f})",
            f"{ours['seconds']:.1f} / {theirs['seconds']:.1f}", f"{ours['peak_mb']:.0f} / {theirs['peak_mb']:.0f}",
        ))
        if bound != "–":
            bounds.append((f"time of a check, {found['rows_a_side']:,} a side", bound,
                           f"{said}; of the processor's time {cpu['median']:.2f}; peak {ours['peak_mb']:.0f} MB"))
    if not rows:
        return "", []
    text = """## Time and memory

A check of ten mixed columns, read from the store, tested on all rows, the report drawn and stored, against Evidently's
`DataDriftPreset` on frames that are in memory already. In turn, each in a process of its own, after all imports; ratios
of pairs, median and range.

""" + table(("records a side", "ratio of time", "of processor time", "seconds", "peak MB"), rows)
    return text, bounds


def replay(results: Path) -> tuple[str, Told]:
    """What policies would have done on Greenlight."""
    file = results / "replay.json"
    if not file.exists():
        return "", []
    played: dict[str, Any] = {policy["name"]: policy for policy in json.loads(file.read_text())["policies"]}
    never, always = played["never"], played["always"]
    gap = always["metric_mean"] - never["metric_mean"]
    rows, bounds = [], []
    for name, policy in played.items():
        closed = (policy["metric_mean"] - never["metric_mean"]) / gap
        share = policy["retrains"] / always["retrains"]
        rows.append((f"`{name}`", str(policy["checks"]), str(policy["alerts"]), str(policy["retrains"]),
                     str(policy["promotions"]), f"{policy['metric_mean']:.4f}", f"{closed:.0%}"))
        if name not in ("never", "always", "periodic"):
            bounds.append((f"Greenlight replay, policy `{name}`", "≥ 60 % of the gap, ≤ 30 % of the retrains",
                           f"{closed:.0%} of the gap, {share:.0%} of the retrains"))
    text = """## Replay

Greenlight from 2019-06-30 by the settings of `examples/greenlight.toml`: the mean macro-F1 of the champion in force on
each window of 500 records, beside no retraining and retraining at every window.

""" + table(("policy", "checks", "alerts", "retrains", "promotions", "mean macro-F1", "of the gap"), rows)
    return text, bounds
