"""Monthly cycles by the very commands of the README, and each promotion judged by the three months after it.

For each set of reviews: `init --from`, `ingest`, `train --as-of` and one `cycle --as-of` each month end, in a new
folder, with the settings that `init` guesses. Then the new champion and the one it replaced answer all labelled records
of the three months after a promotion, which neither was trained on.
"""

from __future__ import annotations

import calendar
import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.machine import DATA
from benchmarks.page import table
from benchmarks.promotion.section import Bound, Options
from trueup.flows.app import App, open_app
from trueup.flows.check.labels import with_resolved_labels
from trueup.storage.promotions import PromotionAttempt, PromotionState
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso
from trueup.training.models.fitting import answer
from trueup.training.models.metrics import all_metrics

TITLE = "Four years of monthly cycles"
COMMAND = Path(sys.executable).with_name("trueup")
AFTER = timedelta(days=91)


@dataclass(frozen=True)
class Course:
    """A data set, the time its first champion knows, and the month ends that follow."""

    stream: str
    file: str
    train: str
    first: tuple[int, int]
    last: tuple[int, int]

    def month_ends(self) -> list[str]:
        months = range(self.first[0] * 12 + self.first[1] - 1, self.last[0] * 12 + self.last[1])
        return [str(date(m // 12, m % 12 + 1, calendar.monthrange(m // 12, m % 12 + 1)[1])) for m in months]


COURSES = (
    Course("greenlight", "greenlight_play.csv", "2019-06-30", (2019, 7), (2023, 4)),
    Course("flipkart", "flipkart_badminton.csv", "2018-12-31", (2019, 1), (2022, 11)),
)


def command(folder: Path, *words: str) -> dict[str, Any]:
    """Run one trueup command in a folder; its JSON document."""
    done = subprocess.run([COMMAND, *words, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"trueup {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run(course: Course, folder: Path, months: int | None) -> list[dict[str, Any]]:
    """The course, or its first months, by the README's commands; the documents of its cycles."""
    s = ("--stream", course.stream)
    command(folder, "init", "--from", str(DATA / course.file), *s)
    command(folder, "ingest", str(DATA / course.file), *s)
    command(folder, "train", *s, "--as-of", course.train)
    return [command(folder, "cycle", *s, "--as-of", day) for day in course.month_ends()[:months]]


def judge(app: App, stream: StreamSettings, promotion: PromotionAttempt) -> dict[str, Any]:
    """New against replaced champion on the labelled records of the three months after a promotion."""
    rows = with_resolved_labels(
        stream, app.reader.read(stream, after=promotion.as_of, as_of=promotion.as_of + AFTER + timedelta(days=30))
    )
    before = np.datetime64((promotion.as_of + AFTER).replace(tzinfo=None), "us")
    rows = rows.take(rows.labelled & (rows.meta["time"].to_numpy() <= before))
    truth = rows.meta["label"].to_numpy()
    answers, metrics = [], []
    for version in (promotion.from_version, promotion.to_version):
        model = app.registry.load(stream.name, int(version or 0))
        predicted, chance = answer(model, stream, rows.features)
        answers.append(predicted)
        metrics.append(all_metrics(stream.task, truth, predicted, chance, tuple(stream.label.classes)))
    old, new = (a == truth for a in answers)
    lost, won = int((old & ~new).sum()), int((new & ~old).sum())
    worse = binomtest(lost, lost + won, alternative="greater").pvalue if lost + won else 1.0
    return {
        "as_of": iso(promotion.as_of), "from": promotion.from_version, "to": promotion.to_version, "labels": len(truth),
        "old": metrics[0]["f1_macro"], "new": metrics[1]["f1_macro"], "won": won, "lost": lost, "p_worse": float(worse),
    }


def figures(course: Course, folder: Path, months: int | None) -> dict[str, Any]:
    """Run a course and judge its promotions."""
    cycles = run(course, folder, months)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream(course.stream)
    history = [p for p in app.promotions.history(course.stream) if p.kind == "challenger"][::-1]
    judged = [judge(app, stream, p) for p in history if p.state is PromotionState.COMMITTED]
    refused = sum(p.state is PromotionState.REFUSED for p in history)
    app.close()
    counted = [c["check"] for c in cycles if c["check"] and c["check"]["counted"]]
    codes = [[s["code"] for s in check["signals"] if s["verdict"] == "breached"] for check in counted]
    return {
        "stream": course.stream, "train": course.train, "ends": course.month_ends()[: len(cycles)],
        "counted": len(counted), "breached": codes, "promotions": judged, "refused": refused,
    }


def measure(options: Options) -> dict[str, Any]:
    """All courses; a quick look takes two months of the first."""
    found = []
    for course in COURSES[: 1 if options.quick else None]:
        with tempfile.TemporaryDirectory() as folder:
            found.append(figures(course, Path(folder), 2 if options.quick else None))
    return {"courses": found}


def bounds(found: dict[str, Any]) -> list[Bound]:
    return []


def page(found: dict[str, Any]) -> list[str]:
    lines = [
        "Each set is taken through `init --from`, `ingest`, `train --as-of` and monthly `cycle --as-of` with the",
        "settings that `init` guesses, and each promotion is judged by the labelled records of the three months after",
        "it, which neither model was trained on. Differences are new minus replaced champion; p is the exact one-sided",
        "McNemar test that the new one is worse.",
    ]
    for course in found["courses"]:
        lines += ["", *_course(course)]
    return lines


def _course(found: dict[str, Any]) -> list[str]:
    codes = Counter(code for check in found["breached"] for code in check)
    named = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    breached, judged = sum(map(bool, found["breached"])), found["promotions"]
    lines = [
        f"### {found['stream']}: `train --as-of {found['train']}`, then `cycle --as-of` each month end "
        f"{found['ends'][0]} to {found['ends'][-1]}",
        "",
        f"{len(found['ends'])} cycles, {found['counted']} of them counted, {breached} of these with a breach"
        f"{f' ({named})' if named else ''}; "
        f"{len(judged) + found['refused']} challengers, {len(judged)} promoted, {found['refused']} refused.",
        "",
    ]
    if not judged:
        return [*lines, "No promotion: no challenger showed itself better."]
    head = ("promoted at", "versions", "labels after", "macro-F1 old", "macro-F1 new", "difference", "rows won / lost",
            "p (new worse)")
    rows = [
        (j["as_of"][:10], f"v{j['from']} → v{j['to']}", str(j["labels"]), f"{j['old']:.3f}", f"{j['new']:.3f}",
         f"{j['new'] - j['old']:+.3f}", f"{j['won']} / {j['lost']}", f"{j['p_worse']:.3f}")
        for j in judged
    ]
    labels = sum(j["labels"] for j in judged)
    pooled = sum((j["new"] - j["old"]) * j["labels"] for j in judged) / max(labels, 1)
    won, lost = sum(j["won"] for j in judged), sum(j["lost"] for j in judged)
    return [
        *lines, table(head, rows), "",
        f"Pooled over {labels} labels: macro-F1 {pooled:+.3f}, rows won {won}, lost {lost}.",
    ]
