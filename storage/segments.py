"""Records as Parquet files: a batch is one, its columns as they came and our own beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.storage.archive import Archive
from trueup.storage.content import content_keys, evaluation_side, group_keys
from trueup.storage.personal_data import MAYBE, without_personal_data
from trueup.storage.stream import OWN_PREFIX, StreamSettings


@dataclass(frozen=True)
class Segment:
    """A file of n records. evaluation: their side of the split. content: hash of the normalised content of each."""

    name: str
    evaluation: np.ndarray
    content: np.ndarray


def write_segment(
    archive: Archive,
    stream: StreamSettings,
    folder: str,
    table: pa.Table,
    *,
    ids: np.ndarray,
    times: np.ndarray,
    seq: np.ndarray,
) -> Segment:
    """Write n records of a stream, their places in intake order beside them; the file counts once a table names it."""
    names = _kept_names(table.column_names)
    table = table.rename_columns([names.get(column, column) for column in table.column_names])
    content = content_keys(stream, table)
    groups = group_keys(stream, table, content)
    sides = evaluation_side(stream, groups)
    own = {
        "id": pa.array(ids, pa.string()), "time": pa.array(times), "seq": pa.array(seq),
        "evaluation": pa.array(sides), "content": pa.array(content), "group": pa.array(groups),
    }  # fmt: skip
    table = _masked(stream, table)  # after what is derived of the texts, so that a row sent again is known
    for name, values in own.items():
        table = table.append_column(f"{OWN_PREFIX}{name}", values)
    return Segment(archive.write_table(f"{folder}/{stream.name}", table), sides, content)


def _masked(stream: StreamSettings, table: pa.Table) -> pa.Table:
    """Rows with the columns of `mask_at_intake` masked; texts in which nothing could be masked are not looked at."""
    for column in stream.mask_at_intake:
        if column not in table.column_names:
            continue
        texts = table.column(column)
        found = pc.fill_null(pc.match_substring_regex(texts, MAYBE), False)
        if pc.any(found).as_py():
            masked = [without_personal_data(text) for text in texts.filter(found).to_pylist()]
            replaced = pc.replace_with_mask(
                texts.combine_chunks(), found.combine_chunks(), pa.array(masked, texts.type)
            )
            table = table.set_column(table.column_names.index(column), column, replaced)
    return table


def _kept_names(columns: Sequence[str]) -> dict[str, str]:
    """New names for undeclared columns that begin with two underscores, as our own beside them do."""
    taken, names = set(columns), {}
    for column in columns:
        if column.startswith(OWN_PREFIX):
            name = f"undeclared{column}"
            while name in taken:
                name = f"undeclared_{name}"
            taken.add(name)
            names[column] = name
    return names
