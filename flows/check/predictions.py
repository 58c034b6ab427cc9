"""What a version answers: by its model, or as a service sent it with the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trueup.feedback.labels import resolve
from trueup.feedback.values import number
from trueup.flows.app import App
from trueup.storage.errors import ModelUnusable
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows, stack
from trueup.storage.stream import Stream

if TYPE_CHECKING:
    from trueup.training.evaluation.head_to_head import Answers


def sent_answers(app: App, stream: Stream, rows: Rows) -> tuple[Rows, np.ndarray]:
    """Those of `rows` that came with a service's answer, with it, and by which version each was given ("": not said).

    What is no class or number by today's rules is no answer.
    """
    sent = app.reader.sent(stream, rows)
    answers = resolve(stream, sent.answer)
    chances = np.array([np.nan if v is None or number(v) is None else number(v) for v in sent.score], dtype=float)
    there = np.array([answer is not None for answer in answers], dtype=bool)
    given = rows.with_meta(predicted=answers, score=chances).take(there)
    return given, np.array([v or "" for v in sent.version[there]], dtype=object)


def named(record: VersionRecord) -> str:
    """How a service names this version beside its answers."""
    return str(record.version) if record.service is None else record.service


def answering(app: App, stream: Stream, record: VersionRecord) -> Answers:
    """How a version answers rows: a model of ours all of them, a service's those that it sent its answer with.

    Raises:
        ModelUnusable: the model cannot be loaded, or the settings name no column of answers.
    """
    if record.service is None:
        from trueup.training.evaluation.head_to_head import answers_of

        return answers_of(stream, app.registry.load(stream.name, record.version))
    if not stream.prediction.column:
        raise ModelUnusable(
            f"v{record.version} of '{stream.name}' is a service's own model ('{record.service}'), whose answers come "
            "with the records, and the settings name no column of them, so it answers nothing. Set column under "
            f"[streams.{stream.name}.prediction], or let another version answer: trueup models promote --to VERSION "
            f"--force --stream {stream.name} --why '...'"
        )

    def sent(rows: Rows) -> Rows:
        given, by = sent_answers(app, stream, rows)
        its = by == record.service
        if stream.metric == "roc_auc":
            its &= given.meta["score"].notna().to_numpy()  # the metric ranks scores: without one nothing was said
        return given.take(its)

    return sent


def scoring(app: App, stream: Stream, champion: VersionRecord) -> Answers:
    """As `answering`; but what a service sent under the number of a version of ours comes before what we would say.

    Raises:
        ModelUnusable: as `answering`.
    """
    ours = answering(app, stream, champion)
    if champion.service is not None or not stream.prediction.version:
        return ours

    def sent_or_ours(rows: Rows) -> Rows:
        given, by = sent_answers(app, stream, rows)
        given = given.take(by == named(champion))
        rest = rows.take(~np.isin(rows.meta["seq"].to_numpy(), given.meta["seq"].to_numpy()))
        return stack([given, ours(rest)], stream.columns)

    return sent_or_ours
