"""A label feed breaks to one class: a defaulted join. Nothing is promoted by itself; people are told of the feed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_commands import Shell
from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, WINDOW, plain_mail, with_champion
from trueup.feedback.intake import ingest
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.strategies import Strategies
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.flows.gate.evaluate import run_gate_in_process
from trueup.flows.promote.manual import promote_by_hand
from trueup.flows.replay.policies import no_artifacts, no_report

UNATTENDED = Strategies(draw=no_report, artifacts=no_artifacts, judge=run_gate_in_process)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two weeks whose labels are all negative, a cycle each; then a person promotes the second challenger."""
    folder: Path = tmp_path_factory.mktemp("one-class")
    app = with_champion(folder, more=ONE_CANDIDATE)
    stream, found = app.stream("reviews"), {}
    cycles = []
    for week in range(2):
        file = folder / f"broken-{week}.csv"
        rows = make_reviews(7 + week, TRAINED + week * WEEK, WEEK.days, WINDOW, HEALTHY)
        rows.assign(stars=1).to_csv(file, index=False)
        ingest(app.store, stream, [str(file)], now=app.now())
        cycles.append(run_cycle(app, stream, TRAINED + (week + 1) * WEEK, strategies=UNATTENDED))
    found["cycles"], found["champion"] = cycles, app.registry.alias("reviews", "champion")
    found["incidents"] = [i.cause for i in app.incidents.open_ones("reviews")]
    found["mails"] = [plain_mail(app, a) for a in app.outbox.newest("reviews") if a.kind == "label_feed"]
    found["held"] = [p for p in app.promotions.history("reviews") if p.state == "held"]
    shell = Shell(folder)
    found["explained"] = shell("models explain -s reviews").document
    promote_by_hand(app, stream, found["held"][0].to_version, "the labels are right", force=False)
    found["afterwards"] = [i.cause for i in app.incidents.open_ones("reviews")]
    app.close()
    return found


@pytest.mark.slow
def test_nothing_is_promoted_by_labels_of_one_class(broken: dict[str, Any]) -> None:
    """Every challenger that gained by them is held, with GATE-FEED as the only test that failed."""
    assert broken["champion"] == 1
    assert [done["promotion"] for done in broken["cycles"]] == [None, None]
    assert broken["held"]
    for held in broken["held"]:
        assert [test["code"] for test in held.gate["tests"] if not test["passed"]] == ["GATE-FEED"]


def test_the_incident_and_one_mail_are_about_the_label_feed(broken: dict[str, Any]) -> None:
    """However many challengers wait; the mail says why, and what to type."""
    assert "label_feed" in broken["incidents"]
    (mail,) = broken["mails"]
    assert "Check the source of the labels" in mail
    assert "nearly all new labels are the same: 'negative' 100 %" in mail
    assert "trueup models promote --to 2 --stream reviews --why" in mail


def test_explain_and_the_cycle_say_why_it_waits_and_what_to_type(broken: dict[str, Any]) -> None:
    """The failing test in words, and the next command."""
    version = broken["held"][0].to_version
    told = next(other for other in broken["explained"]["others"] if other["version"] == version)
    assert told["state"] == "held"
    assert told["needed"][0].startswith("GATE-FEED: nearly all new labels are the same")
    assert f"trueup models promote --to {version} --stream reviews" in told["needed"][-1]
    last = next(done for done in broken["cycles"] if done["training"] and done["training"]["version"] == version)
    assert any("GATE-FEED" in reason and "trueup models promote" in reason for reason in last["decision"]["reasons"])


def test_a_person_who_knows_the_labels_are_right_promotes_without_force(broken: dict[str, Any]) -> None:
    """And the incident of the feed is over by that."""
    assert "label_feed" not in broken["afterwards"]
