"""Names of the site's pages, and links between them."""

from __future__ import annotations

import posixpath
import re
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.flows.site import layout
from trueup.storage.slugs import slug

NAMES = st.one_of(st.text(max_size=90), st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True))
HOSTILE = ("评论", "レビュー", "../../etc/passwd", "a/b", "Reviews", "reviews", "REVIEWS", "con", "assets", "index", "",
           " ", ".", "..", "-", "é", "e", "<script>", "a" * 300, "a" * 299, "\ud800", "reviews-0a1b2c3d")  # fmt: skip


def test_hostile_names_have_slugs_of_their_own() -> None:
    """Names in other scripts, with slashes, of another case or reserved ones become different plain file names."""
    found = [slug(name) for name in HOSTILE]
    assert len(set(found)) == len(HOSTILE)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", one) for one in found)
    assert not {"con", "assets", "index"} & set(found)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(50))
@given(NAMES, NAMES)
def test_two_names_never_share_a_slug(one: str, other: str) -> None:
    """What differs in name differs in slug; a slug is plain, and a plain name stays itself."""
    assert (slug(one) == slug(other)) == (one == other)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", slug(one))
    assert slug("reviews") == "reviews"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(50))
@given(NAMES, NAMES)
def test_links_are_relative_and_arrive(stream: str, report: str) -> None:
    """From any page to any other, the link leads there from the page's folder, and begins at no root."""
    pages = [
        layout.OVERVIEW, layout.page_of_stream(stream), layout.page_of_month(stream, date(2024, 7, 1)),
        layout.page_of_check(stream, report), layout.page_of_incident(stream, report), layout.page_of_models(stream),
        layout.csv_of(layout.page_of_check(stream, report), "metric"), layout.evidently_asset("0.7.23"),
    ]  # fmt: skip
    assert len(set(pages)) == len(pages)
    for page in pages:
        for other in pages:
            link = layout.href(page, other)
            assert posixpath.normpath(posixpath.join(posixpath.dirname(page), link)) == other
            assert not link.startswith("/")
            assert ":" not in link


def test_a_drawings_csv_is_called_as_its_page_links_it() -> None:
    """The name of a drawing is a slug already, and stays as it is, also where it ends in a number."""
    assert layout.csv_of("s/checks/a1.html", slug("DRF-TEXT")) == f"s/checks/a1-{slug('DRF-TEXT')}.csv"
