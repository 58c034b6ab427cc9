"""Stored reports: the page and the Evidently snapshot of each check, compressed, in the archive.

The summaries that trueup itself reads (signals, decisions) are in the SQL store: Evidently's snapshots have failed to
load across its versions, and a check must stay readable without it.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trueup.monitoring.report.script_ends import without_script_ends
from trueup.storage.errors import InputError, StoreUnusable, TrueupError

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

_EFFORT = 4  # of compression, 1 to 9: more than twice as fast as 9, for files that are 4 % larger


class Files(Protocol):
    """What the store needs of an archive: whole files by name, each written at once or not at all."""

    def write(self, name: str, data: bytes) -> str: ...

    def read(self, name: str) -> bytes: ...

    def exists(self, name: str) -> bool: ...

    def local_path(self, name: str) -> Path | None: ...


class ReportFiles:
    """Reports as `reports/<stream>/<report_id>.html.gz` and `.json.gz` of an archive."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def store(self, stream: str, report_id: str, *, html: bytes, snapshot: bytes) -> str:
        """Keep both files, the page last, so that no page stands without its snapshot; the page's name."""
        self._files.write(_name(stream, report_id, "json"), gzip.compress(snapshot, _EFFORT, mtime=0))
        return self._files.write(_name(stream, report_id, "html"), gzip.compress(html, _EFFORT, mtime=0))

    def names(self, stream: str, report_id: str) -> tuple[str, str]:
        """The names of a report's two files in the archive, the page first."""
        return _name(stream, report_id, "html"), _name(stream, report_id, "json")

    def page_path(self, stream: str, report_id: str) -> Path | None:
        """Where the compressed page lies on this machine; None on a remote archive."""
        return self._files.local_path(_name(stream, report_id, "html"))

    def load_page(self, stream: str, report_id: str) -> bytes:
        """The HTML page, UTF-8.

        Raises:
            InputError: there is no such report. StoreUnusable: its file is damaged.
        """
        return self._read(stream, report_id, "html")

    def snapshot_text(self, stream: str, report_id: str) -> str:
        """Evidently's snapshot as JSON, none of whose texts can end the script that Evidently writes them into.

        Raises:
            InputError: there is no such report. StoreUnusable: its file is damaged.
        """
        try:
            return without_script_ends(self._read(stream, report_id, "json").decode())
        except UnicodeDecodeError as error:
            raise _damaged(_name(stream, report_id, "json"), error) from error

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

    def export(self, stream: str, report_id: str, folder: Path) -> tuple[Path, Path]:
        """Write the page and the snapshot, uncompressed, into a folder made at need; their paths.

        Where one of the two cannot be read, the other is written before that is said.

        Raises:
            InputError: there is no such report, or the folder cannot be written. StoreUnusable: a file is damaged.
        """
        targets, failed = (folder / f"{report_id}.html", folder / f"{report_id}.json"), None
        for target in targets:
            try:
                page = target.suffix == ".html"
                data = (
                    self.load_page(stream, report_id) if page else self.snapshot_text(stream, report_id).encode()
                )
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
