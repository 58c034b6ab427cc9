"""What Prefect shows of a cycle, read back over its API: names, states, tags, logs, artifacts, and no obeyed word."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from markdown_it import MarkdownIt

from tests.flows.test_outsiders_words import EVIL, Deployment
from trueup.flows.app import App

pytestmark = pytest.mark.slow


class Shown:
    """A cycle that ran as a flow, as Prefect's server gives it back."""

    def __init__(self, url: str) -> None:
        self.url = url
        (self.run,) = (run for run in self.ask("flow_runs") if "stream" in run["parameters"])
        self.artifacts = {one["key"]: one for one in self.ask("artifacts")}

    def ask(self, what: str, **body: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.post(f"{self.url}/{what}/filter", json=body, timeout=30).json()
        return found

    def tasks(self) -> list[dict[str, Any]]:
        """The server writes them down a moment after they end."""
        return self.until(lambda: [one for one in self.ask("task_runs") if one["state_type"] == "COMPLETED"])

    def until(self, met: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 60
        while not (found := met()):
            assert time.monotonic() < deadline, "Prefect never showed it"
            time.sleep(0.1)
        return found

    def log(self) -> list[str]:
        return [line["message"] for line in self.ask("logs", sort="TIMESTAMP_ASC") if not line["task_run_id"]]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A stream of hostile words, whose cycle raised an alarm."""
    made = Deployment(tmp_path_factory.mktemp("prefect"))
    settings = made.folder / "trueup.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + '\n[site]\nurl = "https://trueup.example.org"\n')
    return made


@pytest.fixture(scope="module")
def shown(deployment: Deployment) -> Iterator[Shown]:
    """Its cycle, run once more as a flow at the time that it stands at, on a server of Prefect's own."""
    from prefect import flow
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=150), pytest.MonkeyPatch.context() as patch:
        from prefect.settings import PREFECT_API_URL

        from trueup.flows.cycle.steps import Step
        from trueup.flows.serve.cycle_flow import cycle_flow, steps_as_tasks

        patch.setattr(App, "now", lambda self: deployment.at)
        patch.setenv("PREFECT_LOGGING_TO_API_ENABLED", "true")
        step = Step("score", lambda _: None, retries=0, retry_seconds=0, time_limit_s=60)
        at = datetime(2020, 7, 31, 23, 59, tzinfo=UTC)
        flow(lambda: steps_as_tasks("shop", at)(step, lambda: None))()  # a finished cycle has no step to run again
        cycle_flow("r", str(deployment.folder / "trueup.toml"), str(deployment.folder / ".trueup"))
        yield Shown(PREFECT_API_URL.value())


def test_a_run_is_named_by_stream_time_and_outcome(shown: Shown, deployment: Deployment) -> None:
    """The state is Prefect's own, with the outcome as its message; tags are there to filter by."""
    assert re.match(r"r \d{4}-\d\d-\d\d \d\d:\d\d UTC: \S", shown.run["name"])
    state = shown.run["state"]
    assert (state["type"], state["name"]) == ("COMPLETED", "Completed")
    assert state["message"].startswith(f"r as of {deployment.at:%Y-%m-%d %H:%M} UTC: ")
    assert {"r", "breached"} <= set(shown.run["tags"])


def test_what_was_found_stands_in_the_log(shown: Shown) -> None:
    """Beside Prefect's own lines: the outcome and why."""
    assert shown.until(lambda: [line for line in shown.log() if line.startswith("r as of ")])


def test_artifacts_hold_the_verdict_and_links_that_work(shown: Shown, deployment: Deployment) -> None:
    """Pages of the site, where it says where it is; no address of a file, which Prefect's pages do not open."""
    written = shown.artifacts["r-cycle"]["data"]
    report = deployment.cycle.check.report_id
    assert f"[Report](https://trueup.example.org/r/checks/{report}.html)" in written
    assert f"[Incident](https://trueup.example.org/r/incidents/{deployment.incident.id}.html)" in written
    assert f"https://trueup.example.org/r/checks/{report}.html" in shown.artifacts["r-report"]["data"]
    assert "file:" not in written


def test_no_word_of_an_outsider_is_markup_in_prefect(shown: Shown) -> None:
    """Every artifact and description renders without an image, a tag or a link that an outsider wrote."""
    assert "evil.example" in shown.artifacts["r-cycle"]["data"]
    for artifact in shown.artifacts.values():
        for text in (artifact["data"], artifact["description"]):
            html = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(str(text))
            assert "<img" not in html
            assert not re.search(r'(href|src)="(?!https://trueup\.example\.org/)', html)
    assert EVIL not in shown.run["name"]


def test_a_step_is_a_task_named_by_step_stream_and_time(shown: Shown) -> None:
    """With its own state."""
    assert [(one["name"], one["state_type"]) for one in shown.tasks()] == [
        ("score: shop 2020-07-31 23:59 UTC", "COMPLETED")
    ]
