"""What becomes one message, what waits, and what nobody needs: rules over any outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trueup.flows.alert.batches import ALONE, LATER, OF_MODELS, Batches, Waiting, batches
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OPENED, WORSE, CLOSED = AlertKind.INCIDENT_OPENED, AlertKind.INCIDENT_WORSE, AlertKind.INCIDENT_RESOLVED


def one(kind: AlertKind, incident: str | None = "i", **more: object) -> Waiting:
    """A notice that waits for Ann."""
    plain = Waiting(
        delivery=str(kind), recipient="ann", stream="s", kind=kind, severity=Severity.LOW, created_at=NOON,
        incident=incident,
    )  # fmt: skip
    return replace(plain, **more)


def kinds(found: Batches) -> list[list[str]]:
    """The kinds of notices of each message."""
    return [[w.kind for w in batch.waiting] for batch in found.messages]


def test_one_cycle_is_one_message() -> None:
    """What it opened, promoted and closed, in the order in which it was written."""
    told = [one(OPENED), one(AlertKind.PROMOTION), one(CLOSED)]
    told = [replace(w, created_at=NOON + timedelta(seconds=k)) for k, w in enumerate(told)]
    assert kinds(batches(reversed(told), ())) == [[OPENED, AlertKind.PROMOTION, CLOSED]]


def test_closed_needs_opened() -> None:
    """In the same message, or told before, or perhaps told before; else it is dropped."""
    closed = one(CLOSED)
    assert batches([closed], ()).dropped == (closed,)
    assert kinds(batches([closed], {("ann", "i")})) == [[CLOSED]]
    assert batches([closed], {("bob", "i")}).dropped == (closed,)
    assert kinds(batches([closed, one(OPENED)], ())) == [[OPENED, CLOSED]]
    doubted = one(OPENED, message_id="m", due=False)
    assert kinds(batches([closed, doubted], ())) == [[CLOSED]]


def test_what_follows_waits_for_an_opening_that_is_held() -> None:
    """It is neither dropped nor sent before it; a change of the champion does not wait."""
    held = one(OPENED, held=True)
    found = batches([held, one(CLOSED), one(AlertKind.PROMOTION)], ())
    assert kinds(found) == [[AlertKind.PROMOTION]]
    assert found.dropped == ()


def test_one_that_is_due_takes_along_what_waits_for_its_back_off() -> None:
    """A new try of the way out is a try of all that goes by it."""
    assert kinds(batches([one(OPENED, due=False)], ())) == []
    assert kinds(batches([one(OPENED, due=False), one(CLOSED)], ())) == [[OPENED, CLOSED]]


def test_a_rise_takes_along_what_is_held() -> None:
    """Of its incident only."""
    other = one(OPENED, incident="j", held=True, delivery="other")
    found = batches([one(OPENED, held=True), one(WORSE), other], ())
    assert kinds(found) == [[OPENED, WORSE]]


def test_the_gravest_message_goes_first() -> None:
    """But for repeats, which may be there already."""
    low = one(OPENED, stream="a", created_at=NOON - timedelta(hours=1))
    high = one(OPENED, stream="b", severity=Severity.HIGH)
    again = one(CLOSED, stream="c", message_id="m")
    assert [b.stream for b in batches([low, high, again], ()).messages] == ["c", "b", "a"]


def numbered(waits: list[Waiting]) -> list[Waiting]:
    """Each a delivery of its own."""
    return [replace(w, delivery=str(k)) for k, w in enumerate(waits)]


waiting = st.builds(
    Waiting,
    delivery=st.just(""),
    recipient=st.sampled_from(["ann", "bob"]),
    stream=st.sampled_from(["s", "t"]),
    kind=st.sampled_from(list(AlertKind)),
    severity=st.sampled_from(list(Severity)),
    created_at=st.integers(0, 9).map(lambda k: NOON + timedelta(minutes=k)),
    incident=st.sampled_from([None, "i", "j"]),
    due=st.booleans(),
    held=st.booleans(),
    message_id=st.sampled_from([None, None, "m", "n"]),
)


@given(st.lists(waiting, max_size=8).map(numbered), st.sets(st.sampled_from(["ann", "bob"])))
def test_over_any_outbox(waits: list[Waiting], told: set[str]) -> None:
    """Nothing is told twice or to another; repeats keep their notices; the order of what waits changes nothing.

    Nothing is sent that is held, but by a rise; nothing is dropped that was told of or stands for itself; and all that
    is due, free and needed is sent.
    """
    known = {(who, "i") for who in told}
    found = batches(waits, known)
    sent = [w for batch in found.messages for w in batch.waiting]
    assert len({w.delivery for w in (*sent, *found.dropped)}) == len(sent) + len(found.dropped)
    for batch in found.messages:
        assert {w.recipient for w in batch.waiting} == {batch.recipient}
        assert {w.message_id for w in batch.waiting} == {batch.message_id}
        assert any(w.due for w in batch.waiting)
        assert list(batch.waiting) == sorted(batch.waiting, key=lambda w: (w.created_at, w.delivery))
        if batch.message_id is not None:
            assert len(batch.waiting) == sum((w.recipient, w.message_id) == (batch.recipient, batch.message_id)
                                             for w in waits)  # fmt: skip
            continue
        assert len({w.stream for w in batch.waiting}) == 1
        assert len(batch.waiting) == 1 or not {w.kind for w in batch.waiting} & ALONE
        risen = {w.incident for w in batch.waiting if w.kind == WORSE}
        assert all(not w.held or w.incident in risen for w in batch.waiting)
        opened = {w.incident for w in batch.waiting if w.kind not in LATER | OF_MODELS}
        doubted = {w.incident for w in waits if w.message_id and w.recipient == batch.recipient}
        for w in batch.waiting:
            if w.kind in LATER and w.incident:
                assert w.incident in opened | doubted or (batch.recipient, w.incident) in known
    for w in found.dropped:
        assert w.kind in LATER
        assert (w.recipient, w.incident) not in known
    left = [w for w in waits if w not in sent and w not in found.dropped]
    assert all(not w.due or w.held or w.kind in LATER for w in left)
    assert batches(reversed(waits), known) == found
