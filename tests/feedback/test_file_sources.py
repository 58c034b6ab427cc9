"""Files of a source: each taken in once, whatever is renamed, grows, breaks or is cut short on the way."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.made_bucket import serving_bucket
from tests.many import examples
from trueup.feedback.intake import ingest
from trueup.feedback.readers import LocalCopy
from trueup.feedback.sources.counted_days import counted_days
from trueup.feedback.sources.file_place import ChangedMeanwhile, FilePlace
from trueup.feedback.sources.file_source import FileSource
from trueup.feedback.sources.glob_reach import is_left_out, reaches, split_glob
from trueup.feedback.sources.next_step import FoundFile, NextStep, next_step
from trueup.feedback.sources.pulling import Feed, Pulled
from trueup.storage.archive import Archive
from trueup.storage.database import Database, open_database
from trueup.storage.errors import ConfigError, SourceFailed
from trueup.storage.incoming import Appended
from trueup.storage.reading import RecordReader
from trueup.storage.records.appending import RecordStore
from trueup.storage.sources.file_manifest import FileManifest, FileState, ManifestFile
from trueup.storage.stream import LabelPolicy, StreamSettings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STREAM = StreamSettings(
    name="reviews", id="id", time="at", text=("text",),
    label=LabelPolicy(column="stars", classes={"negative": "<=2", "positive": ">=4"}),
)  # fmt: skip
HEADER = "id,at,text,stars\n"
ROWS = [f"r{k},2024-01-{k + 1:02},words of {k},{5 if k % 3 else 1}\n" for k in range(10)] + ["bad,2024-01-20,,5\n"]


class Killed(Exception):
    """The process ends here."""


def written(folder: Path, name: str, *rows: int) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(HEADER + "".join(ROWS[k] for k in rows))
    return file


def taking(store: RecordStore, stream: StreamSettings = STREAM) -> Callable[..., Appended]:
    def take(rows: Any, *, name: str = "", also: Any = None) -> Appended:
        return ingest(store, stream, [rows], now=NOW)

    return take


def source(
    database: Database, glob: str, folder: Path, *, stream: StreamSettings = STREAM, settle: timedelta = timedelta(0),
    reading: str = "", clock: Callable[[], datetime] = lambda: datetime.now(UTC), waited: list[float] | None = None,
    kept_out: dict[str, str] | None = None,
) -> FileSource:  # fmt: skip
    return FileSource(
        FilePlace(glob, folder, kept_out or {}),
        FileManifest(database, stream.name, "records"),
        settle=settle,
        reading=reading,
        days=counted_days(RecordStore(database, Archive("", folder), folder), stream, Feed.RECORDS, NOW),
        clock=clock,
        wait=(waited if waited is not None else []).append,
    )


def outcomes(pulled: Pulled) -> dict[str, str]:
    return {file.name: str(file.outcome) for file in pulled.files}


# ---- decisions ----


@pytest.mark.parametrize(
    ("pattern", "place", "a_file", "reached"),
    [
        ("/srv/**/*.parquet", "/srv/trueup", False, True),
        ("/srv/**", "/srv/a/trueup.db", True, True),
        ("/srv/*/*.csv", "/srv/home", False, True),
        ("/srv/*.csv", "/srv/home", False, False),
        ("/srv/*.csv", "/srv/trueup.db", True, False),
        ("/srv/**/*.csv", "/srv/.trueup", False, False),
        ("/srv/.trueup/archive/*.parquet", "/srv/.trueup", False, True),
        ("/srv/.trueup", "/srv/.trueup", False, False),
        ("/data/**", "/srv/home", False, False),
        ("/srv/home[12]/*", "/srv/home1", False, True),
    ],
)
def test_what_a_glob_reaches(pattern: str, place: str, a_file: bool, reached: bool) -> None:
    """A folder by anything within it, a file by itself; hidden folders only where they are named."""
    assert reaches(pattern.split("/"), place.split("/"), a_file=a_file) is reached


def test_hidden_and_unfinished_files_are_left_out() -> None:
    """Names that begin with a dot or underscore, and .part and .tmp, wherever a pattern matches them."""
    assert split_glob("exports/2024/*.csv") == ("exports/2024", "*.csv")
    assert split_glob("/exports/a.csv") == ("/exports", "a.csv")
    for left_out in ("_SUCCESS", ".hidden.csv", "a.csv.part", "b.TMP", "_temporary/0/a.csv"):
        assert is_left_out(left_out.split("/")), left_out
    assert not is_left_out(["day=1", "a_b.csv"])


AGES = st.integers(0, 30)


@given(AGES, AGES, st.booleans(), st.booleans())
def test_a_file_is_read_once_it_rested(age: int, looked: int, same: bool, empty: bool) -> None:
    """For ten seconds: by its own time, or by two looks; an empty one never, one that was taken never again."""
    file = FoundFile("a", "a", 0 if empty else 5, "v", NOW - age * SECOND)
    known = ManifestFile("a", file.size, "v" if same else "u", FileState.SEEN, NOW - looked * SECOND)
    expected = not empty and (age >= 10 or (same and looked >= 10))
    assert next_step(file, known, NOW, 10 * SECOND, "") is (NextStep.READ if expected else NextStep.WAIT)
    taken = ManifestFile("a", file.size, file.version, FileState.TAKEN, NOW)
    assert next_step(file, taken, NOW, 10 * SECOND, "") is NextStep.LEAVE


# ---- a folder ----


def test_each_file_is_taken_in_once(database: Database, store: RecordStore, tmp_path: Path) -> None:
    """A second pull finds nothing new; a rename and a copy are told of and not read in; growth and changes are."""
    folder, exports = tmp_path, tmp_path / "exports"
    written(exports, "a.csv", 0, 1)
    written(exports, "b.csv", 2)
    written(exports, "_SUCCESS", 3)
    written(exports, "c.csv.part", 4)
    files, take = source(database, "exports/*", folder), taking(store)
    first = files.pull(take, now=NOW)
    assert (first.rows.accepted, outcomes(first)) == (3, {"exports/a.csv": "taken", "exports/b.csv": "taken"})
    assert files.pull(take, now=NOW) == Pulled()
    (exports / "a.csv").rename(exports / "z.csv")
    written(exports, "b.csv", 2, 5)
    written(exports, "d.csv", 2)
    second = files.pull(take, now=NOW)
    assert outcomes(second) == {"exports/b.csv": "grew", "exports/d.csv": "renamed", "exports/z.csv": "renamed"}
    assert (second.rows.accepted, second.rows.duplicate) == (1, 1)
    written(exports, "z.csv", 6)
    assert outcomes(files.pull(take, now=NOW)) == {"exports/z.csv": "changed"}
    os.utime(exports / "z.csv", ns=(1, 1))
    assert files.pull(take, now=NOW) == Pulled()
    assert files.reach() == "3 files in exports/*, 0 of them new"


def test_a_broken_file_is_set_aside_and_stops_no_other(database: Database, store: RecordStore, tmp_path: Path) -> None:
    """Its reason stands until it changes or the settings do; the files after it are taken in."""
    folder = tmp_path / "exports"
    written(folder, "c.csv", 0)
    (folder / "a.csv").write_text("other,columns\n1,2\n")
    (folder / "b.parquet").write_bytes(b"PAR1 cut off")
    take = taking(store)
    first = source(database, "*", folder).pull(take, now=NOW)
    assert outcomes(first) == {"a.csv": "set_aside", "b.parquet": "set_aside", "c.csv": "taken"}
    assert "columns 'id', 'at', 'text' missing" in first.problems[0]
    again = source(database, "*", folder).pull(take, now=NOW)
    assert (again.files, again.problems) == ((), first.problems)
    assert "a.csv" in outcomes(source(database, "*", folder, reading="other").pull(take, now=NOW))
    written(folder, "a.csv", 1)
    (folder / "b.parquet").unlink()
    mended = source(database, "*", folder, reading="other").pull(take, now=NOW)
    assert (mended.rows.accepted, mended.problems) == (1, ())


def test_a_fresh_file_is_waited_for_or_left_to_the_next_pull(
    database: Database, store: RecordStore, tmp_path: Path
) -> None:
    """A short settle time is waited for within the pull; a long one by the next pull, two looks at the same bytes."""
    written(tmp_path, "a.csv", 0)
    at, waited = [datetime.now(UTC)], list[float]()
    take, clock = taking(store), lambda: at[0]
    hour = source(database, "*.csv", tmp_path, settle=timedelta(hours=1), clock=clock, waited=waited)
    assert outcomes(hour.pull(take, now=NOW)) == {"a.csv": "waiting"}
    at[0] += timedelta(minutes=40)
    written(tmp_path, "a.csv", 0, 1)
    assert outcomes(hour.pull(take, now=NOW)) == {"a.csv": "waiting"}
    at[0] += timedelta(hours=1)
    assert outcomes(hour.pull(take, now=NOW)) == {"a.csv": "taken"}
    assert waited == []
    written(tmp_path, "b.csv", 2)
    at[0] = datetime.now(UTC)

    class Waits(list[float]):
        def append(self, seconds: float) -> None:
            super().append(seconds)
            at[0] += timedelta(seconds=seconds)

    patient = Waits()
    short = source(database, "*.csv", tmp_path, settle=10 * SECOND, clock=clock, waited=patient)
    assert outcomes(short.pull(take, now=NOW)) == {"b.csv": "taken"}
    assert patient == [10.0]


def test_what_changes_while_it_is_read_is_not_taken_for_read(
    database: Database, store: RecordStore, tmp_path: Path
) -> None:
    """It is told of, and the next pull reads it as it is then."""
    written(tmp_path, "a.csv", 0)
    files = source(database, "*.csv", tmp_path)

    def appended(rows: Any, *, name: str = "", also: Any = None) -> Appended:
        done = ingest(store, STREAM, [rows], now=NOW)
        with (tmp_path / "a.csv").open("a") as file:
            file.write(ROWS[1])
        return done

    assert outcomes(files.pull(appended, now=NOW)) == {"a.csv": "waiting"}
    assert files.pull(taking(store), now=NOW).rows == Appended(accepted=1, duplicate=1, labelled=1)


def test_a_place_that_is_gone_or_the_deployments_own_is_refused(database: Database, tmp_path: Path) -> None:
    """A folder that is not there is a failure, an empty one is not; home, store and links into them are refused."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.csv").write_text("x")
    with pytest.raises(SourceFailed, match="exports' does not exist"):
        source(database, "exports/*.csv", tmp_path).reach()
    (tmp_path / "exports").mkdir()
    assert source(database, "exports/", tmp_path).reach() == "0 files in exports/, 0 of them new"
    kept = {"the home folder": str(home), "the store": str(tmp_path / "own.db")}
    for glob in ("**/*.csv", "home/*", "*/a.csv"):
        with pytest.raises(ConfigError, match="reaches the home folder"):
            source(database, glob, tmp_path, kept_out=kept).reach()
    (tmp_path / "own.db").write_text("x")
    with pytest.raises(ConfigError, match="reaches the store"):
        source(database, "*.db", tmp_path, kept_out=kept).reach()
    (tmp_path / "exports" / "link.csv").symlink_to(home / "a.csv")
    with pytest.raises(ConfigError, match="reaches the home folder"):
        source(database, "exports/*.csv", tmp_path, kept_out=kept).reach()


def test_the_store_is_known_by_whatever_name_it_has(database: Database, tmp_path: Path) -> None:
    """A plain open of it would drop the locks that this process holds on it."""
    (tmp_path / "own.db").write_text("x")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "a.csv").hardlink_to(tmp_path / "own.db")
    with pytest.raises(ConfigError, match="reaches the store"):
        source(database, "exports/*.csv", tmp_path, kept_out={"the store": str(tmp_path / "own.db")}).reach()


@contextmanager
def anybody() -> Iterator[None]:
    """As a user whose permissions are looked at, also where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_may_not_be_listed_is_none_without_files() -> None:
    """The place itself is a failure; one within it is told of, and the files beside it are found."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        for name in ("a.csv", "shut/b.csv", ".hidden/c.csv"):
            (folder / name).parent.mkdir(exist_ok=True)
            written(folder, name, 0)
        place = FilePlace("**/*.csv", folder, {})
        assert len(place.found()) == 2
        for shut in ("shut", ".hidden"):
            (folder / shut).chmod(0)
        (folder / "a.csv").chmod(0)
        with anybody():
            (file,) = place.found()
            assert (place.unlisted, place.may_read(file)) == (("shut",), False)
            with pytest.raises(SourceFailed, match="Permission denied"):
                FilePlace("shut/*.csv", folder, {}).found()
        for shut in ("shut", ".hidden"):
            (folder / shut).chmod(0o755)
        assert len(place.found()) == 2
        assert (place.unlisted, place.may_read(file)) == ((), True)


def test_every_way_of_writing_a_place_of_the_deployment_is_refused(tmp_path: Path) -> None:
    """Whether the archive is set as a path or a URL: by a URL, by `..`, by a folder that is a link. A pattern follows
    no link to a folder, and a cache or an archive file between is no way around it.
    """
    own = tmp_path / "own" / "records"
    own.mkdir(parents=True)
    (own / "a.parquet").write_bytes(b"x")
    (tmp_path / "exports" / "day").mkdir(parents=True)
    (tmp_path / "exports" / "inner").symlink_to(own)
    (tmp_path / "other").symlink_to(tmp_path / "own")
    for kept in (str(tmp_path / "own"), f"file://{tmp_path}/own", f"local://{tmp_path}/own"):
        for glob in (
            f"file://{tmp_path}/own/**", f"local://{tmp_path}/exports/../own/**", f"file:{tmp_path}/o*/**", "own",
            "exports/../own/**/*.parquet", "../*/own/**", "other/**/*.parquet", "[o]wn/**",
        ):  # fmt: skip
            with pytest.raises(ConfigError, match="reaches the archive"):
                FilePlace(glob, tmp_path, {"the archive": kept}).found()
        for unseen in ("exports/*/../../own/**/*.parquet", "exports/i*/*.parquet", "exports/**/*.parquet"):
            assert FilePlace(unseen, tmp_path, {"the archive": kept}).found() == []
    for chained in ("dir://**::file://", "simplecache::file://"):
        with pytest.raises(ConfigError, match="through one place"):
            FilePlace(f"{chained}{tmp_path}/own/**", tmp_path, {}).found()


def test_a_server_that_does_not_answer_is_a_failed_source(tmp_path: Path) -> None:
    """Also where the file system connects before anything is listed, as that of FTP does."""
    for url in ("ftp://127.0.0.1:9/exports/*.csv", "http://127.0.0.1:9/exports/*.csv"):
        with pytest.raises(SourceFailed, match=r"cannot be read.*goes on"):
            FilePlace(url, tmp_path, {}).found()


def test_rows_are_counted_by_day(database: Database, store: RecordStore, tmp_path: Path) -> None:
    """Of the files that were taken in: a record in two of them counts once, one that is refused not at all."""
    written(tmp_path, "a.csv", 0, 1, 2, 10)
    written(tmp_path, "b.csv", 2, 3)
    files = source(database, "*.csv", tmp_path)
    assert files.rows_by_day(date.min) == {}
    files.pull(taking(store), now=NOW)
    assert files.rows_by_day(date(2024, 1, 2)) == {date(2024, 1, day): 1 for day in (2, 3, 4)}


# ---- any order of files, renames, growth, duplicates and crashes ----

NAMES = st.sampled_from("abc")
SOME = st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=4)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), NAMES, SOME),
        st.tuples(st.just("rename"), NAMES, NAMES),
        st.tuples(st.just("break"), NAMES, NAMES),
        st.tuples(st.just("pull"), st.integers(0, 6), st.booleans()),
    ),
    max_size=12,
)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Archive]]:
    """One SQLite store for all examples: each has streams of its own."""
    home = tmp_path_factory.mktemp("store")
    database = open_database("", home)
    yield database, Archive("", home)
    database.close()


class _Dying:
    """Counts steps that can be killed before or after; the process ends at the k-th."""

    def __init__(self, left: int, after: bool) -> None:
        self.left, self.after = left, after

    def wrapped(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Killed
            done = step(*args, **more)
            if self.left == 0:
                raise Killed
            return done

        return run


def _stored(store: RecordStore, reader: RecordReader, stream: StreamSettings) -> tuple[Any, ...]:
    meta = reader.read(stream, as_of=NOW).meta
    records = set(zip(meta["id"], meta["time"], meta["label"], strict=True))
    return len(meta), records, {(i.reason, i.raw) for i in store.quarantine.items(stream)}


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS)
def test_any_course_of_events_gives_the_same_records(
    shared: tuple[Database, Archive], tmp_path_factory: pytest.TempPathFactory, deeds: Sequence[tuple[str, Any, Any]]
) -> None:
    """As one intake of every row, row by row: whatever was renamed, grew, broke or was killed between two steps."""
    database, archive = shared
    store, reader = RecordStore(database, archive, Path()), RecordReader(database, archive)
    number = next(_numbers)
    pulled = STREAM.model_copy(update={"name": f"pulled{number}"})
    oracle = STREAM.model_copy(update={"name": f"oracle{number}"})
    folder, ever = tmp_path_factory.mktemp("files"), dict[int, None]()
    for deed, one, other in (*deeds, ("pull", 0, False), ("pull", 0, False)):
        if deed == "add":
            file = folder / f"{one}.csv"
            text = file.read_text() if file.exists() else HEADER
            file.write_text((text if text.startswith(HEADER) else HEADER) + "".join(ROWS[k] for k in other))
            ever |= dict.fromkeys(other)
        if deed == "rename" and (folder / f"{one}.csv").exists() and not (folder / f"{other}.csv").exists():
            (folder / f"{one}.csv").rename(folder / f"{other}.csv")
        if deed == "break" and not (folder / f"{one}.csv").exists():
            (folder / f"{one}.csv").write_text("nothing,of\nuse\n")
        if deed == "pull":
            files, dying = source(database, "*.csv", folder, stream=pulled), _Dying(one, other)
            files._manifest.keep = dying.wrapped(files._manifest.keep)  # type: ignore[method-assign]
            try:
                files.pull(dying.wrapped(taking(store, pulled)), now=NOW)
            except Killed:
                continue
    for k in ever:
        ingest(store, oracle, [LocalCopy(written(folder, "one.txt", k), "one.csv")], now=NOW)
    if ever:
        assert _stored(store, reader, pulled) == _stored(store, reader, oracle)
    assert source(database, "*.csv", folder, stream=pulled).pull(taking(store, pulled), now=NOW).files == ()


# ---- a bucket ----


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A real S3 protocol on loopback."""
    with serving_bucket("exports") as client:
        yield client


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A store of its own; what differs between databases is tested with folders."""
    database = open_database("", tmp_path)
    yield database
    database.close()


def put(bucket: Any, key: str, *rows: int) -> None:
    bucket.put_object(Bucket="exports", Key=key, Body=(HEADER + "".join(ROWS[k] for k in rows)).encode())


def test_a_bucket_is_listed_afresh_and_read_by_etag(
    bucket: Any, sqlite: Database, archive: Archive, tmp_path: Path
) -> None:
    """The same as of a folder: new, renamed, grown, hidden, broken; what came a moment ago is seen at once."""
    put(bucket, "in/2024/a.csv", 0, 1)
    put(bucket, "in/_tmp/b.csv", 2)
    take = taking(RecordStore(sqlite, archive, Path()))
    files = source(sqlite, "s3://exports/in/**/*.csv", tmp_path)
    assert outcomes(files.pull(take, now=NOW)) == {"s3://exports/in/2024/a.csv": "taken"}
    assert files.pull(take, now=NOW) == Pulled()
    put(bucket, "in/2024/b.csv", 0, 1)
    put(bucket, "in/2024/a.csv", 0, 1, 3)
    put(bucket, "in/2024/c.csv")
    bucket.put_object(Bucket="exports", Key="in/2024/d.csv", Body=b"nothing,of\nuse\n")
    found = files.pull(take, now=NOW)  # the same instance: a listing that it kept would be stale now
    assert {name[-5:]: outcome for name, outcome in outcomes(found).items()} == {
        "a.csv": "grew", "b.csv": "renamed", "c.csv": "taken", "d.csv": "set_aside",
    }  # fmt: skip
    assert found.rows == Appended(accepted=1, duplicate=2, labelled=1)
    with pytest.raises(SourceFailed, match="nowhere"):
        source(sqlite, "s3://nowhere/*.csv", tmp_path).reach()


def test_an_object_replaced_while_it_is_read_is_not_taken(bucket: Any, tmp_path: Path) -> None:
    """Every piece is asked for with the ETag of the listing: other bytes under the same key are an error, not rows."""
    put(bucket, "pinned/a.csv", 4)
    place = FilePlace("s3://exports/pinned/*.csv", tmp_path, {})
    (file,) = place.found()
    fs, _ = place._opened
    fs.s3.meta.events.register("before-call.s3.GetObject", lambda **more: put(bucket, "pinned/a.csv", 5))
    with pytest.raises(ChangedMeanwhile), place.held(file):
        pass


def test_an_object_that_the_place_fails_for_stops_no_other(
    bucket: Any, sqlite: Database, archive: Archive, tmp_path: Path
) -> None:
    """It is told of and tried again; where no object can be read it is the place that fails."""
    for key in "abc":
        put(bucket, f"some/{key}.csv", ord(key) - ord("a"))
    take, bad = taking(RecordStore(sqlite, archive, Path())), ["some/a.csv"]
    files = source(sqlite, "s3://exports/some/*.csv", tmp_path)
    fs, _ = files._place._opened
    fs.connect()

    def fail(params: Any, **more: Any) -> None:
        if any(params["url_path"].endswith(key) for key in bad):
            raise OSError(5, "Input/output error")

    fs.s3.meta.events.register("before-call.s3.GetObject", fail)
    done = files.pull(take, now=NOW)
    assert {name[-5:]: outcome for name, outcome in outcomes(done).items()} == {
        "a.csv": "barred", "b.csv": "taken", "c.csv": "taken",
    }  # fmt: skip
    assert done.problems == ("s3://exports/some/a.csv cannot be read: [Errno 5] Input/output error",)
    with pytest.raises(SourceFailed, match="Input/output error"):
        files.pull(take, now=NOW)
    bad.clear()
    assert files.pull(take, now=NOW).rows.accepted == 1


def test_a_glob_that_reaches_the_archive_in_a_bucket_is_refused(sqlite: Database, tmp_path: Path) -> None:
    """Nothing is listed for it."""
    for kept in ("s3://exports/trueup/archive", "s3a://exports/trueup/archive"):
        with pytest.raises(ConfigError, match="reaches the archive"):
            source(sqlite, "s3://exports/**/*.parquet", tmp_path, kept_out={"the archive": kept}).reach()
