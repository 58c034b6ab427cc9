"""Folders of this machine that a glob would look into, and that may not be listed."""

from __future__ import annotations

import os
from collections.abc import Sequence


def unlisted_folders(base: str, within: str) -> Sequence[str]:
    """Their paths, by name. base: the folder that a glob begins at; within: its pattern there.

    Hidden folders are left out, as the glob leaves them out, and no link is followed.
    """
    failed: list[OSError] = []
    deepest = None if "**" in within else within.count("/")
    for folder, folders, _ in os.walk(base, onerror=failed.append):
        depth = len(os.path.relpath(folder, base).split(os.sep)) if folder != base else 0
        beyond = deepest is not None and depth >= deepest
        folders[:] = [] if beyond else [name for name in folders if name[:1] not in (".", "_")]
    return sorted(str(error.filename) for error in failed if isinstance(error, PermissionError))
