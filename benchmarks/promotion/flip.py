"""A label flip: from one day on each label means its opposite. How soon does the loop answer rightly again alone?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import jobs
from benchmarks.machine import DATA, ROOT
from benchmarks.page import table
from benchmarks.promotion import light
from benchmarks.promotion.course import FLIPKART, GREENLIGHT, MADE_REVIEWS, RealSet, with_training
from benchmarks.promotion.section import Bound, Options
from trueup.flows.demo.reviews import HEALTHY, Regime, make_reviews
from trueup.storage.timepoints import iso, parse_as_of

TITLE = "After a label flip"
GOOD, WITHIN = 0.85, 3
SHOWN = 6  # windows after the flip
POLICIES = ("default", "never", "always")
MADE = "made reviews"


@dataclass(frozen=True)
class Real:
    """A real set whose stars are turned round from a day on: their column, the time's, and how that is written."""

    set: RealSet
    stars: str
    time: str
    written: str
    day: str

    @property
    def name(self) -> str:
        return self.set.name

    @property
    def starts(self) -> datetime:
        return self.set.starts

    def write(self, folder: Path) -> tuple[Path, Path, str]:
        """The settings, the file, and the stream's name."""
        rows = pd.read_csv(DATA / self.set.file, dtype=str, keep_default_na=False)
        late = pd.to_datetime(rows[self.time], format=self.written, errors="coerce") >= pd.Timestamp(self.day)
        rows.loc[late, self.stars] = [str(6 - int(stars)) for stars in rows.loc[late, self.stars]]
        file = folder / self.set.file
        rows.to_csv(file, index=False)
        return ROOT / "examples" / f"{self.set.name}.toml", file, self.set.name


@dataclass(frozen=True)
class Made:
    """Made reviews (`trueup.flows.demo.reviews`), 500 a week, under the settings that a stream has by default."""

    seed: int
    name: str = MADE
    day: str = "2024-04-04"  # a Thursday, so that the flip falls within a window

    @property
    def starts(self) -> datetime:
        return _FIRST + timedelta(weeks=_HISTORY)

    def write(self, folder: Path) -> tuple[Path, Path, str]:
        config, file = folder / "made.toml", folder / "made.csv"
        config.write_text(MADE_REVIEWS)
        turned = parse_as_of(self.day) - timedelta(days=1)
        spans = [(_FIRST, turned, HEALTHY), (turned, _FIRST + timedelta(weeks=_WEEKS), Regime(label_flip=1.0))]
        days = [(until - since) / timedelta(days=1) for since, until, _ in spans]
        parts = [
            make_reviews(self.seed, since, span, round(span * 500 / 7), regime)
            for (since, _, regime), span in zip(spans, days, strict=True)
        ]
        pd.concat(parts).to_csv(file, index=False)
        return config, file, "reviews"


_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_HISTORY, _WEEKS = 4, 21
SEEDS = range(1, 6)
FLIPS: Sequence[Made | Real] = (
    *(Made(seed) for seed in SEEDS),
    *(Real(GREENLIGHT, "score", "at", "%Y-%m-%d %H:%M:%S", day) for day in ("2020-09-01", "2021-10-01")),
    *(Real(FLIPKART, "Ratings", "Month", "%b %Y", day) for day in ("2019-10-01", "2020-09-01")),
)


def replayed(told: Made | Real, quick: bool) -> dict[str, Any]:
    """The stream's own policy and the baselines over the flipped file; the windows of each."""
    from trueup.flows.app import open_app
    from trueup.flows.replay.run import replay

    with tempfile.TemporaryDirectory() as kept:
        config, file, name = told.write(Path(kept))
        app = open_app(config, Path(kept) / "home")
        stream = app.stream(name)
        if quick:
            stream = with_training(stream, candidates=(light.NAME,))
        played = replay(app, stream, str(file), start=told.starts, every=2500 if quick else None)
        app.close()
    return {
        "set": told.name, "day": told.day,
        "policies": {
            policy.name: [
                {"as_of": iso(m.as_of), "metric": m.metric, "action": m.action, "promoted": m.promoted}
                for m in policy.timeline
            ]
            for policy in played.policies
            if policy.name in POLICIES
        },
    }  # fmt: skip


def measure(options: Options) -> dict[str, Any]:
    """Every flip; a quick look takes one of made reviews, with one family and windows of 2,500 records."""
    chosen = FLIPS[:1] if options.quick else FLIPS
    todo = [jobs.Job(str(told), partial(replayed, told, options.quick)) for told in chosen]
    return {"flips": jobs.run(options.folder / "flips.jsonl", todo, options.processes)}


def after(windows: list[dict[str, Any]], day: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The windows that ended before the flip, and those from the one on in which it came."""
    turned = parse_as_of(day) - timedelta(days=1)
    late = [datetime.fromisoformat(w["as_of"]) > turned for w in windows]
    return [w for w, is_late in zip(windows, late, strict=True) if not is_late], [
        w for w, is_late in zip(windows, late, strict=True) if is_late
    ]


def recovered(windows: list[dict[str, Any]], day: str) -> int | None:
    """The first window after the flip's own whose metric is above .85 again; None where none is."""
    following = after(windows, day)[1][1:]
    return next((k for k, w in enumerate(following, start=1) if w["metric"] and w["metric"] > GOOD), None)


def bounds(found: dict[str, Any]) -> list[Bound]:
    bound = f"macro-F1 above {GOOD} again within {WITHIN} counted windows, unattended"
    rows = []
    for what, made in (("made reviews", True), ("real reviews", False)):
        flips = [flip for flip in found["flips"] if (flip["set"] == MADE) is made]
        if flips:
            told = "; ".join(f"`{name}` {_in_time(flips, name)} of {len(flips)}" for name in POLICIES)
            rows.append((f"after a label flip, {what}", "`never`, `always`", bound, told))
    return rows


def _in_time(flips: Sequence[dict[str, Any]], name: str) -> int:
    at = [recovered(flip["policies"][name], flip["day"]) for flip in flips]
    return sum(k is not None and k <= WITHIN for k in at)


def page(found: dict[str, Any]) -> list[str]:
    head = ("flipped from", "policy", "before", "its window", *(f"+{k}" for k in range(1, SHOWN + 1)), f"above {GOOD}")
    rows = []
    for flip in found["flips"]:
        for name in POLICIES:
            before, following = after(flip["policies"][name], flip["day"])
            figures = [w["metric"] for w in before if w["metric"] is not None]
            at = recovered(flip["policies"][name], flip["day"])
            shown = [_shown(w) for w in following[: SHOWN + 1]]
            rows.append((
                f"{flip['set']}, {flip['day']}", f"`{name}`",
                f"{sum(figures) / len(figures):.2f}" if figures else "–",
                *shown, *["–"] * (SHOWN + 1 - len(shown)), "never" if at is None else f"+{at}",
            ))  # fmt: skip
    return [*TEXT.strip().splitlines(), "", table(head, rows)]


def _shown(window: dict[str, Any]) -> str:
    figure = "–" if window["metric"] is None else f"{window['metric']:.2f}"
    return f"{figure} ↑" if window["promoted"] else figure


TEXT = """
All labels are swapped from one day on, and the file is replayed with the default search: `default` is the stream's own
policy, without a person (made reviews: the settings' defaults; the real sets: `examples/`); `always` trains on every
window and promotes the result, `never` does neither. The figures are the macro-F1, window by window, of the champion
that answered then, by the labels that came; ↑ marks the windows at whose end a challenger was promoted, "before" is
the mean over the windows up to the flip. The flip is somewhere within its own window; the first whole one after it
is +1. On Flipkart even a champion that knows all history hardly reaches .85 (see "before"), so one that learns only
from the windows since the flip can stay below it: `always` shows what was possible.
"""
