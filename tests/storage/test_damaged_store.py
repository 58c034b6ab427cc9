"""A damaged store or archive is said in one line, with what to do, and nothing is concluded from it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
import typer

from trueup.flows.cli.session import failing_plainly
from trueup.storage.archive import Archive
from trueup.storage.database import open_database
from trueup.storage.errors import StoreUnusable


def _kept(archive: Archive) -> tuple[str, Path]:
    name = archive.write_table("snapshots/s", pa.table({"a": list(range(1000)), "b": ["x"] * 1000}))
    path = archive.local_path(name)
    assert path is not None
    return name, path


def test_one_flipped_bit_is_noticed(archive: Archive) -> None:
    """A file's name is the hash of its bytes: another value in it would change a verdict without a sign."""
    name, path = _kept(archive)
    assert archive.read_table(name, ["a"])["a"].to_pylist() == list(range(1000))
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreUnusable, match=r"damaged.*Restore"):
        archive.read_table(name)


def test_a_table_comes_in_parts(archive: Archive) -> None:
    """Columns can be named or left out, and few texts come as numbers beside them; the values are the same."""
    name, _ = _kept(archive)
    assert archive.read_table(name, without=["a"]).column_names == ["b"]
    few = archive.read_table(name, ["a", "b", "absent"], dictionaries=True)
    assert pa.types.is_dictionary(few.schema.field("b").type)
    assert few.cast(archive.read_table(name).schema).equals(archive.read_table(name))


def test_a_cut_file_is_noticed(archive: Archive) -> None:
    """A Parquet file that a full disk cut short is damaged, not a traceback."""
    name, path = _kept(archive)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreUnusable, match=r"100 bytes.*Restore"):
        archive.read_table(name)


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    """Bytes that are no SQLite file are left as they are, and the way back is named."""
    (tmp_path / "trueup.db").write_bytes(b"this was a database once" * 100)
    with pytest.raises(StoreUnusable, match=r"not a database.*backup"):
        open_database("", tmp_path)
    assert (tmp_path / "trueup.db").read_bytes().startswith(b"this was a database once")


@pytest.mark.parametrize(
    "error",
    [
        sa.exc.DatabaseError("SELECT 1", None, Exception("database disk image\nis malformed")),
        OSError(28, "No space left on device", "/somewhere"),
    ],
)
def test_a_failure_half_way_is_one_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """What the database or the system says is passed on, with what became of the data, and status 1."""
    with pytest.raises(typer.Exit) as ended, failing_plainly(as_json=False):
        raise error
    said = capsys.readouterr().err
    assert ended.value.exit_code == 1
    assert "What was stored before is kept" in said
    assert len(said.strip().splitlines()) == 1


def test_a_fault_of_ours_stays_a_traceback() -> None:
    """What nobody foresaw is not dressed up as a failure of the system."""
    with pytest.raises(ZeroDivisionError), failing_plainly(as_json=True):
        raise ZeroDivisionError
