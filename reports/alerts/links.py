"""Addresses of a team's own pages in alerts, by the templates of its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from trueup.reports.runbook import runbook_code
from trueup.storage.slugs import slug

if TYPE_CHECKING:  # settings read templates, and know nothing of checks
    from trueup.reports.alerts.situation import Situation

PLACEHOLDERS = ("stream", "report", "incident", "version", "run", "cycle", "code", "slug")

# The site's own pages, below its address; `flows/site/layout.py` writes them there.
_SITE = {
    "site": "index.html",
    "stream": "{slug}/index.html",
    "report": "{slug}/checks/{report}.html",
    "incident": "{slug}/incidents/{incident}.html",
    "model": "{slug}/models.html",
}

_PAGES = {
    "incident": "Incident",
    "report": "Report",
    "model": "Version",
    "run": "Training run",
    "cycle": "Cycle",
    "runbook": "Runbook",
    "site": "trueup",
}


def links_of_site(begin: str) -> dict[str, str]:
    """The templates of the addresses of the site's pages, by kind; begin: the site's own address, or its folder."""
    fixed = begin.rstrip("/").replace("{", "{{").replace("}", "}}")
    return {kind: f"{fixed}/{name}" for kind, name in _SITE.items()}


def link_for(links: Mapping[str, str], kind: str, **ids: object) -> str:
    """The address of one page; "" where no template is set, or where it asks for an id that is not known.

    links: templates by kind of page: site, report, incident, model, run, cycle, runbook. ids: by placeholder; each is
        quoted, so that it can only be the part of the address that the template makes of it. `slug` is the stream's.
    """
    template = links.get(kind, "")
    if ids.get("stream"):
        ids["slug"] = slug(str(ids["stream"]))
    known = {name: quote(str(value), safe="") for name, value in ids.items() if value not in (None, "")}
    return template.format_map(known) if all(name in known for name in _named(template)) else ""


def pages_of(links: Mapping[str, str], situation: Situation) -> tuple[tuple[str, str], ...]:
    """The pages of what a message is about, by name, the one to look at first; none where no template is set."""
    notices, incident = situation.notices, next(iter(situation.open or situation.incidents), None)
    codes = (*(incident.codes if incident else ()), *(code for notice in notices for code in notice.codes))
    ids: dict[str, object] = {
        "stream": situation.stream,
        "incident": incident.id if incident else None,
        "report": _report(situation),
        "version": _newest(notice.to_version for notice in notices) or situation.champion,
        "run": _newest(notice.run_id for notice in notices),
        "cycle": _newest(notice.cycle_id for notice in notices),
        "code": runbook_code(next(iter(codes), "")) or next(iter(codes), None),
    }
    found = ((name, link_for(links, kind, **ids)) for kind, name in _PAGES.items())
    return tuple((name, link) for name, link in found if link)


def commands_for(situation: Situation) -> tuple[tuple[str, str], ...]:
    """What is run, and on which machine, where no page is set."""
    report = _report(situation)
    where = f", on {situation.host}" if situation.host else ""
    return (("Report's page", f"trueup reports open {report}{where}"),) if report else ()


def _report(situation: Situation) -> str | None:
    told = next((n.report_id for n in reversed(situation.notices) if n.report_id), None)
    return told or (situation.latest.report_id if situation.latest else None)


def checked_link(template: str) -> str:
    """The template, if an address can be made of it.

    Raises:
        ValueError: it is no http or https address, holds a login, or a placeholder in it is unknown; with advice.
    """
    if not template:
        return template
    example = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    try:
        named = _named(template)
        where = urlsplit(template)
        reachable = where.scheme in ("http", "https") and bool(where.hostname)
    except ValueError as error:
        raise ValueError(f"it is no address ({error}); placeholders are {example}") from None
    if not reachable or any(sign.isspace() or not sign.isprintable() for sign in template):
        raise ValueError("it is no address of a page, so nobody could open it from a mail; begin it with https://")
    if "@" in where.netloc:
        raise ValueError("it holds a login, which everybody would read who gets a mail; leave it out")
    unknown = [name for name in named if name not in PLACEHOLDERS]
    if unknown:
        raise ValueError(f"the placeholder {{{unknown[0]}}} is unknown; known are {example}")
    if "{" in where.netloc:
        raise ValueError("a placeholder stands before the first '/', so the link could lead to anywhere; name the host")
    return template


def checked_site(url: str) -> str:
    """The address where the site's pages begin, without the last slash.

    Raises:
        ValueError: it is no http or https address, holds a login, a placeholder or what stands after `?` or `#`.
    """
    plain = checked_link(url)
    if "{" in plain or "?" in plain or "#" in plain:
        raise ValueError("pages are named after it, so it ends in a folder: leave out braces and all from ? or # on")
    return plain.rstrip("/")


def _newest(values: Iterable[str | int | None]) -> str | int | None:
    return next((value for value in reversed(list(values)) if value is not None), None)


def _named(template: str) -> list[str]:
    """The placeholders of a template.

    Raises:
        ValueError: a brace is not closed, or more than a name stands in one.
    """
    found = []
    for _, name, form, change in Formatter().parse(template):
        if name is None:
            continue
        if form or change or not name.isidentifier():
            raise ValueError(f"'{{{name}}}' is not a placeholder: one is a name in braces")
        found.append(name)
    return found
