"""Tickets: help desks, incidents and issues, where much is known only once they are solved."""

from __future__ import annotations

from tests.init.made_files import Csv, Excel, HtmlTable, Json
from tests.init.made_shapes import *

NEVER = None  # no label: a survey that was not sent, or not answered


def _offered(made: Made, moods: list[str]) -> tuple[list[str], list[str | None]]:
    """Zendesk's satisfaction: most are not asked (unoffered) or have not answered yet (offered)."""
    states = made.pick(["Unoffered", "Offered", "answered"], [0.3, 0.2, 0.5])
    said = [("Good" if m == HIGH else "Bad") if s == "answered" else s for s, m in zip(states, moods, strict=True)]
    return said, [m if s == "answered" else NEVER for s, m in zip(states, moods, strict=True)]


@shape()
def zendesk_csv(made: Made) -> Shape:
    """Zendesk's CSV export of tickets."""
    moods, at = made.moods(mid=0), made.moments()
    said, classes = _offered(made, moods)
    solved = made.later(at, 0.85, 10)
    return table(
        ident("Id", list(range(20011, 20011 + made.rows))),
        text("Subject", made.texts(moods, words=(3, 7))), text("Description", made.texts(moods)),
        later("Status", ["Solved" if s else "Open" for s in solved], "category"),
        category("Priority", made.gaps(made.pick(["Low", "Normal", "High", "Urgent"]), 0.1)),
        category("Ticket type", made.gaps(made.pick(["Question", "Problem", "Incident"]), 0.2)),
        category("Via", made.pick(["Web", "Mail", "Chat"])),
        person("Requester", made.people()), person("Requester email", [f"{h}@example.org" for h in made.hexes(8)]),
        person("Assignee", made.people()).but("left out|slices|categorical"),
        category("Group", made.pick(["Billing", "Support"])).but("categorical|slices|left out"),
        time("Created at", at, "%Y-%m-%d %H:%M", grain="min"), stamp("Updated at", made.later(at), "%Y-%m-%d %H:%M"),
        stamp("Solved at", solved, "%Y-%m-%d %H:%M"),
        answer("Satisfaction Score", said, classes),
        later("Reopens", made.counts(0.3)), later("Replies", made.counts(2)),
        later("First reply time in minutes", made.counts(200)),
        loose("Tags", made.pick(["billing refund", "login", "app ios"]), "category|text|code"),
    )  # fmt: skip


@shape()
def zendesk_api(made: Made) -> Shape:
    """Zendesk's API: tickets[] with satisfaction_rating.score."""
    moods, at = made.moods(mid=0), made.moments()
    said, classes = _offered(made, moods)
    return table(
        url("url", [f"https://example.zendesk.com/api/v2/tickets/{k}.json" for k in range(made.rows)]).but("id|left out"),
        ident("id", list(range(35_436, 35_436 + made.rows))),
        time("created_at", at, "%Y-%m-%dT%H:%M:%SZ"), stamp("updated_at", made.later(at), "%Y-%m-%dT%H:%M:%SZ"),
        text("subject", made.texts(moods, words=(3, 7))), text("description", made.texts(moods)),
        category("priority", made.gaps(made.pick(["low", "normal", "high"]), 0.2)),
        later("status", made.pick(["open", "solved", "closed"]), "category"),
        key("requester_id", made.whole(10**9, 2 * 10**9)), key("group_id", made.pick([9001, 9002])).but("left out|slices|categorical"),
        later("satisfaction_rating.id", made.gaps(made.whole(10**9, 2 * 10**9), 0.5), "id|code|number"),
        answer("satisfaction_rating.score", [s.lower() for s in said], classes),
        flag("has_incidents", [bool(v) for v in made.pick([0, 1], [0.95, 0.05])]).but("categorical|slices|numeric|left out"),
        nested("tags", [["a", "b"]] * made.rows).but("left out|slices|categorical", "nested|constant|category"),
        file=Json(path="tickets", beside=(("next_page", None), ("count", 360))),
    )  # fmt: skip


@shape()
def freshdesk(made: Made) -> Shape:
    """Freshdesk's CSV export: the survey's answer in words, blank for most."""
    moods, at = made.moods(), made.moments(order=-1)
    said = made.by(moods, ["Extremely unhappy", "Unhappy"], ["Neutral"], ["Happy", "Extremely happy"])
    said = made.gaps(said, 0.4)
    return table(
        ident("Ticket ID", [str(k) for k in range(9000, 9000 + made.rows)]),
        text("Subject", made.texts(moods)),
        later("Status", made.pick(["Open", "Pending", "Resolved", "Closed"]), "category"),
        category("Priority", made.pick(["Low", "Medium", "High", "Urgent"])),
        category("Source", made.pick(["Email", "Portal", "Phone"])),
        category("Type", made.pick(["Question", "Refund", "Incident"])),
        person("Agent", made.people()).but("left out|slices|categorical"),
        time("Created time", at), stamp("Due by Time", made.later(at)), stamp("Resolved time", made.later(at, 0.8)),
        stamp("Closed time", made.later(at, 0.7)), stamp("Last update time", made.later(at)),
        later("Resolution status", made.pick(["Within SLA", "SLA Violated"]), "category"),
        later("Agent interactions", made.counts(2)), later("Customer interactions", made.counts(2)),
        answer("Survey results", said, [None if s is None else m for s, m in zip(said, moods, strict=True)]),
    )  # fmt: skip


@shape()
def intercom(made: Made) -> Shape:
    """Intercom's conversations as JSON Lines: epoch seconds, a rating with a remark for a part."""
    moods, at = made.moods(), made.moments()
    stars = made.gaps(made.stars(moods), 0.3)
    return table(
        constant("type", "conversation"),
        ident("id", [str(147_000_000 + 7 * k) for k in range(made.rows)]),
        time("created_at", at, "epoch s"), stamp("updated_at", made.later(at), "epoch s"),
        stamp("waiting_since", made.later(at, 0.4), "epoch s").but("left out"),
        later("state", made.pick(["open", "closed", "snoozed"]), "category"),
        later("read", [bool(v) for v in made.whole(0, 2)]).but("left out|categorical|slices|numeric"),
        category("source.type", made.pick(["conversation", "email"])),
        text("source.body", [f"<p>{t}</p>" for t in made.texts(moods)]),
        person("source.author.email", [f"{h}@example.org" for h in made.hexes(8)]),
        answer("conversation_rating.rating", stars, [None if s is None else m for s, m in zip(stars, moods, strict=True)]),
        later("conversation_rating.remark", made.gaps(made.texts(moods), 0.7), "text"),
        later("statistics.count_reopens", made.counts(0.3)),
        later("statistics.time_to_admin_reply", made.counts(300)),
        file=Json(lines=True, ending=".jsonl"),
    )  # fmt: skip


@shape()
def jira(made: Made) -> Shape:
    """Jira's CSV with columns that share a name; nobody could say which of them is the answer."""
    moods, at = made.moods(), made.moments(order=-1)
    jira_time = "%d/%b/%y %I:%M %p"
    return table(
        text("Summary", made.texts(moods)),
        ident("Issue key", [f"TRUE-{k}" for k in range(made.rows)]),
        ident("Issue id", list(range(10_900, 10_900 + made.rows))).but("id|left out"),
        category("Issue Type", made.pick(["Bug", "Story", "Task"])).but("categorical|slices|label"),
        later("Status", made.pick(["To Do", "In Progress", "Done"]), "category").but("left out|label"),
        category("Priority", made.pick(["Highest", "Medium", "Low"])).but("categorical|slices|label"),
        later("Resolution", made.gaps(["Done"] * made.rows, 0.5), "category|constant").but("left out|label"),
        person("Assignee", made.people()).but("left out|slices|categorical"),
        time("Created", at, jira_time, grain="min"), stamp("Updated", made.later(at), jira_time),
        loose("Sprint", made.gaps(made.pick(["Sprint 1", "Sprint 2"]), 0.3)).but("categorical|slices|left out|text"),
        loose("Sprint", made.gaps(made.pick(["Sprint 2", "Sprint 3"]), 0.8)).but("categorical|slices|left out|text"),
        text("Description", made.texts(moods)),
        later("Comment", made.gaps(made.texts(moods), 0.5), "text").but("left out|text"),
        later("Comment", made.gaps(made.texts(moods), 0.8), "text").but("left out|text"),
        asks="answer",
    )  # fmt: skip


@shape()
def github_issues(made: Made) -> Shape:
    """GitHub's API: labels are lists of objects, a pull request may stand among the issues; no single answer."""
    moods, at = made.moods(), made.moments(order=-1)
    closed = made.later(at, 0.6, 20)
    return table(
        url("url", [f"https://api.github.com/repos/o/r/issues/{k}" for k in range(made.rows)]).but("id|left out"),
        ident("id", [1_900_000_000 + 11 * k for k in range(made.rows)]),
        ident("number", list(range(made.rows, 0, -1))).but("id|left out", "id|code|number"),
        text("title", made.texts(moods, words=(3, 8))),
        person("user.login", made.people()), ident("user.id", made.whole(10**6, 10**7)).but("left out|slices"),
        nested("labels", [[{"name": str(x)}] for x in made.pick(["bug", "feature"])]).but("left out|label"),
        later("state", ["closed" if c else "open" for c in closed], "category").but("left out|label"),
        later("comments", made.counts(2)),
        time("created_at", at, "%Y-%m-%dT%H:%M:%SZ"), stamp("updated_at", made.later(at), "%Y-%m-%dT%H:%M:%SZ"),
        stamp("closed_at", closed, "%Y-%m-%dT%H:%M:%SZ"),
        category("author_association", made.pick(["NONE", "MEMBER", "CONTRIBUTOR"])),
        text("body", made.gaps(made.texts(moods), 0.05)),
        file=Json(), asks="answer",
    )  # fmt: skip


@shape()
def incident_log(made: Made) -> Shape:
    """UCI's ServiceNow event log: days first without zeros, "?" for missing, priorities as "3 - Moderate"."""
    at = made.moments("2016-02-29", 90)
    plain = "%d/%m/%Y %H:%M"
    resolved = made.later(at, 1, 6)
    return table(
        ident("number", [f"INC{k:07d}" for k in range(45, 45 + made.rows)]),
        later("incident_state", made.pick(["New", "Active", "Resolved", "Closed"]), "category"),
        flag("active", [bool(v) for v in made.whole(0, 2)]).but("left out|categorical|slices|numeric"),
        later("reassignment_count", made.counts(1)), later("reopen_count", made.counts(0.1)),
        flag("made_sla", [bool(v) for v in made.whole(0, 2)]).but("left out|label|categorical|slices|numeric"),
        key("caller_id", [f"Caller {k}" for k in made.whole(1, 900)]),
        time("opened_at", at, plain, grain="min"), stamp("sys_updated_at", made.later(at), plain),
        category("contact_type", made.pick(["Phone", "Email", "IVR"])),
        loose("location", [f"Location {k}" for k in made.whole(1, 60)]),
        category("category", made.gaps([f"Category {k}" for k in made.whole(1, 30)], 0.05, "?")),
        category("impact", made.pick(["1 - High", "2 - Medium", "3 - Low"])),
        category("priority", made.pick(["1 - Critical", "3 - Moderate", "4 - Low"])).but("categorical|slices|label"),
        loose("problem_id", made.gaps(["Problem ID 2"] * made.rows, 0.97, "?"), "id|code|category"),
        later("closed_code", [f"code {k}" for k in made.whole(1, 12)], "category|code"),
        later("resolved_by", [f"Resolved by {k}" for k in made.whole(1, 90)], "category|code|id"),
        stamp("resolved_at", made.gaps(resolved, 0.05, None), plain), stamp("closed_at", made.later(at, 1, 9), plain),
        asks="answer", free="missing",
    )  # fmt: skip


@shape()
def help_desk_workbook(made: Made) -> Shape:
    """A help desk's monthly workbook: a title, a blank row, typed dates, CSAT from 1 to 5 with blanks."""
    moods, at = made.moods(), made.moments(days=30)
    scores = made.gaps(made.stars(moods), 0.35)
    return table(
        ident("Ticket No", [f"HD-{k:05d}" for k in range(made.rows)]),
        time("Opened", at, None), stamp("Closed", made.later(at), None),
        category("Department", made.pick(["Sales", "IT", "HR"])),
        text("Request", made.texts(moods)),
        answer("CSAT", scores, [None if s is None else m for s, m in zip(scores, moods, strict=True)]),
        later("Handling minutes", made.counts(40)),
        file=Excel(title=(("Ticket report May 2023",), ()), sheet="Tickets", before=("Cover",)),
    )  # fmt: skip


@shape()
def web_console(made: Made) -> Shape:
    """A ticket console's "Excel" export, which is a table of HTML."""
    moods, at = made.moods(mid=0), made.moments(order=-1)
    return table(
        ident("Case Number", [f"{k:08d}" for k in range(1001, 1001 + made.rows)]),
        time("Date/Time Opened", at, "%Y-%m-%d %H:%M", grain="min"),
        text("Subject", [t.replace("\n", " ") for t in made.texts(moods)]),
        category("Case Origin", made.pick(["Web", "Email", "Phone"])),
        answer("Customer Verdict", ["satisfied" if m == HIGH else "dissatisfied" for m in moods], moods),
        empty("Parent Case Number"),
        file=HtmlTable(),
    )


@shape()
def chat_thumbs(made: Made) -> Shape:
    """A chat bot's log: epoch milliseconds, thumbs for a third of the answers, versions of the prompt."""
    moods = made.moods(mid=0)
    thumbs = made.gaps([1 if m == HIGH else -1 for m in moods], 0.5)
    return table(
        ident("message_id", made.uuids()), key("session_id", made.pick(made.hexes(16)[:80])),
        time("ts", made.moments(days=20), "epoch ms"),
        text("question", made.texts([MID] * made.rows)), text("answer_text", made.texts(moods)).but("text|left out"),
        ordinal("latency_ms", made.counts(900)).but("numeric|left out"),
        title("model", made.pick(["v1.2", "v1.10", "v2.0"])).but("slices|categorical|left out", "version|category"),
        answer("feedback", thumbs, [None if t is None else m for t, m in zip(thumbs, moods, strict=True)]),
        file=Csv(delimiter="|", ending=".psv"),
    )  # fmt: skip
