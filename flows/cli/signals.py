"""The command about signals as data: signals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.session import (
    PAGE,
    AsJson,
    Config,
    Home,
    Limit,
    Since,
    StreamName,
    add_commands,
    heading,
    session,
)
from trueup.reports.tables import MOMENT, Column, table
from trueup.storage.formatting import figure, p_value_figure
from trueup.storage.timepoints import to_minute


def signals(
    stream: StreamName = None,
    code: Annotated[str | None, typer.Option("--code", help="Only this signal.")] = None,
    since: Since = None,
    limit: Limit = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write all of them to this CSV file.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write all of them to this Parquet file.")] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Every signal of every check as data, newest first."""
    from rich.text import Text

    from trueup.monitoring.check import Verdict
    from trueup.reports.signal_tables import verdict_text

    with session(config, home, as_json) as s:
        writes = csv_file is not None or parquet is not None
        found = s.stream(stream).signals(code=code, since=since, limit=limit or (None if writes else PAGE))
        if writes:
            written = [found.write_csv(csv_file)] if csv_file else []
            written += [found.write_parquet(parquet)] if parquet else []
            document = {"rows": len(found), "total": found.total, "files": written}
            s.show(document, *(Text(f"{len(found):,} signals written to {file}") for file in written))
            return
        heads = (
            Column("as of", least=MOMENT), Column("signal"), Column("verdict", least=8), Column("value", right=True),
            Column("effect", rank=1, right=True), Column("interval", rank=3), Column("p", rank=2, right=True),
            Column("threshold", rank=4, right=True), Column("current", rank=5, right=True),
            Column("reference", rank=6, right=True), Column("champion", rank=7), Column("counted", rank=8),
        )  # fmt: skip
        rows = [
            (to_minute(r.as_of), r.code, verdict_text(Verdict(r.verdict)), figure(r.value), figure(r.effect),
             _between(r.interval_low, r.interval_high), p_value_figure(r.p_value), figure(r.threshold),
             f"{r.n_current:,}", f"{r.n_reference:,}", f"v{r.champion}", "yes" if r.counted else "no")
            for r in found
        ]  # fmt: skip
        document = {"signals": found.records(), "total": found.total}
        s.show(document, table(heading("signals", len(found), found.total), heads, rows))


def _between(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{figure(low)} to {figure(high)}"


def add_to(cli: typer.Typer) -> None:
    """Register this command."""
    add_commands(cli, {"signals": signals})
