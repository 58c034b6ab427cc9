"""Files that an exporter fills a folder or bucket with: taken in once each, by a manifest of all of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from trueup.feedback.readers import LocalCopy
from trueup.feedback.sources.file_place import REPORTED, ChangedMeanwhile, FilePlace
from trueup.feedback.sources.next_step import FoundFile, NextStep, next_step
from trueup.feedback.sources.pulling import FileOutcome, Pulled, PulledFile, Take
from trueup.storage.errors import InputError, SourceFailed
from trueup.storage.incoming import Appended
from trueup.storage.sources.file_manifest import FileManifest, FileState, ManifestFile

AWAITED = timedelta(seconds=15)  # for so long a pull waits for files that are just being written

COUNTED_BYTES = 50_000_000  # bytes of files that are read to count their rows: the newest

_FAILURES = 3  # files of one pull that a place may fail for before it is the place that fails
_NO_PERMISSION = "trueup has no permission to read it"

DaysOfFile = Callable[[LocalCopy], Iterable[tuple[str, date]]]  # id and day of all that a file holds


class FileSource:
    """Files of one place.

    settle: how long a file must be unchanged before it counts as whole. reading: hash of the settings that files are
    read by. days: of a file, what it holds. clock: of the machine, which files are dated by; wait: sleeps.
    """

    def __init__(
        self,
        place: FilePlace,
        manifest: FileManifest,
        *,
        settle: timedelta,
        reading: str,
        days: DaysOfFile,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._place, self._manifest, self._settle, self._reading = place, manifest, settle, reading
        self._days, self._clock, self._wait = days, clock, wait

    def pull(
        self,
        take: Take,
        *,
        now: datetime,
        enough: Callable[[], bool] = lambda: False,
    ) -> Pulled:
        """As `StreamSource.pull`. A file is remembered once all of it is stored; a kill before that reads it again."""
        known, found = dict(self._manifest.known()), self._place.found()
        steps = self._look(found, known)
        fresh = any(steps[file.name] is NextStep.WAIT and file.size for file in found)
        if fresh and self._settle <= AWAITED:
            self._wait(self._settle.total_seconds())
            found = self._place.found()
            steps = self._look(found, known)
        taken_as = {one.digest: name for name, one in known.items() if one.digest}
        rows, files, unfinished, read, failed = Appended(), list[PulledFile](), False, 0, list[SourceFailed]()
        for file in found:
            if steps[file.name] is NextStep.WAIT:
                why = "it was written to just now" if file.size else "it is empty"
                files.append(PulledFile(file.name, FileOutcome.WAITING, why))
            if steps[file.name] is not NextStep.READ:
                continue
            if enough():
                unfinished = True
                break
            try:
                done, taken = self._read(file, known, taken_as, take, now)
            except SourceFailed as error:
                failed.append(error)
                if len(failed) == _FAILURES:
                    raise
                files.append(PulledFile(file.name, FileOutcome.BARRED, str(error).partition(REPORTED)[2]))
                continue
            read += 1
            rows += taken
            files += [done] if done else []
        if failed and not read:  # not one file, but the place
            raise failed[0]
        barred = [f"{one.name} cannot be read: {one.why}" for one in files if one.outcome is FileOutcome.BARRED]
        return Pulled(rows, tuple(files), (*_set_aside(found, known), *barred, *self._unlisted()), unfinished)

    def reach(self) -> str:
        """As `StreamSource.reach`."""
        found, known = self._place.found(), self._manifest.known()
        new = sum(file.name not in known or not file.same_as(known[file.name]) for file in found)
        return f"{len(found):,} files in {self._place.shown}, {new:,} of them new"

    def problems(self) -> tuple[str, ...]:
        """As `StreamSource.problems`."""
        found = self._place.found()
        barred = [f"{f.name} cannot be read: {_NO_PERMISSION}" for f in found if not self._place.may_read(f)]
        return (*_set_aside(found, self._manifest.known()), *barred, *self._unlisted())

    def _unlisted(self) -> tuple[str, ...]:
        return tuple(f"{folder} cannot be listed: {_NO_PERMISSION}" for folder in self._place.unlisted)

    def rows_by_day(self, since: date) -> Mapping[date, int]:
        """As `StreamSource.rows_by_day`: of the newest files that were taken in, COUNTED_BYTES bytes of them."""
        known, left = self._manifest.known(), COUNTED_BYTES
        day_of: dict[str, date] = {}
        for file in sorted(self._place.found(), key=lambda f: f.changed_at or datetime.min.replace(tzinfo=UTC))[::-1]:
            one = known.get(file.name)
            if one is None or one.state is not FileState.TAKEN or not file.same_as(one):
                continue
            left -= file.size
            if left < 0 and day_of:
                break
            try:
                with self._place.held(file) as (here, _):
                    day_of |= {i: day for i, day in self._days(LocalCopy(here, file.name)) if day >= since}
            except (ChangedMeanwhile, PermissionError, InputError):
                continue  # the next pull tells of it
        return Counter(day_of.values())

    def _look(self, found: Sequence[FoundFile], known: dict[str, ManifestFile]) -> dict[str, NextStep]:
        """What is to be done with each file; those not seen before as they are now are remembered as seen."""
        now = self._clock()
        steps = {f.name: next_step(f, known.get(f.name), now, self._settle, self._reading) for f in found}
        fresh = [
            _seen(file, known.get(file.name), now)
            for file in found
            if steps[file.name] is NextStep.WAIT and not (file.name in known and file.same_as(known[file.name]))
        ]
        self._manifest.keep(*fresh)
        known |= {file.name: file for file in fresh}
        return steps

    def _read(
        self,
        file: FoundFile,
        known: dict[str, ManifestFile],
        taken_as: dict[str, str],
        take: Take,
        now: datetime,
    ) -> tuple[PulledFile | None, Appended]:
        before, rows = known.get(file.name), Appended()
        seen = _seen(file, before, self._clock())
        try:
            with self._place.held(file) as (here, digest):
                taken = replace(seen, state=FileState.TAKEN, digest=digest, taken_at=now, taken_size=file.size)
                outcome, why = _outcome(before, file, digest, taken_as.get(digest))
                if outcome not in (None, FileOutcome.RENAMED):
                    rows = take(LocalCopy(here, file.name), name=file.name)
            again = self._place.again(file)
            if again is None or not again.same_as(file):
                raise ChangedMeanwhile
        except ChangedMeanwhile:
            return PulledFile(file.name, FileOutcome.WAITING, "it changed while it was read"), rows
        except PermissionError:
            return PulledFile(file.name, FileOutcome.BARRED, _NO_PERMISSION), rows
        except InputError as error:
            said = str(error).removeprefix(f"{file.name}: ")
            aside = replace(seen, state=FileState.SET_ASIDE, reading=self._reading, why=said)
            self._manifest.keep(aside)
            known[file.name] = aside
            return PulledFile(file.name, FileOutcome.SET_ASIDE, said), rows
        self._manifest.keep(taken)
        known[file.name] = taken
        taken_as.setdefault(digest, file.name)
        return PulledFile(file.name, outcome, why) if outcome else None, rows


def _set_aside(found: Iterable[FoundFile], known: Mapping[str, ManifestFile]) -> tuple[str, ...]:
    """A sentence for each file that is there and cannot be taken in as it is."""
    ones = [(file, known[file.name]) for file in found if file.name in known]
    return tuple(
        f"{file.name} cannot be taken in: {one.why}"
        for file, one in ones
        if one.state is FileState.SET_ASIDE and file.same_as(one)
    )


def _seen(file: FoundFile, before: ManifestFile | None, now: datetime) -> ManifestFile:
    """A file as it is now; what was taken in under its name before is not forgotten."""
    seen = ManifestFile(file.name, file.size, file.version, FileState.SEEN, now)
    if before is None:
        return seen
    return replace(seen, digest=before.digest, taken_at=before.taken_at, taken_size=before.taken_size)


def _outcome(
    before: ManifestFile | None, file: FoundFile, digest: str, holder: str | None
) -> tuple[FileOutcome | None, str]:
    """What becomes of a file with this content; None: it is the one taken in before, only its date is another."""
    if before is not None and before.digest == digest:
        return None, ""
    if holder is not None:
        return FileOutcome.RENAMED, f"its content was taken in as {holder}"
    if before is None or before.digest is None:
        return FileOutcome.TAKEN, ""
    grew = file.size > (before.taken_size or 0)
    return (FileOutcome.GREW if grew else FileOutcome.CHANGED), "what is stored already is left out"
