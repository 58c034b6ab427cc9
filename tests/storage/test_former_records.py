"""Records of a store from before they were keyed by place: from each earlier schema, whole, also when it is killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from trueup.storage import sql_views
from trueup.storage.archive import Archive
from trueup.storage.arrival_courses import ArrivalCourses
from trueup.storage.database import HEAD, Database, open_database
from trueup.storage.predictions import PredictionLog
from trueup.storage.reading import RecordReader
from trueup.storage.segments import write_segment
from trueup.storage.stream import LabelPolicy, StreamSettings

STREAM = StreamSettings(name="r", id="id", time="at", text=("text",), label=LabelPolicy(column="stars"))
OTHER = STREAM.model_copy(update={"name": "another"})
MIGRATIONS = Path(__file__).parents[2] / "storage" / "migrations"
FORMER = sorted(file.name[:4] for file in (MIGRATIONS / "versions").glob("0*.py") if file.name[:4] < "0017")
HOUR = 3_600_000_000
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def at(moment: datetime) -> int:
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64))


BEGIN = at(datetime(2024, 1, 1, tzinfo=UTC))


def config_of(engine: sa.Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def put(engine: sa.Engine, rows: dict[str, list[dict[str, Any]]]) -> None:
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for name, some in rows.items():
            connection.execute(sa.insert(tables.tables[name]), some)


def former_rows(archive: Archive, stream: StreamSettings) -> dict[str, list[dict[str, Any]]]:
    """Four records in two batches: labelled at once, later, by feedback of two people, and not at all."""
    name = stream.name
    rows: dict[str, list[dict[str, Any]]] = {"streams": [{"name": name, "next_seq": 4}], "segments": [], "records": []}
    for first, ids in ((0, ["b", "a"]), (2, ["d", "c"])):
        seq = np.arange(first, first + 2)
        times = BEGIN + (10 - seq) * HOUR
        table = pa.table({"id": ids, "text": [f"{name} {i}" for i in ids]})
        part = write_segment(
            archive, stream, "records", table, ids=np.array(ids, object), times=times.view("datetime64[us]"), seq=seq
        )
        received = at(NOW) + first
        rows["segments"].append({
            "stream": name, "name": part.name, "first_seq": first, "rows": 2, "first_time": int(times.min()),
            "last_time": int(times.max()), "source": "f", "received_at": received,
        })  # fmt: skip
        rows["records"] += [
            {"stream": name, "id": i, "seq": int(s), "time": int(when), "evaluation": bool(side), "content": int(c),
             "fingerprint": int(s) + 100, "received_at": received}
            for i, s, when, side, c in zip(ids, seq, times, part.evaluation, part.content, strict=True)
        ]  # fmt: skip
    of = {record["id"]: {"stream": name, "record_id": record["id"], "seq": record["seq"], "time": record["time"]}
          for record in rows["records"]}  # fmt: skip
    own = {"provenance": "record", "source": ""}
    given = {"provenance": "feedback", "known_at": BEGIN + 30 * HOUR}
    rows["labels"] = [
        of["a"] | own | {"known_at": BEGIN + 11 * HOUR, "value": "5"},
        of["b"] | own | {"known_at": BEGIN + 20 * HOUR, "value": "4"},
        of["b"] | given | {"source": "f2", "value": "1"},  # at the same time: the one stored later stands
        of["b"] | given | {"source": "f1", "value": "2"},
        of["d"] | {"provenance": "audit", "source": "x", "known_at": BEGIN + 40 * HOUR, "value": "3"},
    ]
    rows["feedback"] = [
        {"stream": name, "id": f"f{k}", "record_id": "b", "kind": "label", "value": str(3 - k), "user": f"user {k}",
         "at": BEGIN + 30 * HOUR, "received_at": at(NOW)} for k in (2, 1)
    ]  # fmt: skip
    rows["predictions"] = [of[i] | {"version": 2, "predicted": f"p{i}", "score": 0.1} for i in "ca"]
    return rows


def former_revision(archive: Archive, stream: StreamSettings) -> dict[str, list[dict[str, Any]]]:
    """Record "a" was edited, and its label with it."""
    part = write_segment(
        archive, stream, "revisions", pa.table({"id": ["a"], "text": ["edited"]}), ids=np.array(["a"], object),
        times=np.array([BEGIN + 9 * HOUR]).view("datetime64[us]"), seq=np.array([1]),
    )  # fmt: skip
    of = {"stream": stream.name, "record_id": "a", "seq": 1, "time": BEGIN + 9 * HOUR, "known_at": BEGIN + 50 * HOUR}
    return {
        "revisions": [of | {"number": 1, "segment": part.name, "place": 0, "fingerprint": 7, "label": "2"}],
        "labels": [of | {"provenance": "record", "source": "revision 1", "value": "2"}],
    }


def kept(database: Database, archive: Archive, *, edited: bool) -> None:
    """All that was in the former store is read as it was."""
    reader = RecordReader(database, archive)
    for stream in (STREAM, OTHER):
        rows = reader.read(stream, as_of=NOW, version=2)
        text = "edited" if edited else f"{stream.name} a"
        assert rows.features["text"].tolist() == [f"{stream.name} c", f"{stream.name} d", text, f"{stream.name} b"]
        assert rows.meta["label"].tolist() == [None, "3", "2" if edited else "5", "2"]
        assert rows.meta["provenance"].tolist() == [None, "audit", "record", "feedback"]
        assert rows.meta["predicted"].tolist() == ["pc", None, "pa", None]
        assert reader.users(stream, rows, NOW).tolist() == [None, None, None, "user 1"]
        early = reader.read(stream, as_of=datetime(2024, 1, 1, 21, tzinfo=UTC))
        assert early.meta["label"].tolist() == [None, None, "5", "4"]
        begin = datetime(2023, 12, 31, tzinfo=UTC)
        _, known = reader.label_times(stream, reader.times(stream, NOW), after=begin, as_of=NOW)
        hours = (known.astype(np.int64)[1:] - BEGIN) // HOUR
        assert (str(known[0]), hours.tolist()) == ("NaT", [40, 11, 20])
        delays = ArrivalCourses(database).label_delays(stream.name, begin, 9)
        assert [delay.delay.total_seconds() / 3600 for delay in delays] == [10, 2, 32]
        received, _ = reader.received(stream, NOW)
        assert received.astype(np.int64).tolist() == [BEGIN, BEGIN, at(NOW), at(NOW)]
        assert PredictionLog(database, archive).missing(stream, 2, after=begin, as_of=NOW) == 2
    with database.read() as connection:
        found = connection.execute(sa.text("SELECT seq, fingerprint FROM records ORDER BY stream, seq")).all()
        assert [tuple(row) for row in found] == [(seq, seq + 100) for seq in range(4)] * 2
        assert connection.execute(sa.text("SELECT COUNT(*) FROM labels")).scalar() == (8 if edited else 6)


@pytest.fixture(params=["sqlite", "postgresql"])
def former(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path, sa.Engine]]:
    """URL, home and engine of a database that the newest schema before places, 0016, was made in, with data."""
    url = request.getfixturevalue("empty_postgres") if request.param == "postgresql" else ""
    engine = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://") or f"sqlite:///{tmp_path / 'trueup.db'}"
    )
    with pytest.MonkeyPatch.context() as patch:  # today's views name columns that came later, which PostgreSQL refuses
        patch.setattr(sql_views, "replace_views", lambda connection: None)
        command.upgrade(config_of(engine), FORMER[-1])
    archive = Archive("", tmp_path)
    for stream in (STREAM, OTHER):
        put(engine, former_rows(archive, stream))
        put(engine, former_revision(archive, stream))
    yield url, tmp_path, engine
    engine.dispose()


def test_each_earlier_schema_moves_with_its_records(tmp_path: Path) -> None:
    """Data put in at the first schema, copied at every later one; the edit comes with the schema that can hold it."""
    archive = Archive("", tmp_path)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'trueup.db'}")
    for schema in FORMER:
        command.upgrade(config_of(engine), schema)
        for stream in (STREAM, OTHER):
            if schema == FORMER[0]:
                put(engine, former_rows(archive, stream))
            if schema == "0010":
                put(engine, former_revision(archive, stream))
        engine.dispose()
        home = tmp_path / schema
        home.mkdir()
        shutil.copy(tmp_path / "trueup.db", home)
        database = open_database("", home)
        kept(database, archive, edited=schema >= "0010")
        database.close()


@pytest.mark.slow
def test_killed_at_any_statement_the_move_begins_again(former: tuple[str, Path, sa.Engine]) -> None:
    """The former store stands as it was after each kill, and at last it is moved whole."""
    url, home, engine = former
    statement = 0
    while _killed(url, home, statement):
        with engine.connect() as connection:
            schema = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            former_labels = connection.execute(sa.text("SELECT COUNT(*) FROM labels")).scalar()
        # after the last step only PostgreSQL's lock is given back
        assert (schema, former_labels) in ((FORMER[-1], 12), (HEAD, 8))
        engine.dispose()
        statement += 1
    assert statement > 40
    database = open_database(url, home)
    kept(database, Archive("", home), edited=True)
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        assert not [name for name in sa.inspect(connection).get_table_names() if name.startswith("former_")]
    database.close()


def _killed(url: str, home: Path, statement: int) -> bool:
    """Whether a process that opens the store is killed before a statement of the migration, or came to its end."""
    child = os.fork()
    if not child:
        left = iter(range(statement))

        def kill(*_: Any) -> None:
            if next(left, None) is None:
                os._exit(9)

        sa.event.listen(sa.Engine, "before_cursor_execute", kill)
        try:
            open_database(url, home)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
