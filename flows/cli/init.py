"""`trueup init`: what was concluded from a file, shown as people can check it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.flows.cli.session import AsJson, Config, Home, add_commands, failing_plainly, show
from trueup.reports.tables import SENTENCE, Column, table
from trueup.storage.formatting import counted_noun

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trueup.flows.admin.first_look import FirstLook
    from trueup.flows.admin.initial_settings import FirstSettings
    from trueup.initial import InitResult

_VALUE = 24   # characters of a value in the table
_TEXT = 60    # of a record's text
_ROLES = {"numeric": "numeric feature", "categorical": "categorical feature", "text": "text feature", "slices": "slice"}


def init(
    source: Annotated[
        Path | None, typer.Option("--from", help="A file of records, from which the settings are concluded.")
    ] = None,
    stream: Annotated[str, typer.Option("--stream", "-s", help="The stream's name.")] = "reviews",
    row_order: Annotated[
        bool, typer.Option("--row-order", help="The file has no clock: the order of its rows is the time.")
    ] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a trueup.toml, or add a stream to one; asks nothing."""
    import trueup

    with failing_plainly(as_json):
        done = trueup.init(source, stream, config, home, row_order=row_order)
        show(as_json, done.as_json(), *_told(done))


def _told(done: InitResult) -> Iterator[RenderableType]:
    from rich.text import Text

    if done.found is None:
        yield Text(f"Wrote {done.config}. Next: fill in your columns, then: trueup ingest FILE --stream {done.stream}")
        return
    yield _columns(done)
    yield from map(Text, _findings(done.found))
    yield Text(f"Wrote stream '{done.stream}' to {done.config}: read it through once. Next:")
    yield from (Text(f"  {command}") for command in done.found.next)


_HEADS = (
    Column("column", least=12), Column("is → used as", least=12), Column("empty", rank=1, right=True),
    Column("values", rank=2, least=16), Column("why", least=SENTENCE),
)  # fmt: skip


def _columns(done: InitResult) -> RenderableType:
    rows = [
        (
            c["name"],
            f"{c['kind']} → {_ROLES.get(c['role'], c['role'])}",
            f"{c['missing']:.0%}" if c["missing"] else "",
            " · ".join(_short(v, _VALUE) for v in c["values"]),
            c["why"],
        )
        for c in done.columns
    ]  # fmt: skip
    assert done.found is not None
    held = done.found.table
    sample = f", values of every {held.rows // max(len(held.sample), 1)}th row" if held.sampled else ""
    return table(f"{counted_noun(held.rows, 'row')}{sample}", _HEADS, rows)


def _findings(found: FirstSettings) -> Iterator[str]:
    """One line each: how the file is written, its first records, what would be refused, what is open."""
    yield from (f"Format: {said}" for said in found.found.detected.why)
    if found.table.broken:
        first = found.table.faults[0]
        yield f"{found.table.broken:,} lines are no rows; the first, line {first.line}: {first.detail}"
    if found.found.identity.column and found.found.identity.repeats:
        yield f"{found.found.identity.repeats:,} rows repeat the id of another one; the first of each is stored."
    if found.look:
        yield from _of_look(found.look)
    for one in found.found.undecided:
        yield f"Undecided ({one.about}): {one.said}"


def _of_look(look: FirstLook) -> Iterator[str]:
    for record in look.records:
        time = f"{record.time:%Y-%m-%d %H:%M:%S} UTC" if record.time else "no clock"
        label = f"label {record.label}" if record.label is not None else "no label"
        yield f"Record: {time} · {label} · {_short(record.text, _TEXT)}"
    if look.labels:
        counts = ", ".join(f"{name} {n:,}" if name else f"{n:,} numbers" for name, n in look.labels.items())
        yield f"Labels: {counts}; without a label {look.unlabelled:,}"
    if look.unmatched:
        values = ", ".join(f"'{_short(v, _VALUE)}' ({n:,})" for v, n in look.unmatched)
        yield f"Label values that match no class, so these records have no label: {values}"
    if look.repeats:
        yield (
            f"{look.repeats:,} of {look.looked_at:,} rows equal another row in all that is declared, and are stored "
            "once. If they are several records, name the column that tells them apart: id"
        )
    refused = sum(one.rows for one in look.refused)
    if refused:
        yield f"Would be refused: {refused:,} of {look.looked_at:,} rows"
        yield from (f"  {one.rows:,} for {one.reason}; the first: {one.detail}" for one in look.refused)


def _short(text: str, most: int) -> str:
    whole = " ".join(str(text).split())
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def add_to(cli: typer.Typer) -> None:
    """Register this command."""
    add_commands(cli, {"init": init})
