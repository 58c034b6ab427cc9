"""Addresses of a team's own pages in alerts, by the templates of its settings."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote, urlsplit

PLACEHOLDERS = ("stream", "report", "incident", "version", "run", "cycle", "code")


def link_for(links: Mapping[str, str], kind: str, **ids: object) -> str:
    """The address of one page; "" where no template is set, or where it asks for an id that is not known.

    links: templates by kind of page: site, report, incident, model, run, cycle, runbook. ids: by placeholder; each is
        quoted, so that it can only be the part of the address that the template makes of it.
    """
    template = links.get(kind, "")
    known = {name: quote(str(value), safe="") for name, value in ids.items() if value not in (None, "")}
    return template.format_map(known) if all(name in known for name in _named(template)) else ""


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
