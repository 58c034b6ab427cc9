"""The champion's answers, for stored records and for files that are not taken in."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from trueup.feedback.chunks import object_array
from trueup.feedback.readers import opened
from trueup.feedback.validation import validate
from trueup.flows.app import App
from trueup.flows.check.champion import champion_of
from trueup.flows.check.predictions import score_new
from trueup.flows.check.reader_lease import announced
from trueup.storage.errors import InputError
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import LabelPolicy, OrderTime, StreamSettings


@announced
def predict_newest(app: App, stream: StreamSettings) -> list[dict[str, Any]]:
    """Answers for every stored record newer than the champion's cut-off, newest first; they are kept."""
    champion = able_to_answer(app, stream)
    now = app.now()
    score_new(app, stream, champion, now)
    rows = app.reader.read(stream, after=champion.cut_off, as_of=now, version=champion.version)
    return _answers(rows.meta["id"], rows.meta["predicted"], rows.meta["score"], champion.version)[::-1]


def predict_rows(
    app: App, stream: StreamSettings, source: str | pa.Table
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Answers for the records of a file or table, in its order, and the rows that got none: line, reason, detail.

    The features suffice. Without the id's column an answer's id is a hash of its row. Nothing is stored.

    Raises:
        InputError: the source cannot be read, or the champion is a service's own model.
    """
    found: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    version = able_to_answer(app, stream)
    for rows, predicted, score, left_out in _answered(app, stream, version, source):
        refused += [{"line": r.line, "reason": str(r.reason), "detail": r.detail} for r in left_out]
        found += _answers(rows.ids, predicted, score, version.version)
    return found, refused


def answers_by_row(app: App, stream: StreamSettings, table: pa.Table) -> pd.DataFrame:
    """One answer a row of a table, in its order: predicted, score, and in `refused` why a row got none.

    Raises:
        InputError: a feature is missing, or the champion is a service's own model.
    """
    answered = pd.DataFrame(
        {"predicted": object_array([None] * len(table)), "score": np.nan, "refused": object_array([None] * len(table))}
    )
    version = able_to_answer(app, stream)
    for rows, predicted, score, left_out in _answered(app, stream, version, table):
        at = rows.lines - 1
        answered.loc[at, "predicted"] = predicted
        answered.loc[at, "score"] = score
        for row in left_out:
            answered.loc[row.line - 1, "refused"] = row.detail
    return answered.infer_objects()


def _answered(app: App, stream: StreamSettings, version: VersionRecord, source: str | pa.Table) -> Iterator[Any]:
    """Chunk by chunk: the rows that hold, their answers and scores, and the rows that do not."""
    from trueup.training.models.fitting import answer

    model = app.registry.load(stream.name, version.version)
    with opened(source, stream.features, format=stream.format, stdin=sys.stdin.buffer) as opened_source:
        asked = features_of(stream, opened_source.columns)
        for chunk in opened_source.chunks():
            judged = validate(asked, chunk, app.now())
            rows = judged.accepted
            yield rows, *answer(model, stream, rows.table.to_pandas()[list(stream.features)]), judged.refused


def able_to_answer(app: App, stream: StreamSettings) -> VersionRecord:
    """The champion, where it is a model that is held here.

    Raises:
        InputError: nothing is predicted, or the champion is a service's own model.
        NoChampion: there never was one.
        ModelUnusable: the registry lost it.
    """
    champion = champion_of(app, stream)
    if not stream.predicts:
        raise InputError(f"'{stream.name}' predicts nothing (task = \"drift\"), so nothing was answered here.")
    if champion.service is not None:
        raise InputError(
            f"The champion of '{stream.name}', v{champion.version}, is the model '{champion.service}' of a service, "
            "which trueup does not hold: its answers come with the records, and nothing was answered here. Ask the "
            "service."
        )
    return champion


def features_of(stream: StreamSettings, columns: Sequence[str]) -> StreamSettings:
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
