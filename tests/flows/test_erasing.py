"""Erasing goes on where it was cut short, waits for readers, and nothing that was erased comes in again."""

from __future__ import annotations

import pickle
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

import trueup
from tests.found_bytes import places_of
from tests.made_person import (
    ALL,
    CANARY,
    LEFT,
    PERSON,
    ROWS,
    THEIRS,
    copied,
    go_on,
    ids,
    nothing_is_left,
    opened,
    rows_of,
    settings,
    with_a_person,
)
from trueup.feedback import taken_files
from trueup.feedback.intake import ingest, ingest_feedback
from trueup.flows.admin.doctor import examine
from trueup.flows.app import App
from trueup.flows.erase import run as erasing
from trueup.flows.erase.needed_words import without_needed
from trueup.flows.erase.run import erase
from trueup.flows.erase.unreachable import out_of_reach
from trueup.storage.alert_tables import alerts, deliveries
from trueup.storage.erasure.erasure_log import BEGUN, TAKEN_OUT, ErasureLog
from trueup.storage.erasure.needles import Needles
from trueup.storage.erasure.tombstones import KEY_FILE, Tombstones
from trueup.storage.errors import InputError, LeaseHeld, StoreUnusable
from trueup.storage.leases import reading
from trueup.storage.promotions import VersionRecord
from trueup.storage.segments import write_segment
from trueup.storage.sources.source_tables import source_files
from trueup.storage.tables import metadata

NONE = timedelta(0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "one"
    with_a_person(folder).close()
    assert {place.split("/")[1].split()[0] for place in places_of(CANARY, folder)} >= {"trueup.db", "archive", "mail"}
    return folder


@pytest.fixture
def app(made: Path, tmp_path: Path) -> Iterator[App]:
    """A deployment of its own, which does not know that it is a copy."""
    found = copied(made, tmp_path / "one")
    yield found
    found.close()


def test_a_person_is_gone_and_others_stay(app: App) -> None:
    """Rows, changes, feedback, refused rows, report and mail; what remains is a hash that no name gives without key."""
    done = erase(app, app.stream("reviews"), user=PERSON, why="request 4711")
    assert (done["erased"], done["records"], done["versions"]) == (True, THEIRS, [])
    (kept,) = ErasureLog(app.database).of("reviews")
    assert kept.mark == Tombstones(app.home).marks("reviews", "user", [PERSON])[0]
    assert (app.home / KEY_FILE).stat().st_mode & 0o077 == 0
    assert "plain" in (app.home / "mail" / "new" / "1.eml").read_text()
    nothing_is_left(app)


def test_one_record_is_gone_and_the_rest_of_the_person_stays(app: App) -> None:
    """With what was said about it; a reason, and one of both names, are compulsory."""
    stream = app.stream("reviews")
    for wrong in ({"why": "x"}, {"user": "a", "record": "b", "why": "x"}, {"record": "plain-2", "why": " "}):
        with pytest.raises(InputError):
            erase(app, stream, **wrong)
    done = erase(app, stream, record="plain-2", why="request 4712")
    assert (done["erased"], done["records"]) == (True, 1)
    assert ids(app) == sorted({*ALL} - {"plain-2"})
    assert places_of("plain-2,", app.home) == []
    assert places_of(f"{CANARY}-0", app.home) != []


@pytest.mark.parametrize("kind", ["user", "record"])
def test_what_was_only_refused_goes_as_well(app: App, tmp_path: Path, kind: str) -> None:
    """Of a person whose every row was refused, of a record that never was stored, and of what was said about it."""
    stream, word = app.stream("reviews"), "zzyonlyrefused"
    row = rows_of(61, 62).assign(id=f"{word}-1", user=f"{word} ann", text="", note=f"{word} note")
    row.to_csv(tmp_path / "refused.csv", index=False)
    said = f"record_id,kind,value,user,at\n{word}-1,label,negative,{word} ann,2024-01-20\n"
    (tmp_path / "said.csv").write_text(said)
    assert ingest(app.store, stream, [str(tmp_path / "refused.csv")], now=app.now()).quarantined == 1
    assert ingest_feedback(app.store, stream, [str(tmp_path / "said.csv")], now=app.now()).quarantined == 1
    done = erase(app, stream, why="request", **{kind: f" {word} ann" if kind == "user" else f"{word}-1"})
    assert (done["erased"], done["records"]) == (True, 0)
    again = ingest(app.store, stream, [str(tmp_path / "refused.csv")], now=app.now())
    assert (again.quarantined, again.erased) == (0, 1)
    app.close()
    assert places_of(word, app.home) == []


def test_nothing_of_it_comes_in_again(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the same file, feedback, a refused row that is released, nor rows whose id alone was erased: counted."""
    stream = app.stream("reviews")
    monkeypatch.setattr(taken_files, "_LEAST", 1)
    first = [str(app.home.parent / "first.csv")]
    assert [ingest(app.store, stream, first, now=app.now(), remember=True).duplicate for _ in range(2)] == [25, 25]
    erase(app, stream, user=PERSON, why="request")
    erase(app, stream, record="plain-2", why="request")
    folder = app.home.parent
    files = ([str(folder / f"{name}.csv")] for name in ("first", "bad"))
    again = [ingest(app.store, stream, file, now=app.now(), remember=True) for file in files]
    assert [(done.accepted, done.duplicate, done.erased) for done in again] == [(0, 19, 6), (0, 0, 3)]
    said = ingest_feedback(app.store, stream, [str(folder / "feedback.csv")], now=app.now())
    assert (said.accepted, said.duplicate, said.erased) == (0, 0, 4)
    renamed = rows_of(0, 10).assign(id=[f"new {k}" for k in range(10)])
    renamed.to_csv(tmp_path / "renamed.csv", index=False)
    done = ingest(app.store, stream, [str(tmp_path / "renamed.csv")], now=app.now())
    assert (done.accepted, done.erased) == (8, 2)
    assert places_of(CANARY, app.home) == []


def test_a_refused_row_that_is_released_is_left_out(made: Path, tmp_path: Path) -> None:
    """A line that named nobody when it was refused names the person once its settings are mended."""
    folder = tmp_path / "one"
    copied(made, folder).close()
    toml = (folder / "trueup.toml").read_text()
    with trueup.open(folder / "trueup.toml") as deployment:
        deployment.stream("reviews").erase(user=PERSON, why="request")
    rows_of(50, 52).assign(text=["gone", "text"]).to_csv(folder / "odd.csv", index=False)
    (folder / "trueup.toml").write_text(toml.replace('user = "user"\n', 'missing = ["gone"]\n', 1))
    with trueup.open(folder / "trueup.toml") as deployment:
        assert deployment.stream("reviews").ingest(folder / "odd.csv").quarantined == 1
    (folder / "trueup.toml").write_text(toml)
    with trueup.open(folder / "trueup.toml") as deployment:
        stream = deployment.stream("reviews")
        (odd,) = [item for item in stream.quarantine.list() if CANARY in item.raw]
        assert [(done.released, done.reason) for done in stream.quarantine.release(odd.id)] == [(False, "erased")]
        assert odd.id not in [item.id for item in stream.quarantine.list()]
        nothing_is_left(stream._app, ["plain-51"])


def test_a_source_that_looks_back_brings_nothing_again(made: Path, tmp_path: Path) -> None:
    """A query reads the same rows at each pull; the erased are left out, and counted."""
    folder = tmp_path / "one"
    copied(made, folder).close()
    with closing(sqlite3.connect(folder / "shop.db")) as shop, shop:
        rows_of(0, ROWS + 10).to_sql("reviews", shop, index=False)
    toml = (folder / "trueup.toml").read_text() + (
        f'\n[streams.reviews.source]\nsql = "sqlite:///{folder}/shop.db"\nquery = "SELECT * FROM reviews"\n'
        'cursor = "at"\nlook_back = "3650d"\n'
    )
    (folder / "trueup.toml").write_text(toml)
    with trueup.open(folder / "trueup.toml") as deployment:
        stream = deployment.stream("reviews")
        stream.erase(user=PERSON, why="request")
        done = stream.ingest()
        assert (done.accepted, done.erased) == (8, 10), done
        assert places_of(CANARY, folder / ".trueup") == []


def test_a_file_without_the_users_column_is_told(app: App) -> None:
    """Its records are nobody's, so erasing a user cannot find them."""
    file, notes = app.home.parent / "nobody.csv", list[str]()
    rows_of(61, 63).drop(columns="user").to_csv(file, index=False)
    ingest(app.store, app.stream("reviews"), [str(file)], now=app.now(), on_note=notes.append)
    assert [note for note in notes if "has no column 'user' (the user)" in note]


def test_a_restored_store_is_erased_again(app: App) -> None:
    """Until its next cycle nothing of it comes in, and doctor says what waits; then all is gone again."""
    stream, saved = app.stream("reviews"), app.home.parent / "saved"
    app.close()
    saved.mkdir()
    shutil.copy(app.home / "trueup.db", saved)
    shutil.copytree(app.home / "archive", saved / "archive")
    app = opened(app.home.parent)
    erase(app, stream, user=PERSON, why="request")
    erase(app, stream, record="plain-2", why="request")
    app.close()
    shutil.copy(saved / "trueup.db", app.home)
    shutil.copytree(saved / "archive", app.home / "archive", dirs_exist_ok=True)
    shutil.rmtree(saved)
    app = opened(app.home.parent)
    assert ids(app) == ALL
    done = ingest(app.store, stream, [str(app.home.parent / "second.csv")], now=app.now())
    assert (done.accepted, done.erased) == (0, 3)
    (told,) = [f for f in examine(app) if f.name == "erased reviews"]
    assert not told.ok
    assert "restored" in told.said
    go_on(app)
    assert [f.ok for f in examine(app) if f.name == "erased reviews"] == [True]
    assert ids(app) == [name for name in LEFT if name != "plain-2"]
    app.close()
    assert places_of(CANARY, app.home) == []


def test_without_its_key_nothing_is_taken_in(app: App) -> None:
    """Else rows of the person would come in again unseen; a second key is never made."""
    stream = app.stream("reviews")
    erase(app, stream, user=PERSON, why="request")
    (app.home / KEY_FILE).unlink()
    with pytest.raises(StoreUnusable, match=r"erasure\.key"):
        ingest(app.store, stream, [str(app.home.parent / "first.csv")], now=app.now())
    with pytest.raises(StoreUnusable, match=r"erasure\.key"):
        erase(app, stream, user="ann", why="request")
    assert not (app.home / KEY_FILE).exists()


def test_a_reader_of_the_file_keeps_it_from_being_erased(app: App) -> None:
    """SQLite keeps deleted bytes in its log while another program reads an older state: it says so, and goes on."""
    stream = app.stream("reviews")
    with closing(sqlite3.connect(app.home / "trueup.db", isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM records").fetchone() == (ROWS,)
        done = erase(app, stream, user=PERSON, why="request", patience=NONE)
        assert (done["erased"], done["state"]) == (False, TAKEN_OUT)
        assert ids(app) == LEFT
        assert places_of(CANARY, app.home) != []
        assert not next(f for f in examine(app) if f.name == "erased reviews").ok
        go_on(app)
        assert ErasureLog(app.database).unfinished("reviews")
    go_on(app)
    assert not ErasureLog(app.database).unfinished("reviews")
    nothing_is_left(app)


def test_nothing_is_taken_away_under_a_reader(app: App) -> None:
    """A check, an export or a site that reads rows finishes first; a reader that came later waits for its end."""
    stream = app.stream("reviews")
    with reading(app.database, "reviews"):
        with pytest.raises(LeaseHeld, match="being read by process"):
            erase(app, stream, user=PERSON, why="request", patience=NONE)
        assert ids(app) == ALL
        assert [e.state for e in ErasureLog(app.database).of("reviews")] == [BEGUN]
    with pytest.MonkeyPatch.context() as patch:
        during = list[str]()

        def meanwhile(*given: Any) -> Any:
            with pytest.raises(LeaseHeld, match="being erased by process"), reading(
                app.database, "reviews", wait=NONE, pause=lambda seconds: None
            ):
                raise AssertionError("read")
            during.append("refused")
            return clean(*given)

        clean = erasing.clean_documents
        patch.setattr(erasing, "clean_documents", meanwhile)
        erase(app, stream, user=PERSON, why="request")
    assert during == ["refused"]
    assert len(ErasureLog(app.database).of("reviews")) == 1
    with reading(app.database, "reviews"):
        pass
    nothing_is_left(app)


def test_files_of_writers_that_were_killed_go_as_well(app: App) -> None:
    """No table names them, so only their rows say whose they are; files of others stay, and can be used again."""
    stream = app.stream("reviews")
    lost = []
    for first in (100, 101):
        rows = rows_of(first, first + 1)
        lost.append(
            write_segment(
                app.archive, stream, "records", pa.Table.from_pandas(rows, preserve_index=False),
                ids=rows["id"].to_numpy(), times=np.array(["2024-01-05"], "datetime64[us]"), seq=np.array([77]),
            ).name
        )  # fmt: skip
    (app.home / "archive" / "records" / "reviews" / ".x.parquet.1.part").write_bytes(f"PAR1 {CANARY}".encode())
    erase(app, stream, user=PERSON, why="request")
    assert [app.archive.exists(name) for name in lost] == [False, True]
    nothing_is_left(app)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("", ()),
        ('[tracking]\nuri = "http://127.0.0.1:5000"\n', ("MLflow at http://127.0.0.1:5000",)),
        ('[site]\nto = "/srv/www"\n', ("The site at /srv/www",)),
        ('[site]\nto = "{home}/site"\n', ()),
        ('[smtp]\nhost = "127.0.0.1"\n', ("Messages that were delivered",)),
    ],
)
def test_it_names_what_it_cannot_reach(
    tmp_path: Path, more: str, named: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backups always, and what the settings put outside of the home folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "trueup.toml").write_text(settings() + more.format(home=tmp_path / ".trueup"))
    app = opened(tmp_path)
    found = list(out_of_reach(app, app.stream("reviews"), (1, 2)))
    app.close()
    expected = ("Backups", *named)
    assert len(found) == len(expected)
    assert all(said.startswith(place) for said, place in zip(found, expected, strict=True))


def test_what_failed_in_its_words_is_cleaned(app: App) -> None:
    """Why a source's file was set aside, and why a message was not taken: both may quote what they were about."""
    at = app.now()
    file = {"stream": "reviews", "feed": "records", "name": "a.csv", "size": 1, "version": "1", "state": "set aside"}
    notice = {"id": "a1", "stream": "reviews", "kind": "breach", "severity": "low", "subject": "x", "created_at": at}
    sent = {"id": "d1", "alert_id": "a1", "recipient": f"{CANARY}@example.org", "state": "dead", "attempts": 1}
    with app.database.write() as connection:
        connection.execute(sa.insert(source_files), file | {"why": f"line 3: {CANARY} text", "seen_at": at})
        connection.execute(sa.insert(alerts), notice)
        connection.execute(sa.insert(deliveries), sent | {"error": f"550 no {CANARY} here"})
    erase(app, app.stream("reviews"), user=PERSON, why="request")
    with app.database.read() as connection:
        assert connection.execute(sa.select(source_files.c.why)).scalar() == "line 3: [erased] text"
        told = connection.execute(sa.select(deliveries.c.error, deliveries.c.recipient)).one()
    assert tuple(told) == ("550 no [erased] here", f"{CANARY}@example.org"), "whom mails go to is the settings' to say"


def test_what_lies_elsewhere_is_named_and_stays(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay's folder that a crash left, a link out of the home folder, and a pickle with the word in it."""
    elsewhere, home = app.home.parent / "elsewhere", app.home
    (elsewhere / "trueup-replay-abc").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    (elsewhere / "notes.txt").write_text(CANARY)
    (home / "notes").symlink_to(elsewhere)
    (home / "own.pkl").write_bytes(pickle.dumps([{CANARY: 1.0}, "ok"]))
    (home / "own.bin").write_bytes(bytes(range(256)))
    left = erase(app, app.stream("reviews"), user=PERSON, why="request")["left"]
    assert [said for said in left if "trueup-replay-abc" in said]
    assert [said for said in left if said.startswith(f"notes is a link to {elsewhere}")]
    assert [said for said in left if said.startswith("own.pkl: it holds words of the rows")]
    assert not [said for said in left if "own.bin" in said]
    assert (elsewhere / "notes.txt").read_text() == CANARY


def test_models_on_a_larger_disk_are_cleaned(app: App) -> None:
    """Where `mlflow` of the home folder is a link: its files are the deployment's own."""
    disk = app.home.parent / "disk"
    (disk / "reviews").mkdir(parents=True)
    (disk / "reviews" / "errors.html").write_text(f"<p>{CANARY} and plain</p>")
    (app.home / "mlflow").symlink_to(disk)
    done = erase(app, app.stream("reviews"), user=PERSON, why="request")
    assert done["erased"]
    assert not [said for said in done["left"] if "mlflow" in said]
    assert (disk / "reviews" / "errors.html").read_text() == "<p>[erased] and plain</p>"


def test_names_in_the_settings_are_never_taken_out(app: App) -> None:
    """Documents and MLflow's experiments are known by them, with signs around them too; and a word that may be part of
    a UUID names nobody."""
    words = ["product", "note", "reviews", "negative", "cafe", "cafes", CANARY]
    needles = Needles(words, ["Positive", "stars", "Reviews!", "Error.", PERSON])
    made_by = {"settings": {"numeric": ["note"], "label": {"classes": ["so so"]}}}
    version = VersionRecord(
        stream="reviews", version=1, run_id="", cut_off=app.now(), trained_as_of=app.now(), snapshot="", reference="",
        quality="", document=made_by,
    )  # fmt: skip
    left = without_needed(needles, app.settings, [version])
    assert (left.words, left.values) == ({"cafes", CANARY}, (PERSON,))


def test_on_postgresql(empty_postgres: str, tmp_path: Path) -> None:
    """The same, searched for in every table of the database; what the server itself keeps is named."""
    app = with_a_person(tmp_path / "one", empty_postgres)
    stream = app.stream("reviews")
    assert rows_with(app, CANARY) > 0
    done = erase(app, stream, user=PERSON, why="request")
    assert done["erased"]
    assert any("write-ahead log" in place for place in done["left"])
    assert any("Backups" in place for place in done["left"])
    assert rows_with(app, CANARY) == 0
    again = ingest(app.store, stream, [str(app.home.parent / "first.csv")], now=app.now())
    assert (again.accepted, again.erased) == (0, 5)
    nothing_is_left(app)


def rows_with(app: App, word: str) -> int:
    """How many rows of all tables hold a word."""
    with app.database.read() as connection:
        names = sa.inspect(connection).get_table_names()
        assert {*names} >= {*metadata.tables}
        tables = [connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names]
        return sum(word in str(tuple(row)) for rows in tables for row in rows)
