"""Alerts of a store from before notices had deliveries: sent ones stay listed, waiting ones still go out."""

from __future__ import annotations

import json
import mailbox
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.former_deployment import unpacked
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.app import open_app
from trueup.storage.database import Database, open_database
from trueup.storage.incidents import IncidentLog
from trueup.storage.outbox import Outbox

TWO = ("a@example.org", "b@example.org")
SETTINGS = f"""
[streams.reviews]
id = "id"
time = "at"
text = ["text"]
label = {{ column = "y" }}
alerts = {{ to = {list(TWO)} }}
"""
MIGRATIONS = Path(__file__).parents[2] / "storage" / "migrations"


def former_store(home: Path) -> None:
    """A store as it was at 0012, with an open incident, and a mail of each state to two people."""
    engine = sa.create_engine(f"sqlite:///{home / 'trueup.db'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    command.upgrade(config, "0012")
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.tables["incidents"]), {
            "id": "i", "stream": "reviews", "cause": "metric", "codes": json.dumps(["PRF-METRIC"]), "opened_at": 1,
            "refusal_told": False,
        })  # fmt: skip
        for number, state in enumerate(("sent", "pending", "dead")):
            connection.execute(sa.insert(tables.tables["alerts"]), {
                "id": state, "stream": "reviews", "incident_id": "i", "kind": "incident_opened", "subject": state,
                "text": f"It fell ({state}).", "html": "<p>", "recipients": json.dumps(list(TWO)),
                "message_id": f"<alert.{state}@trueup>", "in_reply_to": "", "created_at": number, "state": state,
                "attempts": number,
            })  # fmt: skip
    engine.dispose()


def test_each_mail_becomes_a_notice_with_a_delivery_for_each_recipient(tmp_path: Path) -> None:
    """With its text, state, tries and id; an incident gets its cause, severity, subject and thread."""
    former_store(tmp_path)
    database: Database = open_database("", tmp_path)
    notices = {notice.id: notice for notice in Outbox(database).newest()}
    assert {name: notice.state for name, notice in notices.items()} == {name: name for name in notices}
    waits = notices["pending"]
    assert (waits.facts, waits.text, waits.to) == (None, "It fell (pending).", TWO)
    assert {d.message_id for d in waits.deliveries} == {"alert.pending@trueup"}
    assert waits.attempts == 1
    (incident,) = IncidentLog(database).open_ones()
    assert (incident.causes, incident.over, incident.severity) == (("metric",), (), "high")
    assert (incident.stem, incident.thread) == ("reviews: metric", "incident.i@trueup")
    database.close()


def test_what_waited_goes_out_with_its_words_under_its_id(tmp_path: Path) -> None:
    """Into the Maildir of a deployment that was moved to this version, in the incident's thread."""
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    (tmp_path / ".trueup").mkdir()
    former_store(tmp_path / ".trueup")
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    deliver_now(app, all_pending=True)
    mails = list(mailbox.Maildir(tmp_path / ".trueup" / "mail"))
    assert sorted((str(m["Message-ID"]), str(m["To"])) for m in mails) == sorted(
        (f"<alert.{state}@trueup>", to) for state in ("pending", "dead") for to in TWO
    )
    assert all("<incident.i@trueup>" in str(mail["References"]) for mail in mails)
    assert all(f"It fell ({m['Message-ID'].split('.')[1].split('@')[0]})" in m.as_string() for m in mails)
    assert {notice.state for notice in app.outbox.newest()} == {"sent"}
    app.close()


def test_a_former_deployment_lists_what_it_sent(tmp_path: Path) -> None:
    """A home that an early version wrote."""
    folder = unpacked(tmp_path)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    assert {notice.state for notice in app.outbox.newest()} == {"sent"}
    assert all(notice.text for notice in app.outbox.newest())
    app.close()
