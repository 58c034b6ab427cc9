"""What lies in files that were made of records: reports, models, runs, mails, pages, caches; cleaned in place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from trueup.flows.app import App
from trueup.storage.archive import Archive
from trueup.storage.erasure.file_bytes import LearntTerms, cleaned_bytes
from trueup.storage.erasure.needles import Needles
from trueup.storage.erasure.sqlite_files import emptied_log, is_sqlite, scrub_sqlite
from trueup.storage.erasure.tombstones import KEY_FILE, MARKS_FILE
from trueup.storage.identity import IDENTITY_FILE
from trueup.training.registry.artifact_paths import MODEL_FILE

_BESIDE = ("-wal", "-shm", "-journal", ".lock")
_OWN = frozenset({IDENTITY_FILE, KEY_FILE, MARKS_FILE})
MODELS = "mlflow"  # in the home folder
_MODEL = "MLmodel"  # in the folder of every model of MLflow
_PUBLIC = "trueup_model/wordpieces"  # BERT's vocabulary, beside models that embed: of no record, useless once changed


@dataclass
class CleanedFiles:
    """How many files changed, and which could not be cleaned, in words."""

    changed: int = 0
    left: list[str] = field(default_factory=list)


def clean_reports(app: App, stream: str, needles: Needles, cleaned: CleanedFiles) -> None:
    """The stored reports of checks and comparisons, wherever the archive lies."""
    for name in app.archive.names(f"reports/{stream}"):
        if name.endswith(".part"):
            app.archive.remove(name)  # its writer was killed
        else:
            _clean_archived(app.archive, name, needles, cleaned)


def _clean_archived(archive: Archive, name: str, needles: Needles, cleaned: CleanedFiles) -> None:
    held = archive.read(name)
    try:
        made = cleaned_bytes(held, name, needles)
    except ValueError as error:
        archive.remove(name)  # it cannot be read, so nothing says that it holds nothing of them
        cleaned.left.append(f"{name} of the archive was removed: {error}")
        return
    if made is not held:
        archive.write(name, made)
        cleaned.changed += 1


def clean_home(home: Path, apart: Sequence[Path], needles: Needles, terms: LearntTerms, cleaned: CleanedFiles) -> None:
    """Every file of the home folder but the store, and what lies `apart`: MLflow, Prefect, mails, pages, workspaces.

    A model of a trainer stays as it is: it answers only where its files are those that were registered.

    terms: what of stored models' vocabularies only erased rows gave.
    """
    for link in _links_out(home):
        cleaned.left.append(f"{link.relative_to(home)} is a link to {link.resolve()}, where nothing was changed.")
    for file in _files(home, {path.resolve() for path in apart}):
        try:
            _clean_file(file, str(file.relative_to(home)), needles, terms, cleaned)
        except (OSError, ValueError) as error:
            cleaned.left.append(f"{file.relative_to(home)}: {error}")


def emptied_databases(home: Path, apart: Sequence[Path], patience: float) -> bool:
    """Whether the databases that were cleaned hold no former byte any more. patience: seconds for their readers."""
    files = [file for file in _files(home, {path.resolve() for path in apart}) if is_sqlite(file)]
    return all(emptied_log(file, whole=True, patience=patience) for file in files)


def _clean_file(file: Path, name: str, needles: Needles, terms: LearntTerms, cleaned: CleanedFiles) -> None:
    if is_sqlite(file):
        cleaned.changed += bool(scrub_sqlite(file, needles))
        return
    held = file.read_bytes()
    made = cleaned_bytes(held, name, needles, terms)
    if made is not held:
        part = file.with_name(f".{file.name}.{uuid4().hex[:8]}.part")
        part.write_bytes(made)
        part.chmod(file.stat().st_mode)
        part.replace(file)
        cleaned.changed += 1


def _files(home: Path, apart: set[Path]) -> Iterator[Path]:
    """Regular files, none through a link: what lies elsewhere is not ours to change."""
    for folder, inner, names in _walked(home):
        inner[:] = [name for name in inner if (Path(folder) / name).resolve() not in apart]
        if _MODEL in names and MODEL_FILE not in names:
            inner.clear()  # a trainer's
            continue
        for name in sorted(names):
            file = Path(folder) / name
            if file.resolve() in apart or name in _OWN or name.endswith(_BESIDE) or file.is_symlink():
                continue
            if file.parent.match(_PUBLIC):
                continue
            if file.is_file():
                yield file


def _walked(home: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """The home folder, and the models' where that is a link to a larger disk; no other link is followed."""
    yield from os.walk(home)
    if (home / MODELS).is_symlink():
        yield from os.walk(home / MODELS)


def _links_out(home: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(home):
        for place in (Path(folder) / name for name in (*inner, *names)):
            if place.is_symlink() and place != home / MODELS and not place.resolve().is_relative_to(home.resolve()):
                yield place
