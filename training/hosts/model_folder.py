"""The folder of a model that others trained: copied before anything reads it, and known by its digest."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from trueup.storage.errors import ModelUnusable

_AT_ONCE = 1 << 20  # bytes
_NOTE = "registered_model_meta"  # MLflow's own, which it lays into a folder that it is asked for


def copy_model(source: Path, target: Path) -> str:
    """Copy a model's folder to `target`, which is not there yet; the digest of the copy.

    Raises:
        ModelUnusable: it is no MLflow model, or holds a link or something else that is no file.
        OSError: it cannot be read or written.
    """
    if not (source / "MLmodel").is_file():
        raise ModelUnusable(
            f"The folder '{source}' holds no MLflow model (it has no file MLmodel), so there is nothing to judge. Let "
            "the trainer write one there with save_model of its MLflow flavour."
        )
    shutil.copytree(source, target, symlinks=True)
    (target / _NOTE).unlink(missing_ok=True)
    return folder_digest(target)


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files below a folder, in the order of their names.

    Raises:
        ModelUnusable: something in it is neither file nor folder: what a link leads to can change.
        OSError: a file cannot be read.
    """
    total = hashlib.sha256()
    for place in sorted(folder.rglob("*"), key=lambda place: place.relative_to(folder).as_posix()):
        if place.is_dir() and not place.is_symlink():
            continue
        name = place.relative_to(folder).as_posix()
        if name == _NOTE:
            continue
        if place.is_symlink() or not place.is_file():
            raise ModelUnusable(
                f"The model's folder holds '{name}', which is no plain file, so it was not taken: what a link leads to "
                "can change. Let the trainer write the file itself there."
            )
        one = hashlib.sha256()
        with place.open("rb") as file:
            while chunk := file.read(_AT_ONCE):
                one.update(chunk)
        total.update(f"{name}\0{one.hexdigest()}\n".encode())
    return total.hexdigest()


def size_of_folder(folder: Path) -> int:
    """Bytes of all files below it."""
    return sum(place.stat().st_size for place in folder.rglob("*") if place.is_file())
