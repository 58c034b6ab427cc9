"""Commands about the site: site build and site open."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.flows.cli.session import AsJson, Commands, Config, Home, add_group, progress, session
from trueup.storage.errors import UsageError

_HIGHEST_PORT = 65_535

To = Annotated[
    str | None,
    typer.Option("--to", help="A folder or an fsspec URL such as s3://bucket/site; left out: [site] to, or HOME/site."),
]


def site_build(
    to: To = None,
    check: Annotated[
        str | None, typer.Option("--check", help="Only this report, as one file: --to names it.", metavar="REPORT")
    ] = None,
    mask: Annotated[
        bool | None,
        typer.Option("--mask/--no-mask", help="Mask personal data; left out: as [site] mask says."),
    ] = None,
    afresh: Annotated[bool, typer.Option("--afresh", help="Write every page, also what did not change.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write the site of plain pages, or bring it up to date."""
    with session(config, home, as_json) as s:
        if check:
            if not to:
                raise UsageError("--to names the file that the check is written to. Nothing was written.")
            page = s.deployment.site.build_check(check, to, mask=mask)
            s.show({"site": {"check": check, "page": page}}, str(page))
            return
        with progress().status("making pages") as shown:
            done = s.deployment.site.build(
                to, mask=mask, afresh=afresh, on_page=lambda made, of: shown.update(f"page {made:,} of {of:,}")
            )
        masked = "masked" if done.masked else "not masked"
        changed = f"{done.written:,} files written, {done.removed:,} removed; personal data is {masked}"
        s.show({"site": done}, f"{done.pages:,} pages: {changed}", done.url or done.index)


def site_open(
    to: To = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=_HIGHEST_PORT, help="Serve it on 127.0.0.1 until Ctrl-C; 0 takes a port that is free."),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open it in a browser; otherwise only print where it is.")] = True,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Bring a site in a folder up to date and open it.

    It needs no server; with --port it is served on loopback.
    """
    with session(config, home, as_json) as s:

        def announce(address: str, opened: bool) -> None:
            served = port is not None
            s.show(
                {"site": {"address": address, "served": served, "opened": opened}},
                f"{address} (stop with Ctrl-C)" if served else address,
            )

        s.deployment.site.open(to, port=port, browser=browser, announce=announce)


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    site: Commands = {"build": site_build, "open": site_open}
    add_group(cli, "site", "The site: plain pages of all streams, without a server.", site)
