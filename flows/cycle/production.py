"""What counted checks measured of a champion, kept in MLflow as a run per champion and year."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime

from trueup.flows.app import App
from trueup.reports.alerts.links import link_for
from trueup.storage.check_lists import SignalFilter
from trueup.storage.errors import TrueupError
from trueup.storage.formatting import capitalised, metric_name
from trueup.storage.stream import StreamSettings

log = logging.getLogger("trueup")

_NAMED = "production/"  # begins the metrics' names: charts of their own, beside those of trainings
MOST = 5000  # checks that are caught up with at once, the newest


def record_production(app: App, stream: StreamSettings) -> None:
    """Write every counted check that MLflow does not show yet; a failure is logged, and made up for by the next cycle.

    The points are metric and estimated metric, and the labels that the metric was measured on.
    """
    from trueup.training.registry.production_runs import MeasuredPoint, record_points, recorded_until

    try:
        until = recorded_until(app.registry, stream)
        found: dict[tuple[datetime, int], dict[str, float]] = defaultdict(dict)
        for code, name in (("PRF-METRIC", stream.metric), ("PRF-EST", f"{stream.metric}_estimated")):
            rows, _ = app.checks.signals(SignalFilter(stream=stream.name, code=code, since=until), MOST)
            for row in rows:
                if row.counted and row.value is not None:
                    figures = found[row.as_of, row.champion]
                    figures[_NAMED + name] = row.value
                    if code == "PRF-METRIC":
                        figures[f"{_NAMED}labels"] = row.n_current
        points = [MeasuredPoint(version, at, figures) for (at, version), figures in sorted(found.items())]
        if [point for point in points if until is None or point.at > until]:
            record_points(app.registry, stream, points, who=app.who, description=_description(app, stream))
    except TrueupError as error:
        log.warning("the checks of %s are not in MLflow yet, the next cycle writes them: %s", stream.name, error)


def _description(app: App, stream: StreamSettings) -> str:
    said = (
        f"{capitalised(metric_name(stream.metric))} of this champion in production: one point for each counted check, "
        f"at the time that the check was made for. `{_NAMED}{stream.metric}` is measured on labels that count, "
        f"`{_NAMED}{stream.metric}_estimated` was estimated before they came, and `{_NAMED}labels` says how many there "
        "were."
    )
    link = link_for(app.settings.page_links, "stream", stream=stream.name)
    return f"{said}\n\n[{stream.name} over time]({link})" if link else said
