"""The registered versions of a stream, which of them answers, and the audit trail of why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trueup.results import ChampionChange, Explanation, ModelVersion, Verification, VersionDetails
from trueup.storage.errors import InputError
from trueup.storage.tabular import Listing

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.flows.audit.history import AuditHistory
    from trueup.storage.promotions import VersionRecord
    from trueup.storage.stream import Stream as Settings


@dataclass(frozen=True)
class Champion:
    """The version that answers. version: its number. cut_off: the time up to which it knew the stream."""

    _app: App
    _settings: Settings
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

    def __repr__(self) -> str:
        return f"<champion v{self.version} of '{self._settings.name}'>"


@dataclass(frozen=True)
class Models:
    """The versions of a stream."""

    _app: App
    _settings: Settings

    @property
    def champion(self) -> Champion:
        """The version that answers.

        Raises:
            NoChampion: nothing was trained yet.
        """
        from trueup.flows.check.champion import champion_of

        return Champion(self._app, self._settings, champion_of(self._app, self._settings))

    def list(self) -> Listing[ModelVersion]:
        """The registered versions, newest first, with their aliases."""
        known = {record.version: record for record in self._app.promotions.versions(self._settings.name)}
        return Listing(
            ModelVersion.of(version, known.get(version.number))
            for version in self._app.registry.versions(self._settings.name)
        )

    def show(self, version: int) -> VersionDetails:
        """One version: its training, its gate, what became of it, and why.

        Raises:
            InputError: the stream has no such version.
        """
        from trueup.flows.audit.explain import explain_one

        name = self._settings.name
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

    def explain(self, versions: Sequence[int] = ()) -> Explanation:
        """Why the champion is champion, and what others would have needed.

        Args:
            versions: the others; left out, all since the champion came, and who waits.
        """
        from trueup.flows.audit.explain import explain

        return Explanation(explain(self._app, self._settings, versions))

    def history(self) -> AuditHistory:
        """The audit trail: every change of the champion, tried or made, newest first."""
        from trueup.flows.audit.history import history

        return history(self._app, self._settings)

    def verify(self) -> Verification:
        """Check that the audit trail agrees with MLflow and the archive; changes nothing."""
        from trueup.flows.audit.verify import verify

        return Verification(tuple(verify(self._app, self._settings)))

    def promote(self, to: int, why: str, *, force: bool = False) -> ChampionChange:
        """Make a version champion that waits for a person; `force`: also against its gate, or without one."""
        from trueup.flows.promote.manual import promote_by_hand

        return ChampionChange.of(promote_by_hand(self._app, self._settings, to, why, force=force))

    def rollback(self, why: str, to: int | None = None) -> ChampionChange:
        """Go back to an earlier version, the one before where `to` is None.

        Nothing is promoted by itself until the incident `waits_for` is acknowledged.
        """
        from trueup.flows.promote.manual import roll_back
        from trueup.flows.promote.notifications import open_rollback

        done = roll_back(self._app, self._settings, to, why)
        waits = open_rollback(self._app, self._settings)
        return ChampionChange.of(done, waits_for=waits.id if waits else None)
