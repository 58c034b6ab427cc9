"""Reports are stored compressed, found again, exported, and shown on a terminal."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.made_rows import make_rows
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.distribution import Distribution, Shows
from trueup.reports.signal_tables import signals_shown
from trueup.reports.stored import ReportFiles
from trueup.storage.archive import Archive
from trueup.storage.errors import InputError, StoreUnusable

pytestmark = pytest.mark.whole_reports

SIGNALS = (
    Signal(code="DRF-IN-a", name="rank test", verdict=Verdict.OK, said="Nothing moved.", p_value=0.5, threshold=0.001),
    Signal(code="DRF-IN-c", name="counts", verdict=Verdict.BREACHED, said="[red]c[/red] moved.", p_value=1e-9),
)


MADE = Distribution(shows=Shows.BINS, edges=(0.0, 0.5, 1.0), reference=(3.0, 1.0), current=(1.0, 3.0), beyond=0.25)


@pytest.fixture
def files(archive: Archive) -> ReportFiles:
    return ReportFiles(archive)


def test_a_report_comes_back_as_it_was(files: ReportFiles, archive: Archive) -> None:
    """Snapshot and distributions lie compressed under the stream's name and read back as they were; no page does."""
    held = {"DRF-IN-a": MADE}
    name = files.store("made", "r1", snapshot=b"{}", distributions=held)
    assert name == "reports/made/r1.json.gz"
    assert gzip.decompress(archive.read(name)) == b"{}"
    assert files.distributions("made", "r1") == held
    assert files.page_of_before("made", "r1") is None
    path = files.snapshot_path("made", "r1")
    assert path is not None
    assert path.is_file()


def test_a_report_of_before_has_a_page_and_no_distributions(files: ReportFiles, archive: Archive) -> None:
    """What an older release stored is read as it is."""
    archive.write("reports/made/r1.html.gz", gzip.compress(b"<p>page</p>"))
    assert files.page_of_before("made", "r1") == b"<p>page</p>"
    assert files.distributions("made", "r1") == {}


@pytest.mark.long
def test_a_snapshot_is_evidentlys_again(files: ReportFiles) -> None:
    """A stored snapshot loads as Evidently's own object, with our figures in it."""
    from trueup.monitoring.report.render import render

    stream, rows = make_rows(400, 1, "table")
    before, now = rows.take(slice(0, 300)), rows.take(slice(300, None))
    report = render(
        stream, before, now, before, now, now, SIGNALS, title="made", seed=1, as_of=datetime(2024, 6, 1, tzinfo=UTC)
    )
    files.store("made", "r1", snapshot=report.snapshot)
    loaded = files.load_snapshot("made", "r1")
    assert loaded.get_name() == "made"
    drift = {m["config"]["column"]: m["value"] for m in loaded.dict()["metrics"] if "ValueDrift" in m["metric_name"]}
    assert drift == {"a": 0.5, "c": 1e-9}


def test_export_writes_plain_files(files: ReportFiles, tmp_path: Path) -> None:
    """An exported report is an HTML page that any browser opens, and a JSON file, in a folder made at need."""
    files.store("made", "r1", snapshot=b"{}")
    page, snapshot = files.export("made", "r1", tmp_path / "out" / "here", lambda: b"<p>page</p>")
    assert (page.name, page.read_bytes()) == ("r1.html", b"<p>page</p>")
    assert (snapshot.name, snapshot.read_bytes()) == ("r1.json", b"{}")


def test_export_into_a_file_is_refused_in_words(files: ReportFiles, tmp_path: Path) -> None:
    """A folder that cannot be made is a wrong argument, not a stack trace."""
    files.store("made", "r1", snapshot=b"")
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        files.export("made", "r1", tmp_path / "taken", lambda: b"")


def test_an_unknown_report_names_the_command_that_lists(files: ReportFiles) -> None:
    """Asking for a report that is not there is wrong usage, with the way to find those that are."""
    with pytest.raises(InputError, match="trueup reports list --stream made"):
        files.snapshot_text("made", "nope")


@pytest.mark.parametrize("name", ["../../secrets", "a/b", "/etc/passwd", "..", ".hidden", ""])
def test_no_name_leads_out_of_the_archive(files: ReportFiles, name: str) -> None:
    """What a person types as a report's name is never a path."""
    with pytest.raises(InputError, match="cannot name"):
        files.snapshot_text("made", name)
    with pytest.raises(InputError, match="cannot name"):
        files.store(name, "r1", snapshot=b"")


def test_damage_is_said_and_not_taken_for_a_report(files: ReportFiles, archive: Archive) -> None:
    """A cut-off file, one of other content, or a snapshot that Evidently cannot load, says what still can be read."""
    files.store("made", "r1", snapshot=b'{"of": "another version"}', distributions={"DRF-IN-a": MADE})
    with pytest.raises(StoreUnusable, match="another version"):
        files.load_snapshot("made", "r1")
    for name in ("reports/made/r1.distributions.json.gz", "reports/made/r1.json.gz"):
        archive.write(name, archive.read(name)[:-12])
    with pytest.raises(StoreUnusable, match="damaged"):
        files.snapshot_text("made", "r1")
    with pytest.raises(StoreUnusable, match="damaged"):
        files.distributions("made", "r1")
    archive.write("reports/made/r1.distributions.json.gz", gzip.compress(b'{"DRF-IN-a": {"shows": "moon"}}'))
    with pytest.raises(StoreUnusable, match="damaged"):
        files.distributions("made", "r1")


def test_the_terminal_table_puts_the_breached_ones_first() -> None:
    """A terminal shows breached signals on top, p-values never as nought, and words as words, not as markup."""
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=140).print(*signals_shown(SIGNALS, every=True))
    lines = out.getvalue().splitlines()
    breached, ok = (next(k for k, line in enumerate(lines) if code in line) for code in ("DRF-IN-c", "DRF-IN-a"))
    assert breached < ok
    assert "[red]c[/red] moved." in lines[breached]
    assert "< 0.0001" in lines[breached]
