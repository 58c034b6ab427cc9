"""`init`: a file looked through, its stream written into trueup.toml, and told what to do next."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from trueup.feedback.inference.detect import detect
from trueup.feedback.inference.infer import Inference, infer
from trueup.feedback.inference.summary import TableSummary, summary_of
from trueup.feedback.readers import opened
from trueup.flows.admin.first_look import FirstLook, look_at, next_commands
from trueup.flows.admin.late_parts import late_part_in
from trueup.flows.admin.stream_toml import stream_toml
from trueup.flows.settings import read_settings
from trueup.storage.errors import ConfigError

_WINDOW = 500  # records that a late part is held against, where the rows are no series


@dataclass(frozen=True)
class FirstSettings:
    """What was concluded from a file, what is written of it, and what a first intake would do with it.

    look: None where `must_decide` holds keys without which no row can be read.
    """

    table: TableSummary
    found: Inference
    text: str
    look: FirstLook | None
    must_decide: tuple[str, ...]
    next: tuple[str, ...]


def template() -> str:
    """The text of a commented `trueup.toml` with every key, for a stream of reviews."""
    return files("trueup.flows.admin").joinpath("template.toml").read_text(encoding="utf-8")


def first_settings(source: str, name: str, now: datetime, *, row_order: bool = False) -> FirstSettings:
    """Look through a whole file and conclude what its stream is.

    Args:
        name: of the stream.
        row_order: the file has no clock, so the order of its rows is the time.

    Raises:
        InputError: the file cannot be read.
        ConfigError: `name` cannot be a stream's.
    """
    detected = detect(source)
    with opened(source, (), format=detected.format) as opened_source:
        table = summary_of(opened_source.columns, opened_source.chunks())
    found = infer(table, detected, now, row_order=row_order)
    late = None
    if found.series.step is None and len(found.clock.times):
        parts = (*found.named("categorical"), *found.named("slices"))
        late = late_part_in(table.sample, found.clock.times, [c for c in parts if c != found.clock.hour], _WINDOW)
    text = stream_toml(found, name, late)
    must_decide = found.must_decide
    if must_decide:
        return FirstSettings(table, found, text, None, must_decide, next_commands(source, name, None, must_decide))
    look = look_at(read_settings(text, "trueup.toml").stream(name), table, now)
    return FirstSettings(table, found, text, look, (), next_commands(source, name, look, ()))


def write_settings(file: Path, text: str, name: str, *, complete: bool = True) -> None:
    """Write a settings file, or add a stream's tables to one that is there; nothing else in it is touched.

    Args:
        complete: the tables can be read as they are; otherwise a person has to choose first.

    Raises:
        ConfigError: the file names the stream already, cannot be read, or cannot be written.
    """
    there = ""
    if file.exists():
        there = file.read_text(encoding="utf-8-sig")
        if name in read_settings(there, file.name).streams:
            raise ConfigError(
                f"'{file}' has a stream '{name}' already and was left as it is. Name another with --stream, or take "
                f"its tables out first."
            )
        there += "" if there.endswith("\n") or not there else "\n"
        there += "\n"
    if complete:
        read_settings(there + text, file.name)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(there + text, encoding="utf-8")
        if file.exists():
            beside.chmod(file.stat().st_mode)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"'{file}' cannot be written: {error.strerror}. Name another with --config.") from None
