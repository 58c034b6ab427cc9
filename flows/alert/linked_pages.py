"""Addresses of a stream's pages: as its mails have them, and as somebody at this machine opens them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from trueup.flows.app import App
from trueup.reports.alerts.links import link_for, links_of_site
from trueup.reports.runbook import runbook_code
from trueup.storage.locations import is_local


def page_on_site(app: App, kind: str, **ids: object) -> str:
    """A page of the site as somebody here opens it; "" where there is no such page.

    kind, ids: as `link_for` takes them. Its address, where `[site] url` is set; else its file, where that is written.
    """
    site = app.settings.site
    if site.url:
        return link_for(links_of_site(site.url), kind, **ids)
    if not site.to or not is_local(site.to):
        return ""
    file = unquote(link_for(links_of_site(site.to), kind, **ids))
    return file if file and Path(file).is_file() else ""


def linked_pages(app: App, stream: str) -> dict[str, str]:
    """By kind of page, the address with the newest ids; "" where there is none yet.

    Only pages with a template in `[links]`, or of a site whose address is known.
    """
    links = app.settings.page_links
    report = next(iter(app.cycles.reports(stream, limit=1)), None)
    incident = next(iter(app.incidents.newest(stream, limit=1)), None)
    code = next(iter(incident.codes), "") if incident else ""
    cycle = app.cycles.last_ended(stream)
    promoted = app.promotions.last_committed(stream)
    number = promoted.to_version if promoted else None
    version = app.promotions.version(stream, number) if number is not None else None
    ids: dict[str, object] = {
        "stream": stream,
        "report": report["id"] if report else None,
        "incident": incident.id if incident else None,
        "code": runbook_code(code) or code,
        "cycle": cycle.id if cycle else None,
        "version": number,
        "run": version.run_id if version else None,
    }
    return {kind: link_for(links, kind, **ids) for kind, template in links.items() if template}
