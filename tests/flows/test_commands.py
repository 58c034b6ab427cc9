"""The command line as people script it: exit statuses, one JSON document, one clear line."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, deployed, take_in, with_champion
from trueup.flows.cli.main import cli
from trueup.flows.demo.reviews import HEALTHY

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True)
class Shell:
    """A person at a shell in a deployment's folder."""

    folder: Path

    def __call__(self, words: str, status: int = 0) -> Answer:
        done = CliRunner().invoke(
            cli, [*shlex.split(words), "--config", str(self.folder / "trueup.toml"),
                  "--home", str(self.folder / ".trueup"), "--json"],
        )  # fmt: skip
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        answer = Answer(done.exit_code, done.stdout, done.stderr)
        assert answer.status == status, (words, answer)
        return answer


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("untrained")
    deployed(folder).close()
    return Shell(folder)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A deployment with a champion, one healthy window, and one of a new regime."""
    folder = tmp_path_factory.mktemp("trained")
    app = with_champion(folder, more=ONE_CANDIDATE)
    take_in(app, folder, 2, TRAINED, WEEK, HEALTHY)
    take_in(app, folder, 3, TRAINED + WEEK, WEEK, BROKEN)
    app.close()
    return Shell(folder)


def at(weeks: int) -> str:
    return f"{TRAINED + weeks * WEEK:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("words", ["check -s reviews", "predict -s reviews"])
def test_without_a_champion_the_way_to_one_is_named(untrained: Shell, words: str) -> None:
    """Status 2, one line, and the command that helps."""
    said = untrained(words, status=2)
    assert "trueup train --stream reviews" in said.err
    assert said.document["exit_status"] == 2
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("ingest nowhere.csv -s reviews", "nowhere.csv"),
        ("ingest {broken} -s reviews", "text"),
        ("ingest {broken} -s revews", "revews"),
        ("cycle -s reviews --as-of yesterday", "yesterday"),
        ("feedback {broken} -s reviews", "record_id"),
        ("reports show abc", "abc"),
        ("alerts ack abc", "abc"),
        ("alerts show abc", "abc"),
        ("alerts list -s revews", "revews"),
        ("reports list -s revews", "revews"),
        ("models show 9 -s reviews", "9"),
        ("quarantine show abc -s reviews", "abc"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(untrained: Shell, tmp_path: Path, words: str, named: str) -> None:
    """What was wrong is named, and nothing is written."""
    broken = tmp_path / "broken.csv"
    broken.write_text("review_id,at,stars\n1,2024-01-01,5\n")
    before = untrained("status").document["streams"][0]["records"]
    said = untrained(words.format(broken=broken), status=2)
    assert named in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert untrained("status").document["streams"][0]["records"] == before


@pytest.mark.parametrize(
    "words", ["check --strem reviews --json", "models promote --json", "chek --json", "alerts ac --json"]
)
def test_a_mistyped_command_is_one_document_as_well(words: str) -> None:
    """Who reads JSON gets JSON, whatever was typed; people read on standard error."""
    done = CliRunner().invoke(cli, shlex.split(words))
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]
    assert "Usage" in done.stderr


def test_looking_in_an_unrelated_folder_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` and `doctor` where nothing is configured make no home folder."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli, ["status", "--json"]).exit_code == 0
    assert CliRunner().invoke(cli, ["doctor", "--json"]).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_the_help_cuts_no_sentence() -> None:
    """Each command's first line fits beside its name on 80 columns."""
    import typer

    groups = [name for name, c in typer.main.get_command(cli).commands.items() if hasattr(c, "commands")]  # type: ignore[attr-defined]
    for words in ([], *([name] for name in groups)):
        shown = CliRunner().invoke(cli, [*words, "--help"], env={"COLUMNS": "80"}).stdout
        assert "..." not in shown.split("Commands:")[1], words


def test_a_whole_course_in_the_contracts_words(trained: Shell) -> None:
    """Quiet cycle, the same again, a breach that promotes, and everything about it can be looked up afterwards."""
    quiet = trained(f"cycle -s reviews --as-of {at(1)}").document
    assert {
        "cycle_id", "stream", "as_of", "check", "decision", "training", "gate", "promotion", "alerts",
    } <= quiet.keys()  # fmt: skip
    assert quiet["check"]["counted"]
    assert {"report_id", "counted", "signals"} <= quiet["check"].keys()
    assert {
        "code", "name", "value", "threshold", "p_value", "effect", "interval", "worse", "n_reference", "n_current",
        "verdict",
    } <= quiet["check"]["signals"][0].keys()  # fmt: skip
    assert (quiet["decision"]["action"], quiet["training"], quiet["promotion"]) == ("none", None, None)

    again = trained(f"cycle -s reviews --as-of {at(1)}").document
    assert again.pop("repeated") is True
    assert again == quiet

    acted = trained(f"cycle -s reviews --as-of {at(2)} --fail-on breach", status=3).document
    assert acted["decision"]["action"] == "retrain"
    assert {"run_id", "version", "candidates", "snapshot"} <= acted["training"].keys()
    assert acted["gate"]["passed"]
    assert {"code", "passed", "value", "bound"} <= acted["gate"]["tests"][0].keys()
    assert acted["promotion"] == {"from_version": 1, "to_version": 2}
    assert {a["kind"] for a in acted["alerts"]} >= {"incident_opened", "promotion"}
    assert {a["state"] for a in acted["alerts"]} == {"sent"}

    refused = trained(f"cycle -s reviews --as-of {at(0)}", status=2)
    assert "not rewound" in refused.err

    report = trained("reports list -s reviews").document["reports"][0]
    assert report["report_id"] == acted["check"]["report_id"]
    assert "DRF-TEXT" in report["breached"]
    shown = trained(f"reports show {report['report_id'][:6]}").document["reports"][0]
    assert shown["signals"] == acted["check"]["signals"]
    out = trained(f"reports export {report['report_id']} {trained.folder / 'out'}").document["reports"][0]
    assert "DRF-TEXT" in Path(out["page"]).read_text()

    compared = trained(f"reports compare {report['report_id']} {quiet['check']['report_id']}").document
    assert [r["report_id"] for r in compared["reports"]] == [quiet["check"]["report_id"], report["report_id"]]
    turned = {c["code"]: (c["verdict_before"], c["verdict_after"]) for c in compared["changes"] if c["turned"]}
    assert turned["DRF-TEXT"] == ("ok", "breached")

    models = trained("models list -s reviews").document
    assert (models["champion"], [v["version"] for v in models["versions"]]) == (2, [2, 1])
    assert models["versions"][0]["aliases"] == ["champion"]
    history = trained("models history -s reviews").document
    assert [(e["kind"], e["from_version"], e["to_version"]) for e in history["events"]] == [
        ("challenger", 1, 2), ("first", None, 1),
    ]  # fmt: skip
    assert {"at", "who", "kind", "from_version", "to_version", "why"} <= history["events"][0].keys()
    assert trained("models show 2 -s reviews").document["events"][0]["gate"]["passed"]

    alerts = trained("alerts list").document
    assert {(i["cause"], i["outcome"]) for i in alerts["incidents"]} >= {("metric", "answered")}
    opened = alerts["incidents"][0]["id"]
    assert trained(f"alerts ack {opened}").document["incidents"][0]["acknowledged_at"]
    mail = trained(f"alerts show {alerts['alerts'][0]['id']}").document["alerts"][0]
    assert "WHAT YOU NEED TO DO" in mail["text"]


def test_a_check_changes_nothing(trained: Shell) -> None:
    """`check` never counts, and leaves the champion and the incidents as they were."""
    before = trained("models list -s reviews").document, trained("alerts list").document
    done = trained(f"check -s reviews --as-of {at(3)}").document
    assert {"signals", "stream", "as_of", "report_id"} <= done.keys()
    assert not done["counted"]
    assert (trained("models list -s reviews").document, trained("alerts list").document) == before


def test_answers_for_a_file_are_not_stored(trained: Shell, tmp_path: Path) -> None:
    """`predict FILE` needs the features only, answers in the file's order, and takes nothing in."""
    file = tmp_path / "new.csv"
    file.write_text('review_id,text\nx1,"great battery, love it"\nx2,useless broken screen\n')
    before = trained("status").document["streams"][0]["records"]
    found = trained(f"predict -s reviews {file}").document["predictions"]
    assert [(p["id"], p["predicted"]) for p in found] == [("x1", "positive"), ("x2", "negative")]
    assert trained("status").document["streams"][0]["records"] == before


@pytest.mark.slow
def test_a_champion_that_cannot_be_loaded_is_no_missing_one(tmp_path: Path) -> None:
    """Status 1 and one alert, however often it is met; nothing is promoted over it; it resolves when fixed."""
    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    take_in(app, tmp_path, 2, TRAINED, WEEK, BROKEN)
    app.close()
    shell = Shell(tmp_path)
    models = tmp_path / ".trueup" / "mlflow"
    shutil.move(models, tmp_path / "aside")
    for _ in range(2):
        assert "cannot be loaded" in shell(f"cycle -s reviews --as-of {at(1)}", status=1).err
    assert "trueup train --stream" not in shell("check -s reviews", status=1).err
    found = shell("alerts list").document
    assert [(i["cause"], i["resolved_at"]) for i in found["incidents"]] == [("champion", None)]
    assert [a["kind"] for a in found["alerts"]] == ["failure", "promotion"]
    assert shell("models list -s reviews").document["champion"] == 1
    assert not shell("doctor", status=1).document["checks"][-1]["ok"]
    shutil.rmtree(models, ignore_errors=True)
    shutil.move(tmp_path / "aside", models)
    assert shell(f"cycle -s reviews --as-of {at(1)}").document["promotion"] == {"from_version": 1, "to_version": 2}
    incidents = {i["cause"]: i for i in shell("alerts list").document["incidents"]}
    assert incidents["champion"]["resolved_at"] is not None


def test_a_dead_schedule_is_noticed_from_elsewhere(tmp_path: Path) -> None:
    """`status --fail-on stale` ends with 3 once a scheduled cycle is overdue, and with 0 where nothing is scheduled."""
    app = deployed(tmp_path)
    app.close()
    shell = Shell(tmp_path)
    shell("status --fail-on stale")
    file = tmp_path / "trueup.toml"
    file.write_text(file.read_text() + '\n[streams.reviews.schedule]\ncron = "* * * * *"\n')
    from datetime import UTC, datetime, timedelta

    from trueup.flows.admin.status import status_of
    from trueup.flows.app import open_app
    from trueup.flows.check.timeliness import GRACE

    later = open_app(file, tmp_path / ".trueup")
    stream = later.stream("reviews")
    assert not status_of(later, stream).stale
    from dataclasses import replace

    behind = replace(later, clock=lambda: datetime.now(UTC) + GRACE + timedelta(minutes=2))
    assert status_of(behind, stream).stale
    later.close()
    behind.close()


def test_every_command_is_in_the_readme_or_the_docs() -> None:
    """What can be run is told of, and what is told of can be run."""
    import click
    import typer

    def names(command: Any, path: str) -> set[str]:
        if isinstance(command, click.Group) or hasattr(command, "commands"):
            return {n for key, sub in command.commands.items() for n in names(sub, f"{path} {key}")}
        return {path}

    known = names(typer.main.get_command(cli), "trueup")
    text = "\n".join(f.read_text() for f in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    assert not {n for n in known if n not in text}
    groups = {" ".join(n.split()[:2]) for n in known if len(n.split()) == 3}
    for told in set(re.findall(r"trueup [a-z]+(?: [a-z]+)?", text)):
        words = told.split()
        first = " ".join(words[:2])
        if first in groups and len(words) == 3:
            assert told in known, told
        elif words[1] in {n.split()[1] for n in known}:
            assert first in {" ".join(n.split()[:2]) for n in known}, told


def test_commands_that_mails_and_errors_name_exist() -> None:
    """Nobody is sent to a command that is not there."""
    import typer

    known = typer.main.get_command(cli)
    named = set()
    rooms = ("storage", "feedback", "monitoring", "training", "reports", "flows")
    for file in [f for room in rooms for f in (ROOT / room).glob("*.py")]:
        named |= set(re.findall(r"""_command\(\s*"([a-z]+(?: [a-z]+)?)\"""", file.read_text()))
        named |= {f"{a} {b}".strip() for a, b in re.findall(r"[`:] ?trueup ([a-z]+)(?: ([a-z]+))?", file.read_text())}
    assert len(named) > 10
    for words in named:
        first, *rest = words.split()
        group = known.commands.get(first)  # type: ignore[attr-defined]
        assert group is not None, words
        if rest and hasattr(group, "commands"):
            assert rest[0] in group.commands, words
