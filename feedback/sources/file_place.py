"""A folder or bucket of files: listed afresh at each look, and read as exactly the version that was listed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

from trueup.feedback.sources.glob_reach import is_left_out, is_pattern, reaches, split_glob
from trueup.feedback.sources.next_step import FoundFile
from trueup.feedback.sources.unlisted_folders import unlisted_folders
from trueup.feedback.values import escaped
from trueup.storage.errors import ConfigError, SourceFailed
from trueup.storage.locations import is_local, path_of_location
from trueup.storage.secrets import without_secrets

REPORTED = "It reported: "  # begins what a file system said of a failure
_PIECE = 1 << 22
# What tells the versions of a file apart, by what the file systems call it; the first that there is counts.
_VERSIONS = ("ETag", "etag", "generation", "md5Hash", "mtime", "LastModified", "last_modified", "created")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")


class ChangedMeanwhile(Exception):
    """A file was written to, or removed, while it was read."""


class FilePlace:
    """The files that a glob matches.

    Args:
        glob: a path with `*`, `?`, `[…]` and `**`, or an fsspec URL with one.
        folder: where a relative path begins.
        kept_out: folders and files of the deployment by what they are called; a glob that reaches one is refused.

    unlisted: folders within it that the last look had no permission to list.
    """

    unlisted: tuple[str, ...] = ()

    def __init__(self, glob: str, folder: Path, kept_out: Mapping[str, str]) -> None:
        self.shown = without_secrets(glob)
        self._url, self._folder, self._kept_out = glob, folder, kept_out
        self._local = is_local(glob)

    def found(self) -> Sequence[FoundFile]:
        """Every file there is now, by name; hidden and unfinished ones are left out.

        Raises:
            SourceFailed: the place cannot be listed, or is not there.
            ConfigError: the glob reaches what the deployment keeps, or no file system reads it.
        """
        fs, pattern = self._opened
        self._refuse_own(fs, pattern)
        try:
            fs.invalidate_cache()
            base, _ = split_glob(pattern)
            listed = self._listed(fs, pattern, base)
            if not listed and not fs.exists(base if self._local else base.split("/", 1)[0]):
                raise SourceFailed(
                    f"The source '{self.shown}' is not there: '{escaped(base)}' does not exist. Nothing was taken in, "
                    "and nothing is lost. Make it, mount it, or correct `files`."
                )
            skip = len(base.rstrip("/")) + 1 if base else 0
            files = [
                self._file(fs, path, info)
                for path, info in listed.items()
                if self._is_file(path, info) and not (is_pattern(pattern) and is_left_out(path[skip:].split("/")))
            ]
        except SourceFailed:
            raise
        except Exception as error:  # each file system raises errors of its own
            raise self._failed(error) from error
        self._refuse_links(files)
        return sorted((file for file in files if file), key=lambda file: file.name)

    def may_read(self, file: FoundFile) -> bool:
        """Whether trueup has permission to read a file; elsewhere than on this machine only reading tells."""
        return not self._local or os.access(file.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)

    def _listed(self, fs: Any, pattern: str, base: str) -> Mapping[str, Any]:
        """What matches. fsspec passes over a local folder that may not be listed, as if nothing were in it."""
        if not self._local:
            return dict(fs.glob(pattern, detail=True))
        failed: list[OSError] = []
        listed = fs.glob(pattern, detail=True, on_error=failed.append)
        for error in failed:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                raise error
        within = split_glob(pattern)[1]
        self.unlisted = tuple(self._name(folder) for folder in unlisted_folders(base, within))
        return dict(listed)

    def again(self, file: FoundFile) -> FoundFile | None:
        """The same file as it is now; None where it is gone."""
        fs, _ = self._opened
        try:
            fs.invalidate_cache()
            return self._file(fs, file.path, fs.info(file.path))
        except FileNotFoundError:
            return None
        except Exception as error:  # as in `found`
            raise self._failed(error) from error

    @contextmanager
    def held(self, file: FoundFile) -> Iterator[tuple[Path, str]]:
        """The file on this machine, while the block lasts, and the hash of its content.

        Raises:
            ChangedMeanwhile: it is no longer the version that was listed.
            SourceFailed: it cannot be read.
            PermissionError: it may not be read.
        """
        if self._local:
            digest = self._read(file)
            self._still(file)
            yield Path(file.path), digest
            return
        with tempfile.TemporaryDirectory(prefix="trueup-") as temporary:
            copy = Path(temporary) / "file"
            digest = self._fetched(file, copy)
            self._still(file)
            yield copy, digest

    def _read(self, file: FoundFile) -> str:
        try:
            with open(file.path, "rb") as here:
                return _digest(here)
        except FileNotFoundError as error:
            raise ChangedMeanwhile from error
        except PermissionError:
            raise
        except OSError as error:
            raise self._failed(error) from error

    def _fetched(self, file: FoundFile, copy: Path) -> str:
        fs, _ = self._opened
        try:
            # s3fs then asks for each piece with If-Match; elsewhere the look afterwards tells
            with fs.open(file.path, "rb") as there, copy.open("wb") as target:
                return _digest(there, target)
        except FileNotFoundError as error:
            raise ChangedMeanwhile from error
        except PermissionError:
            raise
        except Exception as error:  # as in `found`
            self._still(file)
            raise self._failed(error) from error

    def _still(self, file: FoundFile) -> None:
        now = self.again(file)
        if now is None or not now.same_as(file):
            raise ChangedMeanwhile

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system, with nothing remembered of other places and looks, and the glob as it takes it."""
        import fsspec

        if "::" in self._url and "://" in self._url:
            raise ConfigError(
                f"The source '{self.shown}' leads through one place (::) to another, where no versions of a file are "
                "seen. Name the other place itself: packed files are unpacked, and no cache is needed, since each file "
                "is fetched once. Nothing was done."
            )
        if self._local:
            pattern = str(self._folder / path_of_location(self._url))
            fs = fsspec.filesystem("file", use_listings_cache=False, skip_instance_cache=True)
        else:
            try:
                fs, pattern = fsspec.core.url_to_fs(self._url, use_listings_cache=False, skip_instance_cache=True)
            except (ValueError, ImportError) as error:
                raise ConfigError(f"The source '{self.shown}' cannot be read: {error}. Nothing was done.") from error
            except Exception as error:  # as in `found`: some connect when they are made
                raise self._failed(error) from error
        if not is_pattern(pattern) and (self._url.endswith("/") or (self._local and os.path.isdir(pattern))):
            pattern = f"{pattern.rstrip('/')}/*"
        return fs, pattern

    def _is_file(self, path: str, info: Mapping[str, Any]) -> bool:
        return os.path.isfile(path) if self._local else info.get("type") == "file"  # a link may lead to one

    def _file(self, fs: Any, path: str, info: Mapping[str, Any]) -> FoundFile | None:
        if self._local:
            try:
                stat = os.stat(path)
            except FileNotFoundError:
                return None
            changed = datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC)
            return FoundFile(path, self._name(path), stat.st_size, str(stat.st_mtime_ns), changed)
        version = next((str(info[key]) for key in _VERSIONS if info.get(key)), None) or str(fs.ukey(path))
        times = (moment for key in _TIMES if (moment := _moment(info.get(key))))
        name = escaped(without_secrets(fs.unstrip_protocol(path)))
        return FoundFile(path, name, info.get("size") or 0, version, next(times, None))

    def _name(self, path: str) -> str:
        """Relative to the settings' folder where the glob is, so that a deployment that is moved knows its files."""
        relative = not Path(self._url).expanduser().is_absolute() and "://" not in self._url
        return escaped(os.path.relpath(path, self._folder) if relative else path)

    def _refuse_own(self, fs: Any, pattern: str) -> None:
        for what, place in self._kept_out.items():
            if is_local(place) != self._local:
                continue
            if self._local:
                base, within = split_glob(pattern)
                target, parts = path_of_location(place).resolve(), (*Path(base).resolve().parts, *within.split("/"))
                there: Sequence[str] = target.parts
                a_file = target.is_file()
            else:
                address = place.rpartition("::")[2]
                if address.partition("://")[0] not in (fs.protocol, *fs.protocol):  # a name, or all that it has
                    continue
                there, parts, a_file = str(fs._strip_protocol(address)).split("/"), tuple(pattern.split("/")), False
            if reaches(parts, there, a_file=a_file):
                raise self._own(what)

    def _refuse_links(self, files: Sequence[FoundFile | None]) -> None:
        """A link may lead where no pattern does."""
        if not self._local:
            return
        local = ((what, place) for what, place in self._kept_out.items() if is_local(place))
        places = [(what, path_of_location(place).resolve()) for what, place in local]
        for folder in {Path(file.path).parent for file in files if file}:
            for what, place in places:
                if folder.resolve().is_relative_to(place):
                    raise self._own(what)
        by_number = {_number(place): what for what, place in places if place.is_file()}
        for file in files:
            if file and os.path.islink(file.path):
                for what, place in places:
                    if Path(file.path).resolve().is_relative_to(place):
                        raise self._own(what)
            if file and (own := by_number.get(_number(file.path))):  # a hard link
                raise self._own(own)

    def _own(self, what: str) -> ConfigError:
        return ConfigError(
            f"The source '{self.shown}' reaches {what}, so trueup would take in what it wrote itself. Nothing was "
            "taken in. Narrow `files`, or move the files to a folder of their own."
        )

    def _failed(self, error: Exception) -> SourceFailed:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        return SourceFailed(
            f"The source '{self.shown}' cannot be read. What was taken in before is kept, and the next pull goes on "
            f"where this one stopped. See that the place can be reached, and the login. {REPORTED}{said}"
        )


def _digest(source: IO[bytes], target: IO[bytes] | None = None) -> str:
    found = blake2b(digest_size=16)
    while piece := source.read(_PIECE):
        found.update(piece)
        if target is not None:
            target.write(piece)
    return found.hexdigest()


def _number(path: str | Path) -> tuple[int, int] | None:
    """By which a file is known whatever its name; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return None
