"""One training: snapshot, search, final fit, references, and the registered version that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.flows.alert.incidents import incident_for
from trueup.flows.app import App
from trueup.flows.check.labels import snapshot_rows
from trueup.flows.train.artifacts import MakeArtifacts, training_artifacts
from trueup.flows.train.candidate_search import search_candidates
from trueup.flows.train.data_checks import check_training_data
from trueup.flows.train.description import PAGE, in_markdown, page_of_training, story_of
from trueup.flows.train.final_fit import FinalFit, References, final_fit, keep_references
from trueup.flows.train.lineage import lineage, lineage_files, occasion_of, settings_of
from trueup.reports.masking import masked, masks_at
from trueup.storage import snapshots
from trueup.storage.content import seed_of
from trueup.storage.errors import NotTrainable
from trueup.storage.leases import Lease
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute, utc
from trueup_model.kept_vectors import vectors_kept

if TYPE_CHECKING:
    from trueup.training.registry.registry import Version
    from trueup.training.search import SearchResult


@dataclass(frozen=True)
class Trained:
    """A registered version and how it came about, as it is kept and printed."""

    version: int
    run_id: str
    snapshot: str
    candidates: list[dict[str, Any]]
    recipe: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@vectors_kept()
def train_version(
    app: App,
    lease: Lease,
    stream: StreamSettings,
    as_of: datetime,
    *,
    cycle_id: str,
    asked: Mapping[str, Any],
    on_candidate: Callable[[Any], None] = lambda progress: None,
    artifacts: MakeArtifacts = training_artifacts,
) -> Trained:
    """Search, fit and register a version on what was known at `as_of`; `cycle_id` names the attempt.

    An attempt that was killed after its version was registered finds that version again instead of making another.

    Args:
        asked: who or what asked for it, as `trueup.flows.train.lineage` puts it.
        artifacts: makes the files that go beside the run.

    Raises:
        NotTrainable: the records or labels do not suffice for a training.
        LeaseHeld: the lease was lost; another worker may have registered the version meanwhile.
        ModelUnusable: the model just fitted cannot answer.
    """
    registered = app.registry.find_version_by_tag(stream.name, "cycle", cycle_id)
    known = app.promotions.version(stream.name, registered.number) if registered else None
    if registered and known and known.run_id == registered.run_id:
        return _as_trained(known)
    from trueup.training.gate.leak import perfect_test
    from trueup.training.models.refit import asks_for_refit
    from trueup.training.registry.run_tags import lineage_tag

    rows = snapshot_rows(app, stream, as_of)
    if not rows.labelled.any():
        raise NotTrainable(
            f"Stream '{stream.name}' has {len(rows)} records and no label that counts at {to_minute(as_of)}, so "
            "nothing can "
            "be learnt. Check label.column, label.classes and label.maturity, or ingest labelled records."
        )
    data = check_training_data(app, stream, rows, as_of)
    seed = seed_of(stream, as_of)
    searched = search_candidates(stream, rows, seed, on_candidate)
    lease.confirm(app.database)
    registered = app.registry.find_version_by_tag(stream.name, "cycle", cycle_id)
    # What is registered stays as it is: under a time limit another search may come to another winner.
    winner = registered.recipe if registered else searched.result.winner
    refit = lineage_tag(registered.tags, "refit") is not None if registered else asks_for_refit(stream, rows)
    fit = final_fit(stream, rows, winner, seed, refit=refit)
    references = keep_references(app, stream, rows, fit, seed)
    drawn = searched.drawn_params()
    source = lineage(app, rows, snapshot=references.snapshot, seed=seed, asked=asked, drawn=drawn)
    cut_off = utc(rows.meta["time"].iloc[-1].to_pydatetime())
    if registered is None:
        registered = _register(
            app,
            lease,
            stream,
            cycle_id=cycle_id,
            as_of=as_of,
            cut_off=cut_off,
            result=searched.result,
            fit=fit,
            references=references,
            source=source,
            drawn=artifacts(stream, fit.judged_fit, rows, fit.judged, seed, _mask(app)),
        )
    record = VersionRecord(
        stream=stream.name,
        version=registered.number,
        run_id=registered.run_id,
        cut_off=cut_off,
        trained_as_of=as_of,
        snapshot=references.snapshot,
        reference=references.reference,
        quality=references.quality,
        document={
            "recipe": winner.params(),
            "candidates": searched.trials(winner),
            "metrics": fit.metrics,
            "rows": len(rows),
            "labels": len(fit.judged_fit.used),
            **({"refit": fit.refit_labels} if fit.refit_labels else {}),
            "seed": seed,
            "lineage": source,
            "settings": settings_of(stream),
            "data": [*data, asdict(perfect_test(stream, fit.metrics, len(fit.judged)))],
        },
    )
    app.promotions.add_version(lease, record)
    return _as_trained(record)


def _register(
    app: App,
    lease: Lease,
    stream: StreamSettings,
    *,
    cycle_id: str,
    as_of: datetime,
    cut_off: datetime,
    result: SearchResult,
    fit: FinalFit,
    references: References,
    source: Mapping[str, Any],
    drawn: Mapping[str, bytes],
) -> Version:
    """Write the training and its model down in MLflow, as the stream's newest version.

    Raises:
        LeaseHeld: the lease was lost; who has taken over registers a version of his own.
    """
    from trueup.training.models.refit import refit_in_words
    from trueup.training.registry.tracking import TrainingRecord, locked_packages, record

    snapshot, refit_tag = references.snapshot, str(fit.refit_labels or "")
    incident = incident_for(app, stream, tuple(source["asked"]["codes"]))
    story = story_of(
        stream, fit.serving.recipe, source, fit.metrics, judged=len(fit.judged), candidates=len(result.trials),
        links=app.settings.page_links, incident=incident.id if incident else None,
        mask=masks_at(app.settings.site.mask, app.registry.uri),
        refit=refit_in_words(fit.refit_labels, len(fit.judged_fit.used)) if fit.refit_labels else "",
    )  # fmt: skip
    files = {**lineage_files(source, settings_of(stream), locked_packages()), **drawn}
    occasion = occasion_of(source["asked"])
    if drawn:
        made_of = {"Snapshot": Path(snapshot).stem, "Newest record": to_minute(cut_off), "Cycle": cycle_id,
                   "Commit": source["commit"], "Seed": str(source["seed"])}  # fmt: skip
        files[PAGE] = page_of_training(stream, f"{occasion} of {as_of:%Y-%m-%d}", story, result, drawn, made_of)
    lease.confirm(app.database)
    return record(
        app.registry,
        stream,
        TrainingRecord(
            cycle=cycle_id,
            as_of=as_of,
            occasion=occasion,
            who=app.who,
            snapshot=Path(snapshot).stem,
            snapshot_file=str(app.archive.local_path(snapshot) or snapshot),
            cut_off=cut_off,
            commit=source["commit"],
            result=result,
            fitted=fit.serving,
            metrics=fit.metrics,
            description=in_markdown(story),
            lineage={
                "seed": str(source["seed"]),
                "report": source["asked"]["report_id"] or "",
                "refit": refit_tag,
                "drawn": str(len(source.get("drawn", ())) or ""),
            },
            files=files,
            mask=_mask(app),
        ),
    )


def _mask(app: App) -> Callable[[str], str]:
    """What takes personal data out of texts on their way to MLflow, where that is another machine."""
    return masked if masks_at(app.settings.site.mask, app.registry.uri) else str


def _as_trained(record: VersionRecord) -> Trained:
    return Trained(
        version=record.version,
        run_id=record.run_id,
        snapshot=Path(record.snapshot).stem,
        candidates=record.document["candidates"],
        recipe=record.document["recipe"],
    )


def load_trained(app: App, stream: StreamSettings, record: VersionRecord) -> tuple[Any, Rows]:
    """A registered version as its own registry gives it back, with the rows of its snapshot.

    Raises:
        ModelUnusable: it cannot be loaded.
    """
    from trueup.training.candidates.recipes import Recipe
    from trueup.training.models.fitting import Fitted, learnable
    from trueup.training.models.recency import recent_row_count

    rows = snapshots.load(app.archive, record.snapshot, regression=stream.is_regression)
    recipe = Recipe.from_params(record.document["recipe"])
    learning = rows if record.refit_labels else rows.take(~rows.meta["evaluation"].to_numpy())
    used = learnable(stream, learning, recipe, recent_row_count(stream, rows))
    return Fitted(app.registry.load(stream.name, record.version), recipe, used), rows
