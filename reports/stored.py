"""Stored reports: the Evidently snapshot of each check and the distributions of its signals, in the archive.

Pages are made from these on demand. The summaries that trueup itself reads (signals, decisions) are in the SQL store:
Evidently's snapshots have failed to load across its versions, and a check must stay readable without it.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trueup.monitoring.distribution import Distribution
from trueup.monitoring.report.script_ends import without_script_ends
from trueup.storage.errors import InputError, StoreUnusable, TrueupError

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

_SNAPSHOT, _DISTRIBUTIONS, _PAGE = "json", "distributions.json", "html"  # a page only where an older release made one
_EFFORT = 4  # of compression, 1 to 9: more than twice as fast as 9, for files that are 4 % larger


class Files(Protocol):
    """What the store needs of an archive: whole files by name, each written at once or not at all."""

    def write(self, name: str, data: bytes) -> str: ...

    def read(self, name: str) -> bytes: ...

    def exists(self, name: str) -> bool: ...

    def local_path(self, name: str) -> Path | None: ...


class ReportFiles:
    """Reports as `reports/<stream>/<report_id>.json.gz` and `.distributions.json.gz` of an archive."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def store(
        self, stream: str, report_id: str, *, snapshot: bytes, distributions: Mapping[str, Distribution] | None = None
    ) -> str:
        """Keep a report, its snapshot last; the snapshot's name. distributions: by the code of their signal."""
        kept = {code: held.as_json() for code, held in (distributions or {}).items()}
        self._write(stream, report_id, _DISTRIBUTIONS, json.dumps(kept, allow_nan=False).encode())
        return self._write(stream, report_id, _SNAPSHOT, snapshot)

    def names(self, stream: str, report_id: str) -> tuple[str, ...]:
        """The names that a report's files have in the archive, the snapshot first; it need not have all of them."""
        return tuple(_name(stream, report_id, kind) for kind in (_SNAPSHOT, _DISTRIBUTIONS, _PAGE))

    def snapshot_path(self, stream: str, report_id: str) -> Path | None:
        """Where the compressed snapshot lies on this machine; None on a remote archive."""
        return self._files.local_path(_name(stream, report_id, _SNAPSHOT))

    def page_of_before(self, stream: str, report_id: str) -> bytes | None:
        """The HTML page that an older release stored with the report, UTF-8; None: it stored none.

        Raises:
            StoreUnusable: its file is damaged.
        """
        if not self._files.exists(_name(stream, report_id, _PAGE)):
            return None
        return self._read(stream, report_id, _PAGE)

    def distributions(self, stream: str, report_id: str) -> dict[str, Distribution]:
        """By code what a picture shows of a signal; empty where none was kept.

        Raises:
            StoreUnusable: its file is damaged.
        """
        name = _name(stream, report_id, _DISTRIBUTIONS)
        if not self._files.exists(name):
            return {}
        try:
            held = json.loads(self._read(stream, report_id, _DISTRIBUTIONS))
            return {code: Distribution.from_json(value) for code, value in held.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(name, error) from error

    def snapshot_text(self, stream: str, report_id: str) -> str:
        """Evidently's snapshot as JSON, none of whose texts can end the script that Evidently writes them into.

        Raises:
            InputError: there is no such report. StoreUnusable: its file is damaged.
        """
        try:
            return without_script_ends(self._read(stream, report_id, _SNAPSHOT).decode())
        except UnicodeDecodeError as error:
            raise _damaged(_name(stream, report_id, _SNAPSHOT), error) from error

    def load_snapshot(self, stream: str, report_id: str) -> Snapshot:
        """The report as Evidently's own object.

        Raises:
            InputError: there is no such report. StoreUnusable: its file is damaged, or of another Evidently.
        """
        from evidently import __version__
        from evidently.core.report import Snapshot

        text = self.snapshot_text(stream, report_id)
        try:
            return Snapshot.loads(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreUnusable(
                f"The snapshot of report '{report_id}' cannot be loaded by Evidently {__version__} "
                f"({type(error).__name__}); it was probably written by another version. The report's page and its "
                f"signals are not affected: trueup reports show {report_id}"
            ) from error

    def export(
        self, stream: str, report_id: str, folder: Path, page: Callable[[], bytes]
    ) -> tuple[Path, Path]:
        """Write the page that `page` makes and the snapshot, uncompressed, into a folder made at need; their paths.

        Where one of the two cannot be made, the other is written before that is said.

        Raises:
            InputError: there is no such report, or the folder cannot be written. StoreUnusable: a file is damaged.
        """
        targets, failed = (folder / f"{report_id}.html", folder / f"{report_id}.json"), None
        for target, read in zip(targets, (page, lambda: self.snapshot_text(stream, report_id).encode()), strict=True):
            try:
                data = read()
            except TrueupError as error:
                failed = failed or error
                continue
            try:
                folder.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            except OSError as error:
                raise InputError(
                    f"Report '{report_id}' cannot be written to '{folder}': {error.strerror}. The stored report is "
                    "untouched; name a folder that can be written."
                ) from error
        if failed is not None:
            raise failed
        return targets

    def _write(self, stream: str, report_id: str, kind: str, data: bytes) -> str:
        return self._files.write(_name(stream, report_id, kind), gzip.compress(data, _EFFORT, mtime=0))

    def _read(self, stream: str, report_id: str, kind: str) -> bytes:
        name = _name(stream, report_id, kind)
        if not self._files.exists(name):
            raise InputError(
                f"Stream '{stream}' has no files of a report '{report_id}': it was pruned, or there never was one. A "
                f"check's signals stay: trueup reports show {report_id}. List those there are: "
                f"trueup reports list --stream {stream}"
            )
        try:
            return gzip.decompress(self._files.read(name))
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> StoreUnusable:
    return StoreUnusable(
        f"'{name}' of the archive is damaged ({error}), so this report cannot be shown; the check's signals "
        "are in the store and stay readable. Restore the file from a backup."
    )


def _name(stream: str, report_id: str, kind: str) -> str:
    """The file's name in the archive; nothing that a person types leads out of the stream's folder."""
    for part in (stream, report_id):
        if not re.fullmatch(r"\w[\w.\- ]*", part):
            raise InputError(
                f"'{part}' cannot name a stream or a report: letters, digits, '_', '-' and '.' may, "
                "beginning with a letter or a digit."
            )
    return f"reports/{stream}/{report_id}.{kind}.gz"
