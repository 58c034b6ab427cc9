"""What the deployment keeps in files, which neither a source nor a file that is named may be."""

from __future__ import annotations

import os
from pathlib import Path

from trueup.feedback.values import escaped
from trueup.flows.app import App
from trueup.storage.errors import InputError


def kept_out(app: App) -> dict[str, str]:
    """What a source must not reach: where the deployment keeps what it wrote."""
    store = app.database.engine.url
    own = {"the home folder": str(app.home)}
    if store.get_backend_name() == "sqlite" and store.database:
        own |= {f"the store{end}": f"{store.database}{end}" for end in ("", "-wal", "-shm")}
    if app.settings.store.archive:
        own["the archive"] = app.settings.store.archive
    return own


def refuse_own_file(app: App, path: str) -> None:
    """Raise where a file that is named is the store's, by whatever name: a plain open of it would drop its locks.

    Raises:
        InputError: it is.
    """
    for what, place in kept_out(app).items():
        kept = Path(place)
        if kept.is_file() and os.path.exists(path) and os.path.samefile(kept, path):
            raise InputError(
                f"{escaped(path)} is {what} of this deployment, which holds what was taken in before. Name a file of "
                "records. Nothing was done."
            )
