"""A site's place is brought up to date: only what changed, nothing foreign, and whole again after any crash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.flows.site.bringing import Brought, WantedPage, bring_up_to_date, fallen_out
from trueup.storage.errors import InputError
from trueup.storage.site_journal import SiteJournal
from trueup.storage.site_place import SitePlace, content_type

SITE = {"reviews/checks/a.html": "a", "reviews/checks/b.html": "b", "reviews/index.html": "", "index.html": ""}


class Killed(Exception):
    """The process ends here."""


class Watched(SitePlace):
    """A folder that counts what is done to it, and ends the process at the k-th write or removal."""

    def __init__(self, folder: Path, dies_at: int | None = None) -> None:
        super().__init__(str(folder))
        self.left, self.written, self.removed = dies_at, [], []

    def write(self, files: Mapping[str, bytes]) -> None:
        for name, data in files.items():  # a kill comes between two files as well
            self._step()
            super().write({name: data})
            self.written.append(name)

    def remove(self, name: str) -> None:
        self._step()
        super().remove(name)
        self.removed.append(name)

    def _step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


def wanted(pages: Mapping[str, str], salt: str = "") -> list[WantedPage]:
    """Pages with a CSV beside each; a stamp that is empty is made each time."""

    def files(page: str) -> dict[str, bytes]:
        return {page: f"{page}{salt}".encode(), page.replace(".html", "-p.csv"): f"{pages[page]}{salt}".encode()}

    return [WantedPage(page, stamp, lambda page=page: files(page)) for page, stamp in pages.items()]  # type: ignore[misc]


def brought(place: SitePlace, folder: Path, pages: Mapping[str, str], salt: str = "", **more: Any) -> Brought:
    journal = SiteJournal(folder / "journal.jsonl")
    try:
        return bring_up_to_date(place, journal, wanted(pages, salt), **more)
    finally:
        journal.close()


def lying(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def should_lie(pages: Mapping[str, str], salt: str = "") -> dict[str, bytes]:
    return {name: data for one in wanted(pages, salt) for name, data in one.make().items()}


def test_only_what_changed_is_made_and_written(tmp_path: Path) -> None:
    """At first all of it, the index last; then nothing but pages without a stamp are made, and none is written."""
    place = Watched(tmp_path / "site")
    assert brought(place, tmp_path, SITE) == Brought(4, 4, 8, 0)
    assert place.written[-2:] == ["index.html", "index-p.csv"]
    assert lying(tmp_path / "site") == should_lie(SITE)
    assert brought(place, tmp_path, SITE) == Brought(4, 2, 0, 0)
    more = {"reviews/checks/c.html": "c", **SITE}
    assert brought(place, tmp_path, more) == Brought(5, 3, 2, 0)
    assert brought(place, tmp_path, {**more, "reviews/checks/a.html": "other"}) == Brought(5, 3, 1, 0)


def test_what_fell_out_is_removed_and_nothing_foreign(tmp_path: Path) -> None:
    """A page that nobody wants goes with what is beside it and its empty folders; files of others stay."""
    place = Watched(tmp_path / "site")
    brought(place, tmp_path, SITE)
    foreign = tmp_path / "site" / "reviews" / "checks" / "notes.html"
    foreign.write_text("mine")
    without = {"index.html": ""}
    assert brought(place, tmp_path, without).removed == 6
    assert lying(tmp_path / "site") == {"reviews/checks/notes.html": b"mine", **should_lie(without)}
    foreign.unlink()
    brought(place, tmp_path, {"tickets/index.html": "t", **without})
    brought(place, tmp_path, without)
    assert not (tmp_path / "site" / "tickets").exists()


def test_another_streams_pages_are_not_decided_about(tmp_path: Path) -> None:
    """A build of one stream removes nothing of the others."""
    assert fallen_out(["a/index.html"], ["a/index.html", "a/x.html", "b/x.html"], lambda p: p.startswith("a/")) == [
        "a/x.html"
    ]


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Where a folder of the site was made a link out of it, nothing behind that is removed."""
    place, outside = Watched(tmp_path / "site"), tmp_path / "outside"
    brought(place, tmp_path, SITE)
    (tmp_path / "site" / "reviews" / "checks").rename(outside)
    (tmp_path / "site" / "reviews" / "checks").symlink_to(outside)
    with pytest.raises(InputError, match="leads out"):
        brought(place, tmp_path, {"index.html": ""})
    assert len(lying(outside)) == 4


@settings(max_examples=examples(40), deadline=None)
@given(st.data())
def test_any_crash_is_mended_by_the_next_build(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Builds of changing pages, each killed anywhere; a whole one then leaves what is wanted and what is foreign."""
    folder = tmp_path_factory.mktemp("crash")
    root = folder / "site"
    (root / "reviews").mkdir(parents=True)
    (root / "reviews" / "mine.txt").write_text("mine")
    pages = st.dictionaries(st.sampled_from(list(SITE)[:3]), st.sampled_from(["", "a", "b"]))
    for round_ in range(data.draw(st.integers(1, 4))):
        now = {**data.draw(pages), "index.html": ""}
        place = Watched(root, data.draw(st.integers(0, 12)))
        try:
            brought(place, folder, now, salt=str(round_) if "" in now.values() else "")
        except Killed:
            if data.draw(st.booleans()) and (folder / "journal.jsonl").exists():  # and the last line was cut short
                text = (folder / "journal.jsonl").read_text()
                (folder / "journal.jsonl").write_text(text[: -data.draw(st.integers(1, 12))])
    last = {**data.draw(pages), "index.html": ""}
    stamped = {page: f"{stamp}!" for page, stamp in last.items()}
    brought(SitePlace(str(root)), folder, stamped)
    found = lying(root)
    assert found.pop("reviews/mine.txt") == b"mine"
    assert found == should_lie(stamped)


def test_the_journal_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that changes with each build does not make it grow for ever, and what it says stays."""
    monkeypatch.setattr("trueup.storage.site_journal._SPARE", 20)
    place = SitePlace(str(tmp_path / "site"))
    for salt in range(60):
        journal = SiteJournal(tmp_path / "journal.jsonl")
        bring_up_to_date(place, journal, wanted({"index.html": ""}, str(salt % 7)))
        journal.close()
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) < 30
    assert SiteJournal(tmp_path / "journal.jsonl").names() == {"index.html", "index-p.csv"}


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The words name the place and what to do, and no traceback."""
    (tmp_path / "site").write_text("a file")
    with pytest.raises(InputError, match=r"site' cannot be written"):
        brought(SitePlace(str(tmp_path / "site")), tmp_path, SITE)


class Recording:
    """A bucket of a kind of store that keeps what it was told."""

    def __init__(self, protocol: str) -> None:
        self.protocol, self.told = (protocol,), []

    def _strip_protocol(self, url: str) -> str:
        return url.partition("://")[2]

    def pipe(self, files: Mapping[str, bytes], **typed: Any) -> None:
        self.told.append((sorted(files), typed))


@pytest.mark.parametrize(("protocol", "key"), [("s3", "ContentType"), ("gs", "content_type"), ("sftp", None)])
def test_each_file_of_a_bucket_has_its_type_and_charset(protocol: str, key: str | None) -> None:
    """As each kind of store wants to be told; files of one type go together."""
    bucket = Recording(protocol)
    place = SitePlace(f"{protocol}://bucket/site/", bucket)
    place.write({"index.html": b"", "a/b.csv": b"", "a/index.html": b"", "assets/e.js": b""})
    said = {name: typed for names, typed in bucket.told for name in names}
    assert set(said) == {f"bucket/site/{n}" for n in ("index.html", "a/b.csv", "a/index.html", "assets/e.js")}
    for name, typed in said.items():
        assert typed == ({key: content_type(name)} if key else {})
    assert said["bucket/site/a/index.html"] == ({key: "text/html; charset=utf-8"} if key else {})
    assert len(bucket.told) == 3


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A real S3 protocol on loopback, and the calls that it was asked."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        login = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", **login)
        client.create_bucket(Bucket="shared")
        yield client
    finally:
        server.stop()


def test_a_bucket_is_written_typed_and_never_listed(bucket: Any, tmp_path: Path) -> None:
    """Over S3's own protocol: types and charsets are stored, an update puts what changed, and no call lists."""
    import s3fs

    fs = s3fs.S3FileSystem(
        key="a", secret="b", client_kwargs={"endpoint_url": bucket.meta.endpoint_url, "region_name": "us-east-1"},
        skip_instance_cache=True,
    )  # fmt: skip
    place = SitePlace("s3://shared/site", fs)
    brought(place, tmp_path, SITE)
    found = {one["Key"] for one in bucket.list_objects_v2(Bucket="shared")["Contents"]}
    assert found == {f"site/{name}" for name in should_lie(SITE)}
    for name, told in (("index.html", "text/html; charset=utf-8"), ("index-p.csv", "text/csv; charset=utf-8")):
        assert bucket.head_object(Bucket="shared", Key=f"site/{name}")["ContentType"] == told
    asked: list[str] = []
    fs.s3.meta.events.register("before-call.s3.*", lambda model, **more: asked.append(model.name))
    without = {page: stamp for page, stamp in SITE.items() if "/b" not in page}
    assert brought(place, tmp_path, {"reviews/checks/c.html": "c", **without}) == Brought(4, 3, 2, 2)
    assert sorted(asked) == ["DeleteObject", "DeleteObject", "PutObject", "PutObject"]
    assert place.read("reviews/checks/c.html") == b"reviews/checks/c.html"
    assert place.read("reviews/checks/b.html") is None
