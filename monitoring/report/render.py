"""The Evidently report of one check: plots of what moved, with exactly the figures and verdicts of our signals.

Every metric runs as a report of its own over shared data, and the results are put together as one snapshot: so one that
fails on the data at hand costs its own plot, not the report.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from trueup.monitoring.check import Signal
from trueup.monitoring.report.drift_sections import Section, input_sections, model_sections
from trueup.monitoring.report.frames import input_frames, labelled_frame, model_frames, sample_rows
from trueup.monitoring.report.quality_section import quality_sections
from trueup.monitoring.report.quick_plots import plotted_once, quick_plots
from trueup.monitoring.report.stored_runs import StoredRun, joined_runs, stored_run
from trueup.storage.escaping import for_markdown
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

_ONE_AT_A_TIME = threading.Lock()  # Evidently's registry of tests and numpy's random state are global


@dataclass(frozen=True, kw_only=True)
class RenderedReport:
    """A report ready to be stored.

    snapshot: JSON that `evidently.core.report.Snapshot.loads` takes.
    notes: what the report could not show, and why, one sentence each.
    """

    snapshot: bytes
    notes: tuple[str, ...]


def render(
    stream: StreamSettings,
    reference: Rows,
    current: Rows,
    model_reference: Rows,
    model_current: Rows,
    quality_current: Rows,
    signals: tuple[Signal, ...],
    *,
    title: str,
    seed: int,
    as_of: datetime,
    quality_reference: Rows | None = None,
) -> RenderedReport:
    """The report of a check, whatever dirt its rows hold: what cannot be shown is left out and named in the notes.

    The parts are those of a `Comparison`. Drawn from at most 5,000 rows a side, by `seed`; the figures are those of
    `signals`, which saw all rows. numpy's global random state is as before afterwards. It never raises for what the
    rows hold.
    """
    said: list[str] = []
    inputs = input_frames(stream, sample_rows(reference, seed), sample_rows(current, seed))
    model = model_frames(
        stream, sample_rows(model_reference, seed), sample_rows(model_current, seed), sample_rows(quality_current, seed)
    )
    labelled = labelled_frame(stream, sample_rows(quality_current, seed))
    labelled_reference = labelled.iloc[:0]
    if quality_reference is not None:
        labelled_reference = labelled_frame(stream, sample_rows(quality_reference, seed))

    def sections(said: list[str]) -> Iterator[Section]:
        yield from input_sections(stream, inputs, signals, said)
        yield from model_sections(stream, model, signals, said)
        yield from quality_sections(stream, labelled_reference, labelled, said)

    return RenderedReport(snapshot=_drawn(sections, said, title, seed, as_of), notes=tuple(said))


def _drawn(
    sections: Callable[[list[str]], Iterator[Section]], said: list[str], title: str, seed: int, as_of: datetime
) -> bytes:
    """All sections as one snapshot; `said` takes what could not be shown."""
    with _ONE_AT_A_TIME, warnings.catch_warnings(), quick_plots():
        warnings.simplefilter("ignore")  # of scikit-learn and plotly, about data that the notes speak of
        random_state = np.random.get_state()
        np.random.seed(seed % 2**32)
        try:
            found = list(sections(said))
            return joined_runs([run for section in found if (run := _run(section, said))], title, as_of).encode()
        finally:
            np.random.set_state(random_state)


def snapshot_of(
    sections: Callable[[list[str]], Iterator[Section]], *, title: str, seed: int, as_of: datetime
) -> tuple[bytes, tuple[str, ...]]:
    """Sections as one snapshot in JSON, and what could not be shown; numpy's random state is as before afterwards."""
    said: list[str] = []
    return _drawn(sections, said, title, seed, as_of), tuple(said)


def _run(section: Section, said: list[str]) -> StoredRun | None:
    """The section's own run; where its reference is what fails, without it; None where nothing helps."""
    from evidently import Report
    from evidently.core.report import ReferenceMetricNotFound

    retried = section.reference is not None and section.signal is None
    failures: list[str] = []
    for reference in (section.reference, None) if retried else (section.reference,):
        try:
            report = Report([section.metric], include_tests=section.signal is not None)
            with plotted_once():
                run = report.run(section.current, reference)
            stored = stored_run(_in_our_words(run, section.signal) if section.signal else run)
        except (Exception, ReferenceMetricNotFound) as error:  # noqa: BLE001 - of any kind on dirty data; said below
            reason = str(error).strip().partition("\n")[0][:150]
            failures.append(reason or type(error).__name__)
            continue
        if failures:
            said.append(f"Plotted without the reference: {section.name}. Evidently's reason: {failures[0]}.")
        return stored
    said.append(f"Not plotted: {section.name}. Evidently's reason: {failures[-1]}.")
    return None


def _in_our_words(run: Snapshot, signal: Signal) -> Snapshot:
    """A drift metric's run that says what the signal says; Evidently's own words round a p-value to 0.0."""
    run._widgets[0].params["counters"][0]["label"] = f"{signal.code}: {signal.verdict.in_words}. {signal.said}"
    for test in run.tests_results:
        test.name, test.description = signal.code, for_markdown(signal.said)  # Evidently's page takes it as Markdown
    return run
