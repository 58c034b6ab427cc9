"""Evidently's plots as a page of their own, made from a stored snapshot without importing Evidently.

Everything that Evidently draws stands in the snapshot; its script, which lies beside the package, shows it, in the
light or dark that the reader's system asks for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trueup.monitoring.report.shown_texts import with_short_words, with_texts, without_tags
from trueup.storage.errors import StoreUnusable

_NAME = "trueup_report"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="root_{name}"></div>
<script>{data}</script>
{library}
<script>{draw}</script>
</body>
</html>
"""
_DRAW = f'window.drawDashboard({_NAME}, new Map(Object.entries(additional_graphs_{_NAME})), "root_{_NAME}");'
_STYLE = """body { margin: 0 }
@media (max-width: 800px) {
  .MuiGrid-root, .MuiGrid-root > div { min-width: 0 !important; max-width: 100% }
  .MuiPaper-root { overflow-x: auto !important }
  .js-plotly-plot { min-width: 480px }
}"""


def evidently_version() -> str:
    """The version of the installed Evidently, whose script shows the plots."""
    return version("evidently")


@cache
def evidently_script() -> str:
    """The script that draws Evidently's widgets, 3.5 MB, as one file that pages can share.

    Raises:
        StoreUnusable: this Evidently has none where it is looked for.
    """
    found = find_spec("evidently")
    folder = Path((found.submodule_search_locations or [""])[0] if found else "", "nbextension", "static")
    try:
        return (folder / "index.js").read_text(encoding="utf-8")
    except OSError as error:
        raise StoreUnusable(
            f"Evidently's plots cannot be shown: the script of Evidently {evidently_version()} is not in its package "
            f"({error.strerror}). Nothing stored is affected; install the version that constraints.txt names."
        ) from error


def evidently_frame(
    snapshot_json: str, *, script: str | None = None, shown: Callable[[str], str] | None = None
) -> bytes:
    """A page of Evidently's plots, for a frame or a window of its own; UTF-8, the same bytes each time.

    No text of a record can end its scripts or become markup, and words too long for a plot are cut.

    Args:
        snapshot_json: a stored snapshot of Evidently.
        script: the relative address of a file that holds `evidently_script()`; None: the page holds it itself.
        shown: what becomes of a text before it is shown; None: it stays.

    Raises:
        ValueError, KeyError, TypeError: it is no snapshot.
        StoreUnusable: Evidently's script is not there.
    """
    stored = json.loads(snapshot_json)
    held = {"widgets": stored["widgets"], "tests": stored["tests_widgets"]}
    held = without_tags(with_short_words(held if shown is None else with_texts(held, shown)))
    group = {
        "type": "group", "title": "", "size": 2, "id": "trueup", "details": "", "params": None, "insights": [],
        "additionalGraphs": [], "alerts": [], "alertsPosition": None, "alertStats": None, "tabs": [], "pageSize": 5,
        "widgets": held["widgets"],
    }  # fmt: skip
    widgets = [group, *held["tests"]]
    graphs = {found["id"]: _drawn(found) for widget in widgets for found in _graphs(widget)}
    data = (
        f"var global = globalThis; var {_NAME} = {_script({'name': 'Report', 'widgets': widgets})}; "
        f"var additional_graphs_{_NAME} = {_script(graphs)};"
    )
    library = evidently_script() if script is None else ""
    whole = _PAGE.format(
        policy=_policy([data, _DRAW, *([library] if library else [])], shared=script is not None),
        title="Evidently's plots", style=_STYLE, name=_NAME, data=data, draw=_DRAW,
        library=f"<script>{library}</script>" if library else f'<script src="{script}"></script>',
    )  # fmt: skip
    return whole.encode(errors="replace")  # half a surrogate pair, in a text, is no reason to lose the page


def script_hash(script: str) -> str:
    """An inline script as a content policy names it."""
    return f"'sha256-{base64.b64encode(sha256(script.encode(errors='replace')).digest()).decode()}'"


def _graphs(widget: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The graphs that a widget shows when one of its rows is opened."""
    yield from widget["additionalGraphs"]
    for inner in widget["widgets"]:
        yield from _graphs(inner)


def _drawn(graph: dict[str, Any]) -> Any:
    """What the script draws: a graph's parameters, or a whole widget."""
    return graph["params"] if graph.keys() == {"id", "params"} else graph


def _script(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _policy(scripts: list[str], *, shared: bool) -> str:
    """What the page may load and run: these scripts and, where it is shared, a script file beside it; nothing else."""
    allowed = " ".join([*(["'self'"] if shared else []), *map(script_hash, scripts)])
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
