"""The archive: immutable files by name, on a local folder or any Arrow / fsspec file system."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Collection
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import StoreUnusable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


_LOOKED_AT = 1000  # rows


class Archive:
    """Files below one root. A file appears whole or not at all: written under another name, then renamed.

    ask: called before each write and removal; what it raises, they raise.
    """

    def __init__(self, url: str, home: Path, ask: Callable[[], None] = lambda: None) -> None:
        self._ask = ask
        self._local: Path | None = None
        self._remote: Any = None
        if "://" in url:
            import fsspec

            # others write there too: a listing from before would say that a file stands which they have removed
            self._remote, self._root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        else:
            self._local = Path(url).expanduser() if url else home / "archive"

    def write(self, name: str, data: bytes) -> str:
        """Keep `data` under `name` (a relative path), durably; the name is returned."""
        self._ask()
        if self._local is None:
            target = f"{self._root}/{name}"
            self._remote.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            part = f"{target}.{uuid.uuid4().hex}.part"
            self._remote.pipe_file(part, data)
            self._remote.mv(part, target)
            return name
        path = self._local / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part_path = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        with open(part_path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part_path, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the rename itself must survive a power cut
        finally:
            os.close(folder)
        return name

    def read(self, name: str) -> bytes:
        """The bytes kept under `name`.

        Raises:
            StoreUnusable: there is no such file, although the store says so, or it cannot be read.
        """
        try:
            if self._local is None:
                return bytes(self._remote.cat_file(f"{self._root}/{name}"))
            return (self._local / name).read_bytes()
        except FileNotFoundError:
            raise StoreUnusable(
                f"The archive lacks '{name}', which the store's index names: the two were separated or the file was "
                "removed. Restore the archive from its backup; nothing was changed."
            ) from None
        except OSError as error:
            raise StoreUnusable(
                f"'{name}' of the archive cannot be read ({error}), so nothing was done with it and nothing was "
                "changed. Check the disk or the connection, then try again."
            ) from error

    def remove(self, name: str) -> int:
        """Take the file away; how many bytes it had, 0 where there is none.

        Raises:
            StoreUnusable: it cannot be removed, or a link leads out of the archive.
        """
        self._ask()
        if self._local is not None and not (self._local / name).parent.resolve().is_relative_to(self._local.resolve()):
            raise StoreUnusable(
                f"'{name}' leads out of the archive at '{self._local}', where nothing is removed. Nothing was changed; "
                "replace the link by the folder that it leads to."
            )
        size = self.size(name)
        try:
            if self._local is None:
                self._remote.rm_file(f"{self._root}/{name}")
            else:
                (self._local / name).unlink()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise StoreUnusable(
                f"'{name}' of the archive cannot be removed ({error}), so it still takes its space. Check the "
                "permissions of the archive and the connection, then try again."
            ) from error
        return size

    def size(self, name: str) -> int:
        """How many bytes the file has; 0 where there is none."""
        try:
            if self._local is None:
                return int(self._remote.size(f"{self._root}/{name}"))
            return (self._local / name).stat().st_size
        except FileNotFoundError:
            return 0

    def exists(self, name: str) -> bool:
        if self._local is None:
            return bool(self._remote.exists(f"{self._root}/{name}"))
        return (self._local / name).exists()

    def names(self, folder: str) -> list[str]:
        """All files below a folder, also those that a writer was killed over, which end in .part."""
        if self._local is None:
            self._remote.invalidate_cache()
            found = self._remote.find(f"{self._root}/{folder}")
            return sorted(name[len(self._remote._strip_protocol(self._root)) :].lstrip("/") for name in found)
        below = (self._local / folder).rglob("*")
        return sorted(str(file.relative_to(self._local)) for file in below if file.is_file())

    def local_path(self, name: str) -> Path | None:
        """Where a person finds the file on this machine; None on a remote file system."""
        return None if self._local is None else self._local / name

    def write_table(self, folder: str, table: pa.Table) -> str:
        """Keep a table as Parquet under `folder`, named by the hash of its bytes; the name is returned."""
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd", use_dictionary=_repeating(table))
        data = buffer.getvalue()
        name = f"{folder}/{_hash(data)}.parquet"
        return name if self.exists(name) else self.write(name, data)

    def columns(self, name: str) -> list[str]:
        """The names of the columns of a table kept by `write_table`; of the file only its end is read.

        Raises:
            StoreUnusable: the file is missing or damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            if self._local is not None:
                return list(pq.read_schema(self._local / name).names)
            with self._remote.open(f"{self._root}/{name}", "rb") as file:
                return list(pq.read_schema(file).names)
        except (OSError, pa.ArrowException):
            return list(self.read_table(name).column_names)  # which says what is wrong with the file

    def read_table(
        self, name: str, columns: list[str] | None = None, *, without: Collection[str] = (), dictionaries: bool = False
    ) -> pa.Table:
        """A table kept by `write_table`, whole or some of its columns (those it has).

        dictionaries: texts come as the file holds them, each of the few once and a number a row, and are not written
        out a row each.

        Raises:
            StoreUnusable: the file is missing, or its bytes are not those that were written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = self.read(name)
        if _hash(data) != PurePosixPath(name).stem:
            raise StoreUnusable(
                f"'{name}' of the archive is damaged: its {len(data)} bytes are not those that were written, so no "
                "check or training can use it. Nothing was changed. Restore this file from its backup."
            )
        described = pq.read_metadata(pa.BufferReader(data))
        few = _few_texts(described) if dictionaries else None
        file = pq.ParquetFile(pa.BufferReader(data), metadata=described, read_dictionary=few)
        names = file.schema_arrow.names
        wanted = [c for c in names if c not in without and (columns is None or c in columns)]
        return file.read(columns=wanted)


def _few_texts(described: pq.FileMetaData) -> list[str]:
    """The columns of texts that the file holds as numbers beside a list of its few texts."""
    from trueup.storage.arrow_columns import is_text

    if not described.num_row_groups:
        return []
    group, kinds = described.row_group(0), described.schema.to_arrow_schema()
    held = (group.column(k) for k in range(group.num_columns))
    few = (column.path_in_schema for column in held if column.has_dictionary_page)
    return [name for name in few if name in kinds.names and is_text(kinds.field(name).type)]


def _repeating(table: pa.Table) -> list[str]:
    """The columns in whose first rows values repeat: a dictionary of the others takes time and holds them all."""
    first = table.slice(0, _LOOKED_AT)
    kinds = {field.name: str(field.type) for field in table.schema}
    return [
        name for name in table.column_names if "<" in kinds[name] or 2 * len(first.column(name).unique()) <= len(first)
    ]


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
