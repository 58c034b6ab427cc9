"""One record that somebody made up: the champion's answer and what drove it; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trueup.feedback.chunks import chunk_of
from trueup.feedback.validation import validate
from trueup.flows.app import App
from trueup.flows.check.predict import able_to_answer, features_of
from trueup.storage.errors import InputError
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.pipelines import known_levels
from trueup.training.models.drivers import AnswerDrivers, drivers_of


@dataclass(frozen=True)
class LoadedChampion:
    """A champion whose model is in memory. levels: those that it learnt, by categorical column, where it says so."""

    record: VersionRecord
    model: Any
    levels: Mapping[str, tuple[str, ...]]


def load_champion(app: App, stream: StreamSettings, loaded: LoadedChampion | None = None) -> LoadedChampion:
    """The champion in force, with its model; `loaded` again, where it still is that one.

    Raises:
        InputError: nothing is predicted, or the champion is a service's own model.
        NoChampion: there never was one.
        ModelUnusable: it is lost or cannot be loaded.
    """
    record = able_to_answer(app, stream)
    if loaded and loaded.record == record:
        return loaded
    model = app.registry.load(stream.name, record.version)
    return LoadedChampion(record, model, known_levels(model, stream))


def try_record(
    app: App,
    stream: StreamSettings,
    champion: LoadedChampion,
    record: Mapping[str, object],
    goes_on: Callable[[], bool] = lambda: True,
) -> AnswerDrivers:
    """What the champion answers to a record, which is judged and cleaned as those that are taken in, and why.

    Args:
        record: values by column; a feature that it lacks is missing, other columns are left aside.
        goes_on: whether there is time left to ask what drove the answer.

    Raises:
        InputError: the record would be refused.
        ModelUnusable: the model fails on it.
    """
    held = {column: record[column] for column in stream.features if column in record}
    if not held:
        raise InputError(f"The record has none of the columns {', '.join(stream.features)}, so there is no answer.")
    judged = validate(features_of(stream, ()), chunk_of([held]), app.now())
    if judged.refused:
        raise InputError(judged.refused[0].detail)
    return drivers_of(stream, champion.model, judged.accepted.table.to_pandas(), goes_on)


def unknown_levels(champion: LoadedChampion, record: Mapping[str, object]) -> dict[str, str]:
    """The levels of a record that the champion never saw in training, by column."""
    return {
        column: level
        for column, known in champion.levels.items()
        if (level := str(record.get(column) or "").strip()) and level not in known
    }
