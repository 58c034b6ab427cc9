"""What is marked as pruned, and which reports nothing rests on, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from trueup.storage import alert_tables
from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.prunings import REPORT, VERSION, Pruning, PruningLog

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def marked(kind: str, name: str) -> Pruning:
    return Pruning(stream="made", kind=kind, name=name, decided_at=NOON, who="x")


def test_a_mark_is_made_once_finished_or_taken_back(database: Database) -> None:
    """Marking again changes nothing that is known of the first; what was freed and what is left are kept."""
    log = PruningLog(database)
    with database.write() as connection:
        log.decide(connection, [marked(VERSION, "3"), marked(VERSION, "4"), marked(REPORT, "a")])
        done = log.finish(connection, marked(VERSION, "3"), freed=5_000_000_000, left=("s3://x: no",), now=NOON)
        log.decide(connection, [marked(VERSION, "3")])
        log.withdraw(connection, marked(VERSION, "4"))
    assert log.of("made", VERSION) == [done]
    assert log.version("made", 3) == done
    assert (done.bytes, done.left, done.done_at) == (5_000_000_000, ("s3://x: no",), NOON)
    assert log.version("made", 4) is None
    assert log.of("other", VERSION) == []


def test_only_reports_that_nothing_rests_on_are_quiet(database: Database) -> None:
    """Each kind of conclusion keeps its report; a breach that did not count, and a quiet check, keep none."""
    names = ("quiet", "provisional", "counted", "acted", "told", "judged", "accepted", "marked", "young")
    with database.write() as connection:
        for number, name in enumerate(names):
            _check(connection, name, number, counted=name == "counted", made_at=NOON + timedelta(name == "young"))
        for name in ("provisional", "counted"):
            connection.execute(sa.insert(t.signals), {
                "check_id": name, "code": "DRF-TEXT", "verdict": "breached", "said": "",
            })  # fmt: skip
        for name, action in (("quiet", "none"), ("acted", "alert")):
            connection.execute(sa.insert(t.decisions), {
                "id": name, "stream": "made", "cycle_id": f"cycle {name}", "check_id": name, "as_of": NOON,
                "action": action, "codes": [], "reasons": [],
            })  # fmt: skip
        connection.execute(sa.insert(alert_tables.alerts), {
            "id": "a", "stream": "made", "cycle_id": "cycle told", "kind": "x", "subject": "", "severity": "low",
            "created_at": NOON,
        })  # fmt: skip
        connection.execute(sa.insert(t.promotions), {
            "id": "p", "stream": "made", "cycle_id": "cycle judged", "kind": "challenger", "state": "refused",
            "as_of": NOON, "at": NOON, "who": "", "why": "", "codes": [], "labels": 0, "gate": {},
        })  # fmt: skip
        connection.execute(sa.insert(t.baselines), {
            "id": "b", "stream": "made", "code": "DRF-TEXT", "version": 1, "report_id": "accepted", "first_time": NOON,
            "last_time": NOON, "at": NOON, "who": "", "why": "",
        })  # fmt: skip
        PruningLog(database).decide(connection, [marked(REPORT, "marked")])
    assert PruningLog(database).quiet_reports("made", NOON + timedelta(hours=1)) == ["provisional", "quiet"]
    assert PruningLog(database).quiet_reports("other", NOON + timedelta(hours=1)) == []


def _check(connection: Any, name: str, number: int, *, counted: bool, made_at: datetime) -> None:
    at = NOON + timedelta(minutes=number)
    connection.execute(sa.insert(t.cycles), {
        "id": f"cycle {name}", "stream": "made", "as_of": at, "state": "finished", "steps": {}, "started_at": NOON,
    })  # fmt: skip
    connection.execute(sa.insert(t.checks), {
        "id": name, "stream": "made", "cycle_id": f"cycle {name}", "as_of": at, "version": 1, "counted": counted,
        "document": {}, "made_at": made_at,
    })  # fmt: skip
