"""The judge of init sees what is planted: each silent wrong, each question, and nothing where all is right."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.init.judging import RIGHT, UNDECIDED, WRONG, score
from tests.init.made_shapes import HIGH, Made, Shape, answer, later, number, table, text, time
from tests.init.reading import Reading, Told

MADE = Made("judged", rows=40)
MOODS = MADE.moods(mid=0)
SHAPE = table(
    time("at", MADE.moments()), text("said", MADE.texts(MOODS)), number("paid", MADE.numbers(50, 9)),
    answer("stars", MADE.stars(MOODS), MOODS), later("votes", MADE.counts()),
)  # fmt: skip
ASKED = {"about": "time", "column": "at", "said": "day or month first", "settings": []}


def _told(**changed: Any) -> Told:
    """What a right init says of SHAPE, with some settings changed; None takes one away."""
    settings: dict[str, Any] = {"time": "at", "text": ["said"], "numeric": ["paid"], "label": {"column": "stars"}}
    settings = {k: v for k, v in {**settings, **changed}.items() if v is not None}
    roles = {"at": "time", "said": "text", "paid": "number", "stars": "number", "votes": "number"}
    columns = [{"name": name, "kind": kind, "why": ""} for name, kind in roles.items()]
    cells = {c.name: list(c.cells) for c in SHAPE.columns}
    times = np.array(SHAPE.columns[0].truth, dtype="M8[us]")
    labels = ["good" if m == HIGH else "bad" for m in MOODS]
    read = Reading(np.arange(40), times, labels, pd.DataFrame(cells, dtype=object), Counter(), 40)
    return Told(settings, columns, rows=40, reading=read)


def _reading(told: Told, **changed: Any) -> Told:
    assert told.reading is not None
    return replace(told, reading=replace(told.reading, **changed))


def test_what_is_right_is_right() -> None:
    """No point is found where there is none."""
    assert {p.state for p in score("made", SHAPE, _told()).points} == {RIGHT}


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("time", _told(time={"start": "2000-01-01", "step": "1h"})),
        ("time", _told(time=None)),
        ("time", _reading(_told(), times=np.array(SHAPE.columns[0].truth, dtype="M8[us]") + np.timedelta64(1, "D"))),
        ("answer", _told(label={"column": "votes"})),
        ("answer", _told(label=None)),
        ("answer", _reading(_told(), labels=["good"] * 40)),
        ("answer", _reading(_told(), labels=[None] * 40)),
        ("answer", _reading(_told(), labels=list(SHAPE.columns[3].cells))),
        ("answer", _told(task="regression")),
        ("features", _told(numeric=["paid", "votes"])),
        ("features", _told(text=["said"], numeric=[])),
        ("features", _told(numeric=["paid", "stars"])),
        ("values", _reading(_told(), table=pd.DataFrame({"paid": [5000.0] * 40, "said": SHAPE.columns[1].cells}))),
        ("id", _told(id="votes")),
        ("file", replace(_told(), rows=39)),
        ("rows", _reading(_told(), refused=Counter({"no_text": 9}))),
    ],
)
def test_a_planted_wrong_is_found(question: str, told: Told) -> None:
    """Whatever is silently wrong makes the file wrong, under its own question."""
    assert question in {p.question for p in score("made", SHAPE, told).points if p.state == WRONG}


def test_a_needless_question_is_no_wrong() -> None:
    """What init asks though the file says it is undecided; so is a refusal in words, but not a traceback."""
    asked = replace(_told(), undecided=[ASKED])
    assert score("made", SHAPE, asked).state == UNDECIDED
    assert score("made", SHAPE, Told(refusal="it is empty")).state == UNDECIDED
    assert score("made", SHAPE, Told(refusal="KeyError: 3", spoken=False)).state == WRONG


def test_what_the_file_does_not_say_must_be_asked() -> None:
    """Even the true time is wrong where nothing in the file could have told it."""
    open_question: Shape = replace(SHAPE, asks=frozenset({"time"}))
    assert score("made", open_question, _told()).state == WRONG
    assert score("made", open_question, replace(_told(), undecided=[ASKED])).state == RIGHT
