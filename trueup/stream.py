"""One stream of a deployment: what goes in, what is checked, what answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.ingest_result import IngestResult
from trueup.intake import RecordSource, read_as, take_feedback, take_records
from trueup.storage.timepoints import parse_as_of, parse_since

if TYPE_CHECKING:  # what each method gives back is imported where it is made: an ingest starts without the rest
    from trueup.alerts import Alerts
    from trueup.data_comparison import Data
    from trueup.flows.app import App
    from trueup.flows.audit.history import AuditHistory
    from trueup.flows.cycle.run import Watch
    from trueup.models import Champion, ChampionChange, Models
    from trueup.monitoring.check import Check
    from trueup.quarantine import Quarantine
    from trueup.results import (
        CycleResult,
        EraseResult,
        ExportResult,
        PauseResult,
        PredictResult,
        PruneResult,
        ReplayResult,
        ReproduceResult,
        TrainResult,
    )
    from trueup.signal_table import SignalTable
    from trueup.storage.stream import StreamSettings
    from trueup.stored_reports import Reports

AsOf = str | date | None  # ISO 8601, a date (its end) or a datetime (naive: UTC); None is now


@dataclass(frozen=True)
class Stream:
    """A stream of an open deployment. `settings` is what trueup.toml says of it."""

    _app: App
    settings: StreamSettings

    @property
    def name(self) -> str:
        return self.settings.name

    # ---- what comes in ----

    def ingest(
        self,
        *sources: RecordSource,
        format: Mapping[str, object] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        on_note: Callable[[str], None] = lambda said: None,
    ) -> IngestResult:
        """Take records into the store; what is stored already is left out, bad rows go to quarantine.

        Without `sources` it pulls from the stream's own source (docs/sources.md), as the next cycle would.

        Args:
            sources: paths of files (CSV, JSON, Excel, HTML tables, Parquet; also packed), "-" for standard input,
                DataFrames or Arrow tables.
            format: how these files are written, where not as the settings say: keys of `[streams.NAME.format]`.
            on_progress: told how many rows are done, and of how many; 0: nobody knows, as of a query.
            on_note: told, before anything is stored, what stands in the result's `notes` of the files themselves.

        Raises:
            ConfigError: the stream's schema cannot be followed, or `format` has a key or value that there is not.
            InputError: a source cannot be taken in at all; nothing of any of them was stored.
            SourceFailed: the stream's own source cannot be reached or read.
        """
        return take_records(
            self._app, self.settings, sources, format=format or {}, on_progress=on_progress, on_note=on_note
        )

    def feedback(self, *sources: RecordSource, on_progress: Callable[[int, int], None] | None = None) -> IngestResult:
        """Take feedback on records: columns record_id, kind (label, thumb, rating or vote), value, user, at.

        `[streams.S.feedback]` names others. Without `sources` it pulls from the stream's `feedback_source`. Raises: as
        `ingest`.
        """
        return take_feedback(self._app, self.settings, sources, on_progress=on_progress)

    @property
    def quarantine(self) -> Quarantine:
        """What was refused, and why."""
        from trueup.quarantine import Quarantine

        return Quarantine(self._app, self.settings)

    # ---- the loop ----

    def check(self, as_of: AsOf = None) -> Check:
        """One check and its stored report; it changes no model and never counts.

        Raises:
            NoChampion: nothing was trained yet.
            TimeRefused: the time lies before what the champion or the last cycle knew.
            ModelUnusable: the champion cannot be loaded or scored.
        """
        from trueup.flows.check.champion import champion_of, refuse_rewind
        from trueup.flows.check.run import single_check

        moment = self.moment(as_of)
        champion = champion_of(self._app, self.settings)
        refuse_rewind(self._app, self.settings, moment, champion)
        return single_check(self._app, self.settings, champion, moment)

    def cycle(self, as_of: AsOf = None, *, watch: Watch | None = None) -> CycleResult:
        """One whole cycle: score, check, decide, and where that asks for it train, gate, promote, alert.

        Args:
            watch: told of each step and candidate while it runs.

        Raises:
            LeaseHeld: another process works on the stream.
            TimeRefused: the time would rewind a model.
            ModelUnusable: the champion cannot be loaded or scored; an alert of it is on its way.
        """
        from trueup.flows.alert.heartbeat import beat
        from trueup.flows.cycle.run import run_cycle
        from trueup.flows.site.after_cycle import site_afterwards
        from trueup.results import CycleResult

        with site_afterwards(self._app, self.settings.name):
            done = CycleResult.from_json(run_cycle(self._app, self.settings, self.moment(as_of), watch=watch))
            beat(self._app)
        return done

    def train(self, as_of: AsOf = None, *, on_candidate: Callable[[Any], None] = lambda progress: None) -> TrainResult:
        """The first champion, or a challenger on demand, through the same gate as in a cycle.

        Where the stream has a trainer of its own, it is asked and waited for.

        Raises:
            NotTrainable: the rows cannot be learnt from.
            LeaseHeld, TimeRefused, ModelUnusable: as `cycle`.
        """
        from trueup.results import TrainResult

        if self.settings.training.trainer.is_set:
            from trueup.flows.cycle.train_by_trainer import train_by_trainer

            done = train_by_trainer(self._app, self.settings, self.moment(as_of), on_progress=on_candidate)
        else:
            from trueup.flows.cycle.train_on_demand import train_now

            done = train_now(self._app, self.settings, self.moment(as_of), on_candidate=on_candidate)
        return TrainResult.from_json(done)

    def reproduce(self, version: int | str) -> ReproduceResult:
        """Make a version again from its snapshot, and say whether it answers the same; changes nothing."""
        from trueup.flows.train.reproduce import reproduce
        from trueup.results import ReproduceResult

        return ReproduceResult.from_json(reproduce(self._app, self.settings, self.models.number(version)))

    def predict(self, source: RecordSource | None = None) -> PredictResult:
        """The champion's answers: for records of a file or frame, or for the newest stored ones, which are kept.

        Raises:
            NoChampion: nothing was trained yet.
            InputError: the source cannot be read, or the champion is a service's own model.
        """
        from trueup.flows.check.predict import predict_newest, predict_rows
        from trueup.results import PredictResult

        if source is None:
            return PredictResult(tuple(predict_newest(self._app, self.settings)), ())
        found, refused = predict_rows(self._app, self.settings, read_as(self._app, source))
        return PredictResult(tuple(found), tuple(refused))

    def replay(
        self,
        source: RecordSource,
        *,
        start: AsOf = None,
        every: int | None = None,
        policies: Sequence[str] = (),
        tell: Callable[[str], None] = lambda doing: None,
    ) -> ReplayResult:
        """Past records through the same cycles, several policies side by side; touches nothing of the deployment.

        Args:
            source: past records, as `ingest` takes them.
            start: when the first champion is trained; left out, after the first 1,000 records.
            every: records from one check to the next; left out, one window.
            policies: of `[streams.S.policies.NAME]`, or "default".
            tell: told what is being done.

        Raises:
            ConfigError: the stream has no policy of a name.
            InputError: the records cannot be taken in, or leave nothing to check after the start.
        """
        from trueup.flows.replay.run import replay, write_page
        from trueup.results import ReplayResult

        begin = None if start is None else self.moment(start)
        found = replay(
            self._app, self.settings, read_as(self._app, source), start=begin, every=every, names=policies, tell=tell
        )
        return ReplayResult(found, write_page(self._app, found))

    def pause(self, why: str) -> PauseResult:
        """Let no cycle act on the stream until `resume`; it is still scored and checked."""
        return self._set_paused(why, paused=True)

    def resume(self, why: str) -> PauseResult:
        """Let cycles act on the stream again."""
        return self._set_paused(why, paused=False)

    def prune(self, *, dry_run: bool = False) -> PruneResult:
        """Remove old models, snapshots and pages by the retention policy; with `dry_run` only say which."""
        from trueup.flows.audit.prune import prune
        from trueup.results import PruneResult

        return PruneResult.from_json(prune(self._app, self.settings, dry_run=dry_run))

    # ---- what goes out ----

    def export(
        self,
        to: str | Path,
        *what: str,
        since: str | None = None,
        until: AsOf = None,
        csv: bool = False,
        mask: bool = False,
        on_rows: Callable[[str, int, int], None] = lambda what, done, total: None,
    ) -> ExportResult:
        """Write the stream's data into a new folder, a Parquet file (or CSV) each; docs/data.md says what they hold.

        Args:
            what: of records, labels, predictions, checks, signals; left out, all.
            since: only records and checks from then on: a span such as "90d", or a time. until: as known at this time.
            mask: mail addresses, links, names of accounts and long numbers in texts are masked.
            on_rows: told how many records are looked through, and of how many.

        Raises:
            InputError: there is no such data, or the folder cannot be made. UsageError: a time cannot be read.
        """
        from trueup.flows.admin.export import export
        from trueup.results import ExportResult

        begin = parse_since(since, now=self._app.now())
        return ExportResult.from_json(
            export(
                self._app, self.settings, Path(to), what, since=begin, until=self.moment(until, "--until"),
                form="csv" if csv else "parquet", mask=mask, on_rows=on_rows,
            )
        )  # fmt: skip

    def erase(
        self,
        *,
        user: str | None = None,
        record: str | None = None,
        why: str,
        on_step: Callable[[str, int, int], None] = lambda step, done, total: None,
    ) -> EraseResult:
        """Take the data of a user, or of one record, away for good; docs/data.md says where, and what it cannot reach.

        Args:
            user: as the column that the settings name under `user`, or feedback, has it. record: its id.
            why: the reason, for the audit trail: do not repeat the person's name there.
            on_step: told what is being done, and how much of it is.

        Raises:
            InputError: neither or both are named, or there is no reason. LeaseHeld: as `cycle`.
        """
        from trueup.flows.erase.run import erase
        from trueup.results import EraseResult

        done = erase(self._app, self.settings, user=user, record=record, why=why, on_step=on_step)
        return EraseResult.from_json(done)

    # ---- what there is ----

    @property
    def data(self) -> Data:
        """The records in the states that they had, to compare."""
        from trueup.data_comparison import Data

        return Data(self._app, self.settings)

    @property
    def models(self) -> Models:
        """The registered versions and the audit trail."""
        from trueup.models import Models

        return Models(self._app, self.settings)

    @property
    def champion(self) -> Champion:
        """The version that answers.

        Raises:
            NoChampion: nothing was trained yet.
        """
        return self.models.champion

    @property
    def reports(self) -> Reports:
        """The stored reports of the stream."""
        from trueup.stored_reports import Reports

        return Reports(self._app, self.name)

    def signals(self, *, code: str | None = None, since: str | None = None, limit: int | None = None) -> SignalTable:
        """Every signal of every check as data, one row a signal, newest first; docs/reports.md names the columns.

        Args:
            code: only this signal. since: as in `reports.list`. limit: rows at most, the newest; None: all.
        """
        from trueup.signal_table import signals_of
        from trueup.storage.check_lists import SignalFilter

        asked = SignalFilter(stream=self.name, code=code, since=parse_since(since, now=self._app.now()))
        return signals_of(self._app, asked, limit)

    @property
    def alerts(self) -> Alerts:
        """Incidents and the outbox of the stream."""
        from trueup.alerts import Alerts

        return Alerts(self._app, self.name)

    def history(self) -> AuditHistory:
        """The audit trail: every change of the champion, tried or made, newest first."""
        return self.models.history()

    def promote(self, to: int | str, why: str, *, force: bool = False) -> ChampionChange:
        """Make a version champion that waits for a person; `force`: also against its gate, or without one."""
        return self.models.promote(to, why, force=force)

    def rollback(self, why: str, to: int | str | None = None) -> ChampionChange:
        """Go back to an earlier version; nothing is promoted by itself until promotion is resumed."""
        return self.models.rollback(why, to)

    def moment(self, as_of: AsOf, option: str = "--as-of") -> Any:
        """The time that `as_of` names, in UTC; a bare date or month means its end, None is now."""
        text = as_of.isoformat() if isinstance(as_of, date) else as_of
        return parse_as_of(text, now=self._app.now(), option=option)

    def _set_paused(self, why: str, *, paused: bool) -> PauseResult:
        from trueup.flows.admin.pause import set_paused
        from trueup.results import PauseResult

        done = set_paused(self._app, self.settings, why, paused=paused)
        return PauseResult(self.name, paused, done.id if done else None)

    def __repr__(self) -> str:
        return f"<trueup stream '{self.name}' ({self.settings.task})>"
