"""Letters for tests: a plain one, one of hostile text, and any."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

from trueup.flows.alert.channels.channel import Envelope
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.letter import Details, Letter, MovedInput, Remedy, Standing

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
HOSTILE = (
    "<!channel> <@U024BE7LH> <https://evil.example|click> [click](https://evil.example) @here **bold** _it_ `x` "
    "<at>Ann</at> &amp; {{app_body}} {{ app_title }} http://evil.example www.evil.example \u202egnp.exe =1+1 \x1b[31m"
    "\r\nX-Evil: 1 <script>"
)


def made_letter(**changed: Any) -> Letter:
    """A letter about an open incident, with something in every place."""
    told: dict[str, Any] = {
        "stream": "reviews", "kind": "incident_opened", "severity": Severity.HIGH, "standing": Standing.OPEN,
        "stem": "reviews: more wrong answers since 14 June", "tag": "HIGH",
        "wrong": "3 in 10 answers are wrong, was 1 in 10.", "affected": "About 130 of 430 records a day; v1 answers.",
        "done": "trueup trained v2 and did not promote it.",
        "todo": "Look today: roll back, or check the label source.",
        "action": Remedy("trueup models rollback --stream reviews", "v1 answers again."),
        "link": "https://pages.example.org/reviews?report=1&x=2",
        "causes": (MovedInput("Words new to the model: refund, delay", ("my re***d", "late ag***")),),
        "sections": (Details("Tests of the gate", ("test", "value"), (("G-GAIN", "0.02"), ("G-SLICE", "passed"))),),
        "foot": (("host", "ml1"), ("open since", "2026-03-01 03:00 UTC")), "incidents": ("8c1f",),
    }  # fmt: skip
    return Letter(**{**told, **changed})


def hostile_letter(said: str = HOSTILE) -> Letter:
    """A letter in which every text of an outsider is hostile."""
    return made_letter(
        wrong=said, affected=said, done=said, todo=said,
        causes=(MovedInput(said, (said, said)),),
        sections=(Details(said, (said,), ((said,), (said,))),),
        foot=(("host", said),),
    )  # fmt: skip


def made_envelope(message_id: str = "3f2a@example.org") -> Envelope:
    """An envelope for a channel that has one place of its own."""
    return Envelope(to="", message_id=message_id, roots=("8c1f@example.org",), at=NOW)


def any_letter(seed: int) -> Letter:
    """A letter of any texts, some of them far too long; one number, one letter."""
    chance = Random(seed)

    def word() -> str:
        kind = chance.randrange(8)
        if kind < 4:
            return "".join(map(chr, chance.choices(range(1, 0xD7FF), k=chance.randrange(60))))
        return (HOSTILE, "x" * 100_000, "&<>" * 3_000, "\U0001f4a5" * 9_000)[kind - 4]

    def words(most: int) -> tuple[str, ...]:
        return tuple(word() for _ in range(chance.randrange(most)))

    return made_letter(
        stem=word(), wrong=word(), affected=word(), done=word(), todo=word(),
        causes=tuple(MovedInput(word(), words(4)) for _ in range(chance.randrange(4))),
        sections=tuple(
            Details(word(), (word(), ""), tuple((word(), "1") for _ in range(chance.randrange(40))))
            for _ in range(chance.randrange(4))
        ),
        foot=tuple((f"name {number}", word()) for number in range(chance.randrange(4))),
        link=chance.choice(["", "https://a.example/x", "https://a.example/" + "y" * 70_000]),
    )  # fmt: skip
