"""The SQL views that other programs read: stable names and columns over tables that may change.

A migration drops none of them. Where one changes a column of a view, PostgreSQL refuses it: drop the view there first.
All are made anew after every migration; a change of theirs needs a migration of its own, which may be empty.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import Connection


def replace_views(connection: Connection) -> None:
    """Make every view as it is defined here; on PostgreSQL the rights that were granted on it stay."""
    command = "CREATE OR REPLACE VIEW" if connection.dialect.name == "postgresql" else "CREATE VIEW"
    for name, query in view_queries(connection.dialect.name).items():
        connection.exec_driver_sql(f"{command} {name} AS {query}")


def drop_views(connection: Connection) -> None:
    """Take the views away where they stand in a migration's way: SQLite renames no table that a view speaks of."""
    if connection.dialect.name == "sqlite":
        for name in view_queries("sqlite"):
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def view_queries(dialect: str) -> Mapping[str, str]:
    """Each view's name and query, for "sqlite" or "postgresql"."""
    in_words = _WORDS[dialect]

    def moment(column: str, name: str) -> str:
        seconds = f"{column} / 1000000"
        return f"{in_words.format(seconds)} AS {name}, {seconds} AS {name}_epoch"

    def flag(condition: str, name: str) -> str:
        return f"CASE WHEN {condition} THEN 1 ELSE 0 END AS {name}"

    def count(what: str) -> str:
        return f"(SELECT COUNT(*) FROM signals s WHERE s.check_id = c.id{what})"

    as_of, counted = moment("c.as_of", "as_of"), flag("c.counted", "counted")
    check = f"c.id AS report_id, c.stream, {as_of}, c.version AS champion, {counted}"
    of_version = "p.stream = v.stream AND p.to_version = v.version"
    newest_of = "ORDER BY p.at DESC, p.id DESC LIMIT 1"
    return {
        "trueup_checks": f"""
            SELECT {check}, {moment("c.made_at", "made_at")}, {moment("c.last_time", "newest_record")},
                c.verdict,
                {count("")} AS signals, {count(" AND s.verdict = 'breached'")} AS breached,
                {count(" AND s.verdict = 'insufficient'")} AS insufficient,
                (SELECT MAX(d.action) FROM decisions d WHERE d.check_id = c.id) AS action, c.cycle_id
            FROM checks c""",
        "trueup_signals": f"""
            SELECT {check}, s.code, s.name, s.verdict, s.value, s.effect, s.interval_low, s.interval_high, s.p_value,
                s.threshold, s.worse, s.direction, s.n_reference, s.n_current, s.said
            FROM checks c JOIN signals s ON s.check_id = c.id""",
        "trueup_incidents": f"""
            SELECT i.id AS incident_id, i.stream, i.stem AS subject, i.severity, i.cause,
                CAST(i.causes AS text) AS causes, CAST(i.codes AS text) AS codes,
                CASE WHEN i.resolved_at IS NOT NULL THEN 'resolved' WHEN i.acknowledged_at IS NOT NULL
                    THEN 'acknowledged' ELSE 'open' END AS state,
                {moment("i.opened_at", "opened_at")}, {moment("i.acknowledged_at", "acknowledged_at")},
                i.acknowledged_by, {moment("i.resolved_at", "resolved_at")}, i.resolved_by, i.resolved_why, i.outcome
            FROM incidents i""",
        "trueup_models": f"""
            SELECT v.stream, v.version, v.run_id, {moment("v.cut_off", "cut_off")},
                {moment("v.trained_as_of", "trained_as_of")},
                (SELECT p.state FROM promotions p WHERE {of_version} {newest_of}) AS state,
                {flag(f'''v.version = (SELECT p.to_version FROM promotions p
                    WHERE p.stream = v.stream AND p.state = 'committed' {newest_of})''', "champion")}
            FROM versions v""",
        "trueup_promotions": f"""
            SELECT p.id AS event_id, p.stream, p.kind, p.state, p.from_version, p.to_version,
                {moment("p.as_of", "as_of")}, {moment("p.at", "at")}, p.who, p.why,
                {_PASSED[dialect]} AS gate_passed, p.labels, p.cycle_id
            FROM promotions p""",
    }  # fmt: skip


# Seconds since 1970 as UTC text that ends in Z.
_WORDS = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%SZ', {}, 'unixepoch')",
    "postgresql": """to_char(to_timestamp({}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')""",
}
# Whether a gate was passed: 1, 0, or null where none was held.
_PASSED = {
    "sqlite": "json_extract(p.gate, '$.passed')",
    "postgresql": "CASE p.gate ->> 'passed' WHEN 'true' THEN 1 WHEN 'false' THEN 0 END",
}
