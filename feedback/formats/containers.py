"""Files within files: gz, bz2, zst, and zip archives that hold one file of records."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from trueup.storage.errors import InputError

UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile)  # what reading a damaged file raises
_ZIP = b"PK\x03\x04"
_UNPACK: dict[bytes, str] = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst"}
_PACKED = (".gz", ".bz2", ".zst", ".zip")


@dataclass(frozen=True)
class Opener:
    """How a file's own bytes are read: `open` begins at the first one; `ending` is that of the file within."""

    open: Callable[[], IO[bytes]]
    packed: bool
    ending: str


def opener_of(name: str, file: Path) -> Opener:
    """What a file holds, unpacked by its first bytes. An Excel workbook is a zip archive too, and stays whole.

    Raises:
        InputError: it is called packed and is not, or the archive holds no file, or several.
    """
    with file.open("rb") as handle:
        head = handle.read(8)
    how = next((how for magic, how in _UNPACK.items() if head.startswith(magic)), "")
    ending = file.suffix.lower()
    if how:
        inner = Path(file.stem).suffix.lower() if ending in _PACKED else ending
        return Opener(lambda: _stream(file, how), True, inner)
    if head.startswith(_ZIP):
        return _of_zip(name, file)
    if ending in _PACKED:
        raise InputError(f"{name}: the content is not compressed as its name says ('{ending}'); nothing was stored.")
    return Opener(lambda: file.open("rb"), False, ending)


def _stream(file: Path, how: str) -> IO[bytes]:
    if how == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]
    if how == ".bz2":
        return bz2.open(file, "rb")
    import zstandard

    return io.BufferedReader(_Whole(file, zstandard), 1 << 17)


class _Whole(io.RawIOBase):
    """All frames of a .zst file; the library's own reader ends quietly where a frame is cut."""

    def __init__(self, file: Path, zstandard: Any) -> None:
        self._source = file.open("rb")
        self._zstandard = zstandard
        self._frame = self._new()
        self._left, self._begun = b"", False

    def _new(self) -> Any:
        return self._zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            if self._frame.eof:
                rest, self._frame, self._begun = self._frame.unused_data, self._new(), False
            else:
                rest = b""
            block = rest or self._source.read(1 << 17)
            if not block:
                if self._begun:
                    raise EOFError("a compressed frame ends too early")
                return 0
            self._begun = True
            try:
                self._left = self._frame.decompress(block)
            except self._zstandard.ZstdError as error:
                raise OSError(str(error)) from error
        given = self._left[: len(target)]
        target[: len(given)] = given
        self._left = self._left[len(given) :]
        return len(given)

    def close(self) -> None:
        self._source.close()
        super().close()


def _of_zip(name: str, file: Path) -> Opener:
    try:
        with zipfile.ZipFile(file) as archive:
            inside = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"{name}: the zip archive is damaged ({error}); nothing was stored. Get it again.") from None
    names = [entry.filename for entry in inside]
    if any(entry.startswith("xl/") for entry in names):
        return Opener(lambda: file.open("rb"), False, ".xlsx")
    found = [entry for entry in inside if not entry.is_dir() and not _of_the_system(entry.filename)]
    if len(found) != 1:
        listed = ", ".join(f"'{entry.filename}'" for entry in found[:5]) + (" …" if len(found) > 5 else "")
        raise InputError(
            f"{name}: a zip archive must hold one file, and this one holds {len(found) or 'none'}"
            f"{f' ({listed})' if found else ''}. Nothing was stored. Unpack it, and name the files that hold records."
        )
    if found[0].flag_bits & 1:
        raise InputError(f"{name}: the zip archive has a password; nothing was stored. Unpack it first.")
    return Opener(lambda: _member(file, found[0]), True, PurePosixPath(found[0].filename).suffix.lower())


def _of_the_system(entry: str) -> bool:
    path = PurePosixPath(entry)
    return "__MACOSX" in path.parts or path.name.startswith(".") or path.name in ("Thumbs.db", "desktop.ini")


def _member(file: Path, entry: zipfile.ZipInfo) -> IO[bytes]:
    archive = zipfile.ZipFile(file)
    try:
        return archive.open(entry)  # keeps the archive's file open until it is closed itself
    except (NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise OSError(str(error)) from error
    finally:
        archive.close()
