"""The runbook has a section for every code that a person can meet, each with the same five answers."""

from __future__ import annotations

import re

import pytest

from tests.house.test_docs import gate_codes
from trueup.monitoring.causes import Cause
from trueup.monitoring.signals.catalogue import CATALOGUE
from trueup.reports.runbook import runbook_anchor, runbook_code, runbook_codes, runbook_page, runbook_text
from trueup.storage.errors import InputError

OPENED_BY_NO_SIGNAL = {
    cause.upper()
    for cause in (Cause.CHAMPION, Cause.NO_CHAMPION, Cause.CYCLE, Cause.SOURCE, Cause.TRAINER, Cause.ROLLBACK)
}
ELSEWHERE = {"PROBATION", "DEAD-LETTER", "SOURCE-LATE", Cause.LABEL_FEED.upper()}
QUESTIONS = ("What it means.", "Usual causes.", "Check.", "Do.", "Ignore it when.")


def test_each_code_has_a_section_and_no_section_lacks_its_code() -> None:
    """Signals by their kind, tests of data and gate, incidents of the cycle's own, and what waits or comes late."""
    known = {kind.code for kind in CATALOGUE} | gate_codes() | OPENED_BY_NO_SIGNAL | ELSEWHERE
    assert {runbook_code(code) for code in known} == set(runbook_codes())
    assert runbook_code("DQ-NEWER") == ""


@pytest.mark.parametrize("code", runbook_codes())
def test_a_section_answers_five_questions(code: str) -> None:
    """What it means, what causes it, what to check, what to do, when to ignore it: in this order, none left empty."""
    asked = re.findall(r"^- \*\*(.+?)\*\* \S", runbook_page(code), flags=re.MULTILINE)
    assert tuple(asked) == QUESTIONS


def test_a_column_or_slice_leads_to_its_kind() -> None:
    """DRF-IN-price stands under DRF-IN, however it is written; a code of no section is refused with the way to all."""
    assert runbook_code("drf-in-price") == "DRF-IN"
    assert runbook_anchor("PRF-SLICE-app-version") == "prf-slice"
    assert runbook_text("NO_CHAMPION").startswith("NO_CHAMPION\n\nWhat it means. ")
    with pytest.raises(InputError, match="`trueup runbook` lists its codes"):
        runbook_page("DRF")
