"""What mails link to where there is a site, and where what is written is masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.flows.settings import Settings, locate, read_settings
from trueup.flows.site import layout
from trueup.reports.alerts.links import link_for
from trueup.reports.masking import MaskRule, masked, masks_at
from trueup.storage.errors import ConfigError

STREAM = '[streams.Reviews]\ntime = "at"\ntext = ["content"]\n'
SITE = '[site]\nto = "shared/site"\nurl = "https://x.org/trueup/"\n'
KINDS = {
    "site": layout.OVERVIEW,
    "stream": layout.page_of_stream("Reviews"),
    "report": layout.page_of_check("Reviews", "a1"),
    "incident": layout.page_of_incident("Reviews", "b2"),
    "model": layout.page_of_models("Reviews"),
}


def settings(text: str) -> Settings:
    return read_settings(STREAM + text, "trueup.toml")


@pytest.mark.parametrize("kind", KINDS)
def test_links_lead_to_the_pages_that_are_written(kind: str) -> None:
    """Without a template of its own each kind of page is the site's, below its address, under its name there."""
    found = link_for(settings(SITE).page_links, kind, stream="Reviews", report="a1", incident="b2", version=3)
    assert found == f"https://x.org/trueup/{KINDS[kind]}"


def test_a_template_of_ones_own_comes_first() -> None:
    """`[links]` is kept; kinds without a page of the site have none."""
    own = settings(SITE + '[links]\nreport = "https://y.org/{slug}/{report}"\n').page_links
    assert link_for(own, "report", stream="reviews", report="a1") == "https://y.org/reviews/a1"
    assert link_for(own, "site") == "https://x.org/trueup/index.html"
    assert link_for(own, "run", run="r") == ""
    assert not any(settings("").page_links.values())


@pytest.mark.parametrize("url", ["x.org", "https://x.org/{stream}", "https://x.org/?a=b", "https://a:b@x.org/"])
def test_a_site_that_nothing_can_follow_is_refused(url: str) -> None:
    """Its address is a plain folder of a web server."""
    with pytest.raises(ConfigError, match=r"site\.url"):
        settings(f'[site]\nurl = "{url}"\n')


def test_the_folder_lies_beside_the_settings(tmp_path: Path) -> None:
    """A relative `to` means the same for each command; a bucket's address stays."""
    (tmp_path / "trueup.toml").write_text(STREAM + SITE)
    assert locate(None, None, start=tmp_path).settings.site.to == str(tmp_path / "shared" / "site")


@pytest.mark.parametrize(
    ("rule", "place", "masks"),
    [
        ("auto", "", False), ("auto", "shared/site", False), ("auto", "/srv/site", False),
        ("auto", "file:///srv/site", False), ("auto", "sqlite:///mlflow.db", False), ("auto", "s3://bucket/site", True),
        ("auto", "http://127.0.0.1:5000", True), ("auto", "databricks", True), ("auto", "sftp://host/site", True),
        ("always", "/srv/site", True), ("never", "s3://bucket/site", False),
    ],
)  # fmt: skip
def test_what_leaves_the_machine_is_masked(rule: MaskRule, place: str, masks: bool) -> None:
    """By default wherever the place is no local folder; a team may decide otherwise."""
    assert masks_at(rule, place) is masks


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-01-31 23:59:00 UTC", "2024-01-31 23:59:00 UTC"), ("(0.1234567, 12.3456789]", "(0.1234567, 12.3456789]"),
        ("call 030.1234567 or 301.234.5678", "call [number] or [number]"), ("+49 170 1234567", "[number]"),
        ("order 4711-0815-2024", "order [number]"), ("ann@example.org on 2024-01-31", "[address] on 2024-01-31"),
    ],
)  # fmt: skip
def test_days_and_figures_are_nobodys(text: str, shown: str) -> None:
    """The axis of a plot and the bounds of its bins stay readable; phones and numbers of orders do not."""
    assert masked(text) == shown
