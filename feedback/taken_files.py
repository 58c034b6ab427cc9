"""A file that was taken in whole and comes again: answered from what is remembered of it, without being read."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from trueup.storage.incoming import Appended
from trueup.storage.records.appending import RecordStore
from trueup.storage.records.whole_files import WholeFile
from trueup.storage.row_ids import HashedColumns
from trueup.storage.stream import StreamSettings

_LEAST = 5_000  # rows: fewer are read in no time


@dataclass(frozen=True)
class TakenFile:
    """A regular file as it lies there now, beside what is remembered of files.

    asked: hash of all else that bears on what its rows come to. digest: of its bytes. lies: size, time and place.
    """

    store: RecordStore
    stream: str
    path: str
    asked: str
    digest: str
    lies: tuple[int, ...]
    now: datetime

    def remembered(self) -> WholeFile | None:
        """What is remembered of it, where all its rows are stored."""
        return self.store.whole_files.known(self.stream, self.digest, self.asked, self.now)

    def remember(self, done: Appended, notes: Sequence[str]) -> None:
        """Remember it, if every row of it is stored as it stands there and nobody wrote to it meanwhile."""
        rows = done.accepted + done.duplicate
        whole = done == Appended(done.accepted, done.duplicate, labelled=done.labelled) and rows >= _LEAST
        if whole and _lies(self.path) == self.lies:
            self.store.whole_files.keep(self.stream, self.digest, self.asked, rows, notes, self.now)


def taken_file(
    store: RecordStore, stream: StreamSettings, hashed: HashedColumns, path: object, now: datetime
) -> TakenFile | None:
    """A path as such a file; None: it is none."""
    if not isinstance(path, str) or not (lies := _lies(path)):
        return None
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "blake2b").hexdigest()
    said = [version("trueup"), path, stream.model_dump_json(), hashed.as_json(), store.erased(stream)]
    asked = hashlib.blake2b(json.dumps(said).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return TakenFile(store, stream.name, path, asked, digest, lies, now)


def _lies(path: str) -> tuple[int, ...]:
    """Size, time of the last change and place of a regular file; () where there is none that can be read."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    if not stat.S_ISREG(found.st_mode) or not os.access(path, os.R_OK):
        return ()
    return found.st_size, found.st_mtime_ns, found.st_dev, found.st_ino
