"""A home knows whether it was moved or copied, and a copy writes to nothing that it shares before a person decided."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trueup.storage.errors import ConfigError
from trueup.storage.identity import IDENTITY_FILE, Settled, adopted, read_identity, settle

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SHARED = {"store": "postgresql://db.example.org/trueup"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "first" / ".trueup"
    made.mkdir(parents=True)
    return made


def copied(home: Path, name: str = "second") -> Path:
    return shutil.copytree(home, home.parent.parent / name / ".trueup")


def test_a_home_stays_who_it_is(home: Path) -> None:
    """Opened again it is the same, and its file is not written."""
    first = settle(home, {}, NOW)
    written = (home / IDENTITY_FILE).stat().st_mtime_ns
    assert settle(home, {}, NOW) == first
    assert (home / IDENTITY_FILE).stat().st_mtime_ns == written


@pytest.mark.parametrize("shares", [{}, SHARED])
def test_a_moved_home_stays_who_it_is(home: Path, shares: dict[str, str]) -> None:
    """Moved twice, also with a shared store; it remembers where it was."""
    first = settle(home, shares, NOW)
    for name in ("b", "c"):
        home = home.rename(home.with_name(name))
        moved = settle(home, shares, NOW)
        assert (moved.identity.id, moved.refusal, moved.told) == (first.identity.id, "", "")
    assert moved.identity.moved_from == (first.identity.path, str(home.with_name("b")))


def test_a_home_under_a_link_is_the_same(home: Path) -> None:
    """Neither a link to it nor its folder behind a link is a copy."""
    first = settle(home, SHARED, NOW)
    link = home.parent.parent / "link"
    link.symlink_to(home)
    assert settle(link, SHARED, NOW) == first
    home.rename(home.with_name("elsewhere"))
    home.symlink_to(home.with_name("elsewhere"))
    assert settle(home, SHARED, NOW).identity.id == first.identity.id


def test_a_copy_that_shares_nothing_is_a_deployment_of_its_own(home: Path) -> None:
    """It is told once, and the original stays who it is."""
    first = settle(home, {}, NOW)
    copy = copied(home)
    found = settle(copy, {}, NOW)
    assert found.identity.id != first.identity.id
    assert found.identity.copied_from == str(home)
    assert str(home) in found.told
    assert not found.refusal
    assert settle(copy, {}, NOW).told == ""
    assert settle(home, {}, NOW) == first


@pytest.mark.parametrize("what", ["store", "archive", "registry", "models"])
def test_a_copy_that_shares_something_is_refused(home: Path, what: str) -> None:
    """It is told what it shares, with whom, and the command to decide with; each time anew, and nothing is written."""
    settle(home, {what: "somewhere"}, NOW)
    copy = copied(home)
    before = (copy / IDENTITY_FILE).read_text()
    for _ in range(2):
        said = settle(copy, {what: "somewhere"}, NOW).refusal
        assert all(word in said for word in (str(home), what, "trueup adopt --why"))
    assert (copy / IDENTITY_FILE).read_text() == before


def test_a_copy_with_a_store_of_its_own_is_not_refused(home: Path) -> None:
    """Where the settings of the copy name another database it shares nothing."""
    settle(home, SHARED, NOW)
    found = settle(copied(home), {"store": "postgresql://db.example.org/other"}, NOW)
    assert found.told
    assert not found.refusal


def test_a_copy_whose_original_is_gone_was_moved(home: Path) -> None:
    """`cp -a` and `rm -r` is a move."""
    first = settle(home, SHARED, NOW)
    copy = copied(home)
    shutil.rmtree(home)
    assert settle(copy, SHARED, NOW).identity.id == first.identity.id


def test_a_copy_on_another_machine_is_one(home: Path) -> None:
    """The original cannot be seen from here; a folder that only got another host name (a container) is the same."""
    first = settle(home, SHARED, NOW)
    elsewhere = replace(first.identity, host="another")
    (home / IDENTITY_FILE).write_text(json.dumps(elsewhere.__dict__))
    assert settle(home, SHARED, NOW).identity.id == first.identity.id
    (home / IDENTITY_FILE).write_text(json.dumps(replace(elsewhere, inode=1).__dict__))
    assert settle(home, SHARED, NOW).refusal


def test_an_adopted_copy_may_write(home: Path) -> None:
    """It has an identity of its own then; one that takes over reads the original's models as its own."""
    settle(home, SHARED, NOW)
    copy = copied(home)
    own = adopted(copy, settle(copy, SHARED, NOW), SHARED, NOW, take_over=False)
    assert settle(copy, SHARED, NOW) == Settled(identity=own)
    assert own.moved_from == ()
    third = copied(home, "third")
    assert adopted(third, settle(third, SHARED, NOW), SHARED, NOW, take_over=True).moved_from == (str(home),)


def test_a_damaged_identity_is_told(home: Path) -> None:
    """It is not guessed which deployment this is."""
    settle(home, {}, NOW)
    (home / IDENTITY_FILE).write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        read_identity(home)
