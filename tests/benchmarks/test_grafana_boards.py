"""The Grafana boards of the examples: every query runs on a real store, and finds the columns that its panel names."""

from __future__ import annotations

import json
import runpy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.storage.test_sql_views import DRIFT, METRIC, NOON, UNJUDGED, add_check
from trueup.monitoring.check import Signal, Verdict
from trueup.storage import alert_tables
from trueup.storage import tables as t
from trueup.storage.database import Database

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "grafana"
MADE = runpy.run_path(str(FOLDER / "make_boards.py"))
KINDS = {"sqlite": "rawQueryText", "postgresql": "rawSql"}
FIRST, LAST = NOON - timedelta(days=1), NOON + timedelta(days=5)


@pytest.fixture
def filled(database: Database) -> Database:
    """Checks of three days, an incident and a promotion."""
    estimate = Signal(code="PRF-EST", name="estimated f1_macro", verdict=Verdict.OK, said="", value=0.88, effect=0.0)
    volume = Signal(code="DQ-VOLUME", name="records", verdict=Verdict.OK, said="", value=70.0, effect=0.1)
    for day in range(3):
        add_check(database, f"r{day}", NOON + timedelta(days=day), DRIFT, METRIC, UNJUDGED, estimate, volume)
    with database.write() as connection:
        connection.execute(sa.insert(alert_tables.incidents), {
            "id": "i", "stream": "made", "cause": "drift", "causes": ["drift"], "codes": ["DRF-TEXT"], "over": [],
            "severity": "low", "stem": "made", "thread": "i@trueup", "opened_at": NOON, "refusal_told": False,
        })  # fmt: skip
        connection.execute(sa.insert(t.promotions), {
            "id": "p", "stream": "made", "kind": "challenger", "state": "committed", "from_version": 2, "to_version": 3,
            "as_of": NOON, "at": NOON, "who": "ann", "why": "", "codes": [], "labels": 5, "gate": {"passed": True},
        })  # fmt: skip
    return database


def run(database: Database, sql: str) -> list[dict[str, Any]]:
    """A query as Grafana sends it, its variables filled in."""
    for name, value in (("$stream", "made"), ("$__from", _ms(FIRST)), ("$__to", _ms(LAST))):
        sql = sql.replace(name, value)
    assert "$" not in sql
    with database.read() as connection:
        return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]


def _ms(moment: datetime) -> str:
    return str(int(moment.astimezone(UTC).timestamp() * 1000))


def test_every_query_of_the_board_finds_what_its_panel_names(filled: Database) -> None:
    """Each panel has rows in the order of time, with a whole number of seconds, and the columns that it names."""
    kind = filled.engine.dialect.name
    board = json.loads((FOLDER / f"trueup-{kind}.json").read_text(encoding="utf-8"))
    titles = {panel["title"] for panel in board["panels"]}
    assert {"Metric", "Drift share", "Signals", "Volume", "Incidents", "Promotions"} <= titles
    targets = [(panel["targets"][0], panel) for panel in board["panels"]]
    targets += [(one["target"], {}) for one in board["annotations"]["list"]]
    for target, panel in targets:
        rows = run(filled, target[KINDS[kind]])
        assert rows, panel
        times = [row["time"] for row in rows]
        assert times == sorted(times, reverse="DESC" in target[KINDS[kind]]), panel["title"]
        assert all(isinstance(at, int) for at in times)
        named = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]} if panel else {"text"}
        assert named <= set(rows[0])
    (stream,) = [one for one in board["templating"]["list"] if one["name"] == "stream"]
    assert run(filled, stream["definition"]) == [{"stream": "made"}]


def test_the_metric_is_measured_estimated_and_bounded(filled: Database) -> None:
    """The first panel draws the metric, its estimate and the bound, each where it is known."""
    rows = run(filled, MADE["METRIC"])
    assert {name: sorted({r[name] for r in rows} - {None}) for name in ("measured", "estimated", "bound")} == {
        "measured": [0.9], "estimated": [0.88], "bound": [0.87],
    }  # fmt: skip
    assert {row["drift share"] for row in run(filled, MADE["DRIFT_SHARE"])} == {1}


@pytest.mark.parametrize("kind", KINDS)
def test_the_boards_are_what_makes_them(kind: str) -> None:
    """The files are those that make_boards.py writes, so that a change reaches both."""
    assert (FOLDER / f"trueup-{kind}.json").read_text(encoding="utf-8") == MADE["written"](kind)
