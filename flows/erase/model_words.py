"""Words that stored models learnt from erased rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from trueup.storage.archive import Archive
from trueup.storage.erasure.file_bytes import LearntTerms
from trueup.storage.stream import StreamSettings


def learnt_only_from(
    archive: Archive, stream: StreamSettings, snapshots: Sequence[str], seqs: Sequence[int]
) -> LearntTerms:
    """What of vocabularies (words, pairs of words, letters) these rows gave to models and no other row did.

    snapshots: the files of the rows that models were trained on.
    """
    gone, others = pa.array(sorted(seqs), pa.int64()), _Terms()
    theirs = _Terms()
    tables = [archive.read_table(name, [*stream.text, "__seq"]) for name in dict.fromkeys(snapshots)]
    for table in tables:
        theirs.learn(table.filter(pc.is_in(table.column("__seq"), gone)), stream.text)
    if theirs.words or theirs.letters:
        for table in tables:
            others.learn(table.filter(pc.invert(pc.is_in(table.column("__seq"), gone))), stream.text, among=theirs)
    return LearntTerms(frozenset(theirs.words - others.words), frozenset(theirs.letters - others.letters))


class _Terms:
    """The words and pairs of them, and the runs of letters, that stand in texts."""

    def __init__(self) -> None:
        self.words, self.letters = set[str](), set[str]()

    def learn(self, table: pa.Table, columns: Iterable[str], among: _Terms | None = None) -> None:
        """Add what stands in the columns; among: only what these have."""
        from trueup_model.cleaning import plain_text
        from trueup_model.text_counts import LEARNT, counter

        ways = [
            (counter(kind, None).build_analyzer(), "letters" if "analyzer" in LEARNT[kind] else "words")
            for kind in LEARNT
        ]
        for column in columns:
            if column not in table.column_names:
                continue
            for text in plain_text(pd.DataFrame({column: table.column(column).to_pandas()})):
                for terms, held in ways:
                    found = set(terms(text))
                    getattr(self, held).update(found if among is None else found & getattr(among, held))
