"""Words that stored models learnt from erased rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from trueup.storage.archive import Archive
from trueup.storage.stream import StreamSettings


def learnt_only_from(
    archive: Archive, stream: StreamSettings, snapshots: Sequence[str], seqs: Sequence[int]
) -> set[str]:
    """Entries of vocabularies (words, pairs of words, letters) that these rows gave to models and no other row did.

    snapshots: the files of the rows that models were trained on.
    """
    gone, theirs, others = pa.array(sorted(seqs), pa.int64()), set[str](), set[str]()
    tables = [archive.read_table(name, [*stream.text, "__seq"]) for name in dict.fromkeys(snapshots)]
    for table in tables:
        theirs |= _terms(table.filter(pc.is_in(table.column("__seq"), gone)), stream.text)
    if theirs:
        for table in tables:
            others |= theirs & _terms(table.filter(pc.invert(pc.is_in(table.column("__seq"), gone))), stream.text)
    return theirs - others


def _terms(table: pa.Table, columns: Iterable[str]) -> set[str]:
    from trueup_model.cleaning import plain_text
    from trueup_model.text_counts import LEARNT, counter

    ways = [counter(kind, None).build_analyzer() for kind in LEARNT]
    found = set[str]()
    for column in columns:
        if column in table.column_names:
            for text in plain_text(pd.DataFrame({column: table.column(column).to_pandas()})):
                for terms in ways:
                    found |= set(terms(text))
    return found
