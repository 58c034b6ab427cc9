"""Notices and deliveries in the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

from trueup.storage.database import Database
from trueup.storage.incidents import Incident, IncidentLog
from trueup.storage.outbox import Notice, Outbox

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_notice_goes_its_way_to_each_recipient(database: Database) -> None:
    """Kept with its facts, begun, failed, sent and revived apart; who was told is known by incident and kind."""
    incidents, outbox = IncidentLog(database), Outbox(database)
    incident = Incident(
        id="i", stream="s", cause="drift", causes=("drift",), codes=("DRF-TEXT",), severity="low", stem="s: drift",
        thread="incident.i@example.org", opened_at=NOON,
    )  # fmt: skip
    notice = Notice(
        id="n", stream="s", kind="incident_opened", severity="low", subject="s: drift", facts={"why": "a"},
        created_at=NOON, incident_id="i", cycle_id="c",
    )  # fmt: skip
    with database.write() as connection:
        incidents.open(connection, incident)
        outbox.add(connection, notice, ("ann", "bob", "ann"))
    (kept,) = outbox.pending()
    assert (kept.facts, kept.to, kept.state) == ({"why": "a"}, ("ann", "bob"), "pending")
    ann, bob = kept.deliveries
    outbox.begin([ann.id, bob.id], "m@example.org")
    assert [found.id for found in outbox.in_message("m@example.org")] == ["n"]
    outbox.mark_sent([ann.id], NOON, "[LOW] s: drift")
    with database.write() as connection:
        outbox.mark_failed(connection, bob.id, "550", None, counted=True, in_doubt=False)
    (dead,) = outbox.dead()
    assert (dead.state, dead.subject, dead.error, dead.attempts) == ("dead", "[LOW] s: drift", "550", 1)
    assert outbox.told({"i"}, not_by={"promotion"}) == {("ann", "i")}
    assert outbox.told({"i"}, not_by={"incident_opened"}) == set()
    outbox.revive(dead, ("bob", "carl"), NOON)
    (again,) = outbox.pending()
    assert {(d.recipient, d.state, d.attempts) for d in again.deliveries} == {
        ("ann", "sent", 1), ("bob", "pending", 0), ("carl", "pending", 0),
    }  # fmt: skip
    outbox.drop([d.id for d in again.deliveries if d.state == "pending"], "not needed")
    (ended,) = outbox.of_cycle("c")
    assert (ended.state, outbox.pending(), outbox.dead()) == ("sent", [], [])
    with database.write() as connection:
        incidents.change(connection, "i", outcome="answered")
        incidents.resolve(connection, "i", NOON, "quiet")
    assert incidents.open_ones("s") == []
    assert (incidents.newest("s")[0].outcome, incidents.newest("s")[0].resolved_at) == ("answered", NOON)
