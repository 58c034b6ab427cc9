"""The first line of a letter: what is wrong, the figure that changed first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Signal
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.moved_words import moved_phrases
from trueup.reports.alerts.plain_figures import day_of, error, lasted, metric_in_words, share_pair
from trueup.reports.alerts.situation import IncidentState, Situation
from trueup.reports.signal_words import metric_before
from trueup.storage.formatting import METRIC_NAMES

SELECTIVE = "labels are selective"  # how GATE-FEED begins where one predicted class is labelled more or less often
# The gravest condition leads: what keeps trueup from its work, then what hurts users, then the rest.
BY_GRAVITY = (
    Cause.CYCLE, Cause.CHAMPION, Cause.NO_CHAMPION, Cause.SOURCE, Cause.TRAINER, Cause.METRIC, Cause.LABEL_FEED,
    Cause.ROLLBACK, Cause.FEED, Cause.DATA, Cause.DRIFT,
)  # fmt: skip


def gravity_of(causes: Iterable[str]) -> int:
    """The rank of an incident by its gravest cause; the smallest leads."""
    return min((BY_GRAVITY.index(Cause(cause)) for cause in causes), default=len(BY_GRAVITY))


def leading_cause(situation: Situation) -> Cause | None:
    """The gravest cause of the open incidents; None where none is open."""
    return next((cause for cause in BY_GRAVITY if cause in situation.causes), None)


def wrong_line(situation: Situation) -> str:
    """What is wrong, or what was."""
    cause = leading_cause(situation)
    if cause is not None:
        others = [i.stem.removeprefix(f"{situation.stream}: ") for i in situation.open[1:]]
        return _OPEN[cause](situation) + (f" Also open: {'; '.join(others)}." if others else "")
    if situation.incidents:
        return _closed(situation)
    return _news(situation)


def quality_fell(situation: Situation) -> str:
    """How much worse the answers are, in what a person can picture, else by the metric."""
    answers = situation.latest.answers if situation.latest else None
    found = situation.signals()
    now, before = (answers.now, answers.before) if answers else (None, None)
    if METRIC in found and now is not None and before is not None and now > before:
        if situation.is_regression:
            return f"Predictions are off by {error(now)} on average, was {error(before)}."
        told = share_pair(now, before)
        return f"{told[0]} answers wrong, was {told[1]}."
    if METRIC in found:
        return f"{_metric_fell(found[METRIC])}."
    estimated = next((s for code, s in found.items() if code == "PRF-EST"), None)
    if estimated is not None:
        judged = situation.signals(breached=False).get(METRIC)
        seen = _seen_by_labels(judged) if judged and judged.verdict == "ok" else "The labels are not here yet"
        more = "larger errors" if situation.is_regression else "more wrong answers"
        drifted = moved_phrases([s for code, s in found.items() if kind_of(code).cause is Cause.DRIFT])
        also = f" {_capital(drifted[0])}." if drifted else ""
        fell = _lower(_metric_fell(estimated))
        return f"Probably {more}: {fell}, estimated from the model's own doubt. {seen}.{also}"
    slices = [s for code, s in found.items() if kind_of(code).cause is Cause.METRIC]
    if slices:
        where = ", ".join(f"'{s.code.removeprefix('PRF-SLICE-')}'" for s in slices[:3])
        return f"More wrong answers within {where}, not over all records."
    return "More wrong answers than in the reference; the newest check cannot judge it."


def _seen_by_labels(judged: Signal) -> str:
    """What labels say of a fall that is estimated, where they alone raise no alarm."""
    if judged.effect is None or judged.effect <= 0:
        return "Labels do not show it"
    return f"Labels point the same way ({metric_in_words(judged.value)}), and may do so by chance"


def _metric_fell(signal: Signal) -> str:
    name = METRIC_NAMES.get(signal.name.removeprefix("estimated "), signal.name)
    before = metric_before(signal)
    was = "" if before is None else f", was {metric_in_words(before)}"
    return f"{name[:1].upper()}{name[1:]} {metric_in_words(signal.value)}{was}"


def _drift(situation: Situation) -> str:
    found = [s for s in situation.signals().values() if kind_of(s.code).cause is Cause.DRIFT]
    unit = next((s for s in found if s.unit_change), None)
    if unit is not None:
        return f"'{unit.code.removeprefix('DRF-IN-')}' looks as if its unit changed: {unit.unit_change}."
    if not found:
        return "The data differs from the reference; the newest check finds it as before."
    phrases = moved_phrases(found)
    more = f"; and {len(phrases) - 2} more changes, below" if len(phrases) > 2 else ""
    if came_back(situation):
        return f"The data is again as before its last change: {'; '.join(phrases[:2])}{more}."
    return f"{_capital('; '.join(phrases[:2]))}{more}."


def came_back(situation: Situation) -> bool:
    """Whether all that drifted is as it was before the last change of the data, which the champion knows as well."""
    found = [s for s in situation.signals().values() if kind_of(s.code).cause is Cause.DRIFT]
    return bool(found) and all(s.returned for s in found)


def _data(situation: Situation) -> str:
    columns = [s.code.removeprefix("DQ-MISSING-") for s in situation.signals().values()
               if kind_of(s.code).cause is Cause.DATA]  # fmt: skip
    named = ", ".join(f"'{column}'" for column in columns[:3]) or "a column"
    more = f" and {len(columns) - 3} more columns" if len(columns) > 3 else ""
    return f"{named}{more}: more values missing than in the reference."


def _feed(situation: Situation) -> str:
    found = {code: s for code, s in situation.signals().items() if kind_of(code).cause is Cause.FEED}
    if "DQ-VOLUME" in found and situation.newest_record and situation.latest:
        silent = situation.latest.as_of - situation.newest_record
        if silent.total_seconds() > 0 and not found["DQ-VOLUME"].value:
            return f"No records for {lasted(silent)}."
    said = [_first_sentence(s.said) for s in sorted(found.values(), key=lambda s: kind_of(s.code).gravity)]
    return said[0] if said else "The feed differed from before; the newest check finds it as before."


def _failed(kind: AlertKind, situation: Situation) -> str:
    notice = situation.newest(kind)
    why = notice.why if notice and notice.why else situation.stopped_by
    return _whole_sentence(why) if why else "trueup cannot finish its work on this stream."


def _label_feed(situation: Situation) -> str:
    doubt = next((t.said for n in reversed(situation.notices) for t in n.gate if t.code == "GATE-FEED"), "")
    if doubt.startswith(SELECTIVE):
        return f"Labels are missing: {re.sub(r': [^:]*$', '', doubt.removeprefix(f'{SELECTIVE}: '))}."
    if doubt.startswith("labels of the source"):
        return f"{_capital(_first_sentence(doubt))}"
    return "The newest labels disagree with all earlier ones, so they may be wrong."


def _rolled_back(situation: Situation) -> str:
    notice = situation.newest(AlertKind.ROLLBACK)
    if notice is None:
        return "A version was rolled back, and promotion is not resumed."
    gone = f"v{notice.from_version}" if notice.from_version is not None else "The champion"
    if notice.who:
        return f"{gone} was rolled back by {notice.who}: {notice.why.rstrip('.')}."
    return f"{gone} answered worse than v{notice.to_version} after its promotion."


def _closed(situation: Situation) -> str:
    first, others = situation.incidents[0], situation.incidents[1:]
    notice = situation.newest(AlertKind.INCIDENT_RESOLVED)
    since = [c for c in situation.changes if c.at >= first.opened_at and c.version == situation.champion]
    also = f" Also closed: {'; '.join(i.stem.removeprefix(f'{situation.stream}: ') for i in others)}." if others else ""
    if situation.newest(AlertKind.INCIDENT_OPENED) and (opening := _was(situation)):
        learnt = f"The change stays; v{since[-1].version} has learnt it and answers now" if since else "Already over"
        return f"{opening}. {learnt}.{also}"
    if first.outcome == "harmless":
        return f"{_capital(_past(first))} and still differs from before; that does not harm the answers.{also}"
    if since and (first.outcome == "answered" or not (notice and notice.why)):
        why = f"v{since[-1].version}, promoted on {day_of(since[-1].at)}, has learnt the change and answers now"
    elif notice and notice.why:
        return f"Over: {_lower(notice.why).rstrip('.')}.{also}"
    else:
        why = "the newest check finds it as before"
    return f"Over: {_past(first)}; {why}.{also}"


def _past(incident: IncidentState) -> str:
    """What an incident was about, in a few words, from its gravest code."""
    codes = sorted(incident.codes, key=lambda code: kind_of(code).gravity)
    return kind_of(codes[0]).phrase_of(codes[0]) if codes else "an incident"


def _was(situation: Situation) -> str:
    """What was wrong, of an incident that opened and closed within this message."""
    causes = {Cause(cause) for incident in situation.incidents for cause in incident.causes}
    cause = next((c for c in (Cause.METRIC, Cause.DATA, Cause.DRIFT, Cause.FEED) if c in causes), None)
    return _OPEN[cause](situation).rstrip(".") if cause else ""


def _news(situation: Situation) -> str:
    notice = situation.notices[-1]
    return _NEWS[notice.kind](notice) if notice.kind in _NEWS else "Nothing is wrong."


def _lost(notice: AlertFacts) -> str:
    return "The registry had lost the champion, so nothing answered." if notice.lost else "Nothing is wrong."


_NEWS: dict[AlertKind, Callable[[AlertFacts], str]] = {
    AlertKind.PROMOTION: _lost,
    AlertKind.REFUSED: lambda n: "Nothing is wrong: a challenger was trained and is not good enough.",
    AlertKind.APPROVAL: lambda n: "Nothing is wrong: a challenger passed and waits for a person.",
    AlertKind.JUDGED: lambda n: "Nothing is wrong: a challenger passed, and promotion is off.",
    AlertKind.EXPIRED: lambda n: f"v{n.to_version} waited for a decision, and nobody decided in time.",
    AlertKind.UNDELIVERED: lambda n: f"Messages cannot be delivered: {n.why.rstrip('.')}.",
    AlertKind.TEST: lambda n: "Nothing: this is a test.",
}
_OPEN: dict[Cause, Callable[[Situation], str]] = {
    Cause.CYCLE: lambda s: _failed(AlertKind.FAILURE, s),
    Cause.CHAMPION: lambda s: _failed(AlertKind.FAILURE, s),
    Cause.NO_CHAMPION: lambda s: f"No model yet: {_lower(_finding(_failed(AlertKind.NO_CHAMPION, s)))}",
    Cause.SOURCE: lambda s: _failed(AlertKind.FAILURE, s),
    Cause.TRAINER: lambda s: _failed(AlertKind.FAILURE, s),
    Cause.METRIC: quality_fell,
    Cause.LABEL_FEED: _label_feed,
    Cause.ROLLBACK: _rolled_back,
    Cause.FEED: _feed,
    Cause.DATA: _data,
    Cause.DRIFT: _drift,
}


def _finding(sentence: str) -> str:
    """What a test of the rows found, without the rows' name and the test's code before it."""
    return re.sub(r"^.*?: (?:[A-Z]+-[A-Z]+: )", "", sentence)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text if text[:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]


def _whole_sentence(said: str) -> str:
    """The first sentence with its figures: what is needed stands behind its semicolon."""
    return re.split(r"(?<=[.!?])\s", said, maxsplit=1)[0].rstrip(".") + "."


def _first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence, and no longer than a line of a phone takes."""
    sentence = text.split(". ", 1)[0].split("; ", 1)[0].rstrip(".")
    return f"{sentence if len(sentence) <= 160 else sentence[:159].rstrip() + '…'}."
