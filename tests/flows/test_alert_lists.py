"""Incidents and alerts as people look them up: a page of many, filters, and ids by their beginning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

import trueup
from trueup.flows.app import open_app
from trueup.storage.errors import InputError
from trueup.storage.incidents import Incident
from trueup.storage.outbox import Notice

NOW = datetime.now(UTC).replace(microsecond=0)
MANY = 150


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[trueup.Alerts]:
    """An incident a day, the newest first; every third is open, and each was told of in one alert."""
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "trueup.toml").write_text('[streams.r]\ntime = "at"\ntext = ["t"]\n')
    app = open_app(folder / "trueup.toml")
    with app.database.write() as connection:
        for k in range(MANY):
            at = NOW - timedelta(days=k)
            incident = Incident(
                id=f"{k:04x}cafe", stream="r", cause="drift", causes=("drift",),
                codes=("DRF-TEXT" if k % 2 else "DQ-DUP",),
                severity="high" if k % 5 == 0 else "low", stem="r: a change", thread="t", opened_at=at,
                resolved_at=None if k % 3 == 0 else at + timedelta(hours=1),
                acknowledged_at=at if k == 3 else None, acknowledged_by="ann" if k == 3 else None,
            )  # fmt: skip
            app.incidents.open(connection, incident)
            notice = Notice(
                id=f"{k:04x}beef", stream="r", kind="incident_opened", severity=incident.severity, subject="s",
                facts=None, created_at=at, incident_id=incident.id,
            )  # fmt: skip
            app.outbox.add(connection, notice, ["a@example.org", "b@example.org"])
    sent = [d.id for n in app.outbox.pending() for d in n.deliveries if n.id > "0002"]
    app.outbox.mark_sent([*sent, app.outbox.of(["0001beef"])[0].deliveries[0].id], NOW, "s")
    with trueup.open(folder / "trueup.toml") as deployment:
        yield deployment.stream("r").alerts
    app.close()


def test_a_page_of_many_says_of_how_many(alerts: trueup.Alerts) -> None:
    """A hundred where nothing is asked for, newest first."""
    found = alerts.list()
    assert (len(found.incidents), found.incidents.total) == (100, MANY)
    assert (len(found.mails), found.mails.total) == (100, MANY)
    assert [mail.id for mail in found.mails[:2]] == ["0000beef", "0001beef"]
    assert len(alerts.list(limit=None).mails) == MANY


@pytest.mark.parametrize(
    ("asked", "incidents", "mails"),
    [
        ({"state": "open"}, 50, 0),
        ({"state": "acknowledged"}, 1, 0),
        ({"state": "closed"}, 100, 0),
        ({"state": "pending"}, 0, 2),  # also where one of two recipients was reached
        ({"state": "sent"}, 0, MANY - 2),
        ({"state": "dead"}, 0, 0),
        ({"severity": "high"}, 30, 30),
        ({"code": "DRF-TEXT"}, 75, 75),
        ({"since": "36h", "state": "closed"}, 1, 0),
        ({"since": "36h"}, 51, 2),  # what is open is always told of
    ],
)
def test_filters(alerts: trueup.Alerts, asked: dict[str, str], incidents: int, mails: int) -> None:
    """Each narrows what it speaks of; a state of the one leaves the other out."""
    found = alerts.list(**asked)  # type: ignore[arg-type]
    assert (found.incidents.total, found.mails.total) == (incidents, mails)


def test_a_state_that_there_is_not_is_refused(alerts: trueup.Alerts) -> None:
    """With those that there are."""
    with pytest.raises(InputError, match="open, acknowledged, closed, pending"):
        alerts.list(state="opened")


def test_ids_are_typed_by_their_beginning(alerts: trueup.Alerts) -> None:
    """Of an incident or an alert; several are named, a closed one is refused as such, and last is the newest."""
    assert alerts.ack("0006").id == "0006cafe"
    assert alerts.ack("last").id == "0000cafe"
    with pytest.raises(InputError, match="Several ids begin with '000'"):
        alerts.ack("000")
    with pytest.raises(InputError, match="no open incident '0001cafe'"):
        alerts.ack("0001")
    assert alerts.silence("0003", "1d", "known").target == "0003cafe"
    with pytest.raises(InputError, match="no alert 'x'"):
        alerts.show("x")
