"""Who answers the newest records of a stream whose model runs elsewhere, and what people are told of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.predictions import predictor_of, sent_predictions, service_version_name
from trueup.storage.promotions import PromotionKind, VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK, utc

UNANSWERED = 0.05  # share of a window's records without an answer, above which people are told
SAME = 0.01  # share of answers, or part of a number, up to which two answer alike


@dataclass(frozen=True)
class NewestPredictions:
    """The newest window: how many records it holds, those that came with an answer, and by which version each."""

    records: int
    answered: Rows
    names: np.ndarray

    @property
    def counts(self) -> Counter[str]:
        """How many each version answered, as the service calls it; most first."""
        return Counter(dict(Counter(self.names.tolist()).most_common()))


def newest_predictions(app: App, stream: StreamSettings, as_of: datetime) -> NewestPredictions:
    """Who answered the newest window of records known at a time."""
    times = app.reader.times(stream, as_of)
    if not len(times) or not stream.prediction.column:
        return NewestPredictions(len(times), Rows.empty(stream.columns), np.empty(0, dtype=object))
    policy = stream.policy
    if policy.window_records is not None:
        start = times[max(0, len(times) - policy.window_records)] - np.timedelta64(TICK)
    else:
        start = times[-1] - np.timedelta64(policy.window_span)
    rows = app.reader.read(stream, after=utc(start.item()), as_of=as_of)
    return NewestPredictions(len(rows), *sent_predictions(app, stream, rows))


def versions_by_service_name(app: App, stream: StreamSettings) -> dict[str, VersionRecord]:
    """The registered versions by how a service calls them."""
    return {service_version_name(record): record for record in reversed(app.promotions.versions(stream.name))}


def handover_pending(app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime) -> bool:
    """Whether the alias was moved to a version under whose name no answer has come since."""
    last = app.promotions.last_committed(stream.name)
    if last is None or last.kind == PromotionKind.ELSEWHERE:
        return False
    rows = app.reader.read(stream, after=last.as_of, as_of=as_of)
    return service_version_name(champion) not in sent_predictions(app, stream, rows)[1].tolist()


def display_name(name: str) -> str:
    """A service's version as people are told of it."""
    return f"'{name}'" if name else "a version without a name"


def notes_on_answers(app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime) -> tuple[str, ...]:
    """What a person should know of who answers; nothing where no service does, or it is the champion alone."""
    if not stream.prediction.column:
        return ()
    window = newest_predictions(app, stream, as_of)
    lacking = window.records - len(window.answered)
    said = [_who_answers(app, stream, champion, window.counts, as_of)]
    if len(window.answered) and lacking > UNANSWERED * window.records:
        said.append(
            f"{lacking} of the newest {window.records} records came without an answer; score and metric leave them out."
        )
    return tuple(filter(None, said))


def serving_skew(app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime) -> tuple[str, ...]:
    """Whether answers that a service sent under the number of a version of ours are not what that version answers.

    Raises:
        ModelUnusable: the version cannot be loaded.
    """
    if champion.service is not None or not stream.prediction.version:
        return ()
    window = newest_predictions(app, stream, as_of)
    sent = window.answered.take(window.names == service_version_name(champion))
    if not len(sent):
        return ()
    ours = predictor_of(app, stream, champion)(sent).meta["predicted"].to_numpy()
    theirs = sent.meta["predicted"].to_numpy()
    if stream.is_regression:
        other = int((~np.isclose(theirs.astype(float), ours.astype(float), rtol=SAME)).sum())
    else:
        other = int((theirs != ours).sum())
    if other <= SAME * len(sent):
        return ()
    return (
        f"{other} of the newest {len(sent)} answers that were sent under {service_version_name(champion)} are not what "
        f"the registered v{champion.version} answers to these records: the service runs another model, or reads the "
        "records differently.",
    )


def _who_answers(
    app: App, stream: StreamSettings, champion: VersionRecord, counts: Counter[str], as_of: datetime
) -> str:
    number = f"v{champion.version}"
    total, own = counts.total(), counts[service_version_name(champion)]
    if not total:
        return f"None of the newest records came with an answer, so it is not known whether {number} serves."
    if champion.service is None and not stream.prediction.version:
        return f"The service's answers name no version, so it is not known whether {number} serves."
    if own == total:
        return ""
    other = next(name for name in counts if name != service_version_name(champion))
    known = versions_by_service_name(app, stream)
    who = f"{display_name(other)} (v{known[other].version})" if other in known else display_name(other)
    if not own and handover_pending(app, stream, champion, as_of):
        return (
            f"{number} was handed over and does not serve yet: the newest {total} answered records are still answered "
            f"by {who}. The service finds its version by the alias `champion` in MLflow."
        )
    said = (
        f"Of the newest {total} answered records {total - own} were answered by {who} or others, not by champion "
        f"{number}; they are left out of its score and metric"
    )
    if other.isdigit() and other not in known:
        unknown = f"{display_name(other)} is the number of no registered version"
        return f"{said}. {unknown}: give the service's own models names."
    return f"{said}. Once a window passes without the champion's answers, it takes its place."
