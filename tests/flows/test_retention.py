"""Why a version stays: what nobody may prune, by whatever policy."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from trueup.flows.audit.retention import reasons_to_keep
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState, VersionRecord
from trueup.training.registry.registry import Version

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def record(number: int) -> VersionRecord:
    return VersionRecord(
        stream="made", version=number, run_id=f"run{number}", cut_off=NOON, trained_as_of=NOON, snapshot="s",
        reference="r", quality="q", document={},
    )  # fmt: skip


def registered(number: int, *aliases: str, run_id: str = "") -> Version:
    return Version(number=number, run_id=run_id or f"run{number}", created_at=NOON, tags={}, aliases=aliases)


def attempt(state: PromotionState, before: int | None, after: int, *codes: str) -> PromotionAttempt:
    return PromotionAttempt(
        stream="made", kind=PromotionKind.CHALLENGER, state=state, from_version=before, to_version=after, as_of=NOON,
        at=NOON, who="x", why="y", codes=codes, labels=0, gate={"passed": True, "tests": []},
    )  # fmt: skip


def test_why_a_version_stays() -> None:
    """Aliases of any name, champions of any time, what waits, what an open incident asked for, what is under way."""
    records = [record(number) for number in range(1, 13)]
    held = [registered(number) for number in range(1, 12) if number not in (7, 8)]
    held += [registered(7, "shadow"), registered(8, run_id="another")]
    attempts = [
        attempt(PromotionState.COMMITTED, None, 1),
        attempt(PromotionState.COMMITTED, 1, 2, "DRF-TEXT"),
        attempt(PromotionState.REFUSED, 2, 3, "PRF-METRIC"),
        attempt(PromotionState.REFUSED, 2, 4, "DRF-TEXT"),
        attempt(PromotionState.HELD, 2, 5),
        attempt(PromotionState.ABANDONED, 2, 6),
    ]
    kept = reasons_to_keep(2, records, held, attempts, open_codes={"PRF-METRIC"}, under_way={9})
    assert {number: why.split(":")[0] for number, why in kept.items()} == {
        1: "it was champion",
        2: "it was champion",
        3: "the incident that led to it is open",
        5: "an attempt to promote it waits",
        7: "it has the alias shadow",
        8: "MLflow does not hold it as the store knows it",
        9: "its cycle is not finished",
        11: "one of the newest 2",
        12: "MLflow does not hold it as the store knows it",
    }
    assert set(reasons_to_keep(0, records, held, attempts)) == set(range(1, 13))


@given(st.integers(1, 5), st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)))
def test_a_champion_of_any_time_never_goes(newest: int, champions: set[int], aliased: set[int]) -> None:
    """Whatever the policy: nothing with an alias, nothing that was champion, and not the newest."""
    records = [record(number) for number in range(1, 10)]
    held = [registered(number, *(["shadow"] if number in aliased else [])) for number in range(1, 10)]
    attempts = [attempt(PromotionState.COMMITTED, None, number) for number in champions]
    assert champions | aliased | {9} <= set(reasons_to_keep(newest, records, held, attempts))
