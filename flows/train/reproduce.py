"""`trueup train --reproduce`: a version made again from what is stored of it, compared with the registered one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from trueup.flows.app import App
from trueup.flows.train.lineage import changed_settings, stream_when_trained
from trueup.storage import snapshots
from trueup.storage.erasure.erasure_log import ErasureLog
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup_model.kept_vectors import vectors_kept

PredictionsAndScores = tuple[np.ndarray, np.ndarray]  # predicted, score


@dataclass(frozen=True)
class Package:
    """A package that is not the one a version was trained with; `recorded` is None where nobody noted it."""

    name: str
    recorded: str | None
    installed: str


@dataclass(frozen=True)
class Differences:
    """How many of `rows` two models answer otherwise, and the largest difference: of numbers, or of probabilities."""

    rows: int
    different: int
    largest: float


@vectors_kept()
def reproduce(app: App, stream: StreamSettings, number: int) -> dict[str, Any]:
    """Fit a version's recipe with its seed on its snapshot, and hold its answers to those rows against the version's.

    Nothing is registered and no alias moves. The settings are those of its training; for a version that was trained
    before they were kept, today's.

    Raises:
        InputError: the store knows no such version, or it was pruned, is a service's own or a trainer's.
        ConfigError: the settings of its training cannot be read, or today's name features that the snapshot lacks.
        StoreUnusable: the snapshot is missing or damaged.
        ModelUnusable: the registered version cannot be loaded, or does not answer.
        NotTrainable: nothing can be fitted on the rows under these settings.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from trueup.training.candidates.recipes import Recipe
    from trueup.training.models.fitting import answer, fit
    from trueup.training.models.recency import recent_row_count
    from trueup.training.registry.run_tags import recorded_packages
    from trueup.training.registry.tracking import packages

    record = app.promotions.version(stream.name, number)
    if record is None:
        raise InputError(
            f"'{stream.name}' has no version {number}, so there is nothing to make again. "
            f"See: trueup models list --stream {stream.name}"
        )
    app.prunings.refuse_pruned(stream.name, number)
    if record.service is not None:
        raise InputError(
            f"v{number} of '{stream.name}' is the model '{record.service}' of a service and was not trained here, so "
            "it cannot be made again. What it answered stands beside its records."
        )
    recipe = Recipe.from_params(record.document["recipe"])
    if recipe.is_foreign:
        raise InputError(
            f"v{number} of '{stream.name}' was made elsewhere, by the trainer '{recipe.model}', so it cannot be made "
            f"again here. What it was given is kept: snapshot {PurePosixPath(record.snapshot).stem}, seed "
            f"{record.document['seed']}. To compare the model with what was registered: trueup models verify --stream "
            f"{stream.name}"
        )
    then = stream_when_trained(record)
    changed = changed_settings(then, stream) if then else []
    stream = then or stream
    rows = snapshots.load(app.archive, record.snapshot, regression=stream.is_regression)
    _need_features(stream, record, rows)
    registered = app.registry.version(stream.name, number)
    stored = app.registry.load(stream.name, number)
    learning = rows if record.refit_labels else rows.take(~rows.meta["evaluation"].to_numpy())
    made = fit(recipe, stream, learning, record.document["seed"], recent_row_count(stream, rows))
    with threadpool_limits(1):  # sums that threads share differ in the last bit
        found = differences(answer(stored, stream, rows.features), answer(made.model, stream, rows.features))
    drawn = drawn_again(stream, record, learning)
    others = other_packages(recorded_packages(registered.tags), packages(recipe))
    labels = record.refit_labels or record.document["labels"], len(made.used)
    erased = any(number in erasure.versions for erasure in ErasureLog(app.database).of(stream.name))
    return {
        "run_id": record.run_id,
        "version": number,
        "snapshot": PurePosixPath(record.snapshot).stem,
        "recipe": recipe.params(),
        "candidates": [],
        "drawn": drawn,
        "gate": None,
        "promotion": None,
        "identical": not found.different,
        "rows": found.rows,
        "different": found.different,
        "largest": found.largest,
        "labels": {"recorded": labels[0], "used": labels[1]},
        "packages": others,
        "settings": {"kept": then is not None, "changed": changed},
        "erased": erased,
        "said": (_erased_said(number, found) if erased else _said(number, found, labels, others))
        + _settings_said(then is not None, changed)
        + _drawn_said(drawn),
    }


def differences(one: PredictionsAndScores, other: PredictionsAndScores) -> Differences:
    """Where the answers of two models to the same rows differ, to the last bit; no score is the same as no score."""
    same_score = (one[1] == other[1]) | (np.isnan(one[1]) & np.isnan(other[1]))
    different = ~(np.asarray(one[0] == other[0], dtype=bool) & same_score)
    numbers = one[0].dtype == np.float64
    apart = np.abs(one[0] - other[0]) if numbers else np.abs(one[1] - other[1])
    return Differences(len(different), int(different.sum()), float(np.nanmax(apart, initial=0.0)))


def drawn_again(stream: StreamSettings, record: VersionRecord, learning: Rows) -> dict[str, Any] | None:
    """The candidates that were drawn for the training, and whether its seed draws them again; None: none were."""
    kept = (record.document.get("lineage") or {}).get("drawn")
    if not kept:
        return None
    from trueup.training.candidates.spaces import drawn_recipes

    again = [recipe.params() for recipe in drawn_recipes(stream, record.document["seed"], learning)]
    return {"candidates": kept, "same": again == kept}


def other_packages(recorded: Mapping[str, str], installed: Mapping[str, str]) -> tuple[Package, ...]:
    """The installed packages that are not those recorded."""
    return tuple(
        Package(name, recorded.get(name), version)
        for name, version in installed.items()
        if recorded.get(name) != version
    )


def _need_features(stream: StreamSettings, record: VersionRecord, rows: Rows) -> None:
    lacking = [column for column in stream.features if column not in rows.features]
    if lacking:
        raise ConfigError(
            f"The settings of '{stream.name}' name the features {', '.join(lacking)}, which the snapshot of "
            f"v{record.version} lacks: it was trained under other settings, and cannot be made again under these. Use "
            "the trueup.toml of that time (--config); the tag `trueup.commit` of its MLflow run names it, if any does."
        )


def _settings_said(kept: bool, changed: Sequence[Mapping[str, Any]]) -> str:
    if not kept:
        return " It was trained before settings were kept with a version, so today's were used."
    if not changed:
        return ""
    told = "; ".join(f"{one['key']} was {json.dumps(one['then'])}, is {json.dumps(one['now'])}" for one in changed)
    return f" The settings of its training were used; today's are others: {told}."


def _drawn_said(drawn: Mapping[str, Any] | None) -> str:
    if drawn is None:
        return ""
    found = "draws them again" if drawn["same"] else "draws others here, since packages or rows are not the same"
    return f" {len(drawn['candidates'])} candidates of its search were drawn from training.spaces; its seed {found}."


def _erased_said(number: int, found: Differences) -> str:
    return (
        f"Rows that v{number} was trained on were erased since, so it cannot be made again exactly: fitted on the rows "
        f"that are left, it answers {found.different} of {found.rows} otherwise than as registered, by "
        f"{found.largest:.3g} at most. Nothing is damaged."
    )


def _said(number: int, found: Differences, labels: tuple[int, int], others: tuple[Package, ...]) -> str:
    named = ", ".join(f"{p.name} {p.recorded or '(not recorded)'}, here {p.installed}" for p in others)
    if not found.different:
        also = f" Although these packages are others: {named}." if others else ""
        return f"v{number}, made again from its snapshot, answers all {found.rows} rows exactly as registered.{also}"
    fitted = (
        f"It was fitted on {labels[1]} labelled rows and not on {labels[0]}: the rows or settings are not the same. "
        if labels[0] != labels[1]
        else ""
    )
    cause = (
        f"Packages that are not those of its training: {named}."
        if others
        else "The packages are those of its training: look for changed settings, or chance in a candidate of your own."
    )
    return (
        f"v{number}, made again from its snapshot, answers {found.different} of {found.rows} rows otherwise than as "
        f"registered, by {found.largest:.3g} at most, so its figures cannot be made again here. {fitted}{cause}"
    )
