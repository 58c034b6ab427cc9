"""`trueup ui`: Evidently's own UI on the stored checks, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trueup.flows.admin.evidently_workspace import PLOTTED, export_workspace, newest_checks
from trueup.monitoring.report.workspace.ui_server import bound_port, start_evidently_ui

if TYPE_CHECKING:
    from trueup.flows.app import App

UI_PORT = 8000  # Evidently's own
_REFRESH_SECONDS = 30.0


def show_evidently_ui(
    app: App, streams: Sequence[str], *, port: int, edit: bool, announce: Callable[[str], None], last: int = PLOTTED
) -> None:
    """Bring the deployment's own workspace up to date, show it in Evidently's UI, and add new checks meanwhile.

    It returns on Ctrl-C.

    Args:
        port: of loopback; 0: one that is free.
        edit: the UI may be used to change and delete.
        announce: told the address, once the UI has read the workspace.

    Raises:
        InputError: the port is taken, or the workspace cannot be written.
        EvidentlyUiFailed: the UI did not come up, or ended by itself.
    """
    folder = app.home / "evidently-ui"
    with bound_port(port) as place:  # asked for first: an export can take a while
        seen = newest_checks(app, streams)
        export_workspace(app, streams, folder, last=last)
        ui = start_evidently_ui(folder, place, edit=edit, log=app.home / "evidently-ui.log")
    try:
        announce(ui.url)
        while True:
            ui.runs_for(_REFRESH_SECONDS)
            newest = newest_checks(app, streams)
            if newest != seen:
                export_workspace(app, streams, folder, last=last)
                seen = newest
    except KeyboardInterrupt:
        return
    finally:
        ui.stop()
