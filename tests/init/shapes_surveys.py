"""Surveys and annotation: several header rows, scores from 0 to 10, and what the labeller wrote."""

from __future__ import annotations

from datetime import timedelta

from tests.init.made_files import Csv, Excel, Json
from tests.init.made_shapes import *

NAMED = {LOW: "Negative", MID: "Neutral", HIGH: "Positive"}


def _nps(made: Made, moods: list[str]) -> list[int]:
    return made.by(moods, [0, 2, 3, 4], [7, 8], [9, 10])


@shape()
def typeform(made: Made) -> Shape:
    """Typeform's CSV: whole questions as names, start and submission in UTC."""
    moods, at = made.moods(), made.moments()
    return table(
        ident("#", made.hexes(32)),
        answer("How likely are you to recommend us to a friend or colleague?", _nps(made, moods), moods),
        text("What is the main reason for your score?", made.texts(moods)),
        category("Which plan are you on?", made.pick(["Free", "Pro", "Team"])),
        stamp("Start Date (UTC)", [a - timedelta(minutes=3) for a in at]).but("left out|time"),
        time("Submit Date (UTC)", at), person("Network ID", made.hexes(10)),
    )  # fmt: skip


@shape()
def survey_monkey(made: Made) -> Shape:
    """SurveyMonkey's CSV: the second row holds the options of each question."""
    moods, at = made.moods(), made.moments()
    return table(
        ident("Respondent ID", [118_000_000_000 + 91 * k for k in range(made.rows)]),
        key("Collector ID", [401_000_001] * made.rows).but(kinds="constant|code|id"),
        stamp("Start Date", [a - timedelta(minutes=4) for a in at], "%m/%d/%Y %I:%M:%S %p").but("left out|time"),
        time("End Date", at, "%m/%d/%Y %I:%M:%S %p").but("time|left out"),
        person("IP Address", [f"203.0.113.{k % 250}" for k in range(made.rows)]),
        answer("How satisfied are you with our service?",
               made.by(moods, ["Very dissatisfied", "Dissatisfied"], ["Neither satisfied nor dissatisfied"], ["Satisfied", "Very satisfied"]), moods),
        text("What could we do better?", made.texts(moods)),
        file=Csv(below=(("", "", "", "", "", "Response", "Open-Ended Response"),)), extra=1, free="format",
        also={"How satisfied are you with our service?": "Response", "What could we do better?": "Open-Ended Response"},
    )  # fmt: skip


@shape()
def google_forms(made: Made) -> Shape:
    """Google Forms in an American account: month/day without zeros, a scale of five."""
    moods = made.moods()
    return table(
        time("Timestamp", made.moments(), lambda d: f"{d.month}/{d.day}/{d.year} {d:%H:%M:%S}"),
        person("Email Address", [f"{h}@example.org" for h in made.hexes(8)]),
        category("Which course did you attend?", made.pick(["Python", "Statistics", "Writing"])),
        answer("Overall, how satisfied were you? (1-5)", made.stars(moods), moods),
        text("Anything else that you would like to tell us?", made.gaps(made.texts(moods), 0.3)),
    )


@shape("de")
def google_forms_de(made: Made) -> Shape:
    """Google Forms in a German account, as a workbook with typed dates and school grades (1 is best)."""
    moods = made.moods()
    return table(
        time("Zeitstempel", made.moments(), None),
        category("Standort", made.pick(["Köln", "Ulm", "Gießen"])),
        answer("Wie zufrieden sind Sie insgesamt?", made.by(moods, ["eher unzufrieden", "sehr unzufrieden"], ["teils, teils"], ["eher zufrieden", "sehr zufrieden"]), moods),
        text("Was können wir besser machen?", made.texts(moods, "de")),
        file=Excel(sheet="Formularantworten 1"),
    )


@shape()
def qualtrics(made: Made) -> Shape:
    """Qualtrics' CSV: three header rows (codes, questions, import ids)."""
    moods, at = made.moods(), made.moments()
    names = ("StartDate", "EndDate", "Progress", "ResponseId", "Q1_NPS_GROUP", "Q1", "Q2")
    said = ("Start Date", "End Date", "Progress", "Response ID", "Group", "How likely are you to recommend us?", "Why?")
    return table(
        stamp("StartDate", [a - timedelta(minutes=4) for a in at]).but("left out|time"),
        time("EndDate", at).but("time|left out"),
        constant("Progress", 100),
        ident("ResponseId", [f"R_{h}" for h in made.hexes(15)]),
        leak("Q1_NPS_GROUP", ["Promoter" if m == HIGH else "Passive" if m == MID else "Detractor" for m in moods]).but("left out|label"),
        answer("Q1", _nps(made, moods), moods), text("Q2", made.texts(moods)),
        file=Csv(below=(said, tuple(f'{{"ImportId":"{n}"}}' for n in names))), extra=2, free="format|answer",
        also=dict(zip(names, said, strict=True)),
    )  # fmt: skip


@shape()
def nps_tool(made: Made) -> Shape:
    """Delighted's export: score and comment, the group that follows from the score, times with an offset."""
    moods, at = made.moods(), made.moments()
    return table(
        ident("Response ID", [str(2_100_000 + k) for k in range(made.rows)]),
        answer("Score", _nps(made, moods), moods).but("label|left out"),
        text("Comment", made.gaps(made.texts(moods), 0.2)),
        leak("NPS Category", ["promoter" if m == HIGH else "passive" if m == MID else "detractor" for m in moods]).but("left out|label"),
        person("Email", [f"{h}@example.org" for h in made.hexes(8)]),
        time("Response Time", at, "%Y-%m-%d %H:%M:%S +0000"), stamp("Sent At", [a - timedelta(days=1) for a in at], "%Y-%m-%d %H:%M:%S +0000").but("left out|time"),
        loose("Device Type", made.pick(["desktop", "mobile"])), later("Tags", made.gaps(["vip"] * made.rows, 0.9), "category|constant|text"),
        free="answer",
    )  # fmt: skip


@shape()
def csat_tool(made: Made) -> Shape:
    """A CSAT plug-in: hour of the day beside csat_score, states of a survey, 5/5."""
    moods, at = made.moods(), made.moments()
    return table(
        ident("response_uuid", made.uuids()), time("submitted", at, lambda m: f"{m + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00"),
        category("channel", made.pick(["chat", "mail", "phone"])),
        flag("hour_of_day", [a.hour for a in at]).but("numeric|categorical|slices|left out"),
        text("comment", made.texts(moods)),
        answer("csat_score", [f"{s}/5" for s in made.stars(moods)], moods),
    )  # fmt: skip


@shape("pt")
def workshop_sheet(made: Made) -> Shape:
    """A Portuguese workshop's sheet: 0 to 10 with NA in every column, days first, thousands with points."""
    moods = made.moods()
    return table(
        time("Data", made.moments(), "%d/%m/%Y", grain="D"),
        category("Região", made.gaps(made.pick(["Norte", "Sul", "Centro"]), 0.05, "NA")),
        text("Sugestões", made.texts(moods, "pt")),
        answer("Avaliação", (said := made.gaps(_nps(made, moods), 0.05, "NA")), [None if s == "NA" else m for s, m in zip(said, moods, strict=True)]),
        file=Csv(delimiter=";"), free="missing",
    )  # fmt: skip


# ---- annotation ----


@shape()
def label_studio_csv(made: Made) -> Shape:
    """Label Studio's CSV: the labeller's time and name beside the choice."""
    moods, at = made.moods(), made.moments(days=40)
    return table(
        text("text", made.texts(moods)), ident("id", list(range(1, made.rows + 1))),
        answer("sentiment", [NAMED[m] for m in moods], moods),
        person("annotator", made.pick(["1", "2", "3"])).but("left out|slices", "category|number|code"),
        later("annotation_id", list(range(500, 500 + made.rows)), "id|number|code"),
        time("created_at", at, "%Y-%m-%dT%H:%M:%S.123456Z"), stamp("updated_at", made.later(at), "%Y-%m-%dT%H:%M:%S.123456Z"),
        later("lead_time", made.numbers(9, 3, 3, 0.5)),
    )  # fmt: skip


@shape()
def label_studio_json(made: Made) -> Shape:
    """Label Studio's JSON: the choice lies within lists, which a person must open first."""
    moods, at = made.moods(), made.moments(days=40)
    choices = [[{"id": k, "was_cancelled": False, "result": [{"value": {"choices": [NAMED[m]]}}]}] for k, m in enumerate(moods)]
    return table(
        ident("id", list(range(1, made.rows + 1))),
        nested("annotations", choices).but("left out|label"), nested("predictions", [[]] * made.rows).but(kinds="nested|empty|constant"),
        text("data.text", made.texts(moods)),
        time("created_at", at, "%Y-%m-%dT%H:%M:%S.123456Z"), stamp("updated_at", made.later(at), "%Y-%m-%dT%H:%M:%S.123456Z"),
        later("total_annotations", [1] * made.rows, "constant|number"), constant("project", 4),
        file=Json(), free="answer",
    )  # fmt: skip


@shape()
def label_studio_min(made: Made) -> Shape:
    """Label Studio's JSON-MIN."""
    moods, at = made.moods(), made.moments(days=40)
    return table(
        text("text", made.texts(moods)), ident("id", list(range(1, made.rows + 1))),
        answer("choice", [NAMED[m] for m in moods], moods),
        person("annotator", made.whole(1, 4)).but("left out|slices", "category|number|code"),
        later("annotation_id", list(range(1, made.rows + 1)), "id|number|code"),
        time("created_at", at, "%Y-%m-%dT%H:%M:%S.000001Z"), stamp("updated_at", made.later(at), "%Y-%m-%dT%H:%M:%S.000001Z"),
        later("lead_time", made.numbers(9, 3, 3, 0.5)),
        file=Json(),
    )  # fmt: skip


@shape()
def doccano(made: Made) -> Shape:
    """Doccano's JSON Lines: the label is a list of one, there is no time."""
    moods = made.moods()
    return table(
        ident("id", list(range(1, made.rows + 1))), text("text", made.texts(moods)),
        answer("label", [[NAMED[m].lower()] for m in moods], moods).but(kinds="category|nested"),
        nested("Comments", [[]] * made.rows).but(kinds="nested|empty|constant"),
        file=Json(lines=True, ending=".jsonl"), asks="time", free="answer",
    )  # fmt: skip


@shape()
def prodigy(made: Made) -> Shape:
    """Prodigy's JSON Lines: `answer` says accept or reject, `accept` holds the choice, a time in seconds."""
    moods = made.moods(mid=0)
    states = made.pick(["accept", "reject", "ignore"], [0.85, 0.1, 0.05])
    return table(
        text("text", made.texts(moods)),
        key("_input_hash", made.whole(-(2**31), 2**31)).but("left out|id", "id|code|number"),
        key("_task_hash", made.whole(-(2**31), 2**31)).but("left out|id", "id|code|number"),
        nested("accept", [["POS" if m == HIGH else "NEG"] for m in moods]).but("left out|label", "nested|category"),
        later("answer", states, "category").but("left out|label"),
        person("_annotator_id", made.pick(["db-anna", "db-ben"])).but("left out|slices", "category|code"),
        time("_timestamp", made.moments(days=9), "epoch s"),
        file=Json(lines=True, ending=".jsonl"), free="answer|id",
    )  # fmt: skip


@shape()
def two_annotators(made: Made) -> Shape:
    """A sheet of an annotation project: what each of two said, and the majority."""
    moods = made.moods()
    said = [NAMED[m].lower() for m in moods]
    return table(
        ident("doc_id", [f"d{k:04d}" for k in range(made.rows)]), time("posted", made.moments(), "%B %d, %Y %H:%M", grain="min"),
        text("body", made.texts(moods)),
        leak("annotator_1", made.gaps(said, 0.05)).but("left out|label"), leak("annotator_2", made.gaps(said, 0.05)).but("left out|label"),
        answer("majority_label", said, moods),
        url("source", [f"https://forum.example.org/t/{h}" for h in made.hexes(6)]), empty("notes"),
        title("heading", made.texts(moods, words=(1, 3))),
    )  # fmt: skip
