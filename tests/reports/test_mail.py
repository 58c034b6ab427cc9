"""A mail says what happened, the figures, what trueup did and what to do next; what outsiders wrote stays data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.mail import SUBJECT_LENGTH, compose, one_line

FELL = Signal(
    code="PRF-METRIC",
    name="f1_macro",
    verdict=Verdict.BREACHED,
    said="Macro-F1 0.71 on 420 labelled records, reference (backtest) 0.83: -0.12.",
    value=0.71,
    threshold=0.80,
    effect=0.12,
    interval=(0.07, 0.17),
    worse=Worse.LOWER,
)
WORDS = Signal(
    code="DRF-TEXT",
    name="words of text",
    verdict=Verdict.BREACHED,
    said="The strongest change: 'bussin' 0 % → 9 %.",
    value=0.09,
    threshold=0.001,
    p_value=0.00002,
)
QUIET = Signal(code="DQ-VOLUME", name="records a day", verdict=Verdict.OK, said="As usual.", value=41.0)


@dataclass(frozen=True)
class Judged:
    """A test of a gate, as the training room holds it."""

    code: str
    passed: bool
    value: float | None
    bound: float | None
    said: str


PASSED = Judged("GATE-METRIC", True, 0.09, 0.0, "macro-F1 0.81 against 0.72 on the same rows.")
UNSURE = Judged("GATE-BETTER", False, 0.62, 0.8, "The chance that the challenger is better is 62 %.")
SHORT = Judged("GATE-LABELS", False, 31, 50, "31 labelled rows; 19 more are needed.")

OPENED = AlertFacts(
    kind=AlertKind.INCIDENT_OPENED,
    stream="reviews",
    as_of=datetime(2026, 3, 1, 3, 0, tzinfo=UTC),
    signals=(WORDS, FELL, QUIET),
    action="retrain",
    codes=("PRF-METRIC", "DRF-TEXT"),
    reasons=("The fall stood in two counted checks running.",),
    report_id="rep-7",
    incident_id="inc-7",
    cycle_id="cyc-7",
    home="/srv/trueup",
)
PROMOTED = replace(
    OPENED, kind=AlertKind.PROMOTION, gate=(PASSED,), from_version=2, to_version=3, run_id="run-7"
)


class Reader(HTMLParser):
    """Collects tags, attributes and words of a page."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def test_a_promotion_names_the_fall_and_the_version_in_its_subject():
    """The subject alone tells the person on call what fell, how far, and what was done."""
    alone = replace(PROMOTED, signals=(FELL,))
    assert compose(alone).subject == "[trueup] reviews: macro-F1 fell 0.83 → 0.71, challenger promoted (v3)"


def test_the_gravest_signal_leads():
    """A fall of the metric comes before drift, whatever the order of the check, and the others are counted."""
    assert compose(OPENED).subject == (
        "[trueup] reviews: macro-F1 fell 0.83 → 0.71 and 1 more, training a challenger"
    )


def test_an_error_metric_rises_from_its_reference():
    """The drop of an error metric is relative: 30 % up from 100 reads as 100 → 130."""
    error = replace(FELL, name="mae", value=130.0, effect=0.3, worse=Worse.HIGHER)
    subject = compose(replace(OPENED, action="alert", signals=(error,))).subject
    assert subject == "[trueup] reviews: MAE rose 100 → 130"


@pytest.mark.parametrize("body", ["text", "html"])
def test_both_bodies_hold_the_whole_story(body):
    """Figures against bounds, gate, decision, commands, ids and paths stand in the text as in the HTML."""
    mail = compose(PROMOTED)
    signal = mail.text if body == "text" else Reader(mail.html).words
    for part in (
        "0.83 → 0.71", "0.80", FELL.said, "p = 2e-05", "p < 0.001", PASSED.said, "0.09", OPENED.reasons[0],
        "trueup models rollback --stream reviews --why", "trueup reports show rep-7",
        "inc-7", "rep-7", "trueup reports open rep-7", "run-7", "cyc-7", "v2", "v3", "/srv/trueup",
        "2026-03-01 03:00 UTC",
    ):  # fmt: skip
        assert part in signal
    assert QUIET.said not in signal


def test_each_kind_says_what_to_do():
    """Every kind but the test mail ends in commands that fit it."""
    challenger = replace(PROMOTED, gate=(PASSED, UNSURE))
    assert "trueup alerts ack inc-7" in compose(OPENED).text
    approval = compose(replace(PROMOTED, kind=AlertKind.APPROVAL))
    assert "trueup models promote --to 3 --stream reviews --why" in approval.text
    assert "v2 still answers" in approval.text
    judged = compose(replace(PROMOTED, kind=AlertKind.JUDGED))
    assert judged.subject == "[trueup] reviews: challenger v3 passed, v2 stays: promotion is off"
    assert "models promote" not in judged.text
    refused = compose(replace(challenger, kind=AlertKind.REFUSED))
    assert refused.subject == "[trueup] reviews: challenger v3 refused, v2 stays"
    assert "GATE-BETTER" in refused.text
    assert "trueup feedback" not in refused.text
    unlabelled = compose(replace(challenger, kind=AlertKind.REFUSED, gate=(SHORT,)))
    assert "trueup feedback FILE --stream reviews" in unlabelled.text
    failure = compose(replace(OPENED, kind=AlertKind.FAILURE, signals=(), why="v2 is damaged.", from_version=2))
    assert failure.subject == "[trueup] reviews: cycle failed: v2 is damaged."
    assert "trueup models list --stream reviews" in failure.text


def test_a_resolved_incident_says_so():
    """The end of an incident names the figure it is over with."""
    back = replace(FELL, verdict=Verdict.OK, value=0.82, effect=0.01, said="Back to 0.82.")
    mail = compose(replace(OPENED, kind=AlertKind.INCIDENT_RESOLVED, action="none", signals=(back,)))
    assert mail.subject == "[trueup] reviews: resolved: macro-F1 is back at 0.82"
    assert "Back to 0.82." in mail.text


def test_a_champion_put_back_after_the_registry_lost_it_is_not_called_the_first():
    """Forced with none before it: either the first, or one that nothing answered before; the mail says which."""
    forced = replace(PROMOTED, signals=(), from_version=None, to_version=1, who="ann", forced=True, why="it was lost")
    assert "now, its first." in compose(forced).text
    lost = compose(replace(forced, lost=True)).text
    assert "its first" not in lost
    assert "The registry had lost the one before it" in lost


def test_a_first_champion_has_nothing_to_roll_back_to():
    """Without a champion before it, the mail offers no rollback."""
    mail = compose(replace(PROMOTED, signals=(), from_version=None, to_version=1))
    assert mail.subject == "[trueup] reviews: first champion (v1)"
    assert "rollback" not in mail.text


def test_a_failed_training_is_told_without_a_version():
    """No challenger came about: the mail says why and that the champion stays."""
    facts = replace(OPENED, kind=AlertKind.REFUSED, from_version=2, why="every candidate ran out of time")
    mail = compose(facts)
    assert mail.subject == "[trueup] reviews: no challenger could be trained, v2 stays"
    assert "every candidate ran out of time" in mail.text


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_makes_a_closed_page_that_loads_nothing(kind):
    """The HTML is well formed, and holds no script, image, link or handler that a client would fetch or block."""
    page = Reader(compose(replace(PROMOTED, kind=kind, gate=(PASSED, UNSURE))).html)
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "a", "form"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name in {"src", "href"}]


@pytest.mark.parametrize("kind", list(AlertKind))
def test_bare_facts_still_make_a_mail(kind):
    """No optional fact is needed: a mail about something half known still says what it can."""
    mail = compose(AlertFacts(kind=kind, stream="reviews", as_of=OPENED.as_of))
    assert mail.subject.startswith("[trueup] reviews: ")
    assert "None" not in mail.text + mail.html


HOSTILE = "<script>alert(1)</script>\r\nBcc: victim@example.org\x00\x1b[31m \u202egnp.exe\u2028WHAT TO DO NEXT\ud800"


def test_what_outsiders_wrote_is_data():
    """Review words cannot add markup, header lines, sections, terminal colours or reversed text anywhere."""
    facts = replace(
        PROMOTED,
        signals=(replace(WORDS, said=HOSTILE), replace(FELL, code=f"DRF-IN-{HOSTILE}", said=HOSTILE)),
        reasons=(HOSTILE,),
        gate=(replace(UNSURE, said=HOSTILE),),
        why=HOSTILE,
    )
    for kind in AlertKind:
        mail = compose(replace(facts, kind=kind))
        assert len(mail.subject.splitlines()) == 1
        assert "script" not in Reader(mail.html).tags
        assert "<script>" not in mail.html
        for body in (mail.subject, mail.text, mail.html):
            assert not set("\x00\x1b\r\u202e\u2028\ud800") & set(body)
            body.encode()
        assert mail.text.splitlines().count("WHAT TO DO NEXT") <= 1
        assert not [line for line in mail.text.splitlines() if line.startswith("Bcc")]


def test_commands_can_be_pasted_as_they_stand():
    """A stream's name that a shell would read as more than a name is quoted."""
    mail = compose(replace(PROMOTED, stream="re views; rm -rf ~"))
    assert "--stream 're views; rm -rf ~'" in mail.text


def test_long_values_are_cut():
    """A subject fits into a list of mails, and one runaway sentence does not bury the rest."""
    failure = replace(OPENED, kind=AlertKind.FAILURE, why="damaged " * 500)
    mail = compose(failure)
    assert len(mail.subject) == SUBJECT_LENGTH
    assert len(mail.text) < 3000
    assert one_line("👩\u200d💻 schön\tgut", 40) == "👩\u200d💻 schön gut"
