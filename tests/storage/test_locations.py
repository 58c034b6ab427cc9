"""Where state is kept: addresses that cannot be meant are refused, relative ones begin at one folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from trueup.storage.locations import checked_archive, checked_host, checked_registry, checked_store, from_folder


@pytest.mark.parametrize(
    ("check", "location", "said"),
    [
        (checked_store, "sqlite://", "in memory"),
        (checked_store, "sqlite:///", "in memory"),
        (checked_store, "sqlite:///:memory:", "in memory"),
        (checked_store, "sqlite:///file:a?mode=memory&uri=true", "in memory"),
        (checked_store, "sqlite://host/a.db", "three slashes"),
        (checked_store, "sqlite:///a.db?cache=1", "no option 'cache'"),
        (checked_store, "postgresql://u@h:54x2/d", "port"),
        (checked_store, "postgresql://u@h:99999/d", "port"),
        (checked_store, "postgresql://[::1/d", "no URL|no address"),
        (checked_store, "mysql://h/d", "SQLite or PostgreSQL"),
        (checked_store, "trueup.db", "SQLite or PostgreSQL"),
        (checked_registry, "sqlite://", "in memory"),
        (checked_registry, "http://h:50x0", "port"),
        (checked_registry, "http://", "no host"),
        (checked_registry, "htp://h", "knows no 'htp:'"),
        (checked_archive, "memory://a", "in memory"),
        (checked_archive, "sftp://h:2x/a", "port"),
        (checked_archive, "https://h/a", "nothing can be written"),
        (checked_archive, "zz://a", "no file system is called 'zz'"),
        (checked_host, "http://mail", "no host"),
        (checked_host, "mail:25", "no host"),
        (checked_host, "a..b", "no host"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(check: Callable[[str], str], location: str, said: str) -> None:
    """In memory, without a host, or with a port that is none: nothing would be kept or found there."""
    with pytest.raises(ValueError, match=said):
        check(location)


def test_an_archive_names_the_package_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its package an archive's URL is refused, by the package's name."""
    fsspec = import_module("fsspec.registry")  # `fsspec.registry` names the mapping inside of it
    monkeypatch.setattr(fsspec, "registry", {})  # a file system that another test opened is known by itself
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="s3fs"):
        checked_archive("s3://bucket/folder")


@pytest.mark.parametrize(
    ("location", "meant"),
    [
        ("", ""),
        ("sqlite:///a.db", "sqlite:////home/a.db"),
        ("sqlite:///a.db?timeout=3", "sqlite:////home/a.db?timeout=3"),
        ("sqlite:////x/a.db", "sqlite:////x/a.db"),
        ("archive/deep", "/home/archive/deep"),
        ("/x/archive", "/x/archive"),
        ("file:mlruns", "/home/mlruns"),
        ("file:///x/mlruns", "file:///x/mlruns"),
        ("s3://bucket/a", "s3://bucket/a"),
        ("postgresql://u:p%40@h/d", "postgresql://u:p%40@h/d"),
        ("http://h:5000", "http://h:5000"),
        ("databricks", "databricks"),
    ],
)
def test_what_is_relative_begins_at_the_folder(location: str, meant: str) -> None:
    """Paths, SQLite URLs and file: URLs alike; what names a server or a whole path stays."""
    assert from_folder(location, Path("/home")) == meant
