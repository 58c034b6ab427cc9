"""What the real sets' own policies cost over years: challengers, mails, and the quality of who answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import jobs
from benchmarks.machine import DATA, ROOT
from benchmarks.page import table
from benchmarks.promotion import light
from benchmarks.promotion.course import BIKE, ELEC2, FLIPKART, GREENLIGHT, RealSet, with_policy, with_training
from benchmarks.promotion.section import Bound, Options
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import parse_as_of

TITLE = "Changes that were answered"
OWN, ALWAYS = "its own", "never and always"


@dataclass(frozen=True)
class Years:
    """A set from a day on; `window`: of that size, `confirm = 1` and the default cooldown in place of the example's.

    light: one family instead of the whole default search.
    """

    set: RealSet
    start: str
    window: int | None = None
    light: bool = True

    @property
    def name(self) -> str:
        window = f", window {self.window}" if self.window else ""
        return f"{self.set.name}{window}, from {self.start}, {'one family' if self.light else 'default search'}"

    def of(self, stream: StreamSettings) -> StreamSettings:
        """The example's stream under these settings."""
        stream = with_policy(stream, window=self.window, confirm=1, cooldown="1d") if self.window else stream
        return with_training(stream, candidates=(light.NAME,)) if self.light else stream


MONTHLY = Years(GREENLIGHT, "2019-06-30", 300)
YEARS = (MONTHLY, replace(MONTHLY, light=False), *(Years(one, one.start) for one in (FLIPKART, BIKE, ELEC2)))


def played(told: Years, policies: str) -> dict[str, Any]:
    """The years under the example's own policy; or with no challenger at all, and with one at every check, ungated."""
    from trueup.flows.app import open_app
    from trueup.flows.replay.run import replay

    with TemporaryDirectory(prefix="trueup-bench-") as home:
        app = open_app(ROOT / "examples" / f"{told.set.name}.toml", Path(home))
        stream = told.of(app.stream(told.set.name))
        if policies == ALWAYS:
            stream = with_policy(stream, retrain_on=())
        found = replay(
            app, stream, str(DATA / told.set.file), start=parse_as_of(told.start),
            baselines=("always",) if policies == ALWAYS else (),
        )  # fmt: skip
        app.close()
    figures = [one.as_json() for one in found.policies]
    return {"years": told.name, "policies": json.loads(json.dumps(figures, default=str))}


def measure(options: Options) -> dict[str, Any]:
    """All years under their own policies, and what the first could have had; a quick look takes Flipkart's alone."""
    todo = [(years, OWN) for years in YEARS] + [(MONTHLY, ALWAYS)]
    if options.quick:
        todo = [(YEARS[2], OWN)]
    every = [jobs.Job(f"{years.name}: {policies}", partial(played, years, policies)) for years, policies in todo]
    return {"years": jobs.run(options.folder / "years.jsonl", every, options.processes)}


def bounds(found: dict[str, Any]) -> list[Bound]:
    own, always, never = _monthly(found, OWN, "default"), _monthly(found, ALWAYS, "always"), _monthly(found, ALWAYS)
    if own is None or always is None or never is None:
        return []
    closed = (own["metric_mean"] - never["metric_mean"]) / (always["metric_mean"] - never["metric_mean"])
    told = f"{own['retrains']} challengers, {closed:.2f} of the gap from `never` to `always`"
    return [(f"challengers of {MONTHLY.name}", f"`always`: {always['retrains']}", "≤ 6, ≥ .70 of the gap", told)]


def page(found: dict[str, Any]) -> list[str]:
    rows = []
    for one in found["years"]:
        for played in one["policies"]:
            policy = "its own" if one["job"].endswith(OWN) else {"default": "never"}.get(played["name"], played["name"])
            rows.append((
                one["years"], policy, str(played["checks"]), str(played["retrains"]), str(played["promotions"]),
                str(played["alerts"]), f"{played['metric_mean']:.4g}",
            ))  # fmt: skip
    head = ("years", "policy", "checks", "challengers", "promoted", "mails", "mean metric")
    return [*TEXT.strip().splitlines(), "", table(head, rows)]


def _monthly(found: dict[str, Any], policies: str, name: str = "default") -> dict[str, Any] | None:
    told = next((one for one in found["years"] if one["job"] == f"{MONTHLY.name}: {policies}"), None)
    return told and next(played for played in told["policies"] if played["name"] == name)


TEXT = """
The sets are replayed from a day on under the policy of `examples/`: a check every window, and the mean metric of the
champion that answered before each check. Where a window is named, it, `confirm = 1` and a cooldown of a day replace
those of the example. `never` trains no challenger, `always` one at every check, promoted without a gate.
"""
