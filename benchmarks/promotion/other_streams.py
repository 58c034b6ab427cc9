"""Streams without text, one of them of numbers to predict, through the same search, gate and rollback."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.page import table
from benchmarks.promotion import light
from benchmarks.promotion.afterwards import afterwards
from benchmarks.promotion.course import BIKE, ELEC2, RealSet, deployed, with_training
from benchmarks.promotion.section import Bound, Options
from trueup.flows.audit.verify import verify
from trueup.flows.promote.manual import roll_back
from trueup.storage.timepoints import iso

TITLE = "Bike rentals and electricity prices"
EVERY = {BIKE.name: 4 * 7 * 24, ELEC2.name: 24 * 336}  # records between two challengers: four weeks, half a year
MOST = 5  # challengers until one takes over


def measure(options: Options) -> dict[str, Any]:
    """Both sets; a quick look searches one family."""
    candidates = (light.NAME,) if options.quick else ("default",)
    return {"sets": [taken_through(one, candidates) for one in (BIKE, ELEC2)]}


def taken_through(one: RealSet, candidates: tuple[str, ...]) -> dict[str, Any]:
    """First champion, challenger after challenger until one is promoted, and back again by one command."""
    with deployed(one, partial(with_training, candidates=candidates)) as deployment:
        app, stream = deployment.app, deployment.stream
        first = deployment.cycle(one.starts)
        tried = []
        for as_of in deployment.moments(one.starts, EVERY[one.name])[:MOST]:
            done = deployment.cycle(as_of, ask=True)
            tried.append(_told(done))
            if done["promotion"]:
                break
        promoted = _aliases(app.registry, stream.name)
        back = roll_back(app, stream, None, "to see that it goes back") if tried[-1]["promoted"] else None
        return {
            "set": one.name, "metric": stream.metric, "started": iso(one.starts), "first": _told(first),
            "tried": tried, "promoted": promoted, "gone_back": back and [back.from_version, back.to_version],
            "after": _aliases(app.registry, stream.name), "problems": list(verify(app, stream)),
            "afterwards": afterwards(deployment),
        }  # fmt: skip


def _told(cycle: dict[str, Any]) -> dict[str, Any]:
    training, gate = cycle["training"], cycle["gate"]
    return {
        "as_of": cycle["as_of"], "promoted": cycle["promotion"] is not None, "version": training["version"],
        "candidates": len(training["candidates"]), "recipe": training["recipe"],
        "failed": [test["code"] for test in gate["tests"] if not test["passed"]],
    }  # fmt: skip


def _aliases(registry: Any, name: str) -> dict[str, int | None]:
    return {alias: registry.alias(name, alias) for alias in ("champion", "previous")}


def whole(one: dict[str, Any]) -> bool:
    """Whether a set went all the way: a champion, a better one, back to the first, and nothing that does not agree."""
    before, later = one["promoted"], one["after"]
    return bool(
        one["first"]["promoted"] and one["gone_back"] and not one["problems"]
        and later["champion"] == before["previous"] and later["previous"] == before["champion"]
    )


def bounds(found: dict[str, Any]) -> list[Bound]:
    through = [one["set"] for one in found["sets"] if whole(one)]
    said = f"{len(through)} of {len(found['sets'])}: {', '.join(through) or 'none'}"
    return [("bike rentals and elec2 through the same search, gate and rollback", "–", "both", said)]


def page(found: dict[str, Any]) -> list[str]:
    rows = []
    for one in found["sets"]:
        refused = [", ".join(f"`{code}`" for code in t["failed"]) for t in one["tried"] if not t["promoted"]]
        last = one["tried"][-1]
        gains = [c["gain"] for c in one["afterwards"] if c["promoted"] and "gain" in c]
        rows.append((
            one["set"], f"v{one['first']['version']}, {one['first']['recipe']['model']}",
            "; ".join(refused) or "–",
            f"v{last['version']}, {last['recipe']['model']}, {last['as_of'][:10]}" if last["promoted"] else "none",
            f"{gains[0]:+.3f} {one['metric']}" if gains else "–",
            f"v{one['gone_back'][0]} → v{one['gone_back'][1]}" if one["gone_back"] else "–",
            "agrees" if not one["problems"] else "; ".join(one["problems"]),
        ))  # fmt: skip
    head = ("set", "first champion", "refused before, by", "promoted", "gain on all rows after", "rolled back",
            "`models verify`")
    return [*TEXT.strip().splitlines(), "", table(head, rows)]


TEXT = f"""
A challenger every four weeks on bike, every half year on elec2, with the settings of `examples/`, until one takes over
(at most {MOST}); then `models rollback`. The search, the gate and the commit path are those of reviews. The gain is
that of the labelled rows from the promotion to the end of the data; for an error the sign is reversed, so that above 0
the new model is better.
"""
