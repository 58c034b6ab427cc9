"""A replay: the cycle's own code over past data, baselines beside it, and nothing of the deployment touched."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion
from trueup.flows.app import App
from trueup.flows.cli.main import cli
from trueup.flows.cycle.run import run_cycle
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.replay.run import check_times
from trueup.flows.settings import Settings
from trueup.storage.errors import InputError
from trueup.storage.policy import Policy
from trueup.storage.timepoints import iso

pytestmark = pytest.mark.slow  # its one fixture plays five policies over four windows, a minute of processor time

WEEKS = (HEALTHY, HEALTHY, BROKEN, BROKEN)
NASTY = "<script>alert(1)</script>"
POLICIES = f"""
[streams.reviews.policies."{NASTY}"]
retrain_on = []
"""


@dataclass(frozen=True)
class Replayed:
    """A deployment, the past it was given, what a replay of that said, and what it left of the home folder."""

    app: App
    document: dict[str, Any]
    home_before: dict[str, str]
    home_after: dict[str, str]
    callers: int

    def policy(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(p for p in self.document["policies"] if p["name"] == name)
        return found


def _files(home: Path) -> dict[str, str]:
    found = [f for f in home.rglob("*") if f.is_file() and f.parent.name != "replays"]
    return {str(f.relative_to(home)): hashlib.sha256(f.read_bytes()).hexdigest() for f in found}


def _called(server: socket.socket) -> int:
    server.settimeout(0)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return 0
    return 1


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    """Four windows, two of them broken, in a deployment that sends its mails to a server."""
    folder = tmp_path_factory.mktemp("replayed")
    app = with_champion(folder, more=ONE_CANDIDATE + POLICIES)
    for week, regime in enumerate(WEEKS):
        take_in(app, folder, 2 + week, TRAINED + week * WEEK, WEEK, regime)
    app.close()
    past = folder / "past.csv"
    pd.concat([pd.read_csv(folder / f"{k}.csv") for k in range(1, 2 + len(WEEKS))]).to_csv(past, index=False)
    before = _files(folder / ".trueup")
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patched:
        patched.setenv("TRUEUP_SMTP__HOST", "127.0.0.1")
        patched.setenv("TRUEUP_SMTP__PORT", str(server.getsockname()[1]))
        done = CliRunner().invoke(
            cli, ["replay", str(past), "--stream", "reviews", "--start", iso(TRAINED) or "", "--policy", "default",
                  "--policy", NASTY, "--config", str(folder / "trueup.toml"), "--home", str(folder / ".trueup"),
                  "--json"],
        )  # fmt: skip
        callers = _called(server)
    assert done.exit_code == 0, done.stderr
    yield Replayed(app, json.loads(done.stdout), before, _files(folder / ".trueup"), callers)
    app.close()


def test_the_document_has_the_contracts_keys(replayed: Replayed) -> None:
    """Own policies first, then the three baselines; as many checks each, the newest first."""
    assert [p["name"] for p in replayed.document["policies"]] == ["default", NASTY, "never", "always", "periodic"]
    for played in replayed.document["policies"]:
        assert {
            "name", "checks", "alerts", "retrains", "promotions", "metric_mean", "timeline",
        } <= played.keys()  # fmt: skip
        assert played["checks"] == len(played["timeline"]) == len(WEEKS)
        assert {"as_of", "breached", "action", "champion", "metric"} <= played["timeline"][0].keys()
        times = [moment["as_of"] for moment in played["timeline"]]
        assert times == sorted(times, reverse=True)
        assert played["metric_mean"] == pytest.approx(np.mean([m["metric"] for m in played["timeline"]]))


def test_baselines_retrain_by_the_calendar(replayed: Replayed) -> None:
    """`never` trains nothing, `always` promotes at every check, `periodic` at every fourth, whatever was found."""
    assert [(p["retrains"], p["promotions"]) for p in replayed.document["policies"][2:]] == [(0, 0), (4, 4), (1, 1)]
    assert [m["champion"] for m in replayed.policy("always")["timeline"]] == [4, 3, 2, 1]
    assert [m["action"] for m in replayed.policy("periodic")["timeline"]] == ["retrain", "alert", "none", "none"]
    assert replayed.policy("never")["alerts"] > 0


def test_policies_differ_by_what_they_do(replayed: Replayed) -> None:
    """One that retrains for nothing only alerts; its champion and its metric stay as they were."""
    own, patient, never = (replayed.policy(name) for name in ("default", NASTY, "never"))
    assert [m["action"] for m in reversed(own["timeline"])][:3] == ["none", "none", "retrain"]
    assert [m["action"] for m in reversed(patient["timeline"])] == ["none", "none", "alert", "alert"]
    for played in (own, patient):
        assert [m["metric"] for m in played["timeline"][1:]] == [m["metric"] for m in never["timeline"][1:]]
    assert own["timeline"][0]["metric"] > never["timeline"][0]["metric"] + 0.1


def test_nothing_of_the_deployment_is_touched(replayed: Replayed) -> None:
    """Store, registry, archive and mails are byte for byte what they were, and the mail server was not called."""
    assert replayed.home_before == replayed.home_after
    assert {"trueup.db", "mlflow.db"} <= replayed.home_before.keys()
    assert replayed.callers == 0


def test_the_page_is_one_file_and_names_in_it_are_data(replayed: Replayed) -> None:
    """No script, nothing fetched, every tag closed, a timeline for each policy."""
    text = Path(replayed.document["page"]).read_text(encoding="utf-8")
    seen: list[str] = []
    open_tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert not {"src", "href", "onload"} & {name for name, _ in attrs}
            if tag != "meta":
                open_tags.append(tag)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Reader().feed(text)
    assert not open_tags
    assert not {"script", "link", "img", "iframe"} & set(seen)
    assert text.count('role="img"') == 5
    assert "&lt;script&gt;alert(1)" in text


def test_a_replay_is_what_the_deployment_does(replayed: Replayed) -> None:
    """The same cycles in the deployment itself come to the same signals, actions and promotions."""
    for moment in reversed(replayed.policy("default")["timeline"][1:]):
        done = run_cycle(replayed.app, replayed.app.stream("reviews"), datetime.fromisoformat(moment["as_of"]))
        breached = [s["code"] for s in done["check"]["signals"] if s["verdict"] == "breached"]
        assert (breached, done["decision"]["action"]) == (moment["breached"], moment["action"])
        assert (done["promotion"] and done["promotion"]["to_version"]) == moment["promoted"]


HOURS = np.datetime64("2024-01-01T00:00", "us") + np.arange(10) * np.timedelta64(1, "h")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def test_checks_come_when_enough_records_have_come() -> None:
    """Every N records after the start; records of one time come together; the rest that fills no step is left."""
    found = check_times(Policy(window=30), HOURS, BEGIN, 4)
    assert found == (BEGIN + timedelta(hours=4), BEGIN + timedelta(hours=8))
    together = np.repeat(HOURS, 3)
    assert check_times(Policy(window=30), together, BEGIN, 4) == tuple(
        BEGIN + timedelta(hours=h) for h in (2, 4, 6, 8)
    )


def test_checks_of_a_span_come_by_the_clock() -> None:
    """Where the window is a span, so is the step, unless records are named."""
    policy = Policy(window="4h")
    assert check_times(policy, HOURS, BEGIN, None) == (BEGIN + timedelta(hours=4), BEGIN + timedelta(hours=8))
    assert check_times(policy, HOURS, BEGIN, 9) == (BEGIN + timedelta(hours=9),)


def test_too_little_after_the_start_is_said() -> None:
    """A replay without a single check is refused, with what there was."""
    with pytest.raises(InputError, match=r"^9 records come after the start.*every 30 records"):
        check_times(Policy(window=30), HOURS, BEGIN, None)


def _stream(**policies: Any) -> dict[str, Any]:
    return {"reviews": {"time": "at", "text": ["t"], "policy": {"window": 200, "confirm": 3}, "policies": policies}}


def test_a_policy_takes_what_it_lacks_from_the_streams_own() -> None:
    """Only what differs is written down."""
    stream = Settings(streams=_stream(eager={"confirm": 1})).stream("reviews")  # type: ignore[arg-type]
    assert stream.policies == {"eager": stream.policy.model_copy(update={"confirm": 1})}
    assert stream.policies["eager"].window == 200


@pytest.mark.parametrize("name", ["never", "always", "periodic", "default"])
def test_names_that_a_replay_uses_itself_are_refused(name: str) -> None:
    """Two policies of one name could not be told apart."""
    with pytest.raises(ValueError, match=f"named '{name}', which a replay uses already"):
        Settings(streams=_stream(**{name: {}}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--policy", "bold"], "no policy 'bold' (it has: default)"),
        (["--start", "yesterday"], "yesterday"),
        ([], "holds 3 records"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(tmp_path: Path, words: list[str], named: str) -> None:
    """What was wrong is named before anything is trained."""
    (tmp_path / "trueup.toml").write_text(
        '[streams.reviews]\ntime = "at"\ntext = ["text"]\n[streams.reviews.label]\ncolumn = "stars"\n'
    )
    (tmp_path / "past.csv").write_text(
        "at,text,stars\n2024-01-01,good,5\n2024-01-02,bad,1\n2024-01-03,fine,4\n"
    )
    done = CliRunner().invoke(
        cli, ["replay", str(tmp_path / "past.csv"), "-s", "reviews", *words,
              "--config", str(tmp_path / "trueup.toml"), "--home", str(tmp_path / ".trueup")],
    )  # fmt: skip
    assert done.exit_code == 2
    assert named in done.stderr.splitlines()[-1]
