"""Which files of a folder are its Parquet files."""

from __future__ import annotations

from pathlib import Path


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files below a folder, in the order of their paths; what begins with `_` or `.` is none."""
    found = []
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(("_", ".")) for part in file.relative_to(folder).parts)
        if not hidden and file.suffix.lower() in (".parquet", ".pq") and file.is_file():
            found.append(file)
    return found
