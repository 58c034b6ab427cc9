"""When a delivery that failed is tried again, and when it is given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.flows.alert.delivery import BACK_OFF, MAX_ATTEMPTS, next_attempt, next_try_after

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def test_attempts_end_after_about_a_day():
    """The waits grow to four hours, and what nobody takes is dead after a day of trying."""
    waits = [next_attempt(NOW, made) for made in range(1, MAX_ATTEMPTS + 1)]
    assert waits[0] == NOW + timedelta(minutes=1)
    assert waits[-1] is None
    assert timedelta(hours=24) <= sum(BACK_OFF, timedelta()) <= timedelta(hours=28)


def test_when_a_failed_delivery_is_tried_again():
    """Not refused for good: later, and not before the server's own word; what must live lives; else it is dead."""

    def after(failure: DeliveryFailed, attempts: int = 0, must_live: bool = False) -> timedelta | None:
        found = next_try_after(
            failure, attempts=attempts, written_at=NOW - timedelta(hours=2), now=NOW, must_live=must_live
        )
        return found and found - NOW

    busy = DeliveryFailed("busy", retry_after=timedelta(minutes=7))
    assert after(busy) == timedelta(minutes=7)
    assert after(busy, attempts=3) == BACK_OFF[3]
    assert after(DeliveryFailed("away", server=True, counts=False), attempts=99) == timedelta(minutes=30)
    gone = DeliveryFailed("gone", permanent=True, retry_after=timedelta(minutes=7))
    assert after(gone) is None
    assert after(busy, attempts=MAX_ATTEMPTS) is None
    assert after(gone, must_live=True) == after(busy, attempts=MAX_ATTEMPTS, must_live=True) == BACK_OFF[-1]
