"""Every promotion on the real review sets, judged by what came after it.

    .venv/bin/python -m benchmarks.promotions [--write docs/promotions.md]

For each set: `init --from`, `ingest`, `train --as-of` and one `cycle --as-of` each month end, through the very commands
that the README shows, in a new folder. Then each promotion is judged: the new champion and the one it replaced answer
all labelled records of the three months after it, which neither was trained on. Needs the data sets at ../shared/data.
"""

from __future__ import annotations

import argparse
import calendar
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from flows.app import App, open_app
from flows.looking import resolved
from storage.promotions import Promotion, PromotionState
from storage.stream import Stream
from training.fitting import answer
from training.metrics import score

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
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


def run(course: Course, folder: Path) -> list[dict[str, Any]]:
    """The whole course by the README's commands; the documents of its cycles."""
    s = ("--stream", course.stream)
    command(folder, "init", "--from", str(DATA / course.file), *s)
    command(folder, "ingest", str(DATA / course.file), *s)
    command(folder, "train", *s, "--as-of", course.train)
    return [command(folder, "cycle", *s, "--as-of", day) for day in course.month_ends()]


def judge(app: App, stream: Stream, promotion: Promotion) -> dict[str, Any]:
    """New against replaced champion on the labelled records of the three months after a promotion."""
    rows = resolved(
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
        metrics.append(score(stream.task, truth, predicted, chance, tuple(stream.label.classes)))
    old, new = (a == truth for a in answers)
    lost, won = int((old & ~new).sum()), int((new & ~old).sum())
    worse = binomtest(lost, lost + won, alternative="greater").pvalue if lost + won else 1.0
    return {
        "as_of": promotion.as_of, "from": promotion.from_version, "to": promotion.to_version, "labels": len(truth),
        "old": metrics[0]["f1_macro"], "new": metrics[1]["f1_macro"], "won": won, "lost": lost, "p_worse": float(worse),
    }


def table(course: Course, cycles: list[dict[str, Any]], judged: list[dict[str, Any]], refused: int) -> str:
    """The figures of one set in Markdown."""
    counted = [c for c in cycles if c["check"] and c["check"]["counted"]]
    codes = Counter(s["code"] for c in counted for s in c["check"]["signals"] if s["verdict"] == "breached")
    breached = [c for c in counted if any(s["verdict"] == "breached" for s in c["check"]["signals"])]
    named = ", ".join(f"{code} {count}" for code, count in codes.most_common())
    lines = [
        f"### {course.stream}: `train --as-of {course.train}`, then `cycle --as-of` each month end "
        f"{course.month_ends()[0]} to {course.month_ends()[-1]}",
        "",
        f"{len(cycles)} cycles, {len(counted)} of them counted, {len(breached)} of these with a breach"
        f"{f' ({named})' if named else ''}; "
        f"{len(judged) + refused} challengers, {len(judged)} promoted, {refused} refused.",
        "",
    ]
    if not judged:
        return "\n".join([*lines, "No promotion: no challenger showed itself better.", ""])
    lines += [
        "| promoted at | versions | labels after | macro-F1 old | macro-F1 new | difference | rows won / lost | "
        "p (new worse) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for j in judged:
        lines.append(
            f"| {j['as_of']:%Y-%m-%d} | v{j['from']} → v{j['to']} | {j['labels']} | {j['old']:.3f} | {j['new']:.3f} | "
            f"{j['new'] - j['old']:+.3f} | {j['won']} / {j['lost']} | {j['p_worse']:.3f} |"
        )
    labels = sum(j["labels"] for j in judged)
    pooled = sum((j["new"] - j["old"]) * j["labels"] for j in judged) / labels
    won, lost = sum(j["won"] for j in judged), sum(j["lost"] for j in judged)
    lines += ["", f"Pooled over {labels} labels: macro-F1 {pooled:+.3f}, rows won {won}, lost {lost}.", ""]
    return "\n".join(lines)


def figures(course: Course, folder: Path) -> str:
    """Run a course and judge its promotions."""
    cycles = run(course, folder)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream(course.stream)
    history = [p for p in app.promotions.history(course.stream) if p.kind == "challenger"][::-1]
    judged = [judge(app, stream, p) for p in history if p.state is PromotionState.COMMITTED]
    refused = sum(p.state is PromotionState.REFUSED for p in history)
    app.close()
    return table(course, cycles, judged, refused)


def main() -> None:
    """Run all courses and print (or write) their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="a Markdown file that is written anew")
    parser.add_argument("--only", help="one of the sets")
    chosen = parser.parse_args()
    parts = []
    for course in COURSES:
        if chosen.only in (None, course.stream):
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                parts.append(figures(course, Path(folder)))
            print(f"{course.stream}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    text = HEAD + "\n".join(parts)
    if chosen.write:
        chosen.write.write_text(text, encoding="utf-8")
    print(text)


HEAD = f"""# What the promotions were worth

Made by `make bench` ({datetime.now():%Y-%m-%d}): each set is taken through `init --from`, `ingest`, `train --as-of` and
monthly `cycle --as-of` with the settings that `init` guesses, and each promotion is judged by the labelled records of
the three months after it, which neither model was trained on. Differences are new minus replaced champion; p is the
exact one-sided McNemar test that the new one is worse. The figures follow from the data and fixed seeds; they do not
depend on the machine.

"""


if __name__ == "__main__":
    main()
