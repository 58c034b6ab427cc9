"""The golden set of a stream: records whose answer is beyond doubt, read from the file that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trueup.feedback.labels import resolve
from trueup.feedback.readers import opened
from trueup.feedback.validation import validate
from trueup.flows.app import App
from trueup.flows.check.predict import features_of
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.gate.context import GoldenSet

EXPECTED = "expected"


def golden_set(app: App, stream: StreamSettings) -> GoldenSet | None:
    """The stream's golden set; None where its settings name none.

    Raises:
        ConfigError: the file cannot be read, or a row of it is no record with an answer.
    """
    if not stream.gate.golden:
        return None
    try:
        return _read(app, stream, str(app.beside(stream.gate.golden)))
    except InputError as error:
        raise ConfigError(
            f"The golden set of '{stream.name}' (gate.golden) cannot be used, so no challenger can be judged. {error}"
        ) from error


def _read(app: App, stream: StreamSettings, path: str) -> GoldenSet:
    from trueup.training.gate.context import GoldenSet

    parts: list[GoldenSet] = []
    with opened(path, stream.features, format=stream.format) as source:
        column = EXPECTED if EXPECTED in source.columns else stream.label.column
        if column not in source.columns:
            told = f"'{EXPECTED}'" + (f" or '{column}'" if column else "")
            raise InputError(f"{path}: there is no column {told}, so no answer is known to be right. Add it.")
        asked = features_of(stream, source.columns)
        for chunk in source.chunks():
            judged = validate(asked, chunk, app.now())
            for row in judged.refused:
                raise InputError(f"{path}, line {row.line}: {row.detail}. Fix the row, or take it out.")
            rows, table = judged.accepted, judged.accepted.table.to_pandas()
            expected = resolve(stream, table[column])
            for line, raw, answer in zip(rows.lines, table[column], expected, strict=True):
                if answer is None:
                    wanted = "number" if stream.is_regression else "class of the stream"
                    raise InputError(f"{path}, line {line}: '{str(raw)[:60]}' is no {wanted}. Fix the row.")
            parts.append(GoldenSet(table[list(stream.features)], expected, np.asarray(rows.lines)))
    if not sum(len(part.lines) for part in parts):
        raise InputError(f"{path}: it holds no record. Add some, or leave gate.golden out.")
    return GoldenSet(
        pd.concat([part.features for part in parts], ignore_index=True),
        np.concatenate([part.expected for part in parts]),
        np.concatenate([part.lines for part in parts]),
    )
