"""A home works wherever it is moved or copied to, and what a copy does leaves its original whole."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import trueup
from tests.flows.test_commands import Shell
from tests.former_deployment import CHAMPION, PREVIOUS, unpacked
from tests.made_deployments import TRAINED, WEEK

AS_OF = f"{TRAINED + 2 * WEEK:%Y-%m-%dT%H:%M:%SZ}"
AGREES = {"ok": True, "problems": [], "erased": []}
KEEP_ONE = '\n[streams.reviews.retention]\nversions = 1\nreports = "1d"\n'


def stored(folder: Path) -> dict[str, bytes]:
    """The files of models and archive."""
    home = folder / ".trueup"
    found = (file for part in ("mlflow", "archive") for file in (home / part).rglob("*") if file.is_file())
    return {str(file.relative_to(home)): file.read_bytes() for file in found}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment that was opened where it lies."""
    folder = unpacked(tmp_path_factory.mktemp("original"))
    Shell(folder)("models verify -s reviews")
    return folder


def test_a_moved_home_goes_on(original: Path, tmp_path: Path) -> None:
    """Renamed and moved again, it answers, checks, verifies and rolls back as it did, in memory of where it was."""
    first = shutil.copytree(original, tmp_path / "first")
    answers = Shell(first)("predict -s reviews").document
    identity = trueup.open(first / "trueup.toml")._app.settled
    assert identity is not None
    moved = first.rename(tmp_path / "renamed deployment 100%")
    shell = Shell(moved)
    assert shell("predict -s reviews").document == answers
    assert shell("models verify -s reviews").document == AGREES
    assert shell(f"check -s reviews --as-of {AS_OF}").document["signals"]
    last = Shell(Path(shutil.move(moved, tmp_path / "deeper" / "down")))
    last("models rollback -s reviews --why 'its answers are worse'")
    assert last("status").document["streams"][0]["champion"] == PREVIOUS
    with trueup.open(last.folder / "trueup.toml") as deployment:
        now = deployment._app.settled
        assert now is not None
        assert now.identity.id == identity.identity.id


@pytest.mark.slow
def test_what_a_copy_does_leaves_the_original_whole(original: Path, tmp_path: Path) -> None:
    """The copy trains and prunes among its own files; not a byte of the original changes, and both verify."""
    before = stored(original)
    copy = shutil.copytree(original, tmp_path / "copy")
    (copy / "trueup.toml").write_text((copy / "trueup.toml").read_text() + KEEP_ONE)
    shell = Shell(copy)
    shell(f"train -s reviews --as-of {AS_OF}")
    shell("prune -s reviews")
    assert len(stored(copy)) != len(before)
    assert shell("models verify -s reviews").document == AGREES
    assert stored(original) == before
    assert Shell(original)("models verify -s reviews").document == AGREES
    assert Shell(original)("status").document["streams"][0]["champion"] == CHAMPION


def test_a_copy_is_told_that_it_is_one(original: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, before it writes, also where it was made while the original is open."""
    with trueup.open(original / "trueup.toml"):
        copy = shutil.copytree(original, tmp_path / "copy")
    said = []
    for _ in range(2):
        caplog.clear()
        Shell(copy)("models list -s reviews")
        said.append([record.getMessage() for record in caplog.records if "is a copy" in record.getMessage()])
    assert len(said[0]) == 1
    assert str(original) in said[0][0]
    assert said[1] == []


@pytest.fixture
def sharing(tmp_path: Path) -> tuple[Shell, Shell]:
    """A deployment and a copy of it, which share a store."""
    folder = unpacked(tmp_path)
    shared = tmp_path / "shared.db"
    with closing(sqlite3.connect(folder / ".trueup" / "trueup.db")) as source, closing(sqlite3.connect(shared)) as to:
        source.backup(to)
    settings = folder / "trueup.toml"
    settings.write_text(f'{settings.read_text()}\n[store]\nurl = "sqlite:///{shared}"\n')
    first = Shell(folder)
    first("pause -s reviews --why 'so that it has written'")
    first("resume -s reviews --why 'so that it has written'")
    return first, Shell(shutil.copytree(folder, tmp_path / "copy"))


@pytest.mark.parametrize(
    "words",
    ["pause -s reviews --why now", "prune -s reviews", "train -s reviews", "ingest rows.csv -s reviews",
     f"check -s reviews --as-of {AS_OF}", "models rollback -s reviews --why now", "cycle -s reviews"],
)  # fmt: skip
def test_a_copy_that_shares_a_store_writes_nothing(sharing: tuple[Shell, Shell], words: str) -> None:
    """Each command that writes is refused with the way on, and changes nothing in either place."""
    first, copy = sharing
    (copy.folder / "rows.csv").write_text("review_id,at,text,stars\nnew,2024-02-01 00:00:00,good,5\n")
    shared = (copy.folder.parent / "shared.db").read_bytes()
    before = stored(first.folder), stored(copy.folder)
    said = copy(words.replace("rows.csv", str(copy.folder / "rows.csv")), status=2).document["error"]
    assert "trueup adopt --why" in said
    assert (stored(first.folder), stored(copy.folder)) == before
    assert (copy.folder.parent / "shared.db").read_bytes() == shared


def test_a_copy_that_shares_a_store_reads(sharing: tuple[Shell, Shell]) -> None:
    """What only reads works, and `status` says how it stands."""
    _, copy = sharing
    rows = copy.folder / "rows.csv"
    rows.write_text("review_id,at,text\nnew,2024-02-01 00:00:00,good\n")
    assert copy(f"predict {rows} -s reviews").document["predictions"]
    copy("models history -s reviews")
    assert any("trueup adopt" in note for note in copy("status").document["streams"][0]["notes"])


@pytest.mark.parametrize("take_over", [False, True])
def test_an_adopted_copy_writes(sharing: tuple[Shell, Shell], take_over: bool) -> None:
    """Beside the original, or in its place: that may not write any more then, until it adopts in turn."""
    first, copy = sharing
    option = " --take-over" if take_over else ""
    done = copy(f"adopt --why 'a second machine'{option}").document
    assert done["copy_of"] == str(first.folder / ".trueup")
    copy("pause -s reviews --why now")
    said = first("resume -s reviews --why now", status=2 if take_over else 0).document
    if take_over:
        assert "a second machine" in said["error"]
        first("adopt --why 'it was a mistake'")
        first("resume -s reviews --why now")


def test_who_is_no_copy_has_nothing_to_adopt(original: Path) -> None:
    """And a reason is asked for."""
    assert "of its own already" in Shell(original)("adopt --why now", status=2).document["error"]
    assert "--why is empty" in Shell(original)("adopt --why ' '", status=2).document["error"]


def test_a_fresh_home_that_joins_a_shared_store_is_no_copy(sharing: tuple[Shell, Shell], tmp_path: Path) -> None:
    """It has an identity of its own, and both write."""
    first, _ = sharing
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    shutil.copy(first.folder / "trueup.toml", fresh)
    Shell(fresh)("pause -s reviews --why now")
    first("resume -s reviews --why now")
