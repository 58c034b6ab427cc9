"""The site: plain pages of all streams, for a folder, a bucket or any web server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.flows.site.build import SiteBuild


@dataclass(frozen=True)
class Site:
    """The pages of a deployment: overview, streams, months, checks, incidents, models and quarantine."""

    _app: App

    def build(
        self,
        to: str | Path | None = None,
        *,
        mask: bool | None = None,
        afresh: bool = False,
        on_page: Callable[[int, int], None] = lambda done, of: None,
    ) -> SiteBuild:
        """Write the site, or bring it up to date: only what changed is made and written.

        Args:
            to: a folder or an fsspec URL; None: `[site] to`, or else `HOME/site`.
            mask: whether personal data is masked in what outsiders wrote; None: as `[site] mask` says.
            afresh: write every page, also what did not change.
            on_page: told how many pages are made, and of how many.

        Raises:
            InputError: the place cannot be written, or holds pages that are not this deployment's.
            LeaseHeld: another process builds it.
        """
        from trueup.flows.site.build import build_site

        return build_site(self._app, str(to or ""), mask=mask, afresh=afresh, on_page=on_page)

    def build_check(self, report_id: str, to: str | Path, *, mask: bool | None = None) -> Path:
        """Write one check as one file that needs nothing beside it, at most 4 MB; its path.

        Args:
            report_id: a report's id, the beginning of one, or "last".
            to: the file, in a folder that is there.
            mask: as in `build`; None: not masked, unless `[site] mask` is "always".

        Raises:
            InputError: there is no such report, or the file cannot be written.
        """
        from trueup.flows.site.one_check import write_check

        return write_check(self._app, report_id, Path(to), mask=mask)

    def open(
        self,
        to: str | Path | None = None,
        *,
        port: int | None = None,
        browser: bool = True,
        announce: Callable[[str, bool], None] = lambda address, opened: None,
    ) -> str:
        """Bring a site in a folder up to date and open it in a browser; its address.

        Args:
            to: as in `build`; a bucket is opened at `[site] url`, or else built in `HOME/site`.
            port: of 127.0.0.1 (0: one that is free): it is served there until Ctrl-C; None: its files are opened.
            browser: open it; otherwise only tell where it is.
            announce: told the address, and whether a browser took it.

        Raises:
            InputError: the folder cannot be written, or the port is taken.
        """
        from trueup.flows.serve.site_window import open_site

        return open_site(self._app, str(to or ""), port=port, browser=browser, announce=announce)
