"""Where a site lies: a local folder or any fsspec file system, to which each file goes with its type and charset."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from trueup.storage.errors import InputError
from trueup.storage.locations import is_local
from trueup.storage.secrets import without_secrets

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
}


def content_type(name: str) -> str:
    """The media type of a file of the site, with its charset."""
    return _TYPES[PurePosixPath(name).suffix]


class SitePlace:
    """Files below one root, written and removed by name; nothing is ever listed.

    A file in a local folder and an object of a bucket appear whole or not at all.
    """

    def __init__(self, to: str, remote: Any = None) -> None:
        """to: a folder or an fsspec URL. remote: the file system itself, in place of the one that the URL names."""
        self.to = to
        self._remote = remote
        self.folder: Path | None = None
        if remote is None and is_local(to):
            path = urlsplit(to).path if to.startswith(("file:", "local:")) else to
            self.folder = Path(path).expanduser()
            return
        if remote is None:
            import fsspec

            self._remote, self._root = fsspec.core.url_to_fs(to)
        else:
            self._root = remote._strip_protocol(to)
        self._root = self._root.rstrip("/")

    def where(self, name: str = "") -> str:
        """A file of the site as people name it: its path, or its URL without a login."""
        if self.folder is not None:
            return str(self.folder / name)
        return without_secrets(f"{self.to.rstrip('/')}/{name}")

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write these files, by name.

        Raises:
            InputError: the place cannot be written.
        """
        try:
            if self.folder is not None:
                for name, data in files.items():
                    _write_local(self.folder / name, data)
            else:
                self._write_remote(files)
        except InputError:
            raise
        except Exception as error:
            raise self._unwritable(error) from error

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None where there is none.

        Raises:
            InputError: the place cannot be read.
        """
        try:
            if self.folder is not None:
                return (self.folder / name).read_bytes()
            return bytes(self._remote.cat_file(f"{self._root}/{name}"))
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._unwritable(error) from error

    def remove(self, name: str) -> None:
        """Take a file away, and locally the folders that it leaves empty; one that is gone is no fault.

        Raises:
            InputError: it cannot be removed, or a link leads out of the folder.
        """
        try:
            if self.folder is not None:
                _remove_local(self.folder, name)
            else:
                self._remote.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._unwritable(error) from error

    def _write_remote(self, files: Mapping[str, bytes]) -> None:
        kinds: dict[str, dict[str, bytes]] = defaultdict(dict)
        for name, data in files.items():
            kinds[content_type(name)][f"{self._root}/{name}"] = data
        for kind, group in kinds.items():
            typed = self._typed(kind)
            try:
                self._remote.pipe(group, **typed)  # many at once where the file system can
            except FileNotFoundError:  # one with folders, such as sftp
                for path in group:
                    self._remote.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._remote.pipe(group, **typed)

    def _typed(self, kind: str) -> dict[str, Any]:
        """How this file system is told the type of what it is given; nothing where it knows none."""
        protocols = {self._remote.protocol} if isinstance(self._remote.protocol, str) else set(self._remote.protocol)
        if protocols & {"s3", "s3a", "oss"}:
            return {"ContentType": kind}
        if protocols & {"gs", "gcs"}:
            return {"content_type": kind}
        if protocols & {"abfs", "abfss", "az", "adl"}:
            from azure.storage.blob import ContentSettings

            return {"content_settings": ContentSettings(content_type=kind)}
        return {}

    def _unwritable(self, error: Exception) -> InputError:
        said = without_secrets(" ".join(str(error).split())) or type(error).__name__
        return InputError(
            f"The site at '{self.where()}' cannot be written ({said}). What was written before stays; name a folder or "
            "bucket that can be written, or fix the login, then build again."
        )


def _write_local(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
    os.replace(part, path)


def _remove_local(root: Path, name: str) -> None:
    path = root / name
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise InputError(f"'{name}' leads out of '{root}' by a link, where nothing is removed. Replace the link.")
    path.unlink(missing_ok=True)
    path.with_name(f".{path.name}.part").unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or not folder.is_relative_to(root) or any(folder.iterdir()):
            return
        folder.rmdir()
