"""What a version answers: by its model, or as a service sent it with the records."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from trueup.feedback.labels import resolve
from trueup.feedback.values import number
from trueup.flows.app import App
from trueup.storage.errors import ModelUnusable
from trueup.storage.leases import Lease
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows, stack
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.evaluation.head_to_head import Predictor

_NEWEST, _FURTHER = 1_000, 8  # newest records among which unanswered ones are looked for; how many times more then


def sent_predictions(app: App, stream: StreamSettings, rows: Rows) -> tuple[Rows, np.ndarray]:
    """Those of `rows` that came with a service's answer, with it, and by which version each was given ("": not said).

    What is no class or number by today's rules is no answer.
    """
    sent = app.reader.sent(stream, rows)
    answers = resolve(stream, sent.answer)
    chances = np.array([np.nan if v is None or number(v) is None else number(v) for v in sent.score], dtype=float)
    there = np.array([answer is not None for answer in answers], dtype=bool)
    given = rows.with_meta(predicted=answers, score=chances).take(there)
    return given, np.array([v or "" for v in sent.version[there]], dtype=object)


def service_version_name(record: VersionRecord) -> str:
    """How a service names this version beside its answers."""
    return str(record.version) if record.service is None else record.service


def predictor_of(app: App, stream: StreamSettings, record: VersionRecord) -> Predictor:
    """How a version answers rows: a model of ours all of them, a service's those that it sent its answer with.

    Raises:
        ModelUnusable: the model cannot be loaded, or the settings name no column of answers.
    """
    if record.service is None:
        from trueup.training.evaluation.head_to_head import model_predictor

        return model_predictor(stream, app.registry.load(stream.name, record.version))
    if not stream.prediction.column:
        raise ModelUnusable(
            f"v{record.version} of '{stream.name}' is a service's own model ('{record.service}'), whose answers come "
            "with the records, and the settings name no column of them, so it answers nothing. Set column under "
            f"[streams.{stream.name}.prediction], or let another version answer: trueup models promote --to VERSION "
            f"--force --stream {stream.name} --why '...'"
        )

    def sent(rows: Rows) -> Rows:
        given, by = sent_predictions(app, stream, rows)
        its = by == record.service
        if stream.metric == "roc_auc":
            its &= given.meta["score"].notna().to_numpy()  # the metric ranks scores: without one nothing was said
        return given.take(its)

    return sent


def scorer_of(app: App, stream: StreamSettings, champion: VersionRecord) -> Predictor:
    """As `answering`; but what a service sent under the number of a version of ours comes before what we would say.

    Raises:
        ModelUnusable: as `answering`.
    """
    ours = predictor_of(app, stream, champion)
    if champion.service is not None or not stream.prediction.version:
        return ours

    def sent_or_ours(rows: Rows) -> Rows:
        given, by = sent_predictions(app, stream, rows)
        given = given.take(by == service_version_name(champion))
        rest = rows.take(~np.isin(rows.meta["seq"].to_numpy(), given.meta["seq"].to_numpy()))
        return stack([given, ours(rest)], stream.columns)

    return sent_or_ours


def score_new(
    app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime, lease: Lease | None = None
) -> int:
    """Give every record newer than the champion's cut-off the champion's answer, if it has one; how many got it now.

    Where no record lacks one the model is loaded only for a cycle, which must tell of a champion that cannot answer.

    Raises:
        LeaseHeld: the `lease` of a cycle was lost.
        ModelUnusable: the champion cannot be loaded or scored.
    """
    if not stream.predicts:
        return 0
    start = _lacking_since(app, stream, champion, as_of)
    if start is None and lease is None:
        return 0
    answers = scorer_of(app, stream, champion)
    if start is None:
        return 0
    rows = app.reader.read(stream, after=start, as_of=as_of, version=champion.version)
    rows = answers(rows.take(rows.meta["predicted"].isna().to_numpy()))
    if len(rows):
        predicted, chances = rows.meta["predicted"].to_numpy(), rows.meta["score"].to_numpy()
        app.predictions.add(stream, champion.version, rows, predicted, chances, lease)
    return len(rows)


def _lacking_since(app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime) -> datetime | None:
    """After when all records lie that lack the champion's answer; None: there are none.

    Mostly they are the newest, so that is where they are looked for first, and not in a history of millions.
    """
    def lacking(after: datetime) -> int:
        return app.predictions.missing(stream, champion.version, after=after, as_of=as_of)

    every = lacking(champion.cut_off)
    if not every:
        return None
    count = max(_NEWEST, 2 * every)
    while (start := app.counts.newest_since(stream, count, after=champion.cut_off, as_of=as_of)) > champion.cut_off:
        if lacking(start) == every:
            break
        count *= _FURTHER
    return start
