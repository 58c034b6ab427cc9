"""A sign of life goes out only while nobody waits in vain for a mail, and each stream's cycles come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from trueup.flows.admin.status import statuses
from trueup.flows.alert.heartbeat import beat
from trueup.flows.app import App, open_app
from trueup.storage.errors import ConfigError
from trueup.storage.outbox import Notice

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Watcher:
    """A service that counts signs of life, and answers as it is told."""

    def __init__(self, url: str) -> None:
        self.url, self.asked, self.status = url, list[str](), 200


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append(self.path)
            self.send_response(seen.status)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    seen = Watcher(f"http://127.0.0.1:{server.server_port}/ping/secret-key")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield seen
    server.shutdown()
    thread.join()
    server.server_close()


def _app(folder: Path, url: str, now: datetime = NOW, streams: str = "") -> App:
    (folder / "trueup.toml").write_text(f'[alerts]\nheartbeat = "{url}"\n{streams}')
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    return App(app.settings, app.config, app.home, clock=lambda: now)


def _wait_for_server(app: App) -> None:
    waiting = Notice(
        id="a", stream="reviews", kind="incident_opened", severity="high", subject="s", facts=None, text="t",
        created_at=NOW,
    )  # fmt: skip
    with app.database.write() as connection:
        app.outbox.add(connection, waiting, ("oncall@example.org",))


def test_it_is_sent_while_alerts_are_on_their_way(tmp_path: Path, watcher: Watcher) -> None:
    """With an empty outbox, and with an alert that has just been written."""
    app = _app(tmp_path, watcher.url)
    assert beat(app)
    _wait_for_server(app)
    assert beat(app)
    assert watcher.asked == ["/ping/secret-key"] * 2


def test_it_stops_when_an_alert_waits_for_long_or_is_dead(tmp_path: Path, watcher: Watcher) -> None:
    """Then silence is the alarm, until somebody has got the mail."""
    _wait_for_server(_app(tmp_path, watcher.url))
    later = _app(tmp_path, watcher.url, NOW + timedelta(hours=2))
    assert not beat(later)
    (delivery,) = later.outbox.pending()[0].deliveries
    with later.database.write() as connection:
        later.outbox.mark_failed(connection, delivery.id, "550 no such user", None, counted=True, in_doubt=False)
    assert not beat(_app(tmp_path, watcher.url))
    later.outbox.mark_sent([delivery.id], NOW, "s")
    assert beat(later)
    assert len(watcher.asked) == 1


def test_it_stops_when_the_cycles_of_another_stream_do_not_come(tmp_path: Path, watcher: Watcher) -> None:
    """The one that runs sends it only while no stream with a cron line is overdue; without one none ever is."""
    stream = '[streams.{}]\ntime = "at"\ntext = ["content"]\nschedule.cron = "{}"\n'
    app = _app(tmp_path, watcher.url, streams=stream.format("runs", "0 3 * * *") + stream.format("hangs", "0 3 * * *"))
    for name in ("runs", "hangs"):
        _finish_cycle(app, name, NOW)
    assert beat(app)
    late = replace(app, clock=lambda: NOW + timedelta(days=2))
    _finish_cycle(late, "runs", NOW + timedelta(days=2))
    assert not beat(late)
    assert [(f.stream, f.stale) for f in statuses(late)] == [("runs", False), ("hangs", True)]
    _finish_cycle(late, "hangs", NOW + timedelta(days=2))
    assert beat(late)
    app.close()
    by_hand = _app(tmp_path, watcher.url, NOW + timedelta(days=9), stream.format("hangs", ""))
    assert beat(by_hand)


def _finish_cycle(app: App, stream: str, now: datetime) -> None:
    cycle = app.cycles.begin(stream, now, now)
    with app.database.write() as connection:
        app.cycles.finish(connection, cycle, {}, now)


def test_a_watcher_that_fails_stops_nothing_and_its_address_is_told_nobody(
    tmp_path: Path, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    """What it answers stands in the log, its secret does not."""
    watcher.status = 500
    assert not beat(_app(tmp_path, watcher.url))
    assert not beat(_app(tmp_path, "http://127.0.0.1:9/ping/secret-key"))
    assert "500" in caplog.text
    assert "secret-key" not in caplog.text


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    """When the settings are read, by every command."""
    with pytest.raises(ConfigError, match="heartbeat is no address"):
        _app(tmp_path, "ping me")
