"""What each row of a batch is to the store: new, sent again, a late label, a change, a conflict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trueup.storage.records.known_ids import KnownIds
from trueup.storage.revisions import Revisions


@dataclass(frozen=True)
class BesideStored:
    """n rows. ids, labels: objects, a label None where it is not known. marks: fingerprints, int64.

    fresh: the rows whose id is new, each at its first row. seq: the record's place in intake order. stored_mark and
    stored_label: what is stored of the record already, or by its first row.
    """

    ids: np.ndarray
    marks: np.ndarray
    labels: np.ndarray
    fresh: np.ndarray
    seq: np.ndarray
    stored_mark: np.ndarray
    stored_label: np.ndarray

    @property
    def unlike(self) -> np.ndarray:
        """The rows that say other than what is stored: another content, or a label that is not stored so."""
        other_label = (self.labels != self.stored_label) & (self.labels != None)  # noqa: E711  elementwise
        return np.flatnonzero((self.marks != self.stored_mark) | other_label)


@dataclass
class Sorted:
    """Of the rows that say other than what is stored those that matter, in their order.

    late: labels that records lacked. conflicts: refused. changed: of each revision its row, the record's place in
    intake order, its number.
    """

    late: list[int]
    conflicts: list[int]
    changed: list[tuple[int, int, int]]


def beside_stored(
    ids: np.ndarray, marks: np.ndarray, labels: np.ndarray, known: KnownIds, next_seq: int
) -> BesideStored:
    """A batch beside what is stored of it; new records take the places from `next_seq` on."""
    codes, first = _numbered(ids.tolist())
    seq = np.full(len(first), -1, np.int64)
    seq[codes[known.row]] = known.seq
    fresh = first[seq < 0]  # in the order of rows, as ids are numbered by their first
    mark, label = marks[first], labels[first]
    mark[codes[known.row]], label[codes[known.row]] = known.fingerprint, known.label
    seq[codes[fresh]] = next_seq + np.arange(len(fresh))
    return BesideStored(ids, marks, labels, fresh, seq[codes], mark[codes], label[codes])


def _numbered(ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row's id, in the order in which they come, and the first row of each id."""
    distinct = dict.fromkeys(ids)
    if len(distinct) == len(ids):
        return np.arange(len(ids)), np.arange(len(ids))
    number = dict(zip(distinct, range(len(distinct)), strict=True))
    codes = np.fromiter(map(number.__getitem__, ids), np.int64, len(ids))
    first = np.empty(len(distinct), np.int64)
    first[codes[::-1]] = np.arange(len(ids))[::-1]  # of several rows of an id the first is written last
    return codes, first


def sort_out(batch: BesideStored, revisions: dict[int, Revisions], *, revise: bool) -> Sorted:
    """Look through the rows that are unlike what is stored.

    revisions: what is known of earlier changes, by place in intake order; grows by those found here.
    """
    found = Sorted([], [], [])
    given: dict[int, str] = {}  # labels that came late within the batch
    for k in batch.unlike.tolist():
        seq, mark, label = int(batch.seq[k]), int(batch.marks[k]), batch.labels[k]
        own = batch.stored_label[k] if batch.stored_label[k] is not None else given.get(seq)
        if mark != batch.stored_mark[k] or (label is not None and own not in (None, label)):
            if not revise:
                found.conflicts.append(k)
                continue
            before = revisions.setdefault(seq, Revisions())
            if (mark, label) not in before.states:
                before.last += 1
                before.states.add((mark, label))
                found.changed.append((k, seq, before.last))
        elif own is None:
            found.late.append(k)
            given[seq] = label
    return found
