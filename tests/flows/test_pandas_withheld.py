"""An ingest without pandas: the same records, and pandas all the same for who asks for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.former_deployment import unpacked
from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.database import open_database

MAIN = "from trueup.flows.cli.main import main; main()"
WITHHELD = "import sys, trueup.flows.cli.pandas_withheld as w; w.withhold_pandas(); import pyarrow as pa; "
CSV = (
    'review_id,at,text,stars,n\nq1,2024-02-01 10:00:00,"said ""well"", on\ntwo lines",5,1.0\nq2,never,no time,1,2\n'
    "q3,2024-02-01 11:00:00,  Spaces and CAPITALS ,4.0,\nq3,2024-02-01 12:00:00,other words,2,3\nq4,2024-02-02,x,,nan\n"
    'q5,2024-02-02 09:00:00,"open,3,4\nq6,2024-02-02 09:30:00,\u00e9t\u00e9 \ufb01n,NA,5\n'
)


def _python(program: str, *arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _parquet(file: Path) -> None:
    """Times with nanoseconds, which pyarrow gives as pandas' own where that is there."""
    at = pa.array([1_706_781_600_123_456_789, 1_706_785_200_000_000_000], pa.timestamp("ns"))
    columns = {"review_id": ["p1", "p2"], "at": at, "text": ["one", "two"], "stars": [1, 5], "extra": at}
    pq.write_table(pa.table(columns), file)


def _stored(folder: Path) -> tuple[list[Any], list[Any]]:
    """All that an ingest decides: rows of the index and of the segments, and what was refused."""
    database, archive = open_database("", folder / ".trueup"), Archive("", folder / ".trueup")
    q = t.quarantine.c
    with database.read() as connection:
        index = connection.execute(sa.select(t.records).order_by(t.records.c.seq)).all()
        names = connection.execute(sa.select(t.segments.c.name).order_by(t.segments.c.first_seq)).scalars().all()
        refused = connection.execute(sa.select(q.line, q.reason, q.detail, q.raw, q.happened_at).order_by(q.id)).all()
    rows = [archive.read_table(name).to_pylist() for name in names]
    database.close()
    return [*map(tuple, index), *rows], list(map(tuple, refused))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dirty.csv", "nanoseconds.parquet"])
def test_the_same_is_stored_with_pandas_and_without(tmp_path: Path, name: str) -> None:
    """Keys, sides, fingerprints, labels, refusals and the command's answer, to the digit."""
    found = []
    for kept, first in (("without", ""), ("with", "import pandas; ")):
        folder = unpacked(tmp_path / kept)
        file = folder / name
        if name.endswith("csv"):
            file.write_text(CSV, encoding="utf-8")
        else:
            _parquet(file)
        answer = json.loads(_python(first + MAIN, "ingest", name, "-s", "reviews", "--json", folder=folder))
        found.append((answer, *_stored(folder)))
    assert found[0] == found[1]
    assert found[0][0]["accepted"]


def test_arrow_makes_arrays_without_pandas() -> None:
    """Values go into Arrow and out of it, and pandas is not imported for it."""
    program = "print(pa.array(['a', None]).to_numpy(zero_copy_only=False), pa.scalar(1), 'pandas' in sys.modules)"
    assert _python(WITHHELD + program) == "['a' None] 1 False\n"


@pytest.mark.parametrize("imported", ["import pandas as pd", "import importlib as i; pd = i.import_module('pandas')"])
def test_who_asks_for_pandas_gets_it_and_arrow_learns_of_it(imported: str) -> None:
    """Also after pyarrow asked in vain: a Series is one again, with its missing values."""
    program = f"pa.array([1]); pa.scalar(1); {imported}; print(pa.array(pd.Series([1.0, float('nan')])).null_count)"
    assert _python(WITHHELD + program) == "1\n"


def test_who_looks_whether_pandas_is_there_finds_it() -> None:
    """`find_spec` tells of it, and neither imports it nor lets pyarrow do so."""
    program = "import importlib.util as u; print(u.find_spec('pandas').name, pa.array([1])[0], 'pandas' in sys.modules)"
    assert _python(WITHHELD + program) == "pandas 1 False\n"
