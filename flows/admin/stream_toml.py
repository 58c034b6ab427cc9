"""What was concluded from a file as a commented `trueup.toml`; what it leaves open is there to choose from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from trueup.feedback.inference.infer import ORDER_STEP, Inference
from trueup.monitoring.lateness import LatePart, in_whole_units
from trueup.storage.escaping import for_terminal
from trueup.storage.file_format import FileFormat

_WIDTH = 36                      # of a setting, before its comment


def stream_toml(found: Inference, name: str, late: LatePart | None, files: str) -> str:
    """The tables of one stream. Lines that a person has to choose from are comments, `undecided:` before them.

    files: what a source of it could be.
    """
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)  # refused when it is read, by its name
    task = found.answer.task or "drift"
    parts = [
        f"[streams.{key}]",
        _line("task", _quoted(task), "" if found.answer.task else _without_answer(found)),
        *_id(found),
        *_time(found),
        *_features(found),
        *_missing(found),
        *_left_out(found),
        *_format(found, key),
        *_label(found, key),
        "",
        f"# [streams.{key}.source]           # then each cycle takes in what is new by itself",
        _comment(f"files = {_quoted(files)}"),
        "",
        f"[streams.{key}.schedule]",
        'cron = "0 * * * *"',
        "",
        f"[streams.{key}.policy]",
        *_policy(found, task, late),
        "",
        f"[streams.{key}.alerts]",
        _line("to", "[]", 'who is woken, as in ["oncall@example.org"]'),
        "",
    ]
    return "\n".join(parts).encode("utf-8", "replace").decode("utf-8")  # a spoilt cell may stand in a reason


def _without_answer(found: Inference) -> str:
    if any(one.about == "answer" for one in found.undecided):
        return "until an answer is chosen below; then classification, or regression for numbers"
    return "no answer, so inputs are watched for drift"


def _id(found: Inference) -> Iterator[str]:
    if found.identity.column:
        yield _line("id", _quoted(found.identity.column), "")
    else:
        yield f"# id: {found.identity.why}"
    yield from _open(found, "id")
    if found.user:
        why = "whose a record is, as it seems; with it, trueup erase --user finds all of a person"
        yield _line("# user", _quoted(found.user), why)


def _time(found: Inference) -> Iterator[str]:
    clock = found.clock
    if found.row_order:
        order = f'{{ start = "2000-01-01", step = "{ORDER_STEP // timedelta(hours=1)}h" }}'
        yield _line("time", order, "the order of the rows, as --row-order asked; set both")
        return
    if clock.columns:
        yield _line("time", _one_or_list(clock.columns), "" if clock.formats != ("",) else "ISO 8601")
    if clock.formats not in ((), ("",)):
        yield _line("time_format", _one_or_list(clock.formats), "")
    if clock.locale:
        yield _line("time_locale", _quoted(clock.locale), "the language of its months")
    if clock.zone:
        yield _line("time_zone", _quoted(clock.zone), "of times that name none")
    yield from _open(found, "time")


def _features(found: Inference) -> Iterator[str]:
    yield _line("text", _list(found.named("text")), "")
    yield _line("numeric", _list(found.named("numeric")), "features known when the prediction is made")
    yield _line("categorical", _list(found.named("categorical")), "")
    yield _line("slices", _list(found.named("slices")), "quality is checked within each of their values")
    days = found.clock.columns[:1] if len(found.clock.columns) > 1 and found.series.step else ()
    yield _line("group", _list(days), "unit of the split for dependent rows")
    yield _line("series", str(found.series.step is not None).lower(), "true: neighbouring rows depend on each other")
    yield from _open(found, "feature")


def _missing(found: Inference) -> Iterator[str]:
    if found.missing.setting:
        yield f"{found.missing.setting}  {_comment(found.missing.why)}"
    yield from _open(found, "missing")


def _left_out(found: Inference) -> Iterator[str]:
    """Each column that is no feature with its reason, and each feature that tells suspiciously much of the answer."""
    strong = {name: leak.said for leak in found.leaks if not leak.determined for name in leak.columns}
    for role in found.roles:
        if role.role == "left out":
            yield _comment(f"left out: {_quoted(role.column)}: {role.why}")
        elif role.column in strong:
            yield _comment(f"look at {_quoted(role.column)}: {strong[role.column]}")


def _format(found: Inference, key: str) -> Iterator[str]:
    plain = FileFormat().model_dump()
    told = {k: v for k, v in found.detected.format.model_dump().items() if v != plain[k]}
    lines = [_line(name, json.dumps(value, ensure_ascii=False), "") for name, value in told.items()]
    choices = list(_open(found, "format"))
    if lines or choices:
        yield from ("", f"[streams.{key}.format]", *map(_comment, found.detected.why), *lines, *choices)


def _label(found: Inference, key: str) -> Iterator[str]:
    answer = found.answer
    choices = list(_open(found, "answer"))
    if not answer.column:
        yield from ("", _comment(f"[streams.{key}.label]"), *choices) if choices else ("", _comment(answer.why))
        return
    yield from ("", f"[streams.{key}.label]")
    yield _line("column", _quoted(answer.column), "where the record itself carries the answer")
    if answer.why:
        yield _comment(answer.why)
    if answer.classes:
        rules = ", ".join(f"{_key(name)} = {_one_or_list(rule)}" for name, rule in answer.classes.items())
        yield f"classes = {{ {rules} }}"
    if found.arrival.column:
        yield _line("arrived", _quoted(found.arrival.column), found.arrival.why)
        yield _line("maturity", '"3d"', "how long to wait until most answers have come")
    yield from (*choices, *_open(found, "arrived"))


def _policy(found: Inference, task: str, late: LatePart | None) -> Iterator[str]:
    regression = task == "regression"
    window = found.series.window
    quoted = window if window.isdigit() else _quoted(window)
    yield _line("window", quoted, 'records, or a span such as "7d"; for series a whole number of days or weeks')
    if late:
        yield _line("settle", _quoted(in_whole_units(late.span)), late.said)
    yield _line("reference", "5000", "newest snapshot rows that input signals compare with")
    yield _line("false_alarms", "0.01", "per counted check, over all signals")
    if task == "drift":
        return
    yield _line("min_labels", "200", "")
    yield _line("metric", '"mae"' if regression else '"f1_macro"', "what the model is judged by")
    yield _line("max_drop", "0.1" if regression else "0.03", "relative" if regression else "in points")
    yield _line("promotion", '"auto"', "auto | approve | off")


def _open(found: Inference, about: str) -> Iterator[str]:
    """What the file leaves open of one thing: a sentence, and the settings to choose from."""
    for one in found.undecided:
        if one.about == about:
            yield _comment(f"undecided: {one.said}")
            yield from (_comment(line) for setting in one.settings for line in setting.splitlines())


def _comment(text: str) -> str:
    return "# " + for_terminal(" ".join(text.split()))  # TOML lets no control character stand, not in a comment either


def _line(key: str, value: str, comment: str) -> str:
    said = f"{key} = {value}"
    return f"{said:<{_WIDTH}} {_comment(comment)}" if comment else said


def _quoted(text: str) -> str:
    """A text as TOML writes it: JSON leaves DEL as it is, TOML does not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(n) for n in names) + "]"


def _one_or_list(values: Sequence[str]) -> str:
    return _quoted(values[0]) if len(values) == 1 else _list(values)
