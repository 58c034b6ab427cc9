"""Links of alerts: made by a team's templates, and no value leads out of its part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.links import PLACEHOLDERS, checked_link, commands_for, link_for, pages_of
from trueup.reports.alerts.situation import IncidentState, Situation

LINKS = {"report": "https://x.org/{stream}/{report}?q={stream}", "site": "https://x.org/"}


def test_a_link_is_made_of_its_template() -> None:
    """Without a template, or without one of its ids, there is no link; what is not asked for changes nothing."""
    assert link_for(LINKS, "report", stream="reviews", report="r1", code="x") == "https://x.org/reviews/r1?q=reviews"
    assert link_for(LINKS, "site") == "https://x.org/"
    assert link_for(LINKS, "report", stream="reviews", report=None) == ""
    assert link_for(LINKS, "report", stream="reviews") == ""
    assert link_for(LINKS, "model", stream="reviews", version=3) == ""


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_stays_in_its_part(stream: str, report: str) -> None:
    """Slashes, marks, braces and other letters are quoted, so that the host and the parts are the template's."""
    link = link_for(LINKS, "report", stream=stream, report=report or "r")
    assert link.isascii()
    where = urlsplit(link)
    assert where.netloc == "x.org"
    assert [unquote(part) for part in where.path.split("/")] == ["", stream, report or "r"]


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_known_placeholders_are_taken(name: str) -> None:
    """Each that the settings' page names."""
    template = f"https://x.org:8080/a?b={{{name}}}"
    assert checked_link(template) == template
    assert checked_link("") == ""


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("https://x.org/{page}", "the placeholder {page} is unknown; known are {stream}, {report}"),
        ("https://x.org/{", "no address"),
        ("https://x.org/{}", "no address"),
        ("https://x.org/{stream!r}", "no address"),
        ("https://x.org/{stream:>9}", "no address"),
        ("https://x.org/{stream.__class__}", "no address"),
        ("https://{stream}.org/", "could lead to anywhere"),
        ("https://ann:secret@x.org/", "holds a login"),
        ("javascript:alert(1)", "begin it with https://"),
        ("x.org/{stream}", "begin it with https://"),
        ("https://[x/", "no address"),
        ("https://x.org/a b", "begin it with https://"),
    ],
)
def test_a_template_that_makes_no_address_is_refused(template: str, said: str) -> None:
    """The first reader of such a mail would find it out, at night."""
    with pytest.raises(ValueError, match=r".") as refused:
        checked_link(template)
    assert said in str(refused.value)


def test_a_message_links_to_what_it_is_about() -> None:
    """The incident first, then the pages that its newest notice names; pages without an id are left out."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    incident = IncidentState(
        id="i1", causes=("metric",), codes=("PRF-METRIC",), severity=Severity.HIGH, stem="x", opened_at=at
    )
    first = AlertFacts(kind=AlertKind.INCIDENT_OPENED, stream="a b", as_of=at, report_id="r1", cycle_id="c1")
    then = AlertFacts(kind=AlertKind.PROMOTION, stream="a b", as_of=at, report_id="r2", to_version=3)
    told = Situation(
        stream="a b", task="", metric="", notices=(first, then), incidents=(incident,), now=at, written_at=at
    )
    links = {kind: f"https://x.org/{kind}/{{stream}}" for kind in ("site", "cycle")} | {
        "report": "https://x.org/{report}", "incident": "https://x.org/{incident}", "run": "https://x.org/{run}",
        "model": "https://x.org/{version}", "runbook": "https://x.org/{code}", "site": "https://x.org",
    }  # fmt: skip
    assert pages_of(links, told) == (
        ("Incident", "https://x.org/i1"), ("Report", "https://x.org/r2"), ("Version", "https://x.org/3"),
        ("Cycle", "https://x.org/cycle/a%20b"), ("Runbook", "https://x.org/PRF-METRIC"), ("trueup", "https://x.org"),
    )  # fmt: skip
    assert pages_of({}, told) == ()
    assert commands_for(replace(told, host="vm")) == (("Report's page", "trueup reports open r2, on vm"),)
    assert commands_for(replace(told, notices=(replace(first, report_id=None),))) == ()
