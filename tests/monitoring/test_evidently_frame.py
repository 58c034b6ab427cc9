"""Evidently's plots are shown from the stored snapshot alone, whose texts neither run nor stretch them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_checks import hostile_report
from trueup.monitoring.report.evidently_frame import evidently_frame, evidently_script, evidently_version, script_hash
from trueup.monitoring.report.shown_texts import LONGEST_WORD, with_short_words

pytestmark = pytest.mark.whole_reports

BARE: dict[str, Any] = {"widgets": [], "tests_widgets": []}


def data_of(page: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The dashboard and the additional graphs that a page hands to Evidently's script."""
    found = re.search(r"trueup_report = (.*); var additional_graphs_trueup_report = (.*);</script>", page.decode())
    assert found
    return json.loads(found[1]), json.loads(found[2])


def kinds(widgets: list[dict[str, Any]]) -> list[Any]:
    """The tree of widgets: type, title, and whether there is something to show."""
    return [
        (w["type"], w["title"], bool(w["params"]), len(w["additionalGraphs"]), kinds(w["widgets"]),
         [kinds([tab["widget"]]) for tab in w["tabs"]])
        for w in widgets
    ]  # fmt: skip


@pytest.mark.long
def test_the_page_shows_what_evidentlys_own_shows() -> None:
    """Widgets, tabs and additional graphs are those that Evidently puts into its own page of the same snapshot."""
    from evidently.core.report import Snapshot
    from evidently.legacy.renderers.html_widgets import group_widget
    from evidently.legacy.utils import NumpyEncoder

    stored = hostile_report().snapshot.decode()
    dashboard, graphs = data_of(evidently_frame(stored, script="lib.js"))
    loaded = Snapshot.loads(stored)
    own = [group_widget(title="", widgets=loaded._widgets), *loaded._tests_widgets]
    theirs = json.loads(json.dumps([widget.dict() for widget in own], cls=NumpyEncoder))
    assert kinds(dashboard["widgets"]) == kinds(theirs)
    assert [w["id"] for w in dashboard["widgets"][0]["widgets"]] == [w["id"] for w in theirs[0]["widgets"]]
    assert set(graphs) == {graph.id for widget in own for graph in widget.get_additional_graphs()}
    assert dashboard["widgets"][0].keys() >= theirs[0].keys() - {"source_fingerprint", "linked_metrics"}


@pytest.mark.long
def test_the_script_is_the_one_of_the_installed_evidently() -> None:
    """The script found without importing Evidently is the one that Evidently writes into its own pages."""
    from evidently import __version__
    from evidently.legacy.model.dashboard import DashboardInfo
    from evidently.legacy.utils.dashboard import TemplateParams, file_html_template

    empty = TemplateParams(
        dashboard_id="d", dashboard_info=DashboardInfo(name="d", widgets=[]), additional_graphs={}, embed_font=False
    )
    assert f"<script>{evidently_script()}</script>" in file_html_template(empty)
    assert evidently_version() == __version__
    assert "window.drawDashboard" in evidently_script()


def test_evidently_is_not_imported() -> None:
    """A page is made in a process that never imports Evidently, which alone takes seconds."""
    code = (
        "import sys; from trueup.monitoring.report.evidently_frame import evidently_frame\n"
        f"evidently_frame({json.dumps(BARE)!r}); assert 'evidently' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.long
def test_no_text_of_a_review_ends_a_script() -> None:
    """A review of `</script>` stands in the data with its `<` written as JSON may; each time the same bytes."""
    stored = hostile_report().snapshot.decode()
    page = evidently_frame(stored, script="../../assets/evidently.js")
    assert page.count(b"</script>") == 3
    assert b"alert(1)" in page
    assert b"<script>alert" not in page
    assert page == evidently_frame(stored, script="../../assets/evidently.js")


def test_only_the_pages_own_scripts_may_run() -> None:
    """The page's policy names its scripts by their hashes, loads nothing from elsewhere and evaluates no text."""
    for shared in ("lib.js", None):
        page = evidently_frame(json.dumps(BARE), script=shared).decode()
        policy = re.search(r'Policy" content="([^"]+)"', page)
        assert policy
        allowed = policy[1]
        assert "default-src 'none'" in allowed
        assert "unsafe-eval" not in allowed
        for inline in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
            assert script_hash(inline) in allowed
        assert ("'self'" in allowed) == (shared is not None)


words = st.text(st.sampled_from("ab-é漢 \n"), max_size=200)


@given(st.recursive(words, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3)))
def test_no_word_is_longer_than_a_plot_can_show(value: Any) -> None:
    """Every word is cut to 40 characters, short ones and keys stay as they are, and different words stay different."""

    def texts(held: Any) -> list[str]:
        if isinstance(held, str):
            return [held]
        return [text for inner in (held.values() if isinstance(held, dict) else held) for text in texts(inner)]

    before, after = texts(value), texts(with_short_words(value))
    assert len(before) == len(after)
    assert all(len(word) <= LONGEST_WORD for text in after for word in re.split(r"[\s漢]+", text))
    assert len(set(before)) == len(set(after))
    assert all(a == b for a, b in zip(before, after, strict=True) if len(a) <= LONGEST_WORD)


def test_packed_numbers_and_patterns_are_not_cut() -> None:
    """Plotly's packed arrays and hover patterns are long words that are no texts."""
    held = {"bdata": "A" * 900, "hovertemplate": "%{x}" * 30, "name": "n" * 900}
    cut = with_short_words(held)
    assert (cut["bdata"], cut["hovertemplate"]) == (held["bdata"], held["hovertemplate"])
    assert len(cut["name"]) <= LONGEST_WORD
