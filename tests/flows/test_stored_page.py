"""A check's page made on demand from what is stored: the same each time, small, masked where it leaves, and quick."""

from __future__ import annotations

import base64
import gzip
import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import trueup
from tests.made_checks import EVIL, FIRST, hostile_report, store_check
from tests.made_deployments import SETTINGS
from trueup.flows.alert.channels.choice import way_to
from trueup.flows.alert.channels.mail import MailChannel
from trueup.flows.app import App, open_app
from trueup.flows.check.page_facts import check_facts
from trueup.flows.check.stored_page import plots_page, single_page
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.distribution import Distribution, Shows
from trueup.reports.pages.check_page import EvidentlyPlots
from trueup.storage.errors import InputError

pytestmark = [pytest.mark.long, pytest.mark.whole_reports]
NONE = EvidentlyPlots(why_not="none")
PERSON = "write to jane.doe@example.org or +49 171 2345678"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A deployment of one stream whose settings ask for pages in mails."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=400) + "\n[alerts]\nattach_reports = true\n")
    app = open_app(tmp_path / "trueup.toml", None)
    yield app
    app.close()


def plots_of(page: bytes) -> str:
    """The plots that lie packed in a page."""
    packed = re.search(rb'id="packed-plots">([^<]+)</script>', page)
    assert packed
    return gzip.decompress(base64.b64decode(packed[1])).decode()


def test_the_page_is_made_of_what_is_stored(app: App) -> None:
    """No HTML is kept; the page is the same bytes each time, under 4 MB, and holds Evidently's plots."""
    report_id = store_check(app, "reviews", 1)
    kept = [file.name for file in (app.home / "archive" / "reports" / "reviews").iterdir()]
    assert sorted(kept) == [f"{report_id}.distributions.json.gz", f"{report_id}.json.gz"]
    page = single_page(app, "reviews", report_id)
    assert page == single_page(app, "reviews", report_id)
    assert len(page) < 4_000_000
    assert "trueup_report = " in plots_of(page)
    assert EVIL not in page.decode()
    assert html.escape(EVIL) in page.decode().replace("&#34;", "&quot;")
    begun = time.perf_counter()
    single_page(app, "reviews", report_id)
    assert time.perf_counter() - begun < 5  # a quiet machine takes a third of a second


def test_the_metric_goes_back_over_the_windows_before(app: App) -> None:
    """The picture ends with this check and holds up to thirty before it, none after; each links where it is told to."""
    ids = [store_check(app, "reviews", place, plots=False) for place in range(40)]
    facts = check_facts(app, ids[35], plots=NONE, mask=False, href_of=lambda one: f"{one}.html")
    assert len(facts.points) == 30
    assert facts.points[-1].at == facts.as_of
    assert facts.points[-1].href == f"{ids[35]}.html"
    assert [point.measured for point in facts.points] == pytest.approx([0.9 - k / 100 for k in range(6, 36)])


def store_with_person(app: App) -> str:
    """Store a check whose texts hold personal data, with a picture of them; its report's id."""
    held = Distribution(shows=Shows.WORDS, names=(PERSON,), reference=(0.0,), current=(0.5,))
    signal = Signal(code="DRF-TEXT", name="words", verdict=Verdict.BREACHED, said=PERSON, value=0.5, distribution=held)
    check = Check(report_id="person", counted=True, signals=(signal,), notes=(PERSON,))
    snapshot = hostile_report().snapshot.replace(EVIL.replace("/", "\\/").encode(), PERSON.encode())
    app.report_files.store(
        "reviews", "person", snapshot=snapshot.replace(EVIL.encode(), PERSON.encode()),
        distributions={"DRF-TEXT": held},
    )  # fmt: skip
    app.cycles.keep_check(
        stream="reviews", cycle_id=None, as_of=FIRST, version=1, last=None, document=check.as_json(), now=FIRST
    )
    return "person"


def test_personal_data_is_masked_where_the_page_leaves(app: App) -> None:
    """A page for a mail shows no address or number, in words, pictures or Evidently's plots; one at home shows all."""
    report_id = store_with_person(app)
    for mask in (True, False):
        page = single_page(app, "reviews", report_id, mask=mask)
        for said in (page.decode(), plots_of(page)):
            assert ("jane.doe@example.org" in said) == (not mask)
            assert ("171 2345678" in said) == (not mask)


def test_a_mail_brings_the_page_masked(app: App) -> None:
    """Where the settings ask for it, the mail's page is the one made on demand."""
    report_id = store_with_person(app)
    way = way_to(app, "me@example.org")
    assert isinstance(way, MailChannel)
    assert way.page is not None
    assert way.page("reviews", report_id) == single_page(app, "reviews", report_id, mask=True)


def test_a_team_that_masks_always_masks_at_home_too(app: App) -> None:
    """`site.mask` holds for the page that is opened, exported and shown in a notebook."""
    report_id = store_with_person(app)
    for rule, masks in (("auto", False), ("always", True)):
        (app.home.parent / "trueup.toml").write_text(SETTINGS.format(window=400) + f'\n[site]\nmask = "{rule}"\n')
        with trueup.open(app.home.parent / "trueup.toml", app.home) as deployment:
            page = deployment.reports.show(report_id).html().decode()
        assert ("jane.doe@example.org" in page) == (not masks)


def test_plots_stand_on_a_page_of_their_own_for_a_site(app: App) -> None:
    """With a shared script the plots are a small file; of a report that is not there an error says how to list."""
    report_id = store_check(app, "reviews", 1)
    page = plots_page(app, "reviews", report_id, script="../../assets/evidently.js", mask=False)
    assert len(page) < 1_000_000
    assert b'<script src="../../assets/evidently.js"></script>' in page
    with pytest.raises(InputError, match="trueup reports list"):
        check_facts(app, "nowhere", plots=NONE, mask=False)


def test_facts_hold_the_distributions_of_the_archive(app: App) -> None:
    """What pictures show is read back beside the signals; a damaged file costs the pictures alone."""
    report_id = store_with_person(app)
    (signal,) = check_facts(app, report_id, plots=NONE, mask=False).check.signals
    assert signal.distribution is not None
    assert signal.distribution.names == (PERSON,)
    app.archive.write("reports/reviews/person.distributions.json.gz", b"?")
    (signal,) = check_facts(app, report_id, plots=NONE, mask=False).check.signals
    assert signal == replace(signal, distribution=None)
    assert signal.distribution is None
