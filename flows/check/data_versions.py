"""Two states of a stream's data against each other: snapshots that versions were made of, or periods."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from trueup.flows.app import App
from trueup.flows.check.labels import with_mature_labels, with_resolved_labels
from trueup.flows.check.reader_lease import announced
from trueup.monitoring.data_difference import ColumnMoved, DataDifference, data_difference
from trueup.reports.comparison_facts import Cell, ComparisonFacts, FigureTable, PictureFacts
from trueup.reports.masking import Mask
from trueup.storage import snapshots
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.formatting import percent
from trueup.storage.named_periods import is_period, parse_period
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK

_VERSION = re.compile(r"v?(\d{1,9})")
_HASH = re.compile(r"[0-9a-f]{6,64}")


@announced
def difference_of(app: App, stream: StreamSettings, first: str, second: str) -> DataDifference:
    """What differs between two states of the data, each a version (`v3`), a snapshot's hash, or a period.

    Raises:
        UsageError: what is no period. InputError: there is no such version or snapshot, or no record in a period.
        StoreUnusable: a snapshot was pruned, or is damaged.
    """
    named = [_side(app, stream, words) for words in (first, second)]
    return data_difference(stream, (named[0][0], named[1][0]), named[0][1], named[1][1])


def facts_of_difference(stream: StreamSettings, found: DataDifference, mask: Mask) -> ComparisonFacts:
    """The difference as a page and tables show it."""
    rows, (before, now) = found.rows, found.sides
    tables = [
        FigureTable(
            caption="Rows",
            columns=("of", before, now, "came", "went", "in both", "of these changed", "of these relabelled"),
            rows=(("records", rows.before, rows.now, rows.came, rows.went, rows.kept, rows.changed, rows.relabelled),),
        ),
        FigureTable(
            caption="Columns",
            columns=(
                "column", "kind", f"missing, {before}", f"missing, {now}", "measured by", before, now, "moved most",
            ),
            rows=tuple(_column_row(column, mask) for column in found.columns),
        ),
    ]
    pictures = []
    if found.classes:
        levels = [{"words": one.name, "reference": one.before, "current": one.now} for one in found.classes]
        pictures.append(PictureFacts(form="levels", name="classes", title="Classes", values={"levels": levels}))
        shares = tuple((one.name, _share(one.before), _share(one.now)) for one in found.classes)
        tables.append(FigureTable(caption="Classes, shares", columns=("class", before, now), rows=shares))
    for side, words, of in ((now, found.came, found.words_came), (before, found.went, found.words_went)):
        if words:
            said = tuple((one.column, mask(one.word, 60), one.records) for one in words)
            caption = f"Words only in {side}{f', the {len(words)} commonest of {of:,}' if of > len(words) else ''}"
            tables.append(FigureTable(caption=caption, columns=("column", "word", "records"), rows=said))
    verdict = f"{rows.came:,} records came and {rows.went:,} went; {rows.kept:,} are in both"
    details = [f"{rows.changed:,} of them changed, {rows.relabelled:,} have another label."] if rows.kept else []
    if stream.text:
        details.append(f"{found.words_came:,} words are new and {found.words_went:,} are gone (in 3 records or more).")
    return ComparisonFacts(
        title=f"{stream.name}: data of {now} against {before}", sides=(before, now), verdict=f"{verdict}.",
        tone="still", details=tuple(details), tables=tuple(tables), pictures=tuple(pictures),
    )  # fmt: skip


def _side(app: App, stream: StreamSettings, words: str) -> tuple[str, Rows]:
    """What a side is called, and its records."""
    if is_period(words):
        period, now = parse_period(words), app.now()
        rows = app.reader.read(stream, after=period.start - TICK, as_of=now).until(min(period.end, now))
        if not len(rows):
            raise InputError(f"Stream '{stream.name}' has no records in {words}. What there is says: trueup status")
        return words, with_mature_labels(stream, with_resolved_labels(stream, rows), now)
    name, snapshot = _snapshot(app, stream, words)
    try:
        return name, snapshots.load(app.archive, snapshot, regression=stream.is_regression)
    except (OSError, StoreUnusable) as error:
        raise StoreUnusable(
            f"The snapshot of {name} cannot be read: it was pruned, or is damaged. `trueup models verify` says which. "
            "Name another version, or periods such as 2024-05."
        ) from error


def _snapshot(app: App, stream: StreamSettings, words: str) -> tuple[str, str]:
    known = app.promotions.versions(stream.name)
    if found := _VERSION.fullmatch(words):
        record = next((one for one in known if one.version == int(found[1])), None)
        if record is not None:
            return f"v{record.version}", record.snapshot
    if _HASH.fullmatch(words):
        fitting = {one.snapshot: one for one in reversed(known) if _digest(one.snapshot).startswith(words)}
        if len(fitting) == 1:
            ((snapshot, record),) = fitting.items()
            return f"v{record.version}", snapshot
        if fitting:
            raise InputError(f"Several snapshots of '{stream.name}' begin with '{words}'. Write more of it.")
    versions = ", ".join(f"v{one.version} ({_digest(one.snapshot)[:12]})" for one in known[:5]) or "none yet"
    raise InputError(
        f"'{words}' is no version, snapshot or period of '{stream.name}'. Versions: {versions}. Periods are written as "
        "2024-W23, 2024-05 or 2024-05-01..2024-05-14."
    )


def _digest(snapshot: str) -> str:
    return PurePosixPath(snapshot).stem


def _column_row(one: ColumnMoved, mask: Mask) -> tuple[Cell, ...]:
    measure = {"text": "words, median", "numeric": "median"}.get(one.kind, "levels")
    moved = f"{mask(one.moved, 60)}: {_share(one.moved_before)} → {_share(one.moved_now)}" if one.moved else None
    middles = (_whole(one.middle_before), _whole(one.middle_now))
    return one.column, one.kind, _share(one.missing_before), _share(one.missing_now), measure, *middles, moved


def _whole(value: float | None) -> Cell:
    return int(value) if value is not None and value.is_integer() else value


def _share(value: float | None) -> Cell:
    return None if value is None else percent(value)
