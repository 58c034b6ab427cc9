"""What the docs show of the Python face runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, deployed
from trueup.flows.demo.reviews import HEALTHY, make_reviews

ROOT = Path(__file__).resolve().parents[2]
TOUR = ROOT / "examples" / "tour.ipynb"


def blocks(page: Path) -> list[str]:
    """The Python blocks of a page, in order."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_page_and_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/python.md block by block in one namespace, then the README's tour, on the same deployment."""
    deployed(tmp_path, more=ONE_CANDIDATE).close()
    monkeypatch.chdir(tmp_path)
    names = {"frame": make_reviews(2, TRAINED, 7, 400, HEALTHY)}
    page, readme = blocks(ROOT / "docs" / "python.md"), blocks(ROOT / "README.md")
    assert len(page) >= 8
    assert readme
    for block in (*page, *readme):
        exec(compile(block, "docs", "exec"), names)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tour_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """examples/tour.ipynb runs from top to bottom in a kernel of its own, and every result shows itself."""
    import nbformat
    from nbclient import NotebookClient

    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    tour = nbformat.read(TOUR, as_version=4)
    assert not [cell for cell in tour.cells if cell.get("outputs")], "commit it without outputs"
    NotebookClient(tour, timeout=500, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in tour.cells for output in cell.get("outputs", ())]
    tables = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert len(tables) >= 4
    assert any("DRF-TEXT" in table for table in tables)
