"""The source that a stream's settings name, opened."""

from __future__ import annotations

from hashlib import blake2b

from trueup.feedback.sources.counted_days import counted_days
from trueup.feedback.sources.file_place import FilePlace
from trueup.feedback.sources.file_source import FileSource
from trueup.feedback.sources.pulling import Feed, StreamSource
from trueup.flows.app import App
from trueup.flows.sources.own_files import kept_out
from trueup.flows.sources.sql_opening import sql_source_of
from trueup.storage.errors import ConfigError
from trueup.storage.sources.file_manifest import FileManifest
from trueup.storage.sources.source_settings import SourceSettings
from trueup.storage.stream import StreamSettings

_TABLES = {Feed.RECORDS: "source", Feed.FEEDBACK: "feedback_source"}
PULL_COMMANDS = {Feed.RECORDS: "ingest", Feed.FEEDBACK: "feedback"}
_READ_BY = (
    "id", "time", "time_format", "time_locale", "time_zone", "text", "numeric", "categorical", "slices", "group",
    "missing", "format", "label", "prediction", "feedback",
)  # fmt: skip


def source_settings(stream: StreamSettings, feed: Feed) -> SourceSettings:
    """What the settings say of the source; it may name none."""
    return stream.source if feed is Feed.RECORDS else stream.feedback_source


def feeds_of(stream: StreamSettings) -> tuple[Feed, ...]:
    """What of the stream comes in by itself: records first, since feedback speaks of them."""
    return tuple(feed for feed in Feed if source_settings(stream, feed).is_set)


def source_of(app: App, stream: StreamSettings, feed: Feed) -> StreamSource:
    """The source of a stream's records or feedback.

    Raises:
        ConfigError: the settings name none.
    """
    settings = source_settings(stream, feed)
    if not settings.is_set:
        table = f"[streams.{stream.name}.{_TABLES[feed]}]"
        raise ConfigError(
            f"'{stream.name}' has no source of {feed}, so a file must be named: trueup {PULL_COMMANDS[feed]} FILE "
            f"--stream {stream.name}. Or write where they lie as `files` or `sql` under {table}. Nothing was done."
        )
    days = counted_days(app.store, stream, feed, app.now())
    if settings.sql:
        return sql_source_of(app, stream, feed, settings, f"[streams.{stream.name}.{_TABLES[feed]}]", days)
    return FileSource(
        FilePlace(settings.files, app.beside(""), kept_out(app)),
        FileManifest(app.database, stream.name, feed),
        settle=settings.settle_span,
        reading=_reading(stream),
        days=days,
    )


def _reading(stream: StreamSettings) -> str:
    """Hash of the settings that files are read by."""
    said = stream.model_dump_json(include=set(_READ_BY))
    return blake2b(said.encode("utf-8"), digest_size=8).hexdigest()
