"""What a message about each kind of event says, and that what outsiders wrote in it stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_situations import AT, DAY, FINE, HURT, KINDS, facts, metric, opened, situation, texts
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import AnswerQuality, Contributor, Signal, Verdict
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind, GateLine
from trueup.reports.alerts.letter import Letter, Picture
from trueup.reports.alerts.mail_body import HTML_BYTES, PICTURE_CID, rendered
from trueup.reports.alerts.moved_words import moved_phrases
from trueup.reports.alerts.picture import drawn
from trueup.reports.alerts.plain_figures import about, deadline, lasted, share_pair
from trueup.reports.alerts.stems import SUBJECT_STEM, stem_of
from trueup.reports.alerts.todo_line import needs_person
from trueup.reports.masking import masked

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnirts\u202c \u200b\u200b zero\u200bwidth",
    "word" * 25_000,
    '=HYPERLINK("http://evil.example","x")',
    "one\r\nBcc: all@example.org\r\n\r\n<b>two</b>",
    "\x1b[31mred\x1b[0m \x07",
    "{{ 7 * 7 }} {% raw %} ${x}",
)


class Tags(HTMLParser):
    """The tags of a page, and its addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_four_things_on_one_screen(kind: str) -> None:
    """Each line is a sentence, the subject fits a phone, and no line speaks of tests, chance or Python."""
    letter = letter_of(KINDS[kind]())
    assert len(letter.stem) <= SUBJECT_STEM
    for line in letter.lines:
        assert 0 < len(line) <= 280
        assert line.endswith((".", "…", "!")) or line[-1].isalpha()
        assert not re.search(r"p =|chance|None|Error\b|\[\]|\{|\d\.\d{5}", line.replace("OSError", ""))
    assert len(letter.causes) <= 3
    assert all(len(cause.examples) <= 3 for cause in letter.causes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_page_that_loads_nothing_and_fits_a_mail(kind: str) -> None:
    """The HTML holds no script, style sheet or picture from elsewhere, and the text says the same four things."""
    letter = replace(letter_of(KINDS[kind]()), picture=Picture(b"png", "macro-F1 over ten checks"))
    mail = rendered(letter)
    found = Tags(mail.html)
    assert not found.tags & {"script", "iframe", "link", "form", "object"}
    assert set(found.addresses) <= {f"cid:{PICTURE_CID}"}
    assert len(mail.html.encode()) < HTML_BYTES
    flat = " ".join(mail.text.split())
    assert all(" ".join(line.split()) in flat for line in letter.lines)
    assert mail.subject == letter.subject


@pytest.mark.parametrize("kind", KINDS)
def test_what_outsiders_wrote_stays_text_in_every_kind(kind: str) -> None:
    """Hostile words in every text of a message open no tag, hide nothing and stretch no subject."""
    for hostile in HOSTILE:
        mail = rendered(letter_of(_poisoned(kind, hostile)))
        found = Tags(mail.html)
        assert not found.tags & {"script", "img", "b"}
        assert len(mail.subject) <= SUBJECT_STEM + 10
        assert len(mail.html.encode()) < HTML_BYTES
        for seen in (mail.subject, mail.text, mail.html):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", seen)
        assert "\n" not in mail.subject


def _poisoned(kind: str, hostile: str) -> object:
    made = KINDS[kind]()
    signals = tuple(
        replace(s, said=hostile, contributors=(Contributor(hostile, 0.0, 0.2, ("r1",)),))
        for s in (*made.notices[-1].signals, texts())
    )
    notices = tuple(
        replace(n, why=hostile, who=hostile if n.who else "", reasons=(hostile,), signals=signals, home=hostile)
        for n in made.notices
    )
    latest = replace(made.latest, signals=signals) if made.latest else None
    return replace(
        made, notices=notices, latest=latest, host=hostile, home=hostile, examples={"DRF-TEXT": (masked(hostile),)},
        repaired=(masked(hostile),), late_because=hostile,
    )  # fmt: skip


def test_the_news_is_what_users_get_and_then_how_sure() -> None:
    """A fall is told in shares of answers, records a day and their interval, not by the metric."""
    letter = letter_of(KINDS["quality fell, retraining"]())
    assert letter.wrong == "3 in 10 answers wrong, was 1 in 10."
    assert letter.affected.startswith(
        "About 130 of 430 records a day get a wrong answer (likely 110 to 150), usually 43."
    )
    assert "v1 answers" in letter.affected


def test_one_message_tells_of_a_fall_and_that_it_is_mended() -> None:
    """What opened and what was promoted in one cycle is one message, with nothing left to do but the way back."""
    letter = letter_of(KINDS["quality fell, fixed"]())
    assert "v2 answers now" in letter.affected
    assert letter.done.startswith("Retrained and promoted v2")
    assert letter.todo.startswith("Nothing.")
    assert letter.action is not None
    assert "rollback" in letter.action.command
    assert any("corrects 90 wrong answers" in cause.said for cause in letter.causes)


def test_a_refusal_says_what_failed_and_what_it_would_take() -> None:
    """How sure it was, how sure it must be, and how many labels more would tell."""
    letter = letter_of(KINDS["quality fell, refused"]())
    assert "82 % sure that it is better, 90 % asked: 300 more labels, of new records, would tell" in letter.done


def test_a_decision_has_a_time_in_the_readers_zone() -> None:
    """By when, on the reader's clock and in UTC, and what the command changes."""
    letter = letter_of(KINDS["waits for approval"]())
    assert letter.todo.startswith("Decide by Wed 31 July 04:10 CEST (02:10 UTC)")
    assert letter.action is not None
    assert letter.action.changes == "v2 answers in place of v1."


def test_a_closed_incident_says_why_how_long_and_the_way_of_the_metric() -> None:
    """Closed: since when another version answers; before, lowest and now."""
    letter = letter_of(KINDS["closed"]())
    assert letter.tag == "CLOSED"
    assert letter.wrong == "Over: quality fell; v2, promoted on 9 June 2024, has learnt the change and answers now."
    assert letter.done.startswith("Closed after 9 days: macro-F1 of v1 before 0.91, lowest meanwhile 0.71")
    assert letter.todo == "Nothing."


def test_the_subject_never_changes_but_for_its_tag() -> None:
    """Opened, worse, refused and closed mails of one incident have one stem."""
    kinds = ("quality fell, retraining", "quality fell, fixed", "quality fell, refused", "worse", "closed")
    assert len({letter_of(KINDS[kind]()).stem for kind in kinds}) == 1


def test_a_reminder_says_what_keeps_trueup_from_its_work() -> None:
    """The newest training that failed, where the message itself tells of nothing but the time that went by."""
    made = situation(
        facts(AlertKind.REMINDER), incidents=(opened(Cause.NO_CHAMPION, codes=("NO_CHAMPION",)),),
    )  # fmt: skip
    told = replace(made, stopped_by="123 labelled training rows are too few; 180 are needed. Bring in more.")
    assert letter_of(told).wrong == "No model yet: 123 labelled training rows are too few; 180 are needed."


def test_unknown_quality_is_said_and_never_shown_as_fine() -> None:
    """Too few labels: how many there are and how many it takes."""
    assert letter_of(KINDS["drift, no labels"]()).affected.startswith("Not known: 40 labels so far, 200 needed.")


def test_more_wrong_answers_than_the_reference_are_not_called_usual() -> None:
    """Where no signal breached but the interval lies above the reference, nothing is called usual."""
    made = situation(
        facts(AlertKind.INCIDENT_OPENED, signals=(texts(),), codes=("DRF-TEXT",)),
        incidents=(opened(Cause.DRIFT, codes=("DRF-TEXT",)),), signals=(texts(), metric(0.8, breached=False)),
        answers=HURT,
    )  # fmt: skip
    assert "than usual" not in letter_of(made).affected
    assert "No more than usual" in letter_of(replace(made, latest=replace(made.latest, answers=FINE))).affected  # type: ignore[type-var]


def test_who_has_nothing_to_do_is_not_reminded() -> None:
    """Reminders ask whether the letter leaves the reader anything to do."""
    assert needs_person(KINDS["quality fell, refused"]())
    assert not needs_person(KINDS["quality fell, fixed"]())
    assert not needs_person(KINDS["closed"]())


def test_what_comes_late_says_when_it_was_written_and_why() -> None:
    """The foot of a mail that waited tells when it was written, delivered, and what kept it."""
    foot = dict(letter_of(KINDS["delivered late"]()).foot)
    assert foot["Delivered late"] == (
        "written 2024-06-14 02:10 UTC, delivered 2024-06-14 10:10 UTC, because no connection to the mail server"
    )


def test_the_picture_shows_the_metric_and_says_it_in_words() -> None:
    """An opaque PNG with its bound, and an alternative text with first, lowest, highest and newest value."""
    made = KINDS["quality fell, fixed"]()
    picture = drawn(made)
    assert picture is not None
    assert picture.png.startswith(b"\x89PNG")
    assert "lowest 0.71" in picture.alt
    assert "A value surely below 0.86 is an alarm" in picture.alt
    assert drawn(replace(made, history=made.history[:2])) is None


def test_a_picture_that_takes_too_long_keeps_no_message_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message goes without its picture where drawing does not end in time, or fails."""
    from threading import Event

    from trueup.reports.alerts import picture

    never = Event()
    monkeypatch.setattr(picture, "_SECONDS", 0.05)
    monkeypatch.setattr(picture, "_png", lambda *_: never.wait(30))
    assert drawn(KINDS["quality fell, fixed"]()) is None
    never.set()
    monkeypatch.setattr(picture, "_png", lambda *_: 1 / 0)
    assert drawn(KINDS["quality fell, fixed"]()) is None


def test_personal_data_is_masked() -> None:
    """Addresses, links, accounts and long numbers of a review do not leave the deployment."""
    said = masked(
        "Mail me: jo.doe+x@example.org or +49 (170) 123-4567, see https://a.b/c?d IBAN DE89 3704 0044 0532 0130 00 @jo"
    )
    assert said == "Mail me: [address] or [number], see [link] IBAN [number] [account]"


@given(st.floats(0, 1), st.floats(0, 1))
def test_two_shares_that_differ_are_said_differently(now: float, before: float) -> None:
    """A change of two points or more can be read from the words, and words are within two points of the share."""
    said = share_pair(now, before)
    if abs(now - before) >= 0.02:
        assert said[0] != said[1]
    for value, words in zip((now, before), said, strict=True):
        assert abs(_read(words) - value) <= max(0.02, 0.13 * value)


def _read(words: str) -> float:
    if words in ("none", "fewer than 1 in a million"):
        return 0.0
    if words.endswith(" %"):
        return float(words[:-2]) / 100
    count, of = words.split(" in ")
    return int(count) / int(of.replace(",", ""))


@given(st.text(), st.sampled_from(Cause), st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))
def test_a_subject_fits_a_phone_whatever_the_stream_is_called(stream: str, cause: Cause, at: datetime) -> None:
    """No name of a stream makes a subject longer than sixty characters, or adds a line to it."""
    stem = stem_of(stream, cause, at.replace(tzinfo=UTC))
    assert len(stem) <= SUBJECT_STEM
    assert "\n" not in stem


def test_facts_come_back_from_the_outbox_as_they_went_in() -> None:
    """What the outbox keeps as JSON is the same value again, for every kind."""
    import json

    for kind in KINDS.values():
        for notice in kind().notices:
            back = AlertFacts.from_json(json.loads(json.dumps(notice.as_json())))
            assert back == replace(notice, gate=back.gate)
            assert [t.code for t in back.gate] == [t.code for t in notice.gate]


def test_figures_read_as_people_say_them() -> None:
    """Counts to two digits, spans in the unit that fits, deadlines with the day."""
    assert about(134) == "about 130"
    assert about(37.4) == "37"
    assert lasted(17 * DAY + timedelta(hours=5)) == "17 days"
    assert lasted(timedelta(minutes=5)) == "5 minutes"
    assert deadline(AT, "UTC") == "Fri 14 June 02:10 UTC"
    assert deadline(AT, "America/New_York") == "Thu 13 June 22:10 EDT (Fri 02:10 UTC)"


def test_answers_come_back_from_a_check_as_they_were_kept() -> None:
    """How good the answers were is kept with the check."""
    from dataclasses import asdict

    assert AnswerQuality.from_json(asdict(HURT)) == HURT


def test_a_letter_can_go_without_its_picture() -> None:
    """A way out that takes no picture gets the same letter without."""
    letter = replace(letter_of(KINDS["test"]()), picture=Picture(b"x", "y"))
    assert letter.without_picture() == replace(letter, picture=None)
    assert isinstance(letter, Letter)


def drifted(code: str, *contributors: Contributor, direction: Literal["up", "down"] | None = None) -> Signal:
    """A drift signal that breached."""
    return Signal(
        code=code, name="p-value", verdict=Verdict.BREACHED, said="Moved.", contributors=contributors,
        direction=direction,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ((drifted("DRF-LABEL", Contributor("negative", 0.17, 0.3), Contributor("positive", 0.83, 0.7)),),
         ["30 in 100 labels are 'negative', was 17 in 100"]),
        ((drifted("DRF-SCORE"), drifted("DRF-CLASS", Contributor("positive", 0.71, 0.84))),
         ["the model answers 'positive' for 84 in 100 records, was 71 in 100"]),
        ((drifted("DRF-TEXT-length", Contributor("above 13", 0.18, 0.09), Contributor("up to 4", 0.23, 0.31),
                  direction="down"),),
         ["texts are shorter: 31 in 100 have up to 4 words, was 23 in 100"]),
        ((drifted("DRF-TEXT", Contributor("is", 0.13, 0.06), Contributor("chores", 0.02, 0.1)),),
         ["10 in 100 texts hold 'chores', was 2 in 100"]),
        ((drifted("DRF-SCORE"),), ["the model's scores shifted"]),
    ],
)  # fmt: skip
def test_what_moved_is_said_with_its_direction_and_the_figure_that_grew(
    signals: tuple[Signal, ...], said: list[str]
) -> None:
    """A label before an answer, an answer in place of its score, a word or a length that there is more of."""
    assert moved_phrases(signals) == said


def test_labels_that_one_answer_lacks_are_asked_for_and_not_called_wrong() -> None:
    """Where one predicted class is labelled less often, the first line says which, the last one what to find out."""
    doubt = GateLine(
        code="GATE-FEED", passed=False, value=-0.17, bound=0.1,
        said="labels are selective: 77 % of the records predicted as 'negative' have a label, of the others 94 %: "
        "-17 points, before -2",
    )  # fmt: skip
    held = KINDS["labels look wrong"]()
    told = replace(held, notices=tuple(replace(n, gate=(doubt,)) for n in held.notices))
    letter = letter_of(told)
    assert letter.wrong == (
        "Labels are missing: 77 % of the records predicted as 'negative' have a label, of the others 94 %."
    )
    assert letter.todo.startswith("Find out by ")
