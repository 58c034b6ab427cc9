"""Markdown shows what outsiders wrote, and obeys none of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from trueup.flows.cycle.document import summary
from trueup.storage.escaping import for_markdown

HOSTILE = [
    "![x](https://evil.example/p.png)", "[go](javascript:alert(1))", "<img src=https://evil.example/p>", "# big",
    "https://evil.example", "www.evil.example", "a@evil.example", "<https://evil.example>", "a | b\n\n# c",
    "`x` *y* __z__",    "&lt;b&gt;", "1. one", "- one", "---", "[x]: https://evil.example", "\\![x](y)", "~~gone~~",
]  # fmt: skip


def tokens(text: str) -> list[Any]:
    """Every token of a page that shows tables, strikes through, and takes HTML."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return [inner for token in parsed for inner in (token, *(token.children or ()))]


@given(st.text() | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map(" ".join))
def test_any_text_stays_one_paragraph_of_text(text: str) -> None:
    """No link, image, HTML, heading, list, code or emphasis comes of it."""
    kinds = {token.type for token in tokens("begin " + for_markdown(text)) + tokens(for_markdown(text))}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_summary_of_a_cycle_obeys_no_outsider(hostile: str) -> None:
    """Reasons, findings and codes with a record id or category of an outsider bring no link, image or HTML into it."""
    done = {
        "stream": "r", "as_of": "2026-01-01T00:00:00Z", "paused": False, "promotion": None, "training": None,
        "decision": {"action": "alert", "codes": [f"DRF-IN-{hostile}"], "reasons": [hostile], "watched": []},
        "probation": {"outcome": "watched", "version": 2, "previous": 1, "said": hostile},
        "check": {
            "report_id": "abc", "counted": True,
            "signals": [{"code": f"DRF-IN-{hostile}", "verdict": "breached", "said": hostile}],
        },
        "gate": {"tests": [{"code": "GATE-X", "passed": False, "said": hostile}]},
    }  # fmt: skip
    found = tokens(summary(done))
    assert not {t.type for t in found} & {"link_open", "image", "html_block", "html_inline", "em_open", "strong_open"}
    assert sum(t.type == "tr_open" for t in found) == 4
    assert not re.search(r"(?<!\\)://", summary(done))
