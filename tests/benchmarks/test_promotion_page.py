"""The page of the promotion benchmark is made of kept results, whatever of them there is."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import machine
from benchmarks.promotion.document import document, file_of
from benchmarks.promotion.registry import SECTIONS, section


def test_every_section_has_its_place_before_it_is_measured(tmp_path: Path) -> None:
    """A page without results names each section and the command that measures it."""
    page = document(tmp_path)
    for name in SECTIONS:
        assert f"## {section(name).TITLE}" in page
        assert f"--only {name}" in page


def test_a_kept_section_is_told_with_its_machine(tmp_path: Path) -> None:
    """Figures stand beside when, where and how long; a quick look says that it is one."""
    found = {"courses": []}
    whole = {"quick": True, "seconds": 90, "processes": 2, "machine": machine.facts(), "found": found}
    file_of(tmp_path, "monthly").write_text(json.dumps(whole))
    page = document(tmp_path, ("monthly",))
    assert "Not measured yet" not in page
    assert "A quick look" in page
    assert "2 min with 2 processes" in page
    assert machine.facts()["python"] in page
