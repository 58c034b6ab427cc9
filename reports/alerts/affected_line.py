"""The second line of a letter: who is hurt and how many, and which version answers now."""

from __future__ import annotations

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import AnswerQuality, Signal
from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.alerts.facts import AlertKind
from trueup.reports.alerts.plain_figures import about, error, metric_in_words, moment, share, share_pair
from trueup.reports.alerts.situation import Situation
from trueup.reports.alerts.wrong_line import leading_cause
from trueup.reports.signal_words import metric_before
from trueup.storage.formatting import METRIC_NAMES

_NO_MORE, _NOT_SURELY = "No more than usual", "Not surely more than usual"
_COUNTED = 20  # records from which on shares of them are told as counts


def affected_line(situation: Situation) -> str:
    """What is known of the answers that users get now."""
    if situation.task == "drift":
        return "Not known: this stream has no model, only its data is checked."
    if situation.newest(AlertKind.TEST) and not situation.incidents:
        return "Nobody."
    if situation.champion is None:
        return "Every record waits: no version answers."
    cause = leading_cause(situation)
    if cause is Cause.CHAMPION:
        return f"Every new record: v{situation.champion} cannot answer{_a_day(situation)}."
    if cause is Cause.LABEL_FEED:
        return f"Not known: quality is measured by these labels. {_answers(situation)}"
    if cause is Cause.CYCLE:
        last = f" since the check of {moment(situation.latest.as_of)}" if situation.latest else ""
        return f"Not known{last}. {_answers(situation)}"
    if cause is Cause.SOURCE:
        newest = f": the newest record is of {moment(situation.newest_record)}" if situation.newest_record else ""
        return f"Not known for what does not come in{newest}. {_answers(situation)}"
    if situation.newest(AlertKind.UNDELIVERED):
        return "Whoever is told there: they get no messages of this stream."
    if _replaced(situation):
        return _after_promotion(situation)
    if situation.newest(AlertKind.PROMOTION) and not situation.open:
        return f"Users get the answers of v{situation.champion} from now on."
    return f"{_measured(situation)} {_answers(situation)}"


def _measured(situation: Situation) -> str:
    answers = situation.latest.answers if situation.latest else None
    fell = METRIC in situation.signals()
    if answers is not None and answers.now is not None:
        if situation.is_regression:
            return _numbers_off(situation, fell)
        if not fell and Cause.METRIC not in situation.causes:
            counted = f"counted on {about(answers.labels)} labelled records"
            now, before = share_pair(answers.now, answers.before or 0.0)
            if not _worse(answers) or now == before:
                return f"{_NO_MORE}: {share(answers.now)} answers wrong, {counted}."
            said = f"{now} answers wrong, usually {before}, {counted}."
            return said if _surely_more(answers) else f"{_NOT_SURELY}: {said}"
        return _wrong_a_day(situation)
    return _not_known(situation)


def _worse(answers: AnswerQuality) -> bool:
    """Whether more is wrong than in the reference, by chance or not: only then the reference tells something."""
    return answers.before is not None and answers.now is not None and answers.now > answers.before


def _surely_more(answers: AnswerQuality) -> bool:
    """Whether more answers are wrong than in the reference, beyond chance."""
    return bool(answers.interval and answers.before is not None and answers.interval[0] > answers.before)


def _not_known(situation: Situation) -> str:
    answers = situation.latest.answers if situation.latest else None
    estimated = _estimated(situation)
    labels = answers.labels if answers else 0
    wanted = f"{about(labels)} labels so far, {answers.wanted} needed" if answers else "no labels yet"
    return f"Not known: {wanted}{estimated}."


def _wrong_a_day(situation: Situation) -> str:
    answers = _known(situation)
    now = answers.now or 0.0
    if not answers.records_a_day:
        return f"{share(now)} records get a wrong answer, counted on {about(answers.labels)} labelled records."
    rate, each = _rate(answers.records_a_day)
    hurt, likely = about(now * rate), ""
    if answers.interval:
        low, high = (about(bound * rate).removeprefix("about ") for bound in answers.interval)
        likely = f" (likely {low} to {high})" if low != high else ""
    usual = ""
    if answers.before is not None and answers.before < now:
        usual = f", usually {about(answers.before * rate)}"
    return (
        f"{_capital(hurt)} of {about(rate).removeprefix('about ')} records a {each} get a wrong answer{likely}{usual}."
    )


def _rate(a_day: float) -> tuple[float, str]:
    """Records of a day, or of a week or month where a day has too few to be counted in."""
    for days, each in ((1, "day"), (7, "week")):
        if a_day * days >= _COUNTED:
            return a_day * days, each
    return a_day * 30, "month"


def _numbers_off(situation: Situation, fell: bool) -> str:
    answers = _known(situation)
    off = error(answers.now or 0.0)
    if not fell and Cause.METRIC not in situation.causes:
        was = f" ({error(answers.before or 0.0)} in the reference)" if _worse(answers) else ""
        return f"{_NO_MORE}: off by {off} on average{was}, counted on {about(answers.labels)} labelled records."
    likely = ""
    if answers.interval:
        likely = f" (likely {error(answers.interval[0])} to {error(answers.interval[1])})"
    day = f"All of {about(answers.records_a_day)} records a day" if answers.records_a_day else "All records"
    return f"{day}: predictions off by {off} on average{likely}."


def _estimated(situation: Situation) -> str:
    signals: dict[str, Signal] = {s.code: s for s in situation.latest.signals} if situation.latest else {}
    signal = signals.get("PRF-EST")
    if signal is None or signal.value is None or signal.verdict == "insufficient":
        return ""
    name = METRIC_NAMES.get(signal.name.removeprefix("estimated "), signal.name)
    before = metric_before(signal)
    was = "" if before is None else f", was {metric_in_words(before)}"
    return f"; estimated {name} {metric_in_words(signal.value)}{was}"


def _replaced(situation: Situation) -> bool:
    """Whether this message tells that another version answers now, by a gate that compared the two."""
    judged = situation.judged
    told = situation.newest(AlertKind.PROMOTION)
    return bool(told and judged and judged.answers and judged.version == situation.champion and told.from_version)


def _after_promotion(situation: Situation) -> str:
    assert situation.judged
    found, old = situation.judged.answers, situation.judged.from_version
    records = about(found["records"])
    hurt = _hurt_before(situation)
    if situation.is_regression:
        now, before = error(found["wrong_now"]), error(found["wrong_before"])
        compared = f"off by {now} on average, v{old} by {before}"
        return f"{hurt}v{situation.champion} answers now: {compared}, on {records} new records."
    now, before = share_pair(found["wrong_now"], found["wrong_before"])
    return f"{hurt}v{situation.champion} answers now: {now} wrong, v{old} {before}, on the same {records} new records."


def _hurt_before(situation: Situation) -> str:
    """Who was hurt until now, where this message tells of a fall."""
    answers = situation.latest.answers if situation.latest else None
    if Cause.METRIC not in situation.causes or answers is None or answers.now is None or not answers.records_a_day:
        return ""
    if situation.is_regression:
        return ""
    rate, each = _rate(answers.records_a_day)
    hurt, of = about(answers.now * rate), about(rate).removeprefix("about ")
    return f"{_capital(hurt)} of {of} records a {each} got a wrong answer. "


def _known(situation: Situation) -> AnswerQuality:
    """What is known of the answers, where it is known."""
    assert situation.latest is not None
    assert situation.latest.answers is not None
    return situation.latest.answers


def _answers(situation: Situation) -> str:
    return f"v{situation.champion} answers."


def _a_day(situation: Situation) -> str:
    answers = situation.latest.answers if situation.latest else None
    return f", {about(answers.records_a_day)} a day" if answers and answers.records_a_day else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
