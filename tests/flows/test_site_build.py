"""The site of a deployment: built from the store, brought up to date by each cycle, read without network or script."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.made_checks import FIRST, store_check
from trueup.flows.alert.linked_pages import page_on_site
from trueup.flows.app import App, open_app
from trueup.flows.site import wanted
from trueup.flows.site.after_cycle import site_afterwards, update_site
from trueup.flows.site.build import build_site
from trueup.flows.site.layout import MARK, page_of_check, page_of_stream
from trueup.flows.site.making import PageMaker
from trueup.storage import tables as t
from trueup.storage.errors import InputError, LeaseHeld, TrueupError
from trueup.storage.leases import hold
from trueup.storage.prunings import REPORT, Pruning
from trueup.storage.site_journal import SiteFailure, digest, journal_file, last_failure
from trueup.storage.site_place import SitePlace

pytestmark = pytest.mark.whole_reports

SETTINGS = "".join(
    f'[streams.{name}]\nid = "id"\ntime = "at"\ntext = ["content"]\n[streams.{name}.label]\ncolumn = "stars"\n'
    for name in ("Reviews", "tickets")
)  # fmt: skip
YEAR = 10_000  # checks


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Two streams with five checks each, one a week over two months; nothing was trained."""
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    with closing(open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")) as opened:
        for stream in ("Reviews", "tickets"):
            for place in range(5):
                store_check(opened, stream, place, plots=place == 4)
        yield opened


def with_site(app: App, **site: Any) -> App:
    return replace(app, settings=app.settings.model_copy(update={"site": app.settings.site.model_copy(update=site)}))


def failure_of(app: App) -> SiteFailure | None:
    return last_failure(journal_file(app.home, app.settled, app.settings.site.to))


def lying(root: Path) -> dict[str, bytes]:
    return {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def test_every_link_arrives_and_nothing_is_fetched(app: App, tmp_path: Path) -> None:
    """Names are ASCII, each link is relative and leads to a file that is there, and no page asks for anything else."""
    built = build_site(app, str(tmp_path / "site"))
    root = Path(built.to)
    assert built.written == len(lying(root)) - 1  # and the mark of whose site it is
    assert Path(built.index) == root / "index.html"
    for name, data in lying(root).items():
        assert re.fullmatch(r"[a-z0-9A-Z/._-]+", name)
        if not name.endswith(".html") or name.endswith("-evidently.html"):
            continue
        text = data.decode()
        for link in re.findall(r'(?:href|src)="([^"#]*)', text):
            where = urlsplit(link)
            assert not where.scheme, (name, link)
            assert not link.startswith("/"), (name, link)
            if link:
                assert (root / name).parent.joinpath(unquote(where.path)).resolve().is_file(), (name, link)
        assert "fetch(" not in text
        assert "http-equiv=\"Content-Security-Policy\"" in text


def test_an_update_makes_and_writes_what_changed(app: App, tmp_path: Path) -> None:
    """Nothing new: nothing is written. One check more: its page, and those that show it, of its stream alone."""
    site = str(tmp_path / "site")
    build_site(app, site)
    assert build_site(app, site).written == 0
    report = store_check(app, "tickets", 5, plots=False)
    before = lying(tmp_path / "site")
    done = build_site(app, site, streams=["tickets"])
    after = lying(tmp_path / "site")
    changed = {name for name in after if after[name] != before.get(name)}
    assert done.written == len(changed)
    assert page_of_check("tickets", report) in changed
    assert page_of_stream("tickets") in changed
    assert not any(name.startswith(page_of_stream("Reviews").split("/")[0]) for name in changed)
    assert not any("checks/" in name and report not in name for name in changed)


def test_what_is_pruned_or_no_stream_any_more_goes(app: App, tmp_path: Path) -> None:
    """A pruned report's page and a removed stream's pages are taken away, a file of somebody else stays."""
    root = tmp_path / "site"
    build_site(app, str(root))
    report = app.checks.times("tickets", 1)[0].report_id
    (root / "tickets" / "notes.txt").write_text("mine")
    with app.database.write() as connection:
        app.prunings.decide(
            connection, [Pruning(stream="tickets", kind=REPORT, name=report, decided_at=FIRST, who="ann")]
        )
    build_site(app, str(root))
    assert not (root / page_of_check("tickets", report)).exists()
    assert all(report.encode() not in data for name, data in lying(root).items() if name.endswith("index.html"))
    one = replace(app, settings=app.settings.model_copy(update={"streams": {"Reviews": app.stream("Reviews")}}))
    build_site(one, str(root), streams=["Reviews"])
    assert [name for name in lying(root) if name.startswith("tickets/")] == ["tickets/notes.txt"]


def test_another_mask_or_code_builds_anew(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pages are made by is part of their stamp: the mask, trueup's code of pages, Evidently's version."""
    site = str(tmp_path / "site")
    build_site(app, site)
    assert build_site(app, site).made < 12
    assert build_site(app, site, mask=True).made > 20
    monkeypatch.setattr(wanted, "code_of_pages", lambda: "other")
    assert build_site(app, site, mask=True).made > 20
    monkeypatch.setattr(wanted, "version", lambda name: "9.9.9")
    assert build_site(app, site, mask=True).made > 20


def test_a_folder_that_is_gone_is_written_anew(app: App, tmp_path: Path) -> None:
    """The journal does not say that pages lie where somebody removed them; `afresh` asks for all of it."""
    root = tmp_path / "site"
    first = build_site(app, str(root))
    whole = lying(root)
    root.rename(tmp_path / "elsewhere")
    assert build_site(app, str(root)).written == first.written
    assert lying(root) == whole
    assert build_site(app, str(root), afresh=True).written == first.written


def test_a_foreign_page_is_not_overwritten(app: App, tmp_path: Path) -> None:
    """Neither a page of somebody's nor another deployment's site."""
    root = tmp_path / "www"
    root.mkdir()
    (root / "index.html").write_text("my home page")
    with pytest.raises(InputError, match="was not written by trueup"):
        build_site(app, str(root))
    assert lying(root) == {"index.html": b"my home page"}
    (root / MARK).write_text('{"made by": "trueup", "deployment": "another"}')
    with pytest.raises(InputError, match="holds the site of another deployment"):
        build_site(app, str(root))
    with pytest.raises(InputError, match="is no place for a site"):
        build_site(app, "memory://site")


def test_two_builders_do_not_meet(app: App, tmp_path: Path) -> None:
    """While one builds, another waits and then says so; the one that lost its turn writes no more."""
    site = str(tmp_path / "site")
    with (
        hold(app.database, f"site {digest(site.encode())}"),
        pytest.raises(LeaseHeld, match="Another process builds the site"),
    ):
        build_site(app, site, wait=timedelta(0))
    assert not (tmp_path / "site").exists()
    place: list[str] = []

    def stolen(made: int, of: int) -> None:
        with app.database.write() as connection:
            connection.execute(t.leases.update().values(token="another"))
        place.append("stolen")

    with pytest.raises(LeaseHeld):
        build_site(app, site, on_page=stolen)
    assert len(place) == 1
    with app.database.write() as connection:
        connection.execute(t.leases.delete())
    build_site(app, site)
    assert (tmp_path / "site" / "index.html").exists()


def test_a_cycle_ends_with_the_site(app: App, tmp_path: Path) -> None:
    """Also a failed one, whose incident has a page; without `[site] to` there is none."""
    assert update_site(app, "tickets") is None
    mine = with_site(app, to=str(tmp_path / "site"))
    with pytest.raises(TrueupError, match="cannot"), site_afterwards(mine, "tickets"):
        raise TrueupError("the source cannot be read")
    assert (tmp_path / "site" / page_of_stream("tickets")).exists()
    assert not (tmp_path / "site" / page_of_stream("Reviews")).exists()
    with site_afterwards(mine, "Reviews"):
        pass
    assert page_on_site(mine, "stream", stream="Reviews") == str(tmp_path / "site" / page_of_stream("Reviews"))
    assert page_on_site(mine, "report", stream="Reviews", report="none") == ""


def test_a_failed_site_is_no_failed_cycle(app: App, tmp_path: Path) -> None:
    """It is said until a build goes well, which the next cycle tries; the time is that of the first failure."""
    (tmp_path / "site").write_text("a file")
    mine = with_site(app, to=str(tmp_path / "site"))
    assert update_site(mine, "tickets") is None
    failed = failure_of(mine)
    assert failed is not None
    assert "cannot be written" in failed.why
    later = replace(mine, clock=lambda: app.now() + timedelta(days=1))
    assert update_site(later, "tickets") is None
    again = failure_of(mine)
    assert again is not None
    assert again.at == failed.at
    (tmp_path / "site").unlink()
    assert update_site(mine, "tickets") is not None
    assert failure_of(mine) is None


class Counting(SitePlace):
    """A place that counts what it is asked."""

    def write(self, files: Any) -> None:
        COUNTED.extend(files)
        super().write(files)

    def read(self, name: str) -> bytes | None:
        COUNTED.append(f"read {name}")
        return super().read(name)


COUNTED: list[str] = []


def small(page: str) -> dict[str, bytes]:
    return {page: page.encode()}


@pytest.mark.slow
@pytest.mark.long
def test_ten_thousand_checks_cost_a_cycle_two_seconds(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle then makes its own check's page and the few that show it, reads nothing back, and lists nothing."""
    rows = [
        {
            "id": f"{k:012x}", "stream": "tickets", "cycle_id": None, "as_of": FIRST + timedelta(weeks=8, hours=k),
            "version": 1, "counted": True, "document": {"report_id": f"{k:012x}", "counted": True, "signals": []},
            "made_at": FIRST + timedelta(weeks=8, hours=k),
        }
        for k in range(YEAR)
    ]  # fmt: skip
    with app.database.write() as connection:
        connection.execute(t.checks.insert(), rows)
    monkeypatch.setattr("trueup.flows.site.build.SitePlace", Counting)
    # What each page costs at first is measured by `python -m benchmarks.site`.
    monkeypatch.setattr(PageMaker, "figures", lambda self, of, one, _: small(page_of_check(of.name, one.report_id)))
    site = str(tmp_path / "site")
    build_site(app, site)
    report = store_check(app, "tickets", 100, plots=False)
    COUNTED.clear()
    began = time.process_time()
    done = build_site(app, site, streams=["tickets"])
    assert time.process_time() - began < 2
    assert done.written == len(COUNTED) < 16
    assert page_of_check("tickets", report) in COUNTED
    assert not any(name.startswith("read") for name in COUNTED)


def test_a_folder_is_one_place_by_any_path(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named from its parent or from the root, it has one journal: the second build has nothing to write."""
    monkeypatch.chdir(tmp_path)
    assert build_site(app, "site").index == str(tmp_path / "site" / "index.html")
    assert build_site(app, str(tmp_path / "site")).written == 0
