"""`init`: a file looked through, its stream written into trueup.toml, and told what to do next."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from glob import escape
from importlib.resources import files
from itertools import chain
from pathlib import Path

import numpy as np

from trueup.feedback.chunks import Chunk
from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.detect import Detected, detect
from trueup.feedback.inference.header_rows import header_rows
from trueup.feedback.inference.infer import Inference, infer
from trueup.feedback.inference.summary import TableSummary, summary_of
from trueup.feedback.readers import opened
from trueup.flows.admin.first_look import FirstLook, look_at, next_commands
from trueup.flows.admin.late_parts import late_part_in
from trueup.flows.admin.stream_toml import stream_toml
from trueup.flows.settings import read_settings
from trueup.storage.errors import ConfigError

_WINDOW = 500  # records that a late part is compared with, where the rows are no series


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


def first_settings(
    source: str, name: str, now: datetime, *, row_order: bool = False, folder: Path = Path()
) -> FirstSettings:
    """Look through a whole file and conclude what its stream is.

    Args:
        name: of the stream.
        row_order: the file has no clock, so the order of its rows is the time.
        folder: that the settings lie in.

    Raises:
        InputError: the file cannot be read.
        ConfigError: `name` cannot be a stream's.
    """
    detected, table = _read(source, detect(source))
    found = infer(table, detected, now, row_order=row_order)
    late = None
    if found.series.step is None and len(found.clock.times):
        parts = (*found.named("categorical"), *found.named("slices"))
        late = late_part_in(table.sample, found.clock.times, [c for c in parts if c != found.clock.hour], _WINDOW)
    text = stream_toml(found, name, late, _files_like(source, folder))
    must_decide = found.must_decide
    if must_decide:
        then = next_commands(source, name, None, must_decide, predicts=bool(found.answer.task))
        return FirstSettings(table, found, text, None, must_decide, then)
    look = look_at(read_settings(text, "trueup.toml").stream(name), table, now)
    then = next_commands(source, name, look, (), predicts=bool(found.answer.task))
    return FirstSettings(table, found, text, look, (), then)


def _files_like(source: str, folder: Path) -> str:
    """The files that come beside this one, as a source names them; where it lies beside the settings, of an example."""
    place, ending = Path(source).absolute().parent, Path(source).suffix or ".csv"
    within = place.is_relative_to(folder.absolute())
    named = str(place.relative_to(folder.absolute()) if within else place)
    return f"{'exports' if named == '.' else escape(named)}/*{ending}"


def _read(source: str, detected: Detected) -> tuple[Detected, TableSummary]:
    """The whole file summarised. A second header row is told; it is the header where the first lacks a name."""
    with opened(source, (), format=detected.format) as opened_source:
        chunks = opened_source.chunks()
        first = next(chunks, None)
        below = header_rows(first.table) if first else 0
        lower = list(first.table.row(below - 1).values()) if first and below else []
        unnamed = any(c.startswith("unnamed_") for c in opened_source.columns)
        if unnamed and lower and len(set(lower) - {None}) == len(lower):
            lines = detected.format.skip_lines + below
            why = (*detected.why, f"the header is line {lines + 1}, since the one above lacks a name")
            return _read(source, replace(detected, format=detected.format.changed({"skip_lines": lines}), why=why))
        rest = chain([_without_first(first, below)] if first else [], chunks)
        table = summary_of(opened_source.columns, rest)
    if below:
        said = f"its first {below} rows are more of the header, as it seems; delete them, or they are refused"
        detected = replace(detected, undecided=(*detected.undecided, Undecided("format", said)))
    return detected, table


def _without_first(chunk: Chunk, rows: int) -> Chunk:
    kept = np.arange(rows, len(chunk))
    table = chunk.table.part(slice(rows, None))
    return Chunk(table, chunk.lines[rows:], chunk.raw.take(kept), chunk.broken, chunk.typed)


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
    else:
        tomllib.loads(there + text)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(there + text, encoding="utf-8")
        if file.exists():
            beside.chmod(file.stat().st_mode)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"'{file}' cannot be written: {error.strerror}. Name another with --config.") from None
