"""A signal is added by its measurement and one line of the catalogue; all that speaks of signals then knows it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tests.house.test_docs import codes_without_section
from tests.made_comparisons import compared, made_records, made_stream
from tests.made_situations import facts, opened, situation
from trueup.flows.alert.accept_baseline import accept
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.incidents import incident_changes
from trueup.monitoring.policy import Action, History, PastCheck, decide
from trueup.monitoring.report.render import render
from trueup.monitoring.signals import catalogue
from trueup.monitoring.signals.catalogue import Advice, DrawnOn, SignalKind, function_at
from trueup.monitoring.signals.measure import measure
from trueup.monitoring.signals.pending import PendingTest, far_beyond_chance, verdict_of
from trueup.monitoring.signals.samples import SamplePair, ValueKind, sample_pair
from trueup.monitoring.signals.sides import Sides
from trueup.monitoring.stats.columns import texts
from trueup.monitoring.stats.proportions import share_test
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.facts import AlertKind
from trueup.storage.baselines import Baseline
from trueup.storage.errors import InputError
from trueup.storage.incidents import Incident
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

pytestmark = [pytest.mark.long, pytest.mark.whole_reports]

NOW = datetime(2021, 3, 1, tzinfo=UTC)


def shouting(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """A signal of drift: pairs of samples, here the share of texts with an exclamation mark."""
    reference, current = (_marked(texts(rows, stream.text)).astype(float) for rows in sides.inputs)
    what = "the share of shouting texts"
    yield sample_pair("DRF-SHOUT", "shouting", what, ValueKind.SHARES, sides.inputs, reference, current)


def links(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest]:
    """Any other signal: tests that are run when their level is known, here of texts that hold a link."""
    reference, current = (
        np.array(["http" in text for text in texts(rows, stream.text)])
        for rows in (comparison.reference, comparison.current)
    )

    def run(level: float) -> Signal:
        p_value = share_test(reference, current)
        verdict = verdict_of(p_value, level, material=True)
        return Signal(
            code="DQ-LINKS", name="texts with a link", verdict=verdict, said="Links came.", value=float(current.mean()),
            p_value=p_value, threshold=level, overwhelming=far_beyond_chance(verdict, p_value, level),
            n_reference=len(reference), n_current=len(current),
        )

    yield PendingTest("DQ-LINKS", run)


def _marked(values: np.ndarray) -> np.ndarray:
    return np.array(["!" in text for text in values])


SHOUT = SignalKind(
    code="DRF-SHOUT", title="texts that shout", cause=Cause.DRIFT, phrase="the texts shout", gravity=0,
    samples=f"{__name__}:shouting", accepts_baseline=True, drawn_on=DrawnOn.TEXT,
)
LINKS = SignalKind(
    code="DQ-LINKS", title="texts with a link", cause=Cause.FEED, phrase="links came", gravity=0,
    tests=f"{__name__}:links", advice=Advice("See who sent them", "quarantine list"),
)


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "CATALOGUE", (*catalogue.CATALOGUE, SHOUT, LINKS))


def broken() -> tuple[StreamSettings, Rows, Rows]:
    """A stream of texts, and a window of which a third shouts and holds a link."""
    rng = np.random.default_rng(1)
    reference, current = made_records(800, rng), made_records(200, rng)
    words = np.where(np.arange(200) % 3 == 0, "http now!", current.features["words"])
    return made_stream(), reference, Rows(current.features.assign(words=words), current.meta)


def checked(counted: bool = True) -> Check:
    """A check of the broken window."""
    stream, reference, current = broken()
    signals, _ = measure(stream, compared(reference, current))
    return Check(report_id="r", counted=counted, signals=signals)


def test_it_is_measured_at_its_share_of_the_budget() -> None:
    """Both new signals breach, each at the level that every signal without a weight has."""
    check = checked()
    assert {"DRF-SHOUT", "DQ-LINKS"} <= {signal.code for signal in check.breached}
    levels = {signal.code: signal.threshold for signal in check.signals}
    assert levels["DRF-SHOUT"] == levels["DQ-LINKS"] == levels["DRF-TEXT"]


def test_it_stands_in_evidentlys_report() -> None:
    """Evidently's own snapshot holds the drift test of the one that is drawn on the texts."""
    stream, reference, current = broken()
    signals = checked().signals
    report = render(
        stream, reference, current, reference, current, current, signals, title="made", seed=1, as_of=NOW
    )
    from evidently.core.report import Snapshot

    assert "DRF-SHOUT" in {test.name for test in Snapshot.loads(report.snapshot.decode()).tests_results}


def test_policy_and_incidents_know_its_cause() -> None:
    """Drift waits for a counted check and asks for a challenger; what is of the feed opens its incident at once."""
    past = PastCheck(NOW - timedelta(days=7), {"DRF-SHOUT": None, "DQ-LINKS": None})
    history = History((past,), (), 500, past)
    counted = decide(made_stream().policy, checked(), history, NOW)
    assert counted.action is Action.RETRAIN
    assert "DRF-SHOUT" in counted.confirmed
    assert "DQ-LINKS" not in counted.confirmed
    check = checked(counted=False)
    provisional = decide(made_stream().policy, check, history, NOW)
    assert provisional.codes == ("DQ-LINKS",)
    (opened,) = incident_changes(check, provisional.codes, (), (), provisional.severity).opened
    assert (opened.causes, opened.codes) == ((Cause.FEED,), ("DQ-LINKS",))


@pytest.mark.parametrize(("kind", "phrase"), [(SHOUT, "the texts shout"), (LINKS, "links came")])
def test_mails_have_its_words(kind: SignalKind, phrase: str) -> None:
    """The first line says its phrase, or of the feed what was found; the command is what its kind advises."""
    signals = tuple(s for s in checked().signals if s.code in (kind.code, "DRF-TEXT"))
    notice = facts(AlertKind.INCIDENT_OPENED, signals=signals, codes=(kind.code,))
    letter = letter_of(situation(notice, incidents=(opened(kind.cause, codes=(kind.code,)),), signals=signals))
    found = next(s for s in signals if s.code == kind.code)
    assert (phrase if kind is SHOUT else found.said.split(".")[0].lower()) in letter.wrong.lower()
    assert letter.action is not None
    assert ("See who sent them" in letter.action.changes) == (kind is LINKS)


def test_the_docs_have_to_explain_it() -> None:
    """The check of the docs names the kinds that have no section."""
    assert codes_without_section() == {"DRF-SHOUT", "DQ-LINKS"}


def accepting(codes: tuple[str, ...], kept: list[Baseline]) -> App:
    """An installation with one open incident of these codes, and the check that opened it."""
    document = {"signals": [{"code": code, "verdict": "breached"} for code in codes],
                "first_time": "2021-02-01T00:00:00Z", "last_time": "2021-02-08T00:00:00Z"}  # fmt: skip
    report = {"id": "r", "version": 1, "counted": True, "document": document}
    incident = Incident(
        id="i", stream="made", cause="drift", causes=("drift",), codes=codes, severity="low", stem="made: drift",
        thread="incident.i@example.org", opened_at=NOW,
    )  # fmt: skip
    told: Any = SimpleNamespace(
        stream=lambda name: made_stream(), registry=SimpleNamespace(alias=lambda stream, alias: 1),
        incidents=SimpleNamespace(open_ones=lambda: [incident]),
        cycles=SimpleNamespace(reports=lambda stream, limit: [report]),
        baselines=SimpleNamespace(add=kept.extend), now=lambda: NOW, who="ada",
    )
    return cast(App, told)


def test_accepting_goes_by_its_kind() -> None:
    """A kind that has a baseline is accepted; of one that has none it is said that there is nothing to accept."""
    kept: list[Baseline] = []
    assert accept(accepting(("DRF-SHOUT", "DQ-LINKS"), kept), "i", "a campaign") == kept
    assert [baseline.code for baseline in kept] == ["DRF-SHOUT"]
    with pytest.raises(InputError, match=r"stands for DQ-LINKS, .* no baseline to accept"):
        accept(accepting(("DQ-LINKS",), kept), "i", "a campaign")


def test_an_accepted_window_is_its_reference() -> None:
    """Once the window is accepted, the signal is compared with it and is quiet."""
    stream, reference, current = broken()
    signals, _ = measure(stream, compared(reference, current, accepted={"DRF-SHOUT": current}))
    assert next(s for s in signals if s.code == "DRF-SHOUT").verdict is Verdict.OK


def test_every_kind_names_one_measurement_that_is_there() -> None:
    """Measurements are named by strings, so that the catalogue stays light; each of them can be called."""
    for kind in catalogue.CATALOGUE:
        (path,) = filter(None, (kind.samples, kind.tests))
        assert callable(function_at(path)), kind.code
        assert not kind.accepts_baseline or kind.samples, kind.code


def test_reading_codes_loads_nothing_heavy() -> None:
    """Light commands ask the catalogue, the policy and the mails' words: none of them loads what measures."""
    modules = "monitoring.signals.catalogue", "monitoring.policy", "monitoring.incidents", "storage.formatting"
    code = f"import sys, {', '.join(f'trueup.{module}' for module in modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy", "pandas"} & set(loaded)
