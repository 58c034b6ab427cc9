"""Commands about what was refused: quarantine list, show, release."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.flows.cli.progress import working
from trueup.flows.cli.session import (
    PAGE,
    AsJson,
    Commands,
    Config,
    Home,
    Limit,
    Since,
    StreamName,
    add_group,
    heading,
    session,
)
from trueup.reports.tables import MOMENT, SENTENCE, Column, table
from trueup.storage.short_ids import short_id
from trueup.storage.timepoints import to_minute

ItemId = Annotated[str, typer.Argument(help="An item's id, the beginning of one, or last.")]


def quarantine_list(
    stream: StreamName = None,
    limit: Limit = None,
    since: Since = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only what was refused for it: wrong_type.")] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What was refused and is not released, newest first."""
    with session(config, home, as_json) as s:
        found = s.stream(stream).quarantine.list(limit or (100 if as_json else PAGE), since=since, reason=reason)
        rows = [
            (short_id(i.id), to_minute(i.received_at), i.kind, f"{i.source}:{i.line}", i.reason, i.detail)
            for i in found
        ]
        heads = (
            Column("id"), Column("received", rank=3, least=MOMENT), Column("kind", rank=2),
            Column("where", rank=1, least=16), Column("reason", least=12), Column("detail", least=SENTENCE),
        )  # fmt: skip
        s.show(
            {"items": found, "total": found.total},
            table(heading("quarantine", len(found), found.total), heads, rows),
        )


def quarantine_show(
    item: ItemId, stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """One refused item with its raw content."""
    from rich.text import Text

    with session(config, home, as_json) as s:
        found = s.stream(stream).quarantine.show(item)
        said = f"{found.source} line {found.line}, {to_minute(found.received_at)}: {found.reason}: {found.detail}"
        s.show({"items": [found]}, Text(said), Text(found.raw))


def quarantine_release(
    items: Annotated[list[str] | None, typer.Argument(help="Ids of items to judge anew by today's schema.")] = None,
    stream: StreamName = None,
    every: Annotated[bool, typer.Option("--all", help="All that is refused and not released.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Judge refused items anew and store those that hold now."""
    with session(config, home, as_json) as s:
        with working("release"):
            done = s.stream(stream).quarantine.release(*(items or ()), every=every)
        rows = [(short_id(r.id), "released" if r.released else "still refused", r.reason, r.detail) for r in done]
        heads = (Column("id"), Column("outcome", least=8), Column("reason", least=12), Column("detail", least=SENTENCE))
        s.show({"items": done}, table("released", heads, rows))


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    quarantine: Commands = {"list": quarantine_list, "show": quarantine_show, "release": quarantine_release}
    add_group(cli, "quarantine", "What was refused, and why.", quarantine)
