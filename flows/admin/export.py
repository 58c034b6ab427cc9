"""`trueup export`: the data of a stream as files that other programs read, whole or not at all."""

from __future__ import annotations

import json
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
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    from trueup.storage.export.exported_files import ExportKind

_LONGEST = 4_000  # characters of a masked text


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
        InputError: there is no such kind; the folder is taken, or cannot be written.
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
    asked = Asked(stream, since, until, (lambda text: masked(text, _LONGEST)) if mask else None)
    with whole_folder(to) as folder:
        files = []
        for kind in kinds or KINDS:
            stored = StoredBatches(app.database, app.archive, app.reader, asked, resolve, partial(on_rows, kind))
            layout, batches = stored.of(kind)
            rows = write_batches(folder / f"{kind}.{form}", form, layout, batches)
            files.append({"what": kind, "file": f"{kind}.{form}", "rows": rows})
        told = {"stream": stream.name, "since": iso(since), "until": iso(until), "masked": mask, "files": files}
        (folder / "export.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return {**told, "folder": to.absolute()}
