"""The registered versions of a stream, which of them answers, and the audit trail of why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import InputError
from trueup.storage.tabular import Document, Page, Tabular
from trueup.storage.timepoints import parse_since

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.flows.audit.history import AuditHistory
    from trueup.results import ExplainedAnswer
    from trueup.storage.incidents import Incident
    from trueup.storage.promotions import PromotionAttempt, VersionRecord
    from trueup.storage.prunings import Pruning
    from trueup.storage.stream import StreamSettings
    from trueup.training.registry.registry import Version

ALIASES = ("champion", "challenger", "previous")
_DIGITS = 10  # of a number that no registry reaches


@dataclass(frozen=True, kw_only=True)
class ModelVersion(Tabular):
    """A registered version. cut_off, recipe, metrics, snapshot: None where the store does not know it."""

    version: int
    aliases: tuple[str, ...]
    run_id: str
    created_at: datetime
    cut_off: datetime | None
    recipe: Document | None
    metrics: Mapping[str, float] | None
    snapshot: str | None

    @classmethod
    def of(cls, version: Version, record: VersionRecord | None) -> ModelVersion:
        return cls(
            version=version.number,
            aliases=version.aliases,
            run_id=version.run_id,
            created_at=version.created_at,
            cut_off=record.cut_off if record else None,
            recipe=record.document["recipe"] if record else None,
            metrics=record.document["metrics"] if record else None,
            snapshot=record.snapshot if record else None,
        )


@dataclass(frozen=True, kw_only=True)
class VersionDetails(Tabular):
    """One version: its training, the events that it was part of, and why it is or is not champion, in sentences.

    pruned: when its files were removed. lost: why MLflow could not be asked; empty where it could.
    """

    record: VersionRecord
    champion: int | None
    events: tuple[Document, ...]
    explained: tuple[str, ...]
    pruned: Pruning | None
    lost: str

    def as_json(self) -> Document:
        return {
            "champion": self.champion,
            "versions": [self.record],
            "events": self.events,
            "lost": self.lost or None,
            "pruned": self.pruned,
            "explained": self.explained,
        }


@dataclass(frozen=True)
class Explanation(Tabular):
    """Why the champion is champion, and what others would have needed. str() has it in sentences."""

    document: Document = field(repr=False)

    def records(self) -> Sequence[Document]:
        return [{"said": line} for line in str(self).splitlines()]

    def __str__(self) -> str:
        found = self.document
        said = [*found["notes"], *(found["because"]["said"] if found["because"] else ["There is no champion yet."])]
        for other in found["others"]:
            said += ["", other["said"], *(f"  {wanted}" for wanted in other["needed"])]
        return "\n".join(said)

    def as_json(self) -> Document:
        return self.document


@dataclass(frozen=True)
class Verification(Tabular):
    """What does not agree between the audit trail, MLflow and the archive: a sentence each.

    erased: what is no fault, of versions whose rows were erased.
    """

    problems: tuple[str, ...]
    erased: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems

    def caption(self) -> str:
        return "all agrees" if self.ok else f"{len(self.problems)} problems"

    def records(self) -> Sequence[Document]:
        return [{"problem": problem} for problem in self.problems]

    def as_json(self) -> Document:
        return {"ok": self.ok, "problems": self.problems, "erased": self.erased}


@dataclass(frozen=True, kw_only=True)
class ChampionChange(Tabular):
    """A change of the champion by hand. waits_for: the incident that holds promotion until it is resumed."""

    from_version: int | None
    to_version: int | None
    kind: str
    event_id: str
    waits_for: str | None = None

    @classmethod
    def of(cls, done: PromotionAttempt, waits_for: str | None = None) -> ChampionChange:
        return cls(
            from_version=done.from_version, to_version=done.to_version, kind=str(done.kind), event_id=done.id,
            waits_for=waits_for,
        )  # fmt: skip

    def as_json(self) -> Document:
        return {"from_version": self.from_version, "to_version": self.to_version, "event_id": self.event_id}


@dataclass(frozen=True)
class Champion:
    """The version that answers. version: its number. cut_off: the time up to which it knew the stream."""

    _app: App
    _settings: StreamSettings
    _record: VersionRecord

    @property
    def version(self) -> int:
        return self._record.version

    @property
    def cut_off(self) -> datetime:
        return self._record.cut_off

    def predict(self, frame: Any) -> Any:
        """The answers for rows with the stream's features; nothing is stored.

        Args:
            frame: a DataFrame, or an Arrow table.

        Returns:
            As many rows in the same order, as a DataFrame with the index of `frame`, or as an Arrow table. Columns:
            predicted; score, the probability of the second class where there are two; refused, the reason of a row
            that got no answer.

        Raises:
            InputError: a feature is missing, or the champion is a service's own model.
            ModelUnusable: it cannot be loaded.
        """
        import pandas as pd
        import pyarrow as pa

        from trueup.feedback.frames import arrow_table
        from trueup.flows.check.predict import answers_by_row

        table = arrow_table(frame)
        answered = answers_by_row(self._app, self._settings, table)
        if isinstance(frame, pd.DataFrame):
            return answered.set_axis(frame.index)
        return pa.Table.from_pandas(answered, preserve_index=False)

    def explain_answer(self, record: Mapping[str, object]) -> ExplainedAnswer:
        """The answer for one record, and which words or columns drove it; nothing is stored.

        Each word is left out in turn, and each column left empty, and the champion is asked again (erasure).

        Args:
            record: values by column; a feature that it lacks is missing.

        Raises:
            InputError: the record would be refused, or the champion is a service's own model.
            ModelUnusable: it cannot be loaded.
        """
        from trueup.flows.check.trying import load_champion, try_record
        from trueup.results import ExplainedAnswer

        champion = load_champion(self._app, self._settings)
        found = try_record(self._app, self._settings, champion, record)
        return ExplainedAnswer(
            predicted=found.predicted,
            chances=dict(found.chances),
            version=champion.record.version,
            drivers=tuple(vars(driver) for driver in found.drivers),
            untried=found.untried,
        )

    def __repr__(self) -> str:
        return f"<champion v{self.version} of '{self._settings.name}'>"


@dataclass(frozen=True)
class Models:
    """The versions of a stream."""

    _app: App
    _settings: StreamSettings

    @property
    def champion(self) -> Champion:
        """The version that answers.

        Raises:
            NoChampion: nothing was trained yet.
        """
        from trueup.flows.check.champion import champion_of

        return Champion(self._app, self._settings, champion_of(self._app, self._settings))

    def list(self, limit: int | None = None, *, since: str | None = None) -> Page[ModelVersion]:
        """The registered versions, newest first, with their aliases; `total` of the answer says how many there are.

        Args:
            limit: how many at most; left out, all.
            since: from when they were registered: a span back from now ("7d") or a time.

        Raises:
            UsageError: `since` cannot be read.
        """
        start = parse_since(since, now=self._app.now())
        known = {record.version: record for record in self._app.promotions.versions(self._settings.name)}
        found = [v for v in self._app.registry.versions(self._settings.name) if not start or v.created_at >= start]
        return Page((ModelVersion.of(version, known.get(version.number)) for version in found[:limit]), len(found))

    def alias(self, name: str) -> int | None:
        """The version that is "champion", "challenger" or "previous"; None where none is."""
        return self._app.registry.alias(self._settings.name, name)

    def number(self, version: int | str) -> int:
        """The number of a version that is named: 3, "3", "v3", an alias such as "champion", or "last", the newest.

        Raises:
            InputError: it names no version.
        """
        from trueup.storage.short_ids import NEWEST

        name, typed = self._settings.name, str(version)
        if typed in ALIASES:
            found = self.alias(typed)
            if found is None:
                raise InputError(f"'{name}' has no {typed}. See: trueup models list --stream {name}")
            return found
        if typed == NEWEST:
            known = self._app.promotions.versions(name)
            if not known:
                raise InputError(f"'{name}' has no version yet. The first one: trueup train --stream {name}")
            return known[0].version
        digits = typed.removeprefix("v")
        if not (digits.isascii() and digits.isdigit() and int(digits[:_DIGITS]) > 0 and len(digits) < _DIGITS):
            raise InputError(
                f"'{typed}' names no version of '{name}'. Write its number, champion, challenger, previous or last. "
                f"See: trueup models list --stream {name}"
            )
        return int(digits)

    def show(self, version: int | str) -> VersionDetails:
        """One version: its training, its gate, what became of it, and why.

        Args:
            version: as `number` takes it.

        Raises:
            InputError: the stream has no such version.
        """
        from trueup.flows.audit.explain import explain_one

        name, version = self._settings.name, self.number(version)
        record = self._app.promotions.version(name, version)
        if record is None:
            raise InputError(f"'{name}' has no version {version}. See: trueup models list --stream {name}")
        trail = self.history()
        return VersionDetails(
            record=record,
            champion=trail.champion,
            events=tuple(e for e in trail.events if version in (e["to_version"], e["from_version"])),
            explained=tuple(explain_one(self._app, self._settings, version)),
            pruned=self._app.prunings.version(name, version),
            lost=trail.lost,
        )

    def explain(self, versions: Sequence[int | str] = ()) -> Explanation:
        """Why the champion is champion, and what others would have needed.

        Args:
            versions: the others, each as `number` takes it; left out, all since the champion came, and who waits.
        """
        from trueup.flows.audit.explain import explain

        return Explanation(explain(self._app, self._settings, [self.number(version) for version in versions]))

    def history(
        self, limit: int | None = None, *, since: str | None = None, kind: str | None = None, state: str | None = None
    ) -> AuditHistory:
        """The audit trail: every change of the champion, tried or made, newest first.

        Args:
            limit: how many events at most; left out, all.
            since: from when: a span back from now ("7d") or a time.
            kind, state: only events of it.

        Raises:
            UsageError: `since` cannot be read.
        """
        from trueup.flows.audit.history import history

        start = parse_since(since, now=self._app.now())
        return history(self._app, self._settings).narrowed(limit, since=start, kind=kind, state=state)

    def event(self, event: str) -> AuditHistory:
        """The audit trail with one event, by its id or the beginning of it; "last": the newest.

        Raises:
            InputError: there is none, or more than one.
        """
        from trueup.storage.short_ids import NEWEST, the_one

        trail = self.history()
        ids = [known["id"] for known in trail.events]
        if event == NEWEST and ids:
            return trail.only(ids[0])
        listed = f"trueup models history --stream {self._settings.name}"
        return trail.only(the_one(event, ids, of="event", listed=listed))

    def verify(self) -> Verification:
        """Check that the audit trail agrees with MLflow and the archive; changes nothing."""
        from trueup.flows.audit.verify import trained_on_erased, verify

        return Verification(verify(self._app, self._settings), trained_on_erased(self._app, self._settings))

    def answerable(self) -> tuple[int, ...]:
        """The versions whose model can be read, newest first: each of them can be made champion."""
        from trueup.flows.promote.answerable import answerable

        return answerable(self._app, self._settings)

    def promote(self, to: int | str, why: str, *, force: bool = False) -> ChampionChange:
        """Make a version champion that waits for a person; `force`: also against its gate, or without one."""
        from trueup.flows.promote.manual import promote_by_hand

        return ChampionChange.of(promote_by_hand(self._app, self._settings, self.number(to), why, force=force))

    def rollback(self, why: str, to: int | str | None = None) -> ChampionChange:
        """Go back to an earlier version, the one before where `to` is None.

        Nothing is promoted by itself until `resume`.
        """
        from trueup.flows.promote.manual import roll_back
        from trueup.flows.promote.notifications import open_rollback

        done = roll_back(self._app, self._settings, None if to is None else self.number(to), why)
        waits = open_rollback(self._app, self._settings)
        return ChampionChange.of(done, waits_for=waits.id if waits else None)

    def resume(self, why: str) -> Incident:
        """Let challengers be promoted by themselves again after a rollback; the incident that it ended."""
        from trueup.flows.promote.manual import resume_promotion

        return resume_promotion(self._app, self._settings, why)
