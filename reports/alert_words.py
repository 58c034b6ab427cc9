"""What a mail says about an alert, in plain words: subject, what happened, what trueup did, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from trueup.monitoring.check import Signal
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.signal_words import headline, unit_question
from trueup.storage.formatting import aligned_figure, metric_name


@dataclass(frozen=True)
class NextStep:
    """One thing to do next: why, and the command."""

    why: str
    command: str


@dataclass(frozen=True)
class Words:
    """The words of one alert. subject: without the stream. did: what trueup did about it."""

    subject: str
    happened: str
    did: str
    steps: tuple[NextStep, ...]


def words_of_alert(facts: AlertFacts) -> Words:
    """The words for an alert, by its kind."""
    return _BY_KIND[facts.kind](facts)


def _opened(facts: AlertFacts) -> Words:
    found = headline(_breached(facts))
    asked = facts.action == "retrain"
    did = (
        "It trains a challenger now, on rows known up to this time. Whether that is promoted comes in this thread."
        if asked
        else "It opened an incident and changed no model. The next counted checks confirm it or let it pass."
    )
    ask = unit_question(facts.signals)
    if ask and asked:
        did += " A challenger that passes the gate waits for a person."
    advised = dict.fromkeys(advice for code in facts.codes if (advice := kind_of(code).advice))
    more = [NextStep(advice.why, _command(advice.command, stream=facts.stream)) for advice in advised]
    return Words(
        found + (", training a challenger" if asked else ""),
        f"A check of the newest records found: {found}.{ask}",
        did,
        (*_look(facts), _acknowledge(facts), *more),
    )


def _resolved(facts: AlertFacts) -> Words:
    what = ", ".join(facts.codes) or "its condition"
    metric = next((signal for signal in facts.signals if signal.code == METRIC), None)
    back = f"{what} {'are' if len(facts.codes) > 1 else 'is'} quiet"
    if metric and metric.value is not None:
        back = f"{metric_name(metric.name)} is back at {aligned_figure(metric.value)}"
    back = facts.why or back
    return Words(
        f"resolved: {back}",
        f"The incident is over: {back}.",
        "It closed the incident. The same condition, should it come back, opens a new one.",
        (*_look(facts), NextStep("Nothing has to be done. What is still open", _command("alerts list"))),
    )


def _promotion(facts: AlertFacts) -> Words:
    new, old = _version(facts.to_version), _version(facts.from_version)
    found = f"{headline(_breached(facts))}, " if _breached(facts) else ""
    alone = facts.from_version is None
    role = "first champion" if alone else "challenger promoted"
    if facts.who:
        role = f"promoted by {facts.who}" + (", by force" if facts.forced else "")
    steps = [NextStep("See who answers now, and the audit trail", _command("models history", stream=facts.stream))]
    if not alone:
        why = f"If the new answers are worse, put {old} back; nothing is then promoted by itself until you say so"
        steps.append(NextStep(why, _command("models rollback", stream=facts.stream, why=True)))
    return Words(
        f"{found}{role} ({new})",
        f"{new} is the champion of stream '{facts.stream}' {_before(facts)}{_reason(facts)}",
        f"It promoted the new version {_warrant(facts)}."
        + ("" if alone else f" {old} is kept as `previous`."),
        (*steps, *_look(facts)),
    )


def _before(facts: AlertFacts) -> str:
    if facts.lost:
        return "now. The registry had lost the one before it, so nothing answered until this moment."
    if facts.from_version is None:
        return "now, its first."
    return f"now; {_version(facts.from_version)} was until this moment."


def _warrant(facts: AlertFacts) -> str:
    if facts.forced:
        return f"because {facts.who} forced it, whatever its gate had said"
    if facts.who:
        return f"because {facts.who} approved it, after it had passed every test of the gate"
    return "after it passed every test of the gate"


def _reason(facts: AlertFacts) -> str:
    return f" The reason that {facts.who} gave: {facts.why}" if facts.who else ""


def _rollback(facts: AlertFacts) -> Words:
    old, back = _version(facts.from_version), _version(facts.to_version)
    steps = [
        NextStep("Let challengers be promoted again", _command("models resume", stream=facts.stream, why=True)),
        NextStep("See who answers now, and the audit trail", _command("models history", stream=facts.stream)),
    ]
    if facts.from_version is not None:
        undo = _command("models promote", "--to", str(facts.from_version), "--force", stream=facts.stream, why=True)
        steps.append(NextStep(f"If going back was a mistake, put {old} in force again", undo))
    return Words(
        f"rolled back to {back}" + (f" by {facts.who}" if facts.who else f", {old} lost its probation"),
        f"{back} answers on stream '{facts.stream}' again; {old} did until this moment."
        + (_reason(facts) if facts.who else f" {facts.why}"),
        "It moved the champion back and opened this incident. Until somebody resumes promotion, challengers are "
        "trained and judged as before, but wait: nothing is promoted by itself.",
        tuple(steps),
    )


def _approval(facts: AlertFacts) -> Words:
    new = _version(facts.to_version)
    wanted = "VERSION" if facts.to_version is None else str(facts.to_version)
    promote = _command("models promote", "--to", wanted, stream=facts.stream, why=True)
    return Words(
        f"challenger {new} passed, waits for you",
        f"The challenger {new} passed {'every' if all(test.passed for test in facts.gate) else 'every other'} test of "
        f"the gate, and {_version(facts.from_version)} still answers: {facts.why or 'a person decides'}.",
        "It registered the challenger and changed nothing else."
        + (f" It waits until {facts.until:%Y-%m-%d %H:%M} UTC." if facts.until else ""),
        (NextStep("Read the figures; if you agree, promote it", promote), *_look(facts)),
    )


def _label_feed(facts: AlertFacts) -> Words:
    new, stays = _version(facts.to_version), _version(facts.from_version)
    wanted = "VERSION" if facts.to_version is None else str(facts.to_version)
    promote = _command("models promote", "--to", wanted, stream=facts.stream, why=True)
    return Words(
        f"the label feed looks broken, challenger {new} waits for you",
        f"The newest labels may be wrong, so they do not show that a model is better. {facts.why}.",
        f"It promoted nothing: {stays} still answers. The challenger {new} passed the gate's other tests on these "
        "labels and waits"
        + (f" until {facts.until:%Y-%m-%d %H:%M} UTC" if facts.until else "")
        + ". While labels look like this, nothing is promoted or rolled back by them.",
        (
            NextStep("Check the label feed: see what the challenger was judged by",
                     _command("models explain", wanted, stream=facts.stream)),
            NextStep("If the labels are wrong, mend the feed and send the right ones",
                     _command("feedback", "FILE", stream=facts.stream)),
            NextStep("If the labels are right, promote the challenger", promote),
            *_look(facts),
            _acknowledge(facts),
        ),
    )


def _judged(facts: AlertFacts) -> Words:
    new, stays = _version(facts.to_version), _version(facts.from_version)
    wanted = "VERSION" if facts.to_version is None else str(facts.to_version)
    return Words(
        f"challenger {new} passed, {stays} stays: promotion is off",
        f"The challenger {new} passed every test of the gate, and {stays} still answers: nothing is promoted on stream "
        f"'{facts.stream}', since policy.promotion is \"off\".",
        "It registered the challenger and changed nothing else.",
        (NextStep("See what it was judged by", _command("models show", wanted, stream=facts.stream)), *_look(facts)),
    )


def _expired(facts: AlertFacts) -> Words:
    new, stays = _version(facts.to_version), _version(facts.from_version)
    wanted = "VERSION" if facts.to_version is None else str(facts.to_version)
    until = f" until {facts.until:%Y-%m-%d %H:%M} UTC" if facts.until else ""
    return Words(
        f"challenger {new} expired, {stays} stays",
        f"The challenger {new} passed its gate and waited for a person{until}. Nobody promoted it, and its figures are "
        "too old to promote it on.",
        f"It marked the attempt as expired and changed nothing else: {stays} answers.",
        (
            NextStep("Train one on what has come since", _command("train", stream=facts.stream)),
            NextStep("See what it was judged by", _command("models show", wanted, stream=facts.stream)),
        ),
    )


def _refused(facts: AlertFacts) -> Words:
    stays = f"{_version(facts.from_version)} stays"
    steps = [*_look(facts), NextStep("See what was tried", _command("models history", stream=facts.stream))]
    if facts.to_version is None:
        return Words(
            f"no challenger could be trained, {stays}",
            f"Training a challenger failed: {facts.why}",
            f"It changed nothing: {stays}.",
            (*steps, NextStep("See whether the installation is at fault", _command("doctor"))),
        )
    failed = [test for test in facts.gate if not test.passed]
    if any(test.code == "GATE-LABELS" for test in failed):
        steps.append(NextStep("Bring more labels", _command("feedback", "FILE", stream=facts.stream)))
    because = f" ({', '.join(test.code for test in failed)})" if failed else ""
    return Words(
        f"challenger {_version(facts.to_version)} refused, {stays}",
        f"The challenger {_version(facts.to_version)} did not pass the gate{because}.",
        f"It changed nothing: {stays}. The same cause is tried again when enough newer labels have come; until then "
        "this thread stays silent on further refusals.",
        tuple(steps),
    )


def _failure(facts: AlertFacts) -> Words:
    champion = f" with champion {_version(facts.from_version)}" if facts.from_version is not None else ""
    return Words(
        f"cycle failed: {facts.why}",
        f"A cycle{champion} could not finish: {facts.why}",
        "It promoted nothing and kept every record. The next cycle tries again.",
        (
            NextStep("See what is wrong with the installation", _command("doctor")),
            NextStep("See which versions there are", _command("models list", stream=facts.stream)),
            NextStep("When it is mended, run a cycle now", _command("cycle", stream=facts.stream)),
            _acknowledge(facts),
        ),
    )


def _no_champion(facts: AlertFacts) -> Words:
    return Words(
        "no champion: the first training gave none",
        f"Stream '{facts.stream}' has no champion, and the first training gave none: {facts.why}",
        "It promoted nothing and kept every record. Until there is a champion nothing is answered and nothing checked; "
        "every cycle tries again, and this thread stays silent until one is found.",
        (
            NextStep("See how the stream stands", _command("status")),
            NextStep("Bring more labels", _command("feedback", "FILE", stream=facts.stream)),
            NextStep("When it is mended, train", _command("train", stream=facts.stream)),
            _acknowledge(facts),
        ),
    )


def _test(facts: AlertFacts) -> Words:
    return Words(
        "test mail",
        f"This is a test: alerts of stream '{facts.stream}' reach you.",
        "It sent this mail because somebody ran `trueup alerts test`.",
        (),
    )


_BY_KIND: dict[AlertKind, Callable[[AlertFacts], Words]] = {
    AlertKind.INCIDENT_OPENED: _opened,
    AlertKind.INCIDENT_RESOLVED: _resolved,
    AlertKind.PROMOTION: _promotion,
    AlertKind.APPROVAL: _approval,
    AlertKind.LABEL_FEED: _label_feed,
    AlertKind.JUDGED: _judged,
    AlertKind.EXPIRED: _expired,
    AlertKind.ROLLBACK: _rollback,
    AlertKind.REFUSED: _refused,
    AlertKind.FAILURE: _failure,
    AlertKind.NO_CHAMPION: _no_champion,
    AlertKind.TEST: _test,
    **dict.fromkeys((AlertKind.INCIDENT_WORSE, AlertKind.REMINDER, AlertKind.ESCALATION), _opened),
    **dict.fromkeys((AlertKind.UNDELIVERED, AlertKind.DIGEST, AlertKind.ACKNOWLEDGED), _test),
}


def _breached(facts: AlertFacts) -> tuple[Signal, ...]:
    return tuple(signal for signal in facts.signals if signal.verdict == "breached")


def _look(facts: AlertFacts) -> tuple[NextStep, ...]:
    return (NextStep("See what moved", _command("reports show", facts.report_id)),) if facts.report_id else ()


def _acknowledge(facts: AlertFacts) -> NextStep:
    return NextStep("Say that you have it", _command("alerts ack", facts.incident_id or "INCIDENT"))


def _version(version: int | None) -> str:
    return "no version" if version is None else f"v{version}"


def _command(verb: str, *values: str, stream: str = "", why: bool = False) -> str:
    """A command line that can be pasted; what stands in it is quoted for the shell."""
    parts = ["trueup", verb, *(shlex.quote(value) for value in values)]
    if stream:
        parts.append(f"--stream {shlex.quote(stream)}")
    return " ".join([*parts, *(['--why "…"'] if why else [])])
