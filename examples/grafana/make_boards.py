"""Writes the two boards beside this file: one for Grafana's PostgreSQL data source, one for the SQLite plugin.

    python examples/grafana/make_boards.py

Both ask the same queries of the same views; only the form that each data source wants differs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SOURCES = {"postgresql": "grafana-postgresql-datasource", "sqlite": "frser-sqlite-datasource"}
# $__from and $__to are milliseconds since 1970, filled in by Grafana for every data source.
IN_RANGE = "BETWEEN $__from / 1000 AND $__to / 1000"
HERE = f"stream = '$stream' AND as_of_epoch {IN_RANGE}"
RED, ORANGE, BLUE, GREEN = "red", "orange", "blue", "green"

METRIC = f"""
SELECT as_of_epoch AS time, value AS "measured", NULL AS "estimated", threshold AS "bound"
FROM trueup_signals WHERE code = 'PRF-METRIC' AND {HERE}
UNION ALL
SELECT as_of_epoch AS time, NULL AS "measured", value AS "estimated", NULL AS "bound"
FROM trueup_signals WHERE code = 'PRF-EST' AND {HERE}
ORDER BY time"""
DRIFT_SHARE = f"""
SELECT as_of_epoch AS time, AVG(CASE WHEN verdict = 'breached' THEN 1.0 ELSE 0.0 END) AS "drift share"
FROM trueup_signals WHERE SUBSTR(code, 1, 4) = 'DRF-' AND verdict <> 'insufficient' AND {HERE}
GROUP BY as_of_epoch ORDER BY time"""
SIGNALS = f"""
SELECT as_of_epoch AS time, code AS metric, CASE verdict WHEN 'breached' THEN 1 ELSE 0 END AS value
FROM trueup_signals WHERE verdict <> 'insufficient' AND {HERE}
ORDER BY time, metric"""
EFFECT = f"""
SELECT as_of_epoch AS time, code AS metric, effect AS value
FROM trueup_signals WHERE effect IS NOT NULL AND {HERE}
ORDER BY time, metric"""
VOLUME = f"""
SELECT as_of_epoch AS time, value AS "records in the newest whole period"
FROM trueup_signals WHERE code = 'DQ-VOLUME' AND {HERE}
ORDER BY time"""
INCIDENTS = """
SELECT opened_at_epoch AS time, opened_at AS "opened", state AS "state", severity AS "severity", subject AS "subject",
    codes AS "codes", resolved_at AS "resolved", acknowledged_by AS "acknowledged by"
FROM trueup_incidents
WHERE stream = '$stream' AND opened_at_epoch <= $__to / 1000
    AND (resolved_at_epoch IS NULL OR resolved_at_epoch >= $__from / 1000)
ORDER BY time DESC"""
PROMOTIONS = f"""
SELECT as_of_epoch AS time, as_of AS "as of", kind AS "kind", state AS "state", from_version AS "from",
    to_version AS "to", gate_passed AS "gate passed", who AS "who", why AS "why"
FROM trueup_promotions WHERE {HERE}
ORDER BY time DESC"""
PROMOTED = f"""
SELECT as_of_epoch AS time, 'v' || to_version || ' ' || kind AS text
FROM trueup_promotions WHERE state = 'committed' AND {HERE}
ORDER BY time"""
STREAMS = "SELECT DISTINCT stream FROM trueup_checks ORDER BY stream"


def query(kind: str, sql: str, *, series: bool, place: str = "A") -> dict[str, Any]:
    """A query in the form of a data source; series: over time, not as a table."""
    sql = sql.strip()
    if kind == "postgresql":
        return {"refId": place, "rawQuery": True, "rawSql": sql, "format": "time_series" if series else "table"}
    form = "time series" if series else "table"
    return {"refId": place, "queryText": sql, "rawQueryText": sql, "queryType": form, "timeColumns": ["time"]}


def colour(name: str, shade: str) -> dict[str, Any]:
    """One column of a panel keeps its colour."""
    chosen = {"id": "color", "value": {"mode": "fixed", "fixedColor": shade}}
    return {"matcher": {"id": "byName", "options": name}, "properties": [chosen]}


def hidden(name: str) -> dict[str, Any]:
    """One column of a table is not shown."""
    return {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "custom.hidden", "value": True}]}


def panel(kind: str, number: int, title: str, sql: str, **form: Any) -> dict[str, Any]:
    """A panel; form: type, place, unit and overrides where they are not those of a line."""
    drawn = form.get("type", "timeseries")
    x, y, width, height = form["place"]
    defaults: dict[str, Any] = {"unit": form.get("unit", "none")}
    if drawn == "timeseries":
        defaults["custom"] = {"spanNulls": True, "showPoints": "always"}
    return {
        "id": number, "type": drawn, "title": title, "description": form["said"],
        "datasource": {"type": SOURCES[kind], "uid": "${source}"},
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "targets": [query(kind, sql, series=drawn != "table")],
        "fieldConfig": {"defaults": defaults, "overrides": form.get("overrides", [])},
    }  # fmt: skip


def board(kind: str) -> dict[str, Any]:
    """The board for one kind of data source."""
    source = {"type": SOURCES[kind], "uid": "${source}"}
    lines = [colour("measured", BLUE), colour("estimated", GREEN), colour("bound", RED)]
    panels = [
        panel(kind, 1, "Metric", METRIC, place=(0, 0, 16, 9), overrides=lines,
              said="The metric on labelled records, and as estimated without labels. Beyond the bound it is breached."),
        panel(kind, 2, "Drift share", DRIFT_SHARE, place=(16, 0, 8, 9), unit="percentunit",
              overrides=[colour("drift share", ORANGE)], said="The share of judged drift signals that are breached."),
        panel(kind, 3, "Signals", SIGNALS, type="state-timeline", place=(0, 9, 24, 10),
              said="Each signal over time: 1 is breached, 0 ok; not judged is left out."),
        panel(kind, 4, "Effect by signal", EFFECT, place=(0, 19, 16, 9),
              said="The size of each signal's change, 0 for none; for metrics the drop."),
        panel(kind, 5, "Volume", VOLUME, place=(16, 19, 8, 9), said="Records that came in the newest whole period."),
        panel(kind, 6, "Incidents", INCIDENTS, type="table", place=(0, 28, 24, 8), overrides=[hidden("time")],
              said="Open incidents, and those that were open in this time."),
        panel(kind, 7, "Promotions", PROMOTIONS, type="table", place=(0, 36, 24, 8), overrides=[hidden("time")],
              said="Every attempt to change the champion, with what its gate said."),
    ]  # fmt: skip
    mark = {
        "name": "Promotions", "enable": True, "iconColor": BLUE, "datasource": source,
        "target": query(kind, PROMOTED, series=False, place="Anno"),
    }  # fmt: skip
    chosen = [
        {"name": "source", "label": "Data source", "type": "datasource", "query": SOURCES[kind]},
        {"name": "stream", "label": "Stream", "type": "query", "datasource": source, "refresh": 1,
         "query": STREAMS if kind == "postgresql" else query(kind, STREAMS, series=False), "definition": STREAMS},
    ]  # fmt: skip
    return {
        "title": "trueup", "uid": f"trueup-{kind}", "tags": ["trueup"], "schemaVersion": 39, "version": 1,
        "editable": True, "timezone": "utc", "time": {"from": "now-90d", "to": "now"}, "refresh": "5m",
        "graphTooltip": 1, "annotations": {"list": [mark]}, "templating": {"list": chosen}, "panels": panels,
    }  # fmt: skip


def written(kind: str) -> str:
    """The file of a board."""
    return json.dumps(board(kind), indent=2) + "\n"


if __name__ == "__main__":
    for source_kind in SOURCES:
        (FOLDER / f"trueup-{source_kind}.json").write_text(written(source_kind), encoding="utf-8")
