"""Addresses of a stream's pages as its mails have them, to be tried before an alert needs one."""

from __future__ import annotations

from trueup.flows.app import App
from trueup.reports.alerts.links import link_for
from trueup.reports.runbook import runbook_code


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
