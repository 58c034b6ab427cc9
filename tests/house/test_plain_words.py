"""What people read is plain: no word of the forbidden list, no figure, time or value as Python prints it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer

from tests.house.test_docs import PAGES, ROOT
from tests.made_comparisons import compared, halves, made_records, made_stream, meta
from tests.made_situations import AT, DAY, KINDS
from trueup.flows.cli.main import cli
from trueup.monitoring.check import Check, History, PastAttempt, PastCheck, Signal
from trueup.monitoring.policy import decide
from trueup.monitoring.signals.measure import measure
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.mail_body import rendered
from trueup.storage.policy import Policy
from trueup.storage.rows import Rows
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.answers import calibration_test, classes_test
from trueup.training.gate.metric_tests import judge_challenger, judge_first

ROOMS = ("storage", "feedback", "monitoring", "training", "flows", "reports", "trueup")
# A word that is not said, and what to write.
FORBIDDEN = {
    r"\bhands\b": "sides",
    r"\bmov(?:es?|ed|ing) nothing\b": "no action; changes nothing",
    r"\bthe world\b": "what changed: records, labels",
    r"\btelling\b": "",
    r"\blet through\b": "allowed",
    r"\basked for\b": "needed; led to",
    r"(?<!ran )\bout of time\b": "backtest",
    r"\bstood\b": "was",
    r"\bonce in [\d.,]+ checks\b": "p = 0.85",
    r"\bchance (?:alone|allows)\b": "not significant",
    r"\bheld against\b": "compared with",
    r"\bnobody foresaw\b": "unexpected",
    r"\bcrossed\b": "breached",
    r"\bcould not be judged\b": "not judged",
    r"\bnot applicable\b": "not applied",
    r"\bnine times in ten\b": "with 90 % power",
    r"\bfour times in five\b": "with 80 % power",
}
HOUSE = {  # beside those, outside of mails, which are written by hand and read by a cold reader
    r"\b[Ll]ooks\b": "checks; or say what it probably is",
    r"\b[Mm]end(?:s|ed|ing)?\b": "fix",
    r"\bcalled like\b": "named like",
    r"\byet to come\b": "in the future",
    r"\bforetold\b": "predicted",
    r"\bsays? much of\b": "predicts",
    r"\bspeaks? (?:of|for)\b": "is about; the check was made for; refers to",
    r"\bstands? there\b": "is",
    r"\bas ever\b": "as always; still",
    r"\bsent back\b": "rolled back",
    r"\bchecks running\b": "checks in a row",
    r"\bmov(?:es?|ed|ing) (?:no|any)\b": "changes no",
    r"\bbreaks? off\b": "cannot be read to its end",
}
DOUBT = {r"\bmay be\b": "is probably; can be"}  # docs say it of what is allowed
# How Python writes it, and what it is.
PRINTED = {
    r"\d:\d\d:\d\d\.\d": "a time with microseconds",
    r"\d{4}-\d\d-\d\dT\d\d:": "a time for machines",
    r"\[(?:'[^']*'|\"[^\"]*\")[,\]]|\('[^']*',|\{'[^']*':": "a list, tuple or dict",
    r"\b(?:nan|None|True|False)\b": "a value of Python",
    r"\d\.0*[1-9]\d{5,}": "a figure with six digits or more",
    r"\bby root\b|\(root\)|\broot\b acknowledged": "the account of the process as an actor",
}
IN_TITLES = {r"\b[A-Z]\w*(?:Error|Exception)\b": "the name of an exception"}
EXCEPT = {
    "feedback/inference/label_words.py": "words of other people's files, in many languages",
    "feedback/inference/column_words.py": "words of other people's files, in many languages",
    "flows/demo/reviews.py": "made reviews",
}


def faults_in(text: str, *rules: dict[str, str]) -> list[str]:
    """What of some rules a text breaks, each with the words around it."""
    found = []
    for rule in rules:
        for pattern, instead in rule.items():
            for at in re.finditer(pattern, text, flags=0 if rule is not FORBIDDEN else re.IGNORECASE):
                said = " ".join(text[max(0, at.start() - 40) : at.end() + 40].split())
                found.append(f"{at[0]!r} ({instead}) in: {said}")
    return found


def literals(file: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a file that are sentences, without docstrings; what is filled in is left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        told = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        if told and " " in node.value.strip():
            yield node.lineno, node.value


def helps(command: Any = None, path: str = "trueup") -> Iterator[tuple[str, str]]:
    """The help of each command and of each of its options."""
    command = command or typer.main.get_command(cli)
    yield path, command.help or ""
    for option in getattr(command, "params", ()):
        yield f"{path} {option.name}", getattr(option, "help", None) or ""
    for name, sub in getattr(command, "commands", {}).items():
        yield from helps(sub, f"{path} {name}")


PLANTED = (
    "the reference on both hands", "a look that looks so", "it moves nothing", "the world turned", "Telling words",
    "0.05 is let through", "2 are asked for", "f1 out of time", "it stood there", "once in 1.2 checks",
    "chance alone does this", "held against v1", "mend the feed", "what nobody foresaw", "it crossed its bound",
    "3 could not be judged", "not applicable: no text", "nine times in ten", "four times in five", "it may be wrong",
    "at 09:00:00.123456", "2020-07-31T23:59", "['a', 'b']", "{'a': 1}", "('a', 1)", "it is nan", "0.123456 of it",
    "approved by root", "KeyError: 'poison'", "called like a time", "a time yet to come", "it was foretold",
    "it says much of y", "the check speaks of it", "it stands there twice", "read as ever", "sent back to v1",
    "two checks running", "it moves no model", "the file breaks off",
)  # fmt: skip


@pytest.mark.parametrize("text", PLANTED)
def test_what_is_planted_is_found(text: str) -> None:
    """Each rule can fail."""
    assert faults_in(text, FORBIDDEN, HOUSE, DOUBT, PRINTED, IN_TITLES)


def test_a_plain_sentence_has_no_fault() -> None:
    """And none fails on the sentences of voice.md."""
    said = (
        "Macro-F1 0.918 on 423 labelled records, reference (backtest) 0.831: +0.087 (95 % CI +0.001 to +0.186). "
        "Allowed drop 0.03; not significant (p = 0.85, threshold 0.0004). trueup (schedule), 2020-07-31 23:59 UTC, "
        "ran out of time"
    )
    assert not faults_in(said, FORBIDDEN, HOUSE, DOUBT, PRINTED, IN_TITLES)


@pytest.mark.parametrize("room", ROOMS)
def test_the_sentences_of_the_source_are_plain(room: str) -> None:
    """Every string literal of two words or more, wherever it is shown."""
    found = [
        f"{name}:{line}: {fault}"
        for file in (ROOT / room).rglob("*.py")
        if (name := str(file.relative_to(ROOT))) not in EXCEPT and "reports/alerts/" not in name
        for line, text in literals(file)
        for fault in faults_in(text, FORBIDDEN, HOUSE, DOUBT)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_prints_a_collection(room: str) -> None:
    """What a sentence fills in is no list, dict or set, which Python would print with brackets and quotes."""
    builders = ("list", "sorted", "dict", "set", "tuple")
    for file in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FormattedValue):
                value = node.value
                named = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in builders
                wrong = named or isinstance(value, ast.List | ast.Tuple | ast.Dict | ast.Set | ast.ListComp)
                assert not wrong, f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(value)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_docs_are_plain(page: Path) -> None:
    """Pages of documentation keep to the words too; code in them is as it is."""
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert not (found := faults_in(text, FORBIDDEN, HOUSE)), "\n".join(found)


def test_the_help_of_commands_is_plain() -> None:
    """Each command and option says what it does in the same words."""
    rules = (FORBIDDEN, HOUSE, DOUBT, PRINTED)
    found = [f"{path}: {fault}" for path, text in helps() for fault in faults_in(text, *rules)]
    assert not found, "\n".join(found)


def checks() -> Iterator[tuple[tuple[Signal, ...], tuple[str, ...]]]:
    """Signals of healthy, broken, small, sliced and series streams, and of numbers."""
    rng = np.random.default_rng(7)
    before, now = halves(made_records(900, rng), 600)
    worse = now.with_meta(predicted=np.where(now.meta["label"] == "positive", "negative", "positive"))
    odd = Rows(now.features.assign(size=now.features["size"] * 100, words="refund", kind="z", gap=np.nan), now.meta)
    yield measure(made_stream(slices=("kind", "words")), compared(before, now))
    yield measure(made_stream(slices=("kind",)), compared(before, worse))
    yield measure(made_stream(), compared(before, odd))
    yield measure(made_stream(), compared(before, now.take(slice(0, 20))))
    yield measure(made_stream(series=True), compared(before, odd))
    number = rng.normal(10, 1, 900)
    told = meta(900, rng, label=number, predicted=number + rng.normal(size=900))
    rent = Rows(pd.DataFrame({"size": rng.normal(size=900)}), told)
    stream = made_stream(task="regression", text=(), categorical=(), numeric=("size",))
    for size in (600, 880):
        yield measure(stream, compared(*halves(rent, size)))


def test_what_checks_and_decisions_say_is_plain() -> None:
    """Of breached, healthy and unjudged signals, and of every decision on them."""
    said: list[str] = []
    policy = Policy(metric="f1_macro", confirm=2)
    tried = PastAttempt(as_of=AT - timedelta(hours=1), codes=frozenset({"DRF-IN-size"}), labels=300, refused=True)
    for signals, notes in checks():
        said += [s.said for s in signals] + list(notes) + [s.name for s in signals]
        for counted, labels, paused in ((True, 500, ""), (False, 500, ""), (True, 10, ""), (True, 500, "Paused.")):
            past = PastCheck(AT - DAY, {s.code: s.direction for s in signals if s.code != "DRF-TEXT"})
            history = History((past,), (tried, tried, tried), labels, paused=paused)
            check = Check(report_id="r", counted=counted, signals=signals)
            said += decide(policy, check, replace(history, attempts=()), AT).reasons
            said += decide(policy, check, history, AT).reasons
    found = [fault for sentence in said for fault in faults_in(sentence, FORBIDDEN, HOUSE, DOUBT, PRINTED, IN_TITLES)]
    assert not found, "\n".join(found)


def test_what_the_gate_says_is_plain() -> None:
    """Of a better, a worse and an undecided challenger, and of a first one."""
    truth = np.where(np.arange(400) % 2 == 0, "no", "yes").astype(object)
    said: list[str] = []
    for wrong_old, wrong_new in ((90, 20), (20, 90), (40, 38)):
        paired = _paired(truth, wrong_old, wrong_new)
        gate = judge_challenger("f1_macro", paired, 0, older=_paired(truth, wrong_new, wrong_old))
        first = judge_first("f1_macro", replace(paired, opponent="constant"), 0)
        said += [t.said for t in (*gate.tests, *first.tests, classes_test(paired), calibration_test(paired, 0.0, 0))]
    found = [fault for sentence in said for fault in faults_in(sentence, FORBIDDEN, HOUSE, DOUBT, PRINTED, IN_TITLES)]
    assert not found, "\n".join(found)


def _paired(truth: np.ndarray, wrong_old: int, wrong_new: int) -> Paired:
    """The champion wrong on the first rows, the challenger on the last; both sure of what they say."""
    other, at = np.where(truth == "no", "yes", "no").astype(object), np.arange(len(truth))
    champion = np.where(at < wrong_old, other, truth)
    challenger = np.where(at >= len(truth) - wrong_new, other, truth)
    scores = [np.where(answers == "yes", 0.9, 0.1) for answers in (champion, challenger)]
    return Paired(
        opponent="champion", truth=truth, opponent_predicted=champion, challenger_predicted=challenger,
        opponent_score=scores[0], challenger_score=scores[1], unit=at, evaluation=at % 2 == 0, classes=("no", "yes"),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_alerts_are_plain(kind: str) -> None:
    """The whole text of each kind of mail; its title names no exception."""
    letter = letter_of(KINDS[kind]())
    assert not (found := faults_in(rendered(letter).text, FORBIDDEN, PRINTED)), "\n".join(found)
    assert not faults_in(f"{letter.stem} {letter.tag}", FORBIDDEN, DOUBT, PRINTED, IN_TITLES)
