"""Where store, archive, model registry, site and sources are: checked when read, a relative one begun at its folder.

Nothing is opened here; only what is installed is looked at.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

DUCKDB = "duckdb"
_STORES = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")
_SQLITE_OPTIONS = frozenset(  # what SQLAlchemy hands on to sqlite3
    {"cached_statements", "check_same_thread", "detect_types", "isolation_level", "timeout"}
)
_REGISTRIES = frozenset({"databricks", "databricks-uc", "file", "http", "https", "sqlite", "uc"})
_DATABASES = ("postgresql", "mysql", "mssql")
_ONLY_READ = frozenset({"data", "gist", "git", "github", "http", "https", "reference"})
_ADVICE = "leave it empty for SQLite in the home folder, or write postgresql://user@host/database"
_LABEL = r"[^\s./:@\[\]]{1,63}"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def checked_store(url: str) -> str:
    """The store's URL, if a store can be kept there.

    Raises:
        ValueError: it is no URL of SQLite or PostgreSQL, its port is none, or it names a database in memory.
    """
    if not url:
        return url
    scheme = _scheme(url)
    if scheme not in _STORES:
        raise ValueError(f"the store runs on SQLite or PostgreSQL, not on '{scheme or url}'; {_ADVICE}")
    if scheme == "sqlite":
        _check_sqlite(url)
        return url
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    _check_address(url)
    try:
        make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"it is no URL of a database; {_ADVICE}") from None
    return url


def checked_source(url: str) -> str:
    """The URL of a database that data is read from, if it is written as one and its driver is installed.

    Raises:
        ValueError: it is no URL, names no file or a database in memory, or a package is missing (it is named).
    """
    if not url:
        return url
    from importlib.util import find_spec

    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        made = make_url(with_driver(url))
        if made.get_backend_name() == DUCKDB:
            if find_spec(DUCKDB) is None:
                raise ValueError("'duckdb:' needs a package that is not installed: pip install 'trueup[duckdb]'")
        else:
            made.get_dialect().import_dbapi()
    except NoSuchModuleError:
        raise ValueError(f"SQLAlchemy knows no database '{url.partition(':')[0]}'; install its dialect") from None
    except ImportError as error:
        raise ValueError(f"its driver is not installed: {error.name}") from None
    except ArgumentError:
        raise ValueError("it is no URL of a database; write postgresql://user@host/database") from None
    if made.get_backend_name() in (DUCKDB, "sqlite") and (not made.database or ":memory:" in made.database):
        raise ValueError(f"it names no file; write {made.get_backend_name()}:///folder/file.db")
    return url


def with_driver(url: str) -> str:
    """The URL of a PostgreSQL by the driver that is installed with trueup; every other as it is."""
    return re.sub(r"^postgres(?:ql)?://", "postgresql+psycopg://", url)


def checked_registry(uri: str) -> str:
    """MLflow's URI, if MLflow could read it.

    Raises:
        ValueError: it is not written as one, its port is none, or it names a database in memory.
    """
    scheme = _scheme(uri)
    if not scheme:
        return uri
    if scheme == "sqlite":
        _check_sqlite(uri)
    elif scheme in _REGISTRIES or scheme.partition("+")[0] in _DATABASES:
        _check_address(uri)
        if scheme in ("http", "https") and not urlsplit(uri).hostname:
            raise ValueError("it names no host; write http://host:port")
    elif scheme not in _added_registries():
        raise ValueError(f"MLflow knows no '{scheme}:'; write http://host:port, sqlite:///file.db or a database's URL")
    return uri


def checked_archive(url: str) -> str:
    """The archive's folder or fsspec URL, if the package that reads it is installed.

    Raises:
        ValueError: nothing reads such URLs, a package is missing (it is named), or it would be kept in memory.
    """
    if "://" not in url:
        return url
    from importlib.util import find_spec

    from fsspec.registry import known_implementations, registry

    _check_address(url)
    for scheme in re.findall(r"(?:^|::)([^:/]+)(?=:)", url):
        if scheme in _ONLY_READ:
            raise ValueError(f"nothing can be written to '{scheme}:'; name a folder or a bucket")
        if scheme == "memory":
            raise ValueError("it would be kept in memory and lost when the command ends; name a folder or a bucket")
        if scheme in registry:
            continue
        if scheme not in known_implementations:
            raise ValueError(
                f"no file system is called '{scheme}'; write a folder, or an fsspec URL such as s3://bucket"
            )
        needed = known_implementations[scheme]
        if find_spec(needed["class"].partition(".")[0]) is None:
            advice = needed.get("err", f"install {needed['class'].partition('.')[0]}").rstrip(".")
            raise ValueError(f"'{scheme}:' needs a package that is not installed: {advice}")
    return url


def checked_host(host: str) -> str:
    """A host's name or number, without scheme, port or path.

    Raises:
        ValueError: it is none.
    """
    if not host or _HOST.fullmatch(host):
        return host
    from ipaddress import ip_address

    try:
        ip_address(host)
    except ValueError:
        advice = "write its name alone, as in 'mail.example.org', and the port as `port`"
        raise ValueError(f"it is no host; {advice}") from None
    return host


def is_local(location: str) -> bool:
    """Whether it is on this machine's file system: a path, or a URL of one (of SQLite as well); empty: the home."""
    return _scheme(location) in ("", "file", "local", "sqlite")


def path_of_location(location: str) -> Path:
    """Where a location on this machine's file system lies: a path, or what a URL of one (file:, local:) says."""
    path = location.partition(":")[2].removeprefix("//") if _scheme(location) in ("file", "local") else location
    return Path(path).expanduser()


def from_folder(location: str, folder: Path) -> str:
    """The location, a relative path in it (of SQLite, of a folder, of a file: URL) begun at `folder`."""
    scheme = _scheme(location)
    if scheme in ("sqlite", DUCKDB):
        from sqlalchemy.engine import make_url

        url = make_url(location)
        return url.set(database=str(folder / (url.database or ""))).render_as_string(hide_password=False)
    if scheme in ("file", "local"):
        path = path_of_location(location)
        return location if path.is_absolute() else str(folder / path)
    return location if scheme or not location else str(folder / Path(location).expanduser())


def _scheme(location: str) -> str:
    """What stands before `://` (or MLflow's bare names, such as `databricks`); empty for a path."""
    if location in _REGISTRIES - {"file", "http", "https", "sqlite"}:
        return location
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):(?://|(?<=file:)|(?<=sqlite:))", location)
    return found[1].lower() if found else ""


def _check_address(url: str) -> None:
    """Refuse an address that cannot be split, or whose port is no number from 1 to 65535."""
    try:
        port = urlsplit(url.rpartition("::")[2]).port
    except ValueError as error:
        if "port" in str(error).lower():
            raise ValueError("its port is no number from 1 to 65535; write it as in host:5432") from None
        raise ValueError(f"it is no address ({error})") from None
    if port == 0:
        raise ValueError("its port is 0; write a number from 1 to 65535")


def _check_sqlite(url: str) -> None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        made = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"it is no URL of SQLite ({error}); write sqlite:///trueup.db") from None
    if made.host or made.username or made.port:
        raise ValueError("SQLite has no host; write three slashes before the file, as in sqlite:///trueup.db")
    if not made.database or ":memory:" in made.database or made.query.get("mode") == "memory":
        raise ValueError("it names a database in memory, so nothing would be kept; name a file: sqlite:///trueup.db")
    if unknown := sorted(set(made.query) - _SQLITE_OPTIONS):
        raise ValueError(f"SQLite has no option '{unknown[0]}'; leave out everything from the ? on")


def _added_registries() -> frozenset[str]:
    from importlib.metadata import entry_points

    return frozenset(entry.name for entry in entry_points(group="mlflow.tracking_store"))
