"""Model versions and every attempt to change the champion, with its evidence: written before an alias moves."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.errors import StoreUnusable
from trueup.storage.leases import Lease


class PromotionKind(StrEnum):
    """What asks for a change of the champion."""

    FIRST = "first"            # trained where there was no champion, and judged by the gate
    CHALLENGER = "challenger"  # trained, and judged by the gate against the champion
    AGAIN = "again"            # a refused challenger, judged again on rows that came since, without training
    APPROVED = "approved"      # by a person, after the version passed its gate
    FORCED = "forced"          # by a person, whatever the gate said
    ROLLBACK = "rollback"      # by a person, who goes back to an earlier version
    PROBATION = "probation"    # by trueup itself, back to the version before, which was better after all
    OUTSIDE = "outside"        # found done in MLflow, by whomever
    ELSEWHERE = "elsewhere"    # a service began to answer by another version
    REFERENCE = "reference"    # of a stream that predicts nothing: what newer records are compared with


TRAINED = frozenset({PromotionKind.FIRST, PromotionKind.CHALLENGER})  # a model was trained for them
GATED = TRAINED | {PromotionKind.AGAIN}  # a cycle attempts one of these at most
ROLLBACKS = frozenset({PromotionKind.ROLLBACK, PromotionKind.PROBATION})
NOT_BY_TRUEUP = frozenset(PromotionKind) - GATED - {PromotionKind.PROBATION}  # by a person, or by a service


class PromotionState(StrEnum):
    """How far an attempt came."""

    DECIDED = "decided"      # durable, the alias not yet known to have moved
    COMMITTED = "committed"  # the alias has moved
    REFUSED = "refused"      # the gate said no
    HELD = "held"            # the gate said yes, the policy's `promotion` says that a person decides
    ABANDONED = "abandoned"  # the champion had changed before the alias moved
    EXPIRED = "expired"      # it was held, and nobody approved it in time


@dataclass(frozen=True, kw_only=True)
class PromotionAttempt:
    """One attempt to make `to_version` champion in place of `from_version` (None: there was none).

    A `to_version` of None: no challenger could be trained, `why` says what stood against it.
    """

    stream: str
    kind: PromotionKind
    state: PromotionState
    from_version: int | None
    to_version: int | None
    as_of: datetime
    at: datetime
    who: str
    why: str
    codes: tuple[str, ...]
    labels: int
    gate: dict[str, Any]
    cycle_id: str | None = None
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class VersionRecord:
    """What a model version knew: its cut-off and the files that hold its snapshot, reference and metric reference."""

    stream: str
    version: int
    run_id: str
    cut_off: datetime
    trained_as_of: datetime
    snapshot: str
    reference: str
    quality: str
    document: dict[str, Any]

    @property
    def service(self) -> str | None:
        """How the service elsewhere calls this model of its own ("": not at all); None for a model of ours."""
        return self.document.get("elsewhere")

    @property
    def refit_labels(self) -> int:
        """Labelled rows of both sides that the model which serves was fitted on; 0 where its gate judged it itself."""
        return int(self.document.get("refit", 0))

    @property
    def trained_labels(self) -> int:
        """Labelled rows of its snapshot, both sides; 0 where nobody knows: of a service's model, or an old version."""
        snapshot = (self.document.get("lineage") or {}).get("snapshot") or {}
        return 0 if self.service is not None else int(snapshot.get("labels", 0))


class PromotionLog:
    """Versions and promotions in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_version(self, lease: Lease, record: VersionRecord) -> None:
        """Keep what a version knew; done again it changes nothing.

        Raises:
            LeaseHeld: the lease was lost.
            StoreUnusable: another run stands under this number.
        """
        v = t.versions.c
        with lease.transaction(self._database) as connection:
            self._database.insert_new(connection, t.versions, [record.__dict__])
            here = sa.and_(v.stream == record.stream, v.version == record.version)
            run_id = connection.execute(sa.select(v.run_id).where(here)).scalar_one()
            if run_id != record.run_id:
                raise StoreUnusable(
                    f"The registry gave v{record.version} of '{record.stream}' to run {record.run_id}, and the store "
                    f"knows v{record.version} of run {run_id}: the registry was replaced and counts from 1 again. The "
                    "new version was not kept, so that no figures are mixed up. Restore the tracking store."
                )

    def version(self, stream: str, version: int) -> VersionRecord | None:
        v = t.versions.c
        with self._database.read() as connection:
            row = connection.execute(sa.select(t.versions).where(v.stream == stream, v.version == version)).first()
        return None if row is None else VersionRecord(**row._mapping)

    def versions(self, stream: str, *, limit: int | None = None) -> list[VersionRecord]:
        """The newest `limit` known versions (None: all), newest first."""
        v = t.versions.c
        query = sa.select(t.versions).where(v.stream == stream).order_by(v.version.desc()).limit(limit)
        with self._database.read() as connection:
            return [VersionRecord(**row._mapping) for row in connection.execute(query)]

    def add(self, connection: Connection, attempt: PromotionAttempt) -> PromotionAttempt:
        """Write an attempt down; it comes back with its id."""
        row = {**attempt.__dict__, "id": attempt.id or uuid.uuid4().hex, "codes": list(attempt.codes)}
        connection.execute(sa.insert(t.promotions), row | {"kind": str(attempt.kind), "state": str(attempt.state)})
        return _attempt(row)

    def move(self, connection: Connection, attempt_id: str, state: PromotionState, now: datetime) -> None:
        p = t.promotions.c
        connection.execute(sa.update(t.promotions).where(p.id == attempt_id).values(state=str(state), at=now))

    def undone(self, stream: str) -> list[PromotionAttempt]:
        """Attempts that were decided and neither committed nor abandoned: a crash came between."""
        return self._list(t.promotions.c.stream == stream, t.promotions.c.state == str(PromotionState.DECIDED))

    def of_cycle(self, cycle_id: str, kinds: Collection[PromotionKind] = GATED) -> PromotionAttempt | None:
        """The cycle's attempt of one of these kinds, by default the one to promote its challenger."""
        p = t.promotions.c
        return next(iter(self._list(p.cycle_id == cycle_id, p.kind.in_(sorted(map(str, kinds))))), None)

    def last_committed(self, stream: str) -> PromotionAttempt | None:
        """The attempt that changed the champion last by the clock, or None where none ever did."""
        p = t.promotions.c
        query = sa.select(t.promotions).where(p.stream == stream, p.state == str(PromotionState.COMMITTED))
        with self._database.read() as connection:
            row = connection.execute(query.order_by(p.at.desc(), p.as_of.desc()).limit(1)).first()
        return None if row is None else _attempt(dict(row._mapping))

    def history(self, stream: str, *, limit: int | None = None) -> list[PromotionAttempt]:
        """The newest `limit` attempts (None: all), newest first."""
        return self._list(t.promotions.c.stream == stream)[:limit]

    def _list(self, *where: Any) -> list[PromotionAttempt]:
        p = t.promotions.c
        query = sa.select(t.promotions).where(*where).order_by(p.as_of.desc(), p.at.desc())
        with self._database.read() as connection:
            return [_attempt(dict(row._mapping)) for row in connection.execute(query)]


def _attempt(row: dict[str, Any]) -> PromotionAttempt:
    enums = {"kind": PromotionKind(row["kind"]), "state": PromotionState(row["state"])}
    return PromotionAttempt(**{**row, **enums, "codes": tuple(row["codes"])})
