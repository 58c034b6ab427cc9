"""A stream's own behaviour cases, read from the file that its settings name."""

from __future__ import annotations

import tomllib
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import pandas as pd
from pydantic import Field, ValidationError

from trueup.flows.app import App
from trueup.storage.errors import ConfigError
from trueup.storage.policy import Frozen
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.gate.behaviour_suites import Suite

_NAME = r"[a-z0-9][a-z0-9-]*"
TAKEN = frozenset({"case", "space", "punctuation", "typo", "negation"})  # suites that every stream of texts is put to


class BehaviourCase(Frozen):
    """One text whose answer, or whose change's effect, is known."""

    name: str = Field("", pattern=f"^({_NAME})?$")
    kind: Literal["invariance", "directional", "minimum"]
    text: str = Field(min_length=1)
    changed: str = ""
    expect: str = ""

    @property
    def suite(self) -> tuple[str, str]:
        return self.name or self.kind, self.kind


def own_cases(app: App, stream: StreamSettings) -> tuple[BehaviourCase, ...]:
    """The stream's own cases; none where its settings name no file.

    Raises:
        ConfigError: the file cannot be read, or a case of it asks for nothing that can be judged.
    """
    if not stream.gate.behaviour:
        return ()
    path = app.beside(stream.gate.behaviour)
    start = f"The behaviour cases of '{stream.name}' (gate.behaviour) cannot be used, so no challenger can be judged."
    if not stream.text:
        raise ConfigError(f"{start} The stream has no text column. Leave gate.behaviour out.")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{start} {path} cannot be read: {error}.") from error
    listed = document.get("case")
    if set(document) != {"case"} or not isinstance(listed, list) or not listed:
        raise ConfigError(f"{start} {path} holds something else than a list of [[case]] tables.")
    cases = []
    for number, values in enumerate(listed, start=1):
        try:
            case = BehaviourCase.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "table"
            raise ConfigError(f"{start} {path}, case {number}: {where}: {first['msg']}.") from None
        wrong = _wrong(stream, case)
        if wrong:
            raise ConfigError(f"{start} {path}, case {number}: {wrong}.")
        cases.append(case)
    return tuple(cases)


def own_suites(stream: StreamSettings, cases: tuple[BehaviourCase, ...], like: pd.DataFrame) -> tuple[Suite, ...]:
    """The cases as suites, one a name and kind; `like` lends the columns that are no text (none, where it is empty)."""
    from trueup.training.gate.behaviour_suites import Suite, SuiteKind, rows_with_texts

    if not len(like):
        return ()
    suites = []
    for (name, kind), group in groupby(sorted(cases, key=lambda case: case.suite), key=lambda case: case.suite):
        of_one = list(group)
        before = rows_with_texts(stream, like, [case.text for case in of_one])
        after = rows_with_texts(stream, like, [case.changed or case.text for case in of_one])
        suites.append(Suite(name, SuiteKind(kind), before, after, tuple(case.expect for case in of_one), own=True))
    return tuple(suites)


def _wrong(stream: StreamSettings, case: BehaviourCase) -> str:
    """What makes a case one that cannot be judged; empty where nothing does."""
    if case.name in TAKEN:
        return f"the name '{case.name}' is that of a built-in suite; take another"
    if (case.kind == "minimum") == bool(case.changed):
        return f"'changed' is what the text is changed to; {case.kind} " + ("has none" if case.changed else "needs it")
    if case.kind == "invariance" and case.expect:
        return "an invariance expects the same answer; leave 'expect' out"
    if case.kind == "directional" and case.expect not in ("lower", "higher"):
        return "expect is 'lower' or 'higher': where the score of the last class, or the number, may move"
    if case.kind == "directional" and len(stream.label.classes) > 2:
        return "a direction needs two classes, or numbers"
    if case.kind == "minimum" and stream.is_regression:
        return "a number that is beyond doubt belongs in gate.golden"
    known = tuple(stream.label.classes)
    if case.kind == "minimum" and (not case.expect or (known and case.expect not in known)):
        return "expect is the class that is right" + (f", one of {', '.join(known)}" if known else "")
    return ""
