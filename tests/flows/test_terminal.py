"""What people see in a terminal: each command fits its width, lists say how much they show, colours can be off."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len
from typer.testing import CliRunner

from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion
from trueup.flows.app import App
from trueup.flows.cli import session
from trueup.flows.cli.examples import EXAMPLES
from trueup.flows.cli.main import cli
from trueup.flows.cli.plain_text import PlainConsole
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.reports.tables import TerminalTable
from trueup.results import TrainResult
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.stream import Stream

MANY = 60  # more than a list shows at once
SAID = "Column moved far: " + " ".join(f"'level{k}' 1.0 % → {k}.5 %," for k in range(30)) + " and so on to its end."
# In this order, since some change what the next ones see.
WALKED = (
    "status", "doctor", "ingest FILE", "ingest BAD", "feedback FEEDBACK", "quarantine list",
    "quarantine list --limit 5",
    "quarantine show last", "quarantine release last", "models list", "models show champion", "models show v1 --all",
    "models explain", "models explain --all", "models history", "models history last", "models verify",
    "check --as-of AT --all", "predict", "reports list", "reports list --verdict breached --code DRF-TEXT",
    "signals", "signals --code DRF-TEXT --since 30d", "export --to DATA",
    "data diff v1 2000-01-01..2100-01-01",
    "reports show BREACHED", "reports show last --all", "reports compare BREACHED last",
    "reports compare BREACHED last --all", "reports export last OUT", "site build", "reports open last --no-browser",
    "cycle --as-of AT", "status", "alerts list", "alerts list --state closed", "alerts show last",
    "alerts ack last", "alerts silence DRF-TEXT --until 3d --why WHY",
    "alerts test", "alerts deliver", "train --as-of AT", "pause --why WHY", "resume --why WHY", "prune --dry-run",
    "erase --record nobody --why WHY --yes",
    "init --from FILE --stream made --config NEW", "runbook", "runbook DRF-IN-price",
)  # fmt: skip
NOT_WALKED = {  # they tell one line, or as they go
    "serve", "ui", "site open", "demo", "replay", "adopt", "alerts accept", "models promote",
    "models rollback", "models resume",
}  # fmt: skip


class Recorder:
    """A console that keeps what it is given, so that it can be drawn at any width."""

    def __init__(self) -> None:
        self.parts: list[Any] = []

    def print(self, *parts: Any, **settings: Any) -> None:
        self.parts += parts or ("",)

    def drawn(self, width: int) -> str:
        out = io.StringIO()
        console = PlainConsole(file=out, width=width)
        for part in self.parts:
            console.print(part)
        return out.getvalue()


class Course:
    """A deployment with a long history, and what each command of a course says there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, dict[str, Recorder]()
        app = with_champion(folder, more=ONE_CANDIDATE)
        take_in(app, folder, 2, TRAINED, WEEK, BROKEN)
        settings = folder / "trueup.toml"
        settings.write_text(settings.read_text().replace('retrain_on = ["drift", "metric"]', "retrain_on = []"))
        self.breached = _long_history(app)
        app.close()
        self.meant = {
            "FILE": str(folder / "2.csv"), "BAD": str(self._bad()), "FEEDBACK": str(self._feedback()), "OUT": "out",
            "DATA": "data",
            "BREACHED": self.breached[:8], "AT": f"{TRAINED + WEEK:%Y-%m-%dT%H:%M:%SZ}",
            "NEW": str(folder / "new.toml"),
            "WHY": "the reason that a person gives, which is a whole sentence and longer than most terminals are wide",
        }  # fmt: skip

    def walk(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for words in WALKED:
                self.said[words] = recorder = Recorder()
                patch.setattr(session, "answers", lambda kept=recorder: kept)
                if words.startswith("train"):
                    patch.setattr(Stream, "train", _trained)
                self.run(words)

    def run(self, words: str, *more: str, **environment: str) -> Any:
        typed = [self.meant.get(word, word) for word in words.split()]
        config = [] if "--config" in typed or "runbook" in typed else ["--config", str(self.folder / "trueup.toml")]
        done = CliRunner().invoke(cli, [*typed, *config, *more], env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), (words, done.exception)
        assert done.exit_code in (0, 1), (words, done.output)
        return done

    def _bad(self) -> Path:
        lines = [f"x{k},2024-01-02T00:00:00Z,,5" for k in range(2 * MANY)]
        (self.folder / "bad.csv").write_text("\n".join(["review_id,at,text,stars", *lines]))
        return self.folder / "bad.csv"

    def _feedback(self) -> Path:
        (self.folder / "feedback.csv").write_text("record_id,kind,value,user,at\nno-such,label,positive,u,2024-01-02\n")
        return self.folder / "feedback.csv"


def _trained(stream: Stream, as_of: Any, **asked: Any) -> TrainResult:
    """A training with a long list of candidates and a gate that refused it."""
    tests = [
        {"code": f"GATE-SLICE-reviewCreatedVersion{k}", "passed": k > 1, "value": 0.123456, "bound": 5e-7, "said": SAID}
        for k in range(9)
    ]
    candidates = tuple(
        {"model": "hist_gradient_boosting", "feature": "union", "history": "newest", "hyper": '{"C": 0.3, "depth": 5}',
         "metrics": {"f1_macro": 0.87654}, "blocks": 3, "winner": k == 0, "failed": SAID if k == 5 else ""}
        for k in range(30)
    )  # fmt: skip
    return TrainResult(
        version=2, run_id="r", candidates=candidates, gate={"passed": False, "tests": tests}, promotion=None, held=None,
        document={},
    )  # fmt: skip


def _long_history(app: App) -> str:
    """Checks and attempts of months before the champion, of which every other one breached; a breached one's id."""
    for k in range(MANY):
        at, found = TRAINED - timedelta(days=2 * MANY - k), Verdict.BREACHED if k % 2 else Verdict.OK
        signals = (
            Signal(code="DRF-TEXT", name="words", verdict=found, said=SAID, value=0.5, threshold=0.01, p_value=1e-9),
            Signal(code="DRF-IN-reviewCreatedVersionOfTheApp", name="a column", verdict=found, said=SAID, value=1234.5),
            Signal(code="DQ-DUP", name="duplicates", verdict=Verdict.OK, said="Duplicates: 4.0 % of records."),
            Signal(code="DQ-LABELS", name="labels", verdict=Verdict.INSUFFICIENT, said="Too few labels."),
        )
        document = Check(report_id=f"{k * 7919:08x}beef", counted=False, signals=signals).as_json()
        app.cycles.keep_check(
            stream="reviews", cycle_id=None, as_of=at, version=1, last=None, document=document, now=at
        )
        attempt = PromotionAttempt(
            stream="reviews", kind=PromotionKind.CHALLENGER, state=PromotionState.REFUSED, from_version=1,
            to_version=None, as_of=at, at=at, who="a.person.with.a.long.account@example.org", why=SAID,
            codes=("DRF-TEXT",), labels=5, gate={"passed": False, "tests": []},
        )  # fmt: skip
        with app.database.write() as connection:
            app.promotions.add(connection, attempt)
    return f"{(MANY - 1) * 7919:08x}beef"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("terminal"))
    made.walk()
    return made


def commands() -> Iterator[str]:
    """Every command in its words."""
    group: Any = typer.main.get_command(cli)
    for name in group.commands:
        inner = getattr(group.commands[name], "commands", None)
        yield from (f"{name} {each}" for each in inner) if inner else [name]


def test_every_command_is_drawn_or_named() -> None:
    """A new command comes into this course."""
    every = set(commands())
    walked = {next(name for name in sorted(every, key=len, reverse=True) if words.startswith(name)) for words in WALKED}
    assert walked | NOT_WALKED == every


@pytest.mark.parametrize("width", [80, 100, 140])
def test_every_command_fits_its_terminal(course: Course, width: int) -> None:
    """No line is wider than the terminal, and no table has a column without room or without content."""
    for words, said in course.said.items():
        assert said.parts, words
        for line in said.drawn(width).split("\n"):
            assert cell_len(line) <= width, (words, line)
        for table in (part for part in said.parts if isinstance(part, TerminalTable)):
            given = table.layout(width)
            assert all(cells > 0 for cells in given.values()), words
            assert all(any(row[k].plain for row in table.rows) for k in given), words


@pytest.mark.parametrize("width", [80, 100, 140])
def test_what_is_breached_is_told_to_its_end(course: Course, width: int) -> None:
    """Each sentence of a breached signal stands there whole, in its order; what is in order is counted."""
    text = course.said["reports show BREACHED"].drawn(width)
    assert _stands_in(SAID, text)
    assert "2 breached" in text
    assert "1 not judged: DQ-LABELS" in text
    assert "1 ok" in text
    assert "Duplicates" not in text


def _stands_in(sentence: str, text: str) -> bool:
    """Its words stand there in their order, other columns' words between them."""
    words = iter(text.split())
    return all(word in words for word in sentence.split())


def test_with_all_what_is_in_order_is_shown_as_well(course: Course) -> None:
    """Each signal with its one word for a verdict."""
    text = course.said["check --as-of AT --all"].drawn(140)
    for word in ("breached", "ok", "not judged"):
        assert re.search(rf"\b{word}\b", text), word


def test_an_event_of_the_audit_trail_is_one_line(course: Course) -> None:
    """At every width; the whole of one is asked for by its id."""
    for width in (80, 100, 140):
        text = course.said["models history"].drawn(width)
        assert len(text.splitlines()) <= 50 + 4
    assert "A person started it" in " ".join(course.said["models history last"].drawn(80).split())


@pytest.mark.parametrize(
    ("words", "total"),
    [("reports list", MANY + 1), ("models history", MANY + 1), ("quarantine list", 2 * MANY + 1)],
)
def test_a_list_says_how_much_it_shows(course: Course, words: str, total: int) -> None:
    """50 of all on a terminal."""
    assert f"showing 50 of {total}" in course.said[words].drawn(80)
    assert f"showing 5 of {2 * MANY + 1}" in course.said["quarantine list --limit 5"].drawn(80)


def test_lists_are_narrowed_by_time_and_what_they_hold(course: Course) -> None:
    """Of the long history half breached, and nothing of it is as new as the records."""
    breached = json.loads(course.run("reports list --code DRF-TEXT --limit 500", "--json").stdout)
    assert breached["total"] >= MANY // 2
    since = f"{TRAINED:%Y-%m-%d}"
    newer = json.loads(course.run(f"reports list --since {since}", "--json").stdout)
    assert 0 < newer["total"] < 10
    refused = json.loads(course.run("models history --state refused --limit 3", "--json").stdout)
    assert (len(refused["events"]), refused["total"]) == (3, MANY)


def test_times_are_told_to_the_minute(course: Course) -> None:
    """No table shows microseconds or a T between day and hour."""
    for words, said in course.said.items():
        if words.startswith("init"):  # it shows the values of a file
            continue
        text = said.drawn(140)
        assert not re.search(r"\d:\d\d\.\d{3}", text), words
        for table in (part for part in said.parts if isinstance(part, TerminalTable)):
            cells = " ".join(str(cell) for row in table.rows for cell in row)
            assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:", cells), words


def test_an_ambiguous_id_is_refused_with_its_candidates(course: Course) -> None:
    """And a beginning that only one has is enough; documents keep whole ids."""
    done = CliRunner().invoke(cli, ["reports", "show", "0000", "--config", str(course.folder / "trueup.toml")])
    assert done.exit_code == 2
    assert "Several ids begin with '0000'" in done.stderr
    whole = json.loads(course.run(f"reports show {course.breached[:7]}", "--json").stdout)["reports"][0]
    assert whole["report_id"] == course.breached


def test_status_shows_health(course: Course) -> None:
    """After a break: the verdict, the metric against its reference, what is open, and the champion's age."""
    text = course.said["status"].drawn(140)
    for told in ("breached", "macro-F1", "HIGH", "v1, 0 d"):
        assert told in text
    health = json.loads(course.run("status", "--json").stdout)["streams"][0]["health"]
    assert {"verdict", "metric", "value", "reference", "recent", "severity", "champion_days"} <= health.keys()


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({}, False)],
)
def test_colours_are_as_the_environment_asks(course: Course, variables: dict[str, str], coloured: bool) -> None:
    """FORCE_COLOR paints also where nobody looks, NO_COLOR never; a pipe gets none."""
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    done = subprocess.run(
        [sys.executable, "-m", "trueup.flows.cli.main", "reports", "show", course.breached],
        cwd=course.folder, env={**environment, **variables, "COLUMNS": "80"}, capture_output=True, text=True,
    )  # fmt: skip
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", done.stdout)) == coloured
    assert all(cell_len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("words", sorted(commands()))
def test_the_help_of_a_command_has_an_example_that_can_be_typed(words: str) -> None:
    """It stands there on one line, and the command reads it."""
    example = EXAMPLES[words]
    shown = CliRunner().invoke(cli, [*words.split(), "--help"], env={"COLUMNS": "80"}).stdout
    assert f"  {example}\n" in shown
    assert max(map(len, shown.splitlines())) <= 80
    name, *typed = shlex.split(example)
    command: Any = typer.main.get_command(cli)
    for each in words.split():
        command = command.commands[each]
    assert name == "trueup"
    assert " ".join(typed[: len(words.split())]) == words
    assert command.make_context(words, typed[len(words.split()) :])
