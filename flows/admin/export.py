"""`trueup export`: the data of a stream as files that other programs read, whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.flows.app import App
from trueup.flows.check.reader_lease import announced
from trueup.storage.errors import InputError
from trueup.storage.formatting import listed
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso, to_minute

if TYPE_CHECKING:
    from trueup.storage.export.exported_files import ExportKind

_LONGEST = 4_000  # characters of a masked text
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # a path keeps one slash of two


@announced
def export(
    app: App,
    stream: StreamSettings,
    to: Path,
    kinds: Sequence[str] = (),
    *,
    since: datetime | None = None,
    until: datetime,
    form: ExportKind = "parquet",
    mask: bool = False,
    on_rows: Callable[[str, int, int], None] = lambda kind, done, total: None,
) -> dict[str, Any]:
    """Write records, labels, predictions, checks and signals, a file each, into a new folder.

    kinds: those that are wanted; left out, all. on_rows: told how many records are looked through, and of how many.

    Raises:
        InputError: there is no such kind; since is after until; the folder is taken, lies within the deployment or not
            on this machine, or cannot be written.
        StoreUnusable: a file of the archive is missing or damaged; nothing is left of what was begun.
    """
    from trueup.feedback.labels import resolve
    from trueup.reports.masking import masked
    from trueup.storage.export.exported_batches import Asked, StoredBatches
    from trueup.storage.export.exported_files import whole_folder, write_batches
    from trueup.storage.export.layout import KINDS

    wrong = sorted({*kinds} - {*KINDS})
    if wrong:
        raise InputError(f"'{wrong[0]}' cannot be exported; there are {listed(KINDS)}. Nothing was written.")
    if since is not None and since > until:
        said = f"{to_minute(since)} is after {to_minute(until)}"
        raise InputError(f"The time span ends before it begins: {said}. Nothing was written. Swap --since and --until.")
    _check_place(app, to)
    asked = Asked(stream, since, until, (lambda text: masked(text, _LONGEST)) if mask else None)
    with whole_folder(to) as folder:
        files = []
        for kind in dict.fromkeys(kinds or KINDS):
            stored = StoredBatches(app.database, app.archive, app.reader, asked, resolve, partial(on_rows, kind))
            layout, batches = stored.of(kind)
            rows = write_batches(folder / f"{kind}.{form}", form, layout, batches)
            files.append({"what": kind, "file": f"{kind}.{form}", "rows": rows})
        told = {"stream": stream.name, "since": iso(since), "until": iso(until), "masked": mask, "files": files}
        (folder / "export.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return {**told, "folder": to.absolute()}


def _check_place(app: App, to: Path) -> None:
    """Refuse what is no folder of this machine, or lies among files that trueup reads, prunes and erases as its own."""
    if _URL.match(str(to)):
        raise InputError(
            f"'{to}' is a URL, and export writes folders of this machine. Nothing was written. Name a local folder and "
            "copy it from there."
        )
    within = to.expanduser().resolve()
    for place in (app.home, app.archive.local_path("")):
        if place is not None and within.is_relative_to(place.resolve()):
            raise InputError(
                f"'{to}' lies in '{place}', whose files are the deployment's own: prune and erase change them. Nothing "
                "was written. Name a folder elsewhere."
            )
