"""What was erased, known by keyed hashes: nothing of it comes in again, and nobody can read from them what it was."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage.erasure import erasure_tables as t
from trueup.storage.errors import StoreUnusable

KEY_FILE = "erasure.key"  # in the home folder: without it the hashes say nothing
MARKS_FILE = "erased.jsonl"  # beside it, a line a hash: a store restored from a backup has lost its own
RECORD, USER = "record", "user"
_AT_ONCE = 500


class Tombstones:
    """Keyed hashes of erased record ids and users, per stream: in the store, and in a file of the home folder."""

    def __init__(self, home: Path) -> None:
        self._key_file, self._marks_file = home / KEY_FILE, home / MARKS_FILE

    def make_key(self) -> None:
        """Make the deployment's secret, readable by its owner alone; one that stands there stays."""
        part = self._key_file.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, self._key_file)  # whoever was first has made it
        except FileExistsError:
            pass
        finally:
            part.unlink()

    def marks(self, stream: str, kind: str, values: Iterable[str]) -> list[str]:
        """The hash of each id or user of a stream.

        Raises:
            StoreUnusable: the key is missing.
        """
        try:
            key = self._key_file.read_bytes()
        except FileNotFoundError:
            raise StoreUnusable(
                f"'{self._key_file}' is missing. Without this key nobody can tell which rows belong to an erased user "
                "or record, so nothing was taken in or erased. Restore it from a backup of the home folder."
            ) from None
        return [hmac.digest(key, f"{stream}\0{kind}\0{value}".encode(), "sha256")[:16].hex() for value in values]

    def kept(self, stream: str) -> Mapping[str, str]:
        """The hashes in the file of the home folder, each with its kind."""
        try:
            lines = self._marks_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        found = {}
        for line in lines:
            try:
                one = json.loads(line)
            except ValueError:  # the last line, of a write that a crash cut short; the store has it
                continue
            if one["stream"] == stream:
                found[one["mark"]] = one["kind"]
        return found

    def keep(self, stream: str, marks: Mapping[str, str]) -> None:
        """Write these hashes, each with its kind, into the file, those that do not stand there yet; durably."""
        known = self.kept(stream)
        fresh = {mark: kind for mark, kind in marks.items() if mark not in known}
        if not fresh:
            return
        with self._marks_file.open("a+", encoding="utf-8") as file:
            if file.tell() and not self._marks_file.read_bytes().endswith(b"\n"):
                file.write("\n")  # behind a line that was cut short
            for mark, kind in fresh.items():
                file.write(json.dumps({"stream": stream, "kind": kind, "mark": mark}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def any(self, connection: Connection, stream: str) -> bool:
        """Whether anything of the stream was ever erased."""
        held = sa.select(sa.literal(1)).where(t.tombstones.c.stream == stream).limit(1)
        return connection.execute(held).first() is not None or bool(self.kept(stream))

    def count(self, connection: Connection, stream: str) -> int:
        """How many hashes of the stream there are, in the store or in the file."""
        held = connection.execute(sa.select(t.tombstones.c.mark).where(t.tombstones.c.stream == stream)).scalars()
        return len({*held, *self.kept(stream)})

    def erased(self, connection: Connection, stream: str, kind: str, values: Sequence[Any]) -> list[bool]:
        """Of each id or user whether it was erased; None and "" never are."""
        given = sorted({str(value) for value in values if value not in (None, "")})
        marks = dict(zip(given, self.marks(stream, kind, given), strict=True))
        there = {*self.kept(stream), *_marked(connection, stream, list(marks.values()))}
        return [value not in (None, "") and marks[str(value)] in there for value in values]


def _marked(connection: Connection, stream: str, marks: Sequence[str]) -> set[str]:
    """Of these hashes those that stand in the store."""
    c, found = t.tombstones.c, set[str]()
    for first in range(0, len(marks), _AT_ONCE):
        some = sa.select(c.mark).where(c.stream == stream, c.mark.in_(marks[first : first + _AT_ONCE]))
        found |= set(connection.execute(some).scalars())
    return found
