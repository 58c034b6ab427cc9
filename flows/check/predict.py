"""The champion's answers, for stored records and for files that are not taken in."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from trueup.feedback.readers import opened
from trueup.feedback.validation import validate
from trueup.flows.app import App
from trueup.flows.check.comparison import champion_of
from trueup.flows.check.run import score_new
from trueup.storage.errors import InputError
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import LabelPolicy, OrderTime, Stream


def predict_newest(app: App, stream: Stream) -> list[dict[str, Any]]:
    """Answers for every stored record newer than the champion's cut-off, newest first; they are kept."""
    champion = _able_to_answer(app, stream)
    now = app.now()
    score_new(app, stream, champion, now)
    rows = app.reader.read(stream, after=champion.cut_off, as_of=now, version=champion.version)
    return _answers(rows.meta["id"], rows.meta["predicted"], rows.meta["score"], champion.version)[::-1]


def predict_file(app: App, stream: Stream, path: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Answers for the records of a file, in its order, and the rows that got none: line, reason, detail.

    The file needs the features only. Without the id's column an answer's id is a hash of its row. Nothing is stored.

    Raises:
        InputError: the file cannot be read, or the champion is a service's own model.
    """
    from trueup.training.models.fitting import answer

    champion = _able_to_answer(app, stream)
    model = app.registry.load(stream.name, champion.version)
    found: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    with opened(path, stream.features, stdin=sys.stdin.buffer) as source:
        asked = features_of(stream, source.columns)
        for chunk in source.chunks():
            judged = validate(asked, chunk, app.now())
            rows = judged.accepted
            refused += [{"line": r.line, "reason": str(r.reason), "detail": r.detail} for r in judged.refused]
            predicted, score = answer(model, stream, rows.table[list(stream.features)])
            found += _answers(rows.ids, predicted, score, champion.version)
    return found, refused


def _able_to_answer(app: App, stream: Stream) -> VersionRecord:
    champion = champion_of(app, stream)
    if champion.service is not None:
        raise InputError(
            f"The champion of '{stream.name}', v{champion.version}, is the model '{champion.service}' of a service, "
            "which trueup does not hold: its answers come with the records, and nothing was answered here. Ask the "
            "service."
        )
    return champion


def features_of(stream: Stream, columns: Sequence[str]) -> Stream:
    """The stream without all that an answer does not need."""
    return stream.model_copy(
        update={
            "id": stream.id if stream.id in columns else "",
            "time": OrderTime(start="1970-01-01", step="1s"),
            "slices": (),
            "group": (),
            "label": LabelPolicy(),
        }
    )


def _answers(ids: Any, predicted: Any, score: Any, version: int) -> list[dict[str, Any]]:
    return [
        {"id": i, "predicted": p, "score": None if s != s else float(s), "version": version}
        for i, p, s in zip(ids, predicted, score, strict=True)
    ]
