"""`trueup site open`: the site in a browser, from its folder or served on loopback."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path

from trueup.flows.app import App
from trueup.flows.serve.site_server import site_server
from trueup.flows.site.build import build_site, site_location
from trueup.storage.locations import is_local


def open_site(
    app: App, to: str, *, port: int | None, browser: bool, announce: Callable[[str, bool], None]
) -> str:
    """Bring the site in a folder up to date and open it; its address.

    A bucket is opened at `[site] url`; without one, or with a port, a folder of the home is built and shown instead.

    Args:
        port: of loopback, where it is served until Ctrl-C; None: the files are opened.
        announce: told the address, and whether a browser took it.

    Raises:
        InputError: the folder cannot be written, or the port is taken.
    """
    place, url = to or site_location(app), "" if to else app.settings.site.url
    if url and port is None and not is_local(place):
        return _shown(url, browser, announce)
    built = build_site(app, place if is_local(place) else str(app.home / "site"))
    if port is None:
        return _shown(Path(built.index).absolute().as_uri(), browser, announce)
    with site_server(Path(built.to), port) as server:
        address = _shown(f"http://127.0.0.1:{server.server_port}/", browser, announce)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return address
    return address


def _shown(address: str, browser: bool, announce: Callable[[str, bool], None]) -> str:
    announce(address, browser and webbrowser.open(address))
    return address
