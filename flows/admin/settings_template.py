"""A guessed stream as the text of a commented `trueup.toml`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from trueup.feedback.times.time_formats import ISO
from trueup.monitoring.lateness import LatePart, in_whole_units

ORDER_STEP = timedelta(hours=1)  # where the row order is the time, until a person says


@dataclass(frozen=True)
class Guess:
    """The parts of a stream's schema, and why the other columns are left out."""

    rows: int
    id: str = ""
    time: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()  # values of the time in several formats, where it mixes them
    arrived: str = ""
    label: str = ""
    stars: bool = False
    regression: bool = False
    text: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    series: bool = False
    window: str = "500"
    late: LatePart | None = None
    left: tuple[tuple[str, str], ...] = ()


def stream_toml(guess: Guess, name: str) -> str:
    """The text of a `trueup.toml` with this one stream."""
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)  # refused when it is read, by its name
    lines = [
        "# Guessed by `trueup init`: read it through once. Every key and what it means: docs/settings.md",
        "",
        f"[streams.{key}]",
        f'task = "{"regression" if guess.regression else "classification"}"',
        _line("id", _quoted(guess.id), "") if guess.id else "# id: a hash of the declared columns, as none names a row",
        *_time_lines(guess),
        _line("text", _list(guess.text), ""),
        _line("numeric", _list(guess.numeric), "features known when the prediction is made"),
        _line("categorical", _list(guess.categorical), ""),
        _line("slices", _list(guess.slices), "looked at, not learnt from"),
        _line("group", _list(guess.time[:1] if len(guess.time) > 1 else ()), "unit of the split for dependent rows"),
        _line("series", str(guess.series).lower(), "true where neighbouring rows depend on each other"),
        *(f"# left out: {column!r}: {why}" for column, why in guess.left),
        "",
        f"[streams.{key}.label]",
        *_label_lines(guess),
        "",
        f"[streams.{key}.schedule]",
        'cron = "0 * * * *"',
        "",
        f"[streams.{key}.policy]",
        _line("window", guess.window, 'records, or a span such as "7d"; for series a whole number of days or weeks'),
        *([_line("settle", _quoted(in_whole_units(guess.late.span)), guess.late.said)] if guess.late else []),
        _line("reference", "5000", "newest snapshot rows that input signals compare with"),
        _line("min_labels", "200", ""),
        _line("false_alarms", "0.01", "per counted check, over all signals"),
        _line("metric", '"mae"' if guess.regression else '"f1_macro"', "what the model is judged by"),
        _line("max_drop", "0.1" if guess.regression else "0.03", "relative" if guess.regression else "in points"),
        _line("promotion", '"auto"', "auto | approve | off"),
        "",
        f"[streams.{key}.alerts]",
        _line("to", "[]", 'who is woken, as in ["oncall@example.org"]'),
        "",
    ]
    return "\n".join(lines)


def _time_lines(guess: Guess) -> list[str]:
    if not guess.time:
        order = f'{{ start = "2000-01-01", step = "{ORDER_STEP // timedelta(hours=1)}h" }}'
        return [_line("time", order, "row order, as no column is a time; set both")]
    time = _quoted(guess.time[0]) if len(guess.time) == 1 else _list(guess.time)
    if guess.mixed:
        said = " and ".join(_quoted(value) for value in guess.mixed)
        return [_line("time", time, ""), f"# it mixes formats ({said}): write all one way, or the file is refused"]
    if len(guess.formats) > 1:
        could = " or ".join(_quoted(f) for f in guess.formats)
        return [_line("time", time, ""), f"# time_format: it could be {could}: say which, or it is refused"]
    if guess.formats == (ISO,):
        return [_line("time", time, "ISO 8601")]
    return [_line("time", time, ""), _line("time_format", _quoted(guess.formats[0]), "")]


def _label_lines(guess: Guess) -> list[str]:
    if not guess.label:
        return ["# column: no column looks like the answer; labels then come as feedback"]
    lines = [_line("column", _quoted(guess.label), "where the record itself carries the answer")]
    if guess.stars:
        lines.append(_line("classes", '{ negative = "<=2", positive = ">=4" }', "three stars stay unlabelled"))
    if guess.arrived:
        lines.append(_line("arrived", _quoted(guess.arrived), "since when the answer is known"))
        lines.append(_line("maturity", '"3d"', "how long to wait until most answers have come"))
    return lines


def _line(key: str, value: str, comment: str) -> str:
    said = f"{key} = {value}"
    return f"{said:<36} # {comment}" if comment else said


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(n) for n in names) + "]"
