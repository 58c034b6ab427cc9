"""Periods of a stream against each other, several models side by side, stored as a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import blake2b

from trueup.flows.app import App
from trueup.flows.check.champion import champion_version
from trueup.flows.check.labels import with_mature_labels, with_resolved_labels
from trueup.flows.check.predictions import predictor_of
from trueup.flows.check.reader_lease import announced
from trueup.monitoring.report.two_sides import snapshot_of_periods
from trueup.monitoring.stats.metrics import metric
from trueup.monitoring.stats.performance_drop import Answered, answered, classes_in, drop_of
from trueup.reports.comparison_facts import Cell, ComparisonFacts, FigureTable, PictureFacts
from trueup.reports.pictures.distributions import in_one_order
from trueup.storage.comparison_reports import ComparisonLog, ListedComparison
from trueup.storage.content import seed_of
from trueup.storage.errors import InputError
from trueup.storage.formatting import aligned_figure, capitalised, interval_of_metric, metric_name
from trueup.storage.named_periods import Period
from trueup.storage.promotions import VersionRecord
from trueup.storage.report_kind import ReportKind
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK, iso, to_minute

_LEVEL = 0.025  # each end of a 95 % interval
_FEWEST = 30  # labelled records of a period under which nothing is concluded


@announced
def compare_periods(
    app: App, stream: StreamSettings, asked: Sequence[Period], versions: Sequence[int] = ()
) -> ListedComparison:
    """Compare, and store what was found; the report as lists show it.

    asked: two periods or more. The table holds them all; changes are told, and drawn, from the first to the last.
    versions: which models answer; left out, the champion. A model's metric is read on records newer than its training
    data alone.

    Raises:
        InputError: a period holds no records, or the stream has no such version.
        ModelUnusable: a model cannot be loaded or scored.
    """
    now = app.now()
    periods = sorted(set(asked), key=lambda p: (p.start, p.end))
    if len(periods) < 2:
        raise InputError("Name two periods or more, each another one: trueup reports compare 2024-W23 2024-W24.")
    rows = [_records(app, stream, period, now) for period in periods]
    models = _models(app, stream, versions)
    judged = {record.version: [_judged(app, stream, record, part) for part in rows] for record in models}
    main = models[-1] if models else None
    facts = _facts(stream, periods, rows, judged, now)
    shown = rows if main is None else [predictor_of(app, stream, main)(part) for part in rows]
    as_of = min(periods[-1].end, now)
    snapshot, notes = snapshot_of_periods(
        stream, shown[0], shown[-1], title=facts.title, seed=seed_of(stream, as_of), as_of=as_of
    )
    named = "|".join((stream.name, *(p.words for p in periods), *(f"v{r.version}" for r in models), iso(now) or ""))
    report_id = blake2b(named.encode(), digest_size=6).hexdigest()
    app.report_files.store(stream.name, report_id, snapshot=snapshot)
    listed = ListedComparison(
        report_id=report_id, stream=stream.name, kind=ReportKind.PERIODS, as_of=as_of, made_at=now,
        version=main.version if main else 0, title=facts.title,
    )  # fmt: skip
    ComparisonLog(app.database).keep(listed, {**facts.as_json(), "notes": [*facts.notes, *notes]})
    return listed


def _records(app: App, stream: StreamSettings, period: Period, now: datetime) -> Rows:
    """The period's records with the labels that count by now."""
    rows = app.reader.read(stream, after=period.start - TICK, as_of=now).until(min(period.end, now))
    if not len(rows):
        raise InputError(
            f"Stream '{stream.name}' has no records in {period.words} ({to_minute(period.start)} to "
            f"{to_minute(period.end)}). Name a period that has some; what there is says: trueup status"
        )
    return with_mature_labels(stream, with_resolved_labels(stream, rows), now)


def _models(app: App, stream: StreamSettings, versions: Sequence[int]) -> list[VersionRecord]:
    """The versions in their order; of a stream that predicts nothing, none."""
    if not stream.predicts:
        return []
    champion = champion_version(app, stream)
    asked = sorted(set(versions)) or ([champion] if champion is not None else [])
    found = []
    for version in asked:
        record = app.promotions.version(stream.name, version)
        if record is None:
            raise InputError(f"Stream '{stream.name}' has no v{version}. List those there are: trueup models list")
        found.append(record)
    return found


def _judged(app: App, stream: StreamSettings, record: VersionRecord, rows: Rows) -> Answered:
    """What a version answers to the labelled records of a period that are newer than its training data."""
    newer = (rows.meta["time"] > record.cut_off.replace(tzinfo=None)).to_numpy()
    unseen = rows.take(newer & rows.labelled)
    return answered(stream, predictor_of(app, stream, record)(unseen) if len(unseen) else unseen)


def _facts(
    stream: StreamSettings,
    periods: Sequence[Period],
    rows: Sequence[Rows],
    judged: dict[int, list[Answered]],
    now: datetime,
) -> ComparisonFacts:
    sides = tuple(period.words for period in periods)
    name = capitalised(metric_name(stream.metric))
    table: list[tuple[Cell, ...]] = []
    for k, (period, part) in enumerate(zip(periods, rows, strict=True)):
        figures = [figure for parts in judged.values() for figure in (_metric(stream, parts[k]), len(parts[k]))]
        table.append((period.words, len(part), int(part.labelled.sum()), *figures))
    columns = ("period", "records", "labelled",
               *(words for v in judged for words in (f"{name} v{v}", f"records judged v{v}")))  # fmt: skip
    tables = [FigureTable(caption="Periods and models", columns=columns, rows=tuple(table))]
    pictures = []
    if not stream.is_regression:
        for what, column in (("Labels", "label"), ("Answers", "")):
            counts = [_counts(part, column) if column else _answers(judged, k) for k, part in enumerate(rows)]
            if any(counts):
                levels = in_one_order(counts[0], counts[-1])
                values = {"levels": [asdict(level) for level in levels]}
                pictures.append(PictureFacts(form="levels", name=what.lower(), title=what, values=values))
                words = [*(level.words for level in levels), *dict.fromkeys(w for c in counts for w in sorted(c))]
                moved = tuple((w, *(_share(c, w) for c in counts)) for w in dict.fromkeys(words))
                tables.append(FigureTable(caption=f"{what}, shares", columns=("class", *sides), rows=moved))
    verdict, tone, details = _verdict(stream, sides, judged)
    held = " ".join(
        f"{side}: {len(part):,} records, {int(part.labelled.sum()):,} labelled."
        for side, part in zip(sides, rows, strict=True)
    )
    details.append(f"{held} Labels known by {to_minute(now)}.")
    title = f"{stream.name}: {sides[-1]} against {', '.join(sides[:-1])}"
    return ComparisonFacts(
        title=title, sides=sides, verdict=verdict, tone=tone, details=tuple(details), tables=tuple(tables),
        pictures=tuple(pictures), notes=_notes(judged, sides),
    )  # fmt: skip


def _verdict(
    stream: StreamSettings, sides: tuple[str, ...], judged: dict[int, list[Answered]]
) -> tuple[str, str, list[str]]:
    """The news of the newest model, its tone, and how sure it is; of the others, a sentence each."""
    said = []
    tone = "still"
    name = capitalised(metric_name(stream.metric))
    for version, parts in sorted(judged.items(), reverse=True):
        before, now = parts[0], parts[-1]
        if min(len(before), len(now)) < _FEWEST:
            said.append(f"v{version} is not judged: fewer than {_FEWEST} labelled records newer than its training data "
                        "in one of the periods.")  # fmt: skip
            continue
        drop = drop_of(stream, before, now, level=_LEVEL, seed=0)
        if drop is None:
            said.append(f"v{version} is not judged: {name} is not defined on these records.")
            continue
        sure = drop.interval[0] > 0 or drop.interval[1] < 0
        word = ("fell" if (drop.drop > 0) != stream.lower_is_better else "rose") if sure else "did not change clearly"
        interval = interval_of_metric(stream, drop.interval, _LEVEL)
        said.append(f"{name} of v{version} {word}: {aligned_figure(drop.reference)} in {sides[0]}, "
                    f"{aligned_figure(drop.current)} in {sides[-1]} ({interval}).")  # fmt: skip
        if tone == "still":
            tone = "still" if not sure else "bad" if drop.drop > 0 else "fine"
    if not said:
        return "No model answers here; records and labels are compared.", tone, []
    return said[0], tone, said[1:]


def _metric(stream: StreamSettings, part: Answered) -> float | None:
    return metric(stream.metric, part.truth, part.predicted, part.score, classes_in(stream, part))


def _counts(rows: Rows, column: str) -> Counter[str]:
    return Counter(str(value) for value in rows.meta[column] if isinstance(value, str))


def _share(counts: Counter[str], level: str) -> float | None:
    return counts[level] / counts.total() if counts else None


def _answers(judged: dict[int, list[Answered]], k: int) -> Counter[str]:
    newest = judged[max(judged)][k] if judged else None
    return Counter() if newest is None else Counter(map(str, newest.predicted))


def _notes(judged: dict[int, list[Answered]], sides: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"v{version} is not judged on {side}: it learned from those records, or none is labelled."
        for version, parts in judged.items()
        for side, part in zip(sides, parts, strict=True)
        if not len(part)
    )
