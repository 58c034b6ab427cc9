"""What checks write into store and outbox: one incident, told of again only where it is worse."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.made_deployments import SETTINGS, TRAINED, WINDOW
from trueup.flows.alert.incidents import incident_updates
from trueup.flows.app import App, open_app
from trueup.monitoring.check import Check, History, Signal, Verdict
from trueup.monitoring.policy import Action, Decision
from trueup.storage.incidents import Incident


def checked(app: App, day: int, severity: str, **verdicts: Verdict) -> list[str]:
    """Conclude from a counted check; the kinds of notices that it wrote."""
    stream, at = app.stream("reviews"), TRAINED + timedelta(days=day)
    cycle = app.cycles.begin("reviews", at, at)
    signals = tuple(
        Signal(code=code.replace("_", "-"), name=code, verdict=verdict, said="") for code, verdict in verdicts.items()
    )
    found = Check(report_id=f"r{day}", counted=True, signals=signals)
    acted = tuple(signal.code for signal in found.breached)
    decision = Decision(Action.ALERT, acted, (), (), severity=severity)  # type: ignore[arg-type]
    with app.database.write() as connection:
        incident_updates(app, stream, cycle, found, decision, History((), (), 0))(connection)
    return [notice.kind for notice in app.outbox.of_cycle(cycle.id)]


def only(app: App) -> Incident:
    """The one incident that there is."""
    (found,) = app.incidents.newest("reviews")
    return found


def test_one_incident_from_drift_to_its_end(tmp_path: Path) -> None:
    """A drift opens it, lost quality joins and is told, what widens or narrows it is kept, and the end is told once."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=WINDOW))
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    bad, ok = Verdict.BREACHED, Verdict.OK
    assert checked(app, 1, "low", DRF_TEXT=bad, PRF_METRIC=ok) == ["incident_opened"]
    first = only(app)
    assert (first.cause, first.causes, first.severity) == ("drift", ("drift",), "low")
    assert checked(app, 2, "high", DRF_TEXT=bad, PRF_METRIC=bad) == ["incident_worse"]
    worse = only(app)
    assert (worse.cause, worse.causes, worse.severity) == ("metric", ("metric", "drift"), "high")
    assert (worse.stem, worse.thread) == (first.stem, first.thread)
    assert checked(app, 3, "high", DRF_TEXT=bad, DRF_SCORE=bad, PRF_METRIC=bad) == []
    assert only(app).codes == ("DRF-TEXT", "PRF-METRIC", "DRF-SCORE")
    assert checked(app, 4, "low", DRF_TEXT=ok, DRF_SCORE=bad, PRF_METRIC=ok) == []
    assert (only(app).over, only(app).severity) == (("DRF-TEXT", "PRF-METRIC"), "high")
    assert checked(app, 5, "none", DRF_TEXT=ok, DRF_SCORE=ok, PRF_METRIC=ok) == ["incident_resolved"]
    assert only(app).outcome == "quiet"
    assert checked(app, 6, "low", DRF_TEXT=bad) == ["incident_opened"]
    app.close()
