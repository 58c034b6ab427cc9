"""What is wrong with an installation, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from trueup.feedback.sources.pulling import Feed
from trueup.flows.admin.status import why_no_champion
from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.flows.alert.channels.named_channels import KIND_NAMES, without_secret
from trueup.flows.alert.channels.smtp import SmtpServer
from trueup.flows.alert.routing.routes import routes_for
from trueup.flows.app import App
from trueup.flows.channel_settings import ChannelSettings
from trueup.flows.check.champion import champion_of
from trueup.flows.check.predictions import predictor_of
from trueup.flows.sources.opening import feeds_of
from trueup.monitoring.severity import Severity
from trueup.reports.masking import masks_at
from trueup.storage.erasure.erasure_log import ErasureLog
from trueup.storage.erasure.tombstones import Tombstones
from trueup.storage.errors import NoChampion, TrueupError
from trueup.storage.formatting import counted_noun
from trueup.storage.secrets import without_secrets
from trueup.storage.site_journal import journal_file, last_failure
from trueup.storage.site_place import SitePlace
from trueup.storage.stream import StreamSettings

_PROBE = "trueup-probe.json"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str
    mend: str = ""


def examine(app: App) -> list[Finding]:
    """Check everything that a cycle needs, each by itself, so that one fault hides no other."""
    if not app.settings.streams:
        return [_settings(app)]
    looks: list[tuple[str, Callable[[], Finding]]] = [
        ("settings", lambda: _settings(app)),
        ("home", lambda: _home(app)),
        ("store", lambda: _store(app)),
        ("archive", lambda: _archive(app)),
        ("tracking", lambda: _tracking(app)),
        ("mail", lambda: _mail(app)),
        ("sender", lambda: _sender(app)),
        ("alerts", lambda: _alerts(app)),
    ]
    if app.settings.site.to:
        looks.append(("site", lambda: _site(app)))
    for name, channel in app.settings.alerts.channels.items():
        looks.append((f"channel {name}", partial(_channel, name, channel)))
    for stream in app.settings.streams.values():
        looks.append((f"stream {stream.name}", lambda stream=stream: _recipients(app, stream)))  # type: ignore[misc]
        looks += [(_source_name(stream, feed), partial(_source, app, stream, feed)) for feed in feeds_of(stream)]
        looks.append((f"erased {stream.name}", lambda stream=stream: _erased(app, stream)))  # type: ignore[misc]
        looks.append((f"lateness {stream.name}", lambda stream=stream: _lateness(app, stream)))  # type: ignore[misc]
        looks.append((f"champion {stream.name}", lambda stream=stream: _champion(app, stream)))  # type: ignore[misc]
    return [_guarded(name, look) for name, look in looks]


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except TrueupError as error:
        return Finding(name, False, str(error))
    except OSError as error:
        return Finding(name, False, f"{type(error).__name__}: "
        f"{error}", "fix what the system reports, then run doctor again")


def _settings(app: App) -> Finding:
    if not app.settings.streams:
        return Finding("settings", False, "no stream is configured", "trueup init --from FILE --stream NAME")
    return Finding("settings", True, f"{app.config or 'variables'}: {len(app.settings.streams)} streams")


def _home(app: App) -> Finding:
    probe = app.home / ".doctor"
    probe.write_bytes(b"")
    probe.unlink()
    return Finding("home", True, f"{app.home} can be written")


def _store(app: App) -> Finding:
    where = app.database.engine.url.render_as_string(hide_password=True)
    return Finding("store", True, f"{where}, schema up to date")


def _archive(app: App) -> Finding:
    name = app.archive.write("doctor/probe", b"trueup")
    same = app.archive.read(name) == b"trueup"
    said = "can be written and read" if same else "returns other data than was written"
    return Finding("archive", same, f"{without_secrets(app.settings.store.archive) or app.home / 'archive'} {said}")


def _site(app: App) -> Finding:
    place = SitePlace(app.settings.site.to)
    place.write({_PROBE: b"{}"})
    place.remove(_PROBE)
    failed = last_failure(journal_file(app.home, app.settled, app.settings.site.to))
    if failed:
        return Finding("site", False, f"the last build failed: {failed.why}", "fix that, then run trueup site build")
    hidden = "masked" if masks_at(app.settings.site.mask, app.settings.site.to) else "not masked"
    return Finding("site", True, f"{place.where()} can be written; personal data is {hidden} there")


def _tracking(app: App) -> Finding:
    uri = app.settings.tracking.uri
    app.registry.need_server()
    models = "" if uri.startswith("http") else f", models in {app.home / 'mlflow'}"
    return Finding("tracking", True, f"MLflow keeps runs in {without_secrets(uri) or app.home / 'mlflow.db'}{models}")


def _mail(app: App) -> Finding:
    smtp = app.settings.smtp
    if not smtp.uses_server:
        return Finding("mail", True, f"no server is set: mails are kept in {app.home / 'mail'}")
    if smtp.block:
        return Finding("mail", True, f"Prefect block '{smtp.block}' is used; `trueup alerts test` tries it")
    try:
        SmtpServer(smtp).greet()
    except DeliveryFailed as failure:
        return Finding("mail", False, failure.why, "fix that under [smtp], then run doctor again")
    taken = " and the login" if smtp.username else ""
    return Finding("mail", True, f"{smtp.host} takes connections{taken}; `trueup alerts test` sends a mail")


def _sender(app: App) -> Finding:
    smtp = app.settings.smtp
    try:
        host, username = SmtpServer(smtp).login()
    except DeliveryFailed as failure:
        return Finding("sender", False, failure.why, "fix that under [smtp], then run doctor again")
    doubt = smtp.doubt_of_sender(host, username)
    if doubt:
        return Finding("sender", False, doubt, "set `from` under [smtp] to an address that the server lets you use")
    return Finding("sender", True, f"mails come from {smtp.from_}")


def _alerts(app: App) -> Finding:
    dead = app.outbox.dead()
    if not dead:
        return Finding("alerts", True, f"{len(app.outbox.pending())} wait to be sent, none is dead")
    newest = max(dead, key=lambda alert: alert.created_at)
    said = f"{len(dead)} are dead, and are not tried again; the newest ({newest.id}): {newest.error}"
    return Finding("alerts", False, said, "fix that, then run `trueup alerts deliver`, which tries dead ones again")


def _channel(name: str, channel: ChannelSettings) -> Finding:
    """What is there, without its address: whoever has that can write there."""
    if missing := without_secret(name, channel):
        return Finding("channel "
        f"{name}", False, f"{KIND_NAMES[channel.kind]}: {missing}", "set it, then run doctor again")
    where = f"Prefect block '{channel.block}' is used" if channel.block else "its secret is set"
    return Finding(f"channel {name}", True, f"{KIND_NAMES[channel.kind]}: {where}; `trueup alerts test` tries it")


def _recipients(app: App, stream: StreamSettings) -> Finding:
    name = f"stream {stream.name}"
    if not routes_for(app.settings, stream.name, Severity.HIGH):
        said = "no recipients: incidents are kept, and no mail is sent"
        return Finding(name, False, said, f"set `to` under [streams.{stream.name}.alerts], or write [[alerts.rules]]")
    return Finding(name, True, f"{app.counts.records(stream)} records")


def _source_name(stream: StreamSettings, feed: Feed) -> str:
    return f"source {stream.name}" if feed is Feed.RECORDS else f"source {stream.name} feedback"


def _source(app: App, stream: StreamSettings, feed: Feed) -> Finding:
    from trueup.flows.admin.source_state import state_of_source  # reads files, and so brings pandas

    return Finding(_source_name(stream, feed), *state_of_source(app, stream, feed))


def _erased(app: App, stream: StreamSettings) -> Finding:
    name, erasures = f"erased {stream.name}", ErasureLog(app.database)
    begun = erasures.unfinished(stream.name)
    again = f"trueup cycle --stream {stream.name} goes on with it"
    if begun:
        return Finding(name, False, f"erasure {begun[0].id} is not finished: not yet erased ({begun[0].state})", again)
    if {*Tombstones(app.home).kept(stream.name)} - {*erasures.marks(stream.name)}:
        return Finding(name, False, "the store was restored from before an erasure and may hold those rows", again)
    return Finding(name, True, f"{counted_noun(len(erasures.of(stream.name)), 'erasure')}, all finished")


def _lateness(app: App, stream: StreamSettings) -> Finding:
    from trueup.flows.check.lateness import late_part_of  # reads records, and so brings pandas

    name = f"lateness {stream.name}"
    late = late_part_of(app, stream, app.now())
    if late is None:
        return Finding(name, True, "no part of the source arrives later than a check waits for")
    mend = f"write {late.setting} under [streams.{stream.name}.policy]"
    return Finding(name, False, f"{late.said}, which can be mistaken for drift at the end of a window", mend)


def _champion(app: App, stream: StreamSettings) -> Finding:
    name = f"champion {stream.name}"
    try:
        champion = champion_of(app, stream)
    except NoChampion:
        why = why_no_champion(app, stream)
        if why:
            return Finding(name, False, f"none: {why}", f"when it is fixed: trueup train --stream {stream.name}")
        return Finding(name, True, f"none yet: trueup train --stream {stream.name}")
    if not stream.predicts:
        return Finding(name, True, f"none, since nothing is predicted; v{champion.version} is the reference")
    predictor_of(app, stream, champion)
    if champion.service is None:
        return Finding(name, True, f"v{champion.version} loads")
    said = f"v{champion.version} is the model '{champion.service}' of a service; its answers come with the records"
    if stream.prediction.version:
        return Finding(name, True, said)
    return Finding(name, True, f"{said}, without a version, so neither a release of the service nor a hand-over can "
    "be seen")
