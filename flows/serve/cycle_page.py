"""What Prefect's pages show of a finished cycle: outcome, tags, lines of its log, an artifact, links that work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from trueup.flows.app import App
from trueup.flows.cycle.document import masked_document, outcome, summary, tags_of, title_of
from trueup.flows.site.facts.courses import CheckPages, metric_course
from trueup.monitoring.check import Verdict
from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.alerts.links import link_for
from trueup.reports.masking import masks_at
from trueup.reports.pictures.standalone import as_data_uri, standalone_svg
from trueup.storage.escaping import for_markdown
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK

_POINTS = 30  # of the picture: every cycle leaves one in Prefect's database
_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class CyclePage:
    """A cycle as Prefect shows it.

    outcome: in a few words. title: with stream and time. markdown: of its artifact. links: (name, address), the report
    first. lines: of its log, plain text.
    """

    outcome: str
    title: str
    tags: tuple[str, ...]
    markdown: str
    links: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]


def page_of_cycle(app: App, done: dict[str, Any]) -> CyclePage:
    """The document of a cycle for Prefect, with personal data masked where its server is another machine."""
    shown = masked_document(done) if masks_at(app.settings.site.mask, _place()) else done
    links = _links(app, done)
    report = done["check"]["report_id"] if done["check"] else None
    ways = [f"[{name}]({address})" for name, address in links]
    if report and not any(name == "Report" for name, _ in links):
        ways.insert(0, f"Report: `trueup reports open {report}`")
    head, _, rest = summary(shown).partition("\n")
    picture = _picture(app, app.stream(done["stream"]), datetime.fromisoformat(done["as_of"]))
    above = [part for part in (" · ".join(ways), picture) if part]
    return CyclePage(
        outcome=outcome(done),
        title=title_of(done),
        tags=tuple(tags_of(done)),
        markdown="\n\n".join([head, *above, rest.lstrip("\n")]),
        links=links,
        lines=tuple(_lines(shown)),
    )


def _place() -> str:
    """Where Prefect keeps what it is given; empty: on this machine."""
    server = os.environ.get("PREFECT_API_URL", "")
    return "" if urlsplit(server).hostname in _HERE else server


def _links(app: App, done: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The pages that are served, by name."""
    links, stream = app.settings.page_links, done["stream"]
    report = done["check"]["report_id"] if done["check"] else None
    trained = done["training"]["version"] if done["training"] else None
    incidents = [incident.id for incident in app.incidents.open_ones(stream)]
    pages = [
        *([("Report", "report", {"report": report})] if report else []),
        *(("Incident", "incident", {"incident": one}) for one in incidents),
        *([("Models", "model", {"version": trained})] if trained else []),
        ("Stream", "stream", {}),
        ("trueup", "site", {}),
    ]
    found = ((name, link_for(links, kind, stream=stream, **ids)) for name, kind, ids in pages)
    return tuple((name, address) for name, address in found if address)


def _picture(app: App, stream: StreamSettings, as_of: datetime) -> str:
    """The metric in the newest checks, as an image that holds itself; empty where it was not measured twice."""
    measured = app.checks.past_values(stream.name, METRIC, _POINTS)
    if len(measured) < 2:
        return ""
    pages = CheckPages(app, stream.name, "")
    course = metric_course(app, stream, pages, measured[-1].as_of, as_of + TICK)
    if course is None:
        return ""
    drawing = course.drawing("metric")
    return f"![{for_markdown(drawing.alt)}]({as_data_uri(standalone_svg(drawing))})"


def _lines(shown: dict[str, Any]) -> list[str]:
    """The outcome, why, and each breached signal."""
    breached = [s for s in shown["check"]["signals"] if s["verdict"] == Verdict.BREACHED] if shown["check"] else []
    return [
        title_of(shown),
        *shown["decision"]["reasons"],
        *(f"{signal['code']}: {signal['said']}" for signal in breached),
    ]
