"""Which model versions must stay, and why: a pure decision over what the store and MLflow say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from trueup.storage.promotions import PromotionAttempt, PromotionState, VersionRecord

if TYPE_CHECKING:
    from trueup.training.registry.registry import Version

_WAITING = frozenset({PromotionState.DECIDED, PromotionState.HELD})


def reasons_to_keep(
    newest: int,
    records: Sequence[VersionRecord],
    registered: Sequence[Version],
    attempts: Sequence[PromotionAttempt],
    *,
    open_codes: Collection[str] = (),
    under_way: Collection[int] = (),
) -> Mapping[int, str]:
    """Why each version stays that does; a version of `records` without a reason may go.

    Args:
        newest: so many of the newest stay, whatever became of them; 0: all stay.
        records: versions that the store knows and whose files are there.
        registered: all versions that MLflow holds.
        open_codes: of the stream's open incidents.
        under_way: versions of cycles that are not finished.
    """
    held = {version.number: version for version in registered}
    numbers = sorted((record.version for record in records), reverse=True)
    return {
        record.version: why
        for record in records
        if (why := _alias(record, held) or _trail(record.version, attempts, open_codes)
            or ("its cycle is not finished" if record.version in under_way else "")
            or ("nothing is pruned: retention.versions is not set" if not newest else "")
            or (f"one of the newest {newest}" if record.version in numbers[:newest] else ""))
    }  # fmt: skip


def _alias(record: VersionRecord, held: Mapping[int, Version]) -> str:
    version = held.get(record.version)
    if version is None or version.run_id != record.run_id:
        return "MLflow does not hold it as the store knows it: trueup models verify"
    return f"it has the alias {', '.join(version.aliases)}" if version.aliases else ""


def _trail(number: int, attempts: Sequence[PromotionAttempt], open_codes: Collection[str]) -> str:
    """What the audit trail still needs it for."""
    if any(p.state is PromotionState.COMMITTED and number in (p.from_version, p.to_version) for p in attempts):
        return "it was champion"
    if any(p.state in _WAITING and number in (p.from_version, p.to_version) for p in attempts):
        return "an attempt to promote it waits"
    if any(p.to_version == number and not set(p.codes).isdisjoint(open_codes) for p in attempts):
        return "the incident that led to it is open"
    return ""
