"""What the page "try it" shows: the form of a stream, and the champion's answer in words."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from trueup.flows.app import App
from trueup.flows.check.trying import LoadedChampion, load_champion, try_record, unknown_levels
from trueup.reports.pages.try_page import TriedAnswer, TryFacts, TryField
from trueup.reports.pictures.drivers import DriverBar, answer_drivers
from trueup.storage.errors import TrueupError
from trueup.storage.formatting import capitalised, confidence, figure, metric_name, percent, signed
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute
from trueup.training.candidates.recipes import OWN, TRAINER
from trueup.training.models.drivers import AnswerDrivers, Driver

ASKING_SECONDS = 5.0  # for what drove the answer; it is given without the rest
_CLASSES = 8  # whose probabilities are shown
_LEVELS = 60  # offered of a column
_ECHOED = 100_000  # letters of a field that are shown again; a longer one is refused anyway
_LONGEST = 40  # letters of a part within a sentence
_MODELS = 4  # kept in memory


class Trying:
    """Asks champions about made-up records. Their models stay in memory until another version answers."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loaded: dict[str, LoadedChampion] = {}
        self._lock = threading.Lock()

    def facts(self, stream: StreamSettings, record: Mapping[str, str] | None) -> TryFacts:
        """The page's facts; record: what the form held, None where it is only looked at."""
        named = "Try a review" if stream.text else "Try a record"
        if record is not None:
            record = {column: record.get(column, "") for column in stream.features}
        try:
            champion = self._champion(stream)
        except TrueupError as error:
            return TryFacts(stream=stream.name, named=named, problem=str(error))
        fields = tuple(_field(stream, column, champion, record or {}) for column in stream.features)
        version = f"v{champion.record.version}"
        answer, problem = None, ""
        if record is not None:
            try:
                answer = self._answer(stream, champion, record)
            except TrueupError as error:
                problem = _sentence(str(error))
        return TryFacts(stream.name, named, _who(stream, champion), version, fields, problem, answer)

    def _champion(self, stream: StreamSettings) -> LoadedChampion:
        with self._lock:  # two forms at once load a model once
            champion = load_champion(self._app, stream, self._loaded.pop(stream.name, None))
            self._loaded[stream.name] = champion
            for oldest in list(self._loaded)[:-_MODELS]:
                del self._loaded[oldest]
        return champion

    def _answer(self, stream: StreamSettings, champion: LoadedChampion, record: Mapping[str, str]) -> TriedAnswer:
        until = time.monotonic() + ASKING_SECONDS
        found = try_record(self._app, stream, champion, record, lambda: time.monotonic() < until)
        notes = [
            f"{column}: the training data had no '{_cut(level)}', so the model reads it as a rare or unknown level."
            for column, level in unknown_levels(champion, record).items()
        ]
        if found.untried:
            tried = len(found.drivers)
            notes.append(f"In {ASKING_SECONDS:.0f} s {tried} of {tried + found.untried} parts could be left out.")
        if found.chances and found.chances[0][0] != found.predicted:
            named, likeliest = _cut(str(found.predicted)), _cut(found.chances[0][0])
            notes.append(
                f"'{named}' is named although '{likeliest}' is more probable: the threshold serves "
                f"{metric_name(stream.metric)}, not the most frequent class."
            )
        return tried_answer(stream, found, tuple(notes))


def tried_answer(stream: StreamSettings, found: AnswerDrivers, notes: tuple[str, ...] = ()) -> TriedAnswer:
    """An answer and its drivers in words."""
    single = len(stream.features) == 1  # a column that is not named each time
    is_number = isinstance(found.predicted, float)
    predicted = figure(found.predicted) if isinstance(found.predicted, float) else found.predicted
    bars = tuple(DriverBar(_part(driver, single), driver.by, _change(found, driver)) for driver in found.drivers)
    drawn = None
    if any(bar.by for bar in bars):
        sides = ("lowers it", "raises it") if is_number else ("against it", f"for {predicted}")
        drawn = answer_drivers(bars, sides=sides, without="change" if is_number else "probability without it")
    return TriedAnswer(
        predicted=predicted,
        sure="" if found.chance is None else _share(found.chance),
        chances=tuple((name, _share(chance), chance) for name, chance in found.chances[:_CLASSES]),
        others=max(0, len(found.chances) - _CLASSES),
        strongest=_strongest(found, single),
        drivers=drawn,
        method=_method(stream),
        reading="At each bar: what the part adds to the number."
        if is_number
        else f"At each bar: the probability of {_cut(str(predicted))} without that part. Length: in log-odds.",
        notes=notes,
    )


def _strongest(found: AnswerDrivers, single: bool) -> str:
    strongest = next(iter(found.drivers), None)
    if strongest is None or not strongest.by:
        return "No word or column changes the answer when it alone is left out."
    begin = f"Strongest: {_part(strongest, single)}. {'Without it' if strongest.part else 'Left empty,'}"
    if found.chance is None:
        return f"{begin} the answer would be {figure(strongest.without)}."
    named = _cut(str(found.predicted))
    return (
        f"{begin} the probability of {named} would be {_share(strongest.without)} instead of {_share(found.chance)}."
    )


def _method(stream: StreamSettings) -> str:
    words, columns = "each word is left out", "each column is left empty"
    done = [*([words] if stream.text else []), *([columns] if len(stream.features) > len(stream.text) else [])]
    return f"{capitalised(' and '.join(done))} in turn, and the model is asked again."


def _part(driver: Driver, single: bool) -> str:
    part = _cut(driver.part)
    return driver.column if not part else f"'{part}'" if single else f"{driver.column} '{part}'"


def _change(found: AnswerDrivers, driver: Driver) -> str:
    return signed(driver.by) if found.chance is None else _share(driver.without)


def _share(chance: float) -> str:
    """A probability; near certainty with the digits that tell it from certainty."""
    return confidence(chance) if chance > 0.99 else percent(chance)


def _field(stream: StreamSettings, column: str, champion: LoadedChampion, record: Mapping[str, str]) -> TryField:
    kind = "text" if column in stream.text else "number" if column in stream.numeric else "level"
    value = record.get(column, "")
    levels = champion.levels.get(column, ())[:_LEVELS]
    return TryField(column, kind, value if len(value) <= _ECHOED else "", levels)


def _who(stream: StreamSettings, champion: LoadedChampion) -> str:
    recipe = champion.record.document["recipe"]
    model = recipe["model"] if recipe["feature"] in (OWN, TRAINER) else recipe["model"].replace("_", " ")
    return (
        f"The champion of '{stream.name}', v{champion.record.version} ({model}, trained on data until "
        f"{to_minute(champion.record.cut_off)}), answers here as it does everywhere."
    )


def _cut(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= _LONGEST else f"{one[: _LONGEST - 1]}…"


def _sentence(words: str) -> str:
    said = capitalised(words)
    return said if said.endswith(".") else f"{said}."
