"""The weekly digest of a recipient, and what waited through their quiet hours: one letter over several streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from trueup.monitoring.check import Signal
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind
from trueup.reports.alerts.letter import Details, Letter, Remedy, Standing
from trueup.reports.alerts.situation import IncidentState
from trueup.reports.signal_words import metric_before
from trueup.storage.formatting import METRIC_NAMES, aligned_figure

_NAMED = 2  # streams or incidents that a line names; the others are counted there, and stand in full below


@dataclass(frozen=True, kw_only=True)
class ChangeOfWeek:
    """A promotion, a rollback, a refusal or a challenger that waits. what: one of CHANGES."""

    at: datetime
    what: str
    from_version: int | None
    to_version: int | None
    who: str = ""


CHANGES = {  # what happened to a version: how it is counted, once and several times
    "promoted": ("promotion", "promotions"),
    "rolled back": ("rollback", "rollbacks"),
    "refused": ("refusal", "refusals"),
    "expired": ("version not decided on in time", "versions not decided on in time"),
    "waits for a person": ("version that waits for a person", "versions that wait for a person"),
}


@dataclass(frozen=True, kw_only=True)
class WeekOfStream:
    """What happened to one stream.

    champion: the version that answers now. metric: its metric as the newest check found it, None where none did.
    ok, breached, unjudged: checks without a breached signal, with one, and with none that could be judged.
    open: incidents that are open now, the gravest first. closed: how many ended in the week. paused: by a person.
    predicts: whether anything is answered at all.
    """

    stream: str
    champion: int | None
    metric: Signal | None
    ok: int
    breached: int
    unjudged: int
    open: tuple[IncidentState, ...]
    closed: int
    changes: tuple[ChangeOfWeek, ...]
    paused: bool = False
    predicts: bool = True

    @property
    def checks(self) -> int:
        return self.ok + self.breached + self.unjudged


@dataclass(frozen=True, kw_only=True)
class Week:
    """What happened to all streams that one recipient is told of; times are shown on the clock of `timezone`."""

    since: datetime
    until: datetime
    timezone: str
    streams: tuple[WeekOfStream, ...]
    home: str = ""
    host: str = ""

    @property
    def open(self) -> tuple[IncidentState, ...]:
        """Open incidents of all streams: the gravest first, then those that nobody has, then the oldest."""
        found = (i for stream in self.streams for i in stream.open)
        return tuple(sorted(found, key=lambda i: (i.severity is Severity.LOW, bool(i.acknowledged_by), i.opened_at)))

    @property
    def idle(self) -> tuple[str, ...]:
        """The streams that were not checked although nobody paused them."""
        return tuple(s.stream for s in self.streams if not s.checks and not s.paused)


def digest_letter(week: Week) -> Letter:
    """The week in four lines and three tables, also when nothing happened."""
    return Letter(
        stream=week.streams[0].stream if len(week.streams) == 1 else "",
        kind=str(AlertKind.DIGEST),
        severity=Severity.LOW,
        standing=Standing.NONE,
        stem=_stem(week),
        tag="",
        wrong=_wrong(week),
        affected=_health(week),
        done=_done(week),
        todo=_todo(week),
        action=_first_step(week),
        sections=tuple(part for part in (_open_table(week), _changes_table(week), _streams_table(week)) if part.rows),
        foot=(
            ("from", _shown(week.since, week.timezone)),
            ("to", _shown(week.until, week.timezone)),
            *((("host", week.host),) if week.host else ()),
            *((("deployment", week.home),) if week.home else ()),
        ),
        incidents=(),
    )


def letter_after_quiet_hours(letters: Sequence[Letter]) -> Letter:
    """All that waited for one recipient as one message: what is still open first, each with its four lines.

    A single letter stays as it is.
    """
    if len(letters) == 1:
        return letters[0]
    ordered = sorted(letters, key=lambda x: (x.standing is not Standing.OPEN, x.severity is Severity.LOW))
    first, still = ordered[0], [x for x in ordered if x.standing is Standing.OPEN]
    state = f"{len(still)} still open" if still else "nothing is open any more"
    return Letter(
        stream=first.stream if len({x.stream for x in letters}) == 1 else "",
        kind=str(AlertKind.DIGEST),
        severity=min(x.severity for x in letters),
        standing=first.standing,
        stem=f"{len(letters)} messages after quiet hours: {state}",
        tag=first.tag,
        wrong=_several([f"{x.stem}: {x.wrong}" for x in (still or ordered)]),
        affected=_several([x.affected for x in (still or ordered)]),
        done=_several([x.done for x in ordered]),
        todo=_several([x.todo for x in ordered if not x.todo.startswith("Nothing")] or ["Nothing."]),
        action=first.action,
        link=first.link,
        causes=first.causes,
        picture=first.picture,
        sections=tuple(_four_lines(x) for x in ordered),
        foot=first.foot,
        incidents=tuple(dict.fromkeys(i for x in ordered for i in x.incidents)),
        over=tuple(dict.fromkeys(i for x in ordered for i in x.over)),
    )


def _four_lines(letter: Letter) -> Details:
    named = ("what is wrong", "who is hurt", "what trueup did", "what you need to do")
    rows = [*zip(named, letter.lines, strict=True)]
    return Details(letter.subject, ("", ""), (*rows, *((("command", letter.action.command),) if letter.action else ())))


def _stem(week: Week) -> str:
    day = week.until.astimezone(ZoneInfo(week.timezone))
    count = len(week.open)
    if not count and week.idle:
        return f"week to {day.day} {day:%B}: {_counted(len(week.idle), 'stream')} not checked"
    state = f"{_counted(count, 'open incident')}" if count else "no open incident"
    return f"week to {day.day} {day:%B}: {state}"


def _wrong(week: Week) -> str:
    said = []
    if week.open:
        named = [f"{i.stem} ({i.severity})" for i in week.open]
        said.append(f"{_counted(len(named), 'open incident')}: {_listed(named, mark='; ')}.")
    if week.idle:
        said.append(f"Not checked: {_listed(week.idle)}.")
    if said:
        return " ".join(said)
    checks, ok = sum(s.checks for s in week.streams), sum(s.ok for s in week.streams)
    if any(s.changes or s.closed or s.breached for s in week.streams):
        return f"No incident is open; {_checks(week)}."
    if checks and not ok:
        return f"Not known: none of {_counted(checks, 'check')} could be judged."
    return f"Nothing happened: {_checks(week)}."


def _checks(week: Week) -> str:
    """168 checks, all ok; 168 checks: 160 ok, 6 breached, 2 not judged."""
    total = sum(s.checks for s in week.streams)
    ok, breached, unjudged = (sum(getattr(s, kind) for s in week.streams) for kind in ("ok", "breached", "unjudged"))
    if not total:
        return "no checks, as all is paused" if all(s.paused for s in week.streams) else "no checks"
    if ok == total:
        return f"{_counted(total, 'check')}, all ok" if total > 1 else "1 check, ok"
    parts = ((ok, "ok"), (breached, "breached"), (unjudged, "not judged"))
    return f"{_counted(total, 'check')}: {', '.join(f'{count:,} {name}' for count, name in parts if count)}"


def _health(week: Week) -> str:
    """How each stream's quality stands: those with something open first."""
    ordered = sorted(week.streams, key=lambda s: (not s.open, s.checks > 0))
    return _listed([f"{s.stream}: {_quality(s)}" for s in ordered], mark="; ") + "."


def _quality(of: WeekOfStream) -> str:
    answering = f", v{of.champion} answers" if of.champion is not None else ""
    if of.paused:
        return f"paused{answering}"
    if not of.predicts:
        return f"{_counted(len(of.open), 'open incident')}" if of.open else "the data is as before"
    if of.champion is None:
        return "no version answers"
    if of.metric is None or of.metric.value is None:
        return f"quality not known, too few labels{answering}"
    before = metric_before(of.metric)
    name = METRIC_NAMES.get(of.metric.name, of.metric.name)
    compared = f" (reference {aligned_figure(before)})" if before is not None else ""
    return f"{name} {aligned_figure(of.metric.value)}{compared}{answering}"


def _done(week: Week) -> str:
    closed = sum(s.closed for s in week.streams)
    changes = [c for s in week.streams for c in s.changes]
    counts = [(sum(c.what == what for c in changes), *words) for what, words in CHANGES.items()]
    said = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    said += [f"{_counted(closed, 'incident')} closed"] if closed else []
    checks = _checks(week)
    return f"{', '.join(said)}; {checks}." if said else f"{checks[0].upper()}{checks[1:]}; no version changed."


def _todo(week: Week) -> str:
    nobodys = [i for i in week.open if not i.acknowledged_by]
    waiting = [s.stream for s in week.streams if any(c.what == "waits for a person" for c in s.changes)]
    said = []
    if nobodys:
        said.append(f"{_counted(len(nobodys), 'open incident')} nobody has acknowledged: take the first ones below.")
    if waiting:
        said.append(f"Decide on the version that waits: {_listed(waiting)}.")
    if week.idle:
        said.append(f"Find out why nothing was checked: {_listed(week.idle)}.")
    if not said and week.open:
        said.append("Nothing new: somebody has each open incident.")
    return " ".join(said) or "Nothing."


def _first_step(week: Week) -> Remedy | None:
    nobodys = next((i for i in week.open if not i.acknowledged_by), None)
    if nobodys is not None:
        said = "It says that you have the incident, and stops its reminders; nothing else changes."
        return Remedy(f"trueup alerts ack {nobodys.id}", said)
    return Remedy("trueup status", "Nothing: it shows how each stream stands.") if week.idle else None


def _open_table(week: Week) -> Details:
    rows = tuple((i.id, i.stem, f"{i.severity}, since {_shown(i.opened_at, 'UTC')}, {_holder(i)}") for i in week.open)
    return Details("Open incidents", ("id", "incident", "how it stands"), rows)


def _holder(incident: IncidentState) -> str:
    return f"{incident.acknowledged_by} has it" if incident.acknowledged_by else "nobody has it"


def _changes_table(week: Week) -> Details:
    found = sorted(((c.at, s.stream, c) for s in week.streams for c in s.changes), key=lambda x: x[:2])
    rows = tuple(
        (stream, _change(c), ", ".join(part for part in (_shown(at, week.timezone), c.who) if part))
        for at, stream, c in found
    )
    return Details("Versions in this week", ("stream", "what", "when, by whom"), rows)


def _change(change: ChangeOfWeek) -> str:
    new = f"v{change.to_version}" if change.to_version is not None else "no version"
    if change.what in ("promoted", "rolled back") and change.from_version is not None:
        return f"{change.what}: v{change.from_version} → {new}"
    return f"{new} {change.what}" if change.to_version is not None else "nothing could be trained"


def _streams_table(week: Week) -> Details:
    rows = tuple((s.stream, _quality(s), _judged(s)) for s in week.streams)
    return Details("Streams", ("stream", "quality now", "checks"), rows)


def _judged(of: WeekOfStream) -> str:
    others = ((of.breached, "breached"), (of.unjudged, "not judged"))
    return ", ".join((_counted(of.checks, "check"), *(f"{count:,} {name}" for count, name in others if count)))


def _shown(at: datetime, timezone: str) -> str:
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M %Z}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _listed(names: Sequence[str], *, mark: str = ", ") -> str:
    """The first names, and how many more there are."""
    more = len(names) - _NAMED
    shown = names if more <= 1 else names[:_NAMED]
    return mark.join(shown) + (f" and {more} more" if more > 1 else "")


def _several(lines: Iterable[str]) -> str:
    """The first line, and how many more stand below."""
    different = list(dict.fromkeys(lines))
    return different[0] + (f" And {len(different) - 1} more below." if len(different) > 1 else "")
