"""The SQL views that other programs read: on both databases, as docs/reports.md has them, through every migration."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.former_deployment import unpacked
from trueup.monitoring.check import Check, Signal, Verdict, Worse
from trueup.storage import alert_tables
from trueup.storage import tables as t
from trueup.storage.check_lists import CheckFilter, CheckLists, SignalFilter
from trueup.storage.cycles import CycleLog
from trueup.storage.database import Database, open_database
from trueup.storage.signal_rows import verdict_of_signals
from trueup.storage.sql_views import view_queries

DOCS = Path(__file__).parents[2] / "docs" / "reports.md"
NOON = datetime(2024, 5, 1, 12, 0, 0, 999_999, tzinfo=UTC)
EPOCH = 1_714_564_800
DRIFT = Signal(
    code="DRF-IN-price", name="distribution of price", verdict=Verdict.BREACHED, said="Prices rose.", value=0.4,
    threshold=0.001, p_value=1e-9, effect=0.3, interval=(0.1, 0.5), n_reference=5000, n_current=500, direction="up",
)  # fmt: skip
METRIC = Signal(
    code="PRF-METRIC", name="f1_macro", verdict=Verdict.OK, said="As before.", value=0.9, threshold=0.87, effect=-0.01,
    worse=Worse.LOWER, n_reference=900, n_current=300,
)  # fmt: skip
UNJUDGED = Signal(code="DQ-LABELS", name="labels", verdict=Verdict.INSUFFICIENT, said="Too few labels.")


def add_check(database: Database, report_id: str, as_of: datetime, *signals: Signal, stream: str = "made") -> None:
    """A counted check of version 3, kept as a cycle keeps it."""
    CycleLog(database).keep_check(
        stream=stream, cycle_id=None, as_of=as_of, version=3, last=(7, as_of - timedelta(hours=1)), now=as_of,
        document=Check(report_id=report_id, counted=True, signals=signals).as_json(),
    )  # fmt: skip


def read(database: Database, query: str) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def columns_in_docs() -> dict[str, list[str]]:
    """The columns of each view as docs/reports.md lists them."""
    parts = re.split(r"^### `(trueup_\w+)`$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        name: [
            column
            for cell in re.findall(r"^\| (`.+?`) \|", text.split("\n## ")[0], flags=re.MULTILINE)
            for column in re.findall(r"`(\w+)`", cell)
        ]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_docs_have_every_column_of_every_view(database: Database) -> None:
    """docs/reports.md names the columns that each view has, in their order, on both databases."""
    with database.read() as connection:
        views = view_queries("sqlite")
        found = {view: list(connection.execute(sa.text(f"SELECT * FROM {view}")).keys()) for view in views}
    assert columns_in_docs() == found


def test_a_signal_is_a_row_with_its_check(database: Database) -> None:
    """Every figure of a signal stands beside the time of its check, in epoch seconds and as text of the same second."""
    add_check(database, "r1", NOON, DRIFT, METRIC)
    drift, metric = read(database, "SELECT * FROM trueup_signals ORDER BY code")
    assert drift == {
        "report_id": "r1", "stream": "made", "as_of": "2024-05-01T12:00:00Z", "as_of_epoch": EPOCH, "champion": 3,
        "counted": 1, "code": "DRF-IN-price", "name": "distribution of price", "verdict": "breached", "value": 0.4,
        "effect": 0.3, "interval_low": 0.1, "interval_high": 0.5, "p_value": 1e-9, "threshold": 0.001, "worse": None,
        "direction": "up", "n_reference": 5000, "n_current": 500, "said": "Prices rose.",
    }  # fmt: skip
    assert (metric["interval_low"], metric["worse"], metric["threshold"]) == (None, "lower", 0.87)


def test_a_check_is_a_row_with_its_counts(database: Database) -> None:
    """A check's verdict is breached where a signal is, ok where one was judged, and insufficient else."""
    add_check(database, "r1", NOON, DRIFT, METRIC, UNJUDGED)
    add_check(database, "r2", NOON + timedelta(days=1), METRIC)
    add_check(database, "r3", NOON + timedelta(days=2), UNJUDGED)
    found = read(database, "SELECT * FROM trueup_checks ORDER BY as_of_epoch")
    assert [row["verdict"] for row in found] == ["breached", "ok", "insufficient"]
    counts = [(row["signals"], row["breached"], row["insufficient"]) for row in found]
    assert counts == [(3, 1, 1), (1, 0, 0), (1, 0, 1)]
    assert found[0]["newest_record"] == "2024-05-01T11:00:00Z"
    assert found[0]["action"] is None


def test_incidents_models_and_promotions_are_rows(database: Database) -> None:
    """An incident has its state, a version whether it is champion, an attempt whether its gate was passed."""
    with database.write() as connection:
        connection.execute(sa.insert(alert_tables.incidents), {
            "id": "i1", "stream": "made", "cause": "drift", "causes": ["drift"], "codes": ["DRF-TEXT"], "over": [],
            "severity": "low", "stem": "made: the texts changed", "thread": "i1@trueup", "opened_at": NOON,
            "refusal_told": False,
        })  # fmt: skip
        for version in (1, 2):
            connection.execute(sa.insert(t.versions), {
                "stream": "made", "version": version, "run_id": f"run{version}", "cut_off": NOON, "trained_as_of": NOON,
                "snapshot": "", "reference": "", "quality": "", "document": {},
            })  # fmt: skip
        attempts = (("committed", {"passed": True}), ("refused", {"passed": False}), ("held", {}))
        for number, (state, gate) in enumerate(attempts):
            connection.execute(sa.insert(t.promotions), {
                "id": f"p{number}", "stream": "made", "kind": "challenger", "state": state, "from_version": None,
                "to_version": 1 if state == "committed" else 2, "as_of": NOON, "at": NOON + timedelta(hours=number),
                "who": "ann", "why": "", "codes": [], "labels": 5, "gate": gate,
            })  # fmt: skip
    (incident,) = read(database, "SELECT * FROM trueup_incidents")
    assert (incident["state"], incident["subject"]) == ("open", "made: the texts changed")
    assert incident["codes"] == '["DRF-TEXT"]'
    assert (incident["opened_at_epoch"], incident["resolved_at"], incident["resolved_at_epoch"]) == (EPOCH, None, None)
    models = read(database, "SELECT version, champion, state FROM trueup_models ORDER BY version")
    assert [tuple(row.values()) for row in models] == [(1, 1, "committed"), (2, 0, "held")]
    passed = read(database, "SELECT gate_passed FROM trueup_promotions ORDER BY at_epoch")
    assert [row["gate_passed"] for row in passed] == [1, 0, None]


def test_a_store_of_an_older_trueup_gets_views_and_figures(tmp_path: Path) -> None:
    """Migrating fills the new columns from the documents of the checks, with incidents and alerts in the store."""
    home = unpacked(tmp_path) / ".trueup"
    database = open_database("", home)
    metric = read(database, "SELECT * FROM trueup_signals WHERE code = 'PRF-METRIC' AND verdict <> 'insufficient'")
    assert metric
    for row in metric:
        assert row["n_current"] > 0
        assert row["name"]
        assert row["interval_low"] is None or row["interval_low"] < row["interval_high"]
    assert read(database, "SELECT * FROM trueup_incidents")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    database.close()


def test_rights_on_a_view_stay_when_it_is_made_anew(postgres_store: str, tmp_path: Path) -> None:
    """A later migration does not take from a reader what was granted on a view."""
    from trueup.storage.sql_views import replace_views

    database = open_database(postgres_store, tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("GRANT SELECT ON trueup_checks TO PUBLIC")
        replace_views(connection)
        granted = connection.exec_driver_sql(
            "SELECT COUNT(*) FROM information_schema.role_table_grants "
            "WHERE table_name = 'trueup_checks' AND grantee = 'PUBLIC'"
        ).scalar()
    database.close()
    assert granted == 1


def test_lists_say_what_the_views_say(database: Database) -> None:
    """A list of checks and of signals, read without documents, holds what was stored; filters leave the rest out."""
    add_check(database, "r1", NOON, DRIFT, METRIC)
    add_check(database, "r2", NOON + timedelta(days=1), METRIC)
    add_check(database, "r3", NOON, METRIC, stream="other")
    lists = CheckLists(database)
    found, total = lists.page(CheckFilter(stream="made"), 1)
    assert ([one.report_id for one in found], total) == (["r2"], 2)
    (breached,), _ = lists.page(CheckFilter(verdict="breached"), None)
    assert (breached.report_id, breached.breached, breached.verdict) == ("r1", ("DRF-IN-price",), "breached")
    assert [one.report_id for one in lists.page(CheckFilter(verdict="ok"), None)[0]] == ["r2", "r3"]
    assert lists.page(CheckFilter(verdict="insufficient"), None) == ([], 0)
    rows, total = lists.signals(SignalFilter(stream="made"), 2)
    assert ([(row.report_id, row.code) for row in rows], total) == ([("r2", "PRF-METRIC"), ("r1", "DRF-IN-price")], 3)
    rows, _ = lists.signals(SignalFilter(stream="made", code="PRF-METRIC", since=NOON + timedelta(hours=1)), None)
    assert [(row.report_id, row.value, row.as_of) for row in rows] == [("r2", 0.9, NOON + timedelta(days=1))]


def test_checks_of_an_older_store_are_given_their_verdicts(tmp_path: Path) -> None:
    """A migrated check is breached where a signal of it is, ok where one was judged, and else neither."""
    home = unpacked(tmp_path) / ".trueup"
    with closing(sqlite3.connect(home / "trueup.db")) as connection:  # its one check breached; one that did not
        (columns,) = connection.execute("SELECT GROUP_CONCAT(name) FROM PRAGMA_TABLE_INFO('checks') WHERE name != 'id'")
        connection.execute(f"INSERT INTO checks (id, {columns[0]}) SELECT 'quiet', {columns[0]} FROM checks")
        connection.execute("INSERT INTO signals (check_id, code, verdict, said) VALUES ('quiet', 'DQ-DUP', 'ok', '')")
        connection.commit()
    database = open_database("", home)
    of_signals = read(database, "SELECT s.report_id, s.verdict FROM trueup_signals s ORDER BY s.report_id")
    verdicts: dict[str, set[str]] = {}
    for row in of_signals:
        verdicts.setdefault(row["report_id"], set()).add(row["verdict"])
    kept = {row["report_id"]: row["verdict"] for row in read(database, "SELECT report_id, verdict FROM trueup_checks")}
    database.close()
    assert {kept[one] for one in verdicts} >= {"ok", "breached"}
    assert all(kept[one] == verdict_of_signals(found) for one, found in verdicts.items())


@pytest.mark.parametrize("document", ["{", "{}", '{"signals": [{"code": "DRF-TEXT"}]}'])
def test_a_damaged_check_does_not_keep_a_store_from_migrating(tmp_path: Path, document: str) -> None:
    """What a check's document lacks is left empty in its signals."""
    home = unpacked(tmp_path) / ".trueup"
    with closing(sqlite3.connect(home / "trueup.db")) as connection:
        connection.execute("UPDATE checks SET document = ? WHERE id = (SELECT MIN(id) FROM checks)", (document,))
        connection.commit()
    database = open_database("", home)
    assert read(database, "SELECT COUNT(*) AS n FROM trueup_signals")[0]["n"] > 0
    database.close()
