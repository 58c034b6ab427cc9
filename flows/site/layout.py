"""Where each page of the site lies, and how one links to another.

Names are relative to the site's root, of ASCII letters, digits, `-`, `_`, `.` and `/` alone, so that a link is the name
as it is in a folder, in a bucket and behind a web server.
"""

from __future__ import annotations

import posixpath
import re
from datetime import date

from trueup.storage.slugs import slug

OVERVIEW = "index.html"
ASSETS = "assets"
MARK = "trueup-site.json"  # says whose site it is


def folder_of_stream(stream: str) -> str:
    """`<stream>`: all of its pages lie in it."""
    return slug(stream)


def page_of_stream(stream: str) -> str:
    """`<stream>/index.html`"""
    return f"{slug(stream)}/index.html"


def page_of_month(stream: str, month: date) -> str:
    """`<stream>/<yyyy-mm>.html`: the checks of one month (UTC)."""
    return f"{slug(stream)}/{month:%Y-%m}.html"


def page_of_check(stream: str, report_id: str) -> str:
    """`<stream>/checks/<report_id>.html`"""
    return f"{slug(stream)}/checks/{slug(report_id)}.html"


def plots_of_check(stream: str, report_id: str) -> str:
    """`<stream>/checks/<report_id>-evidently.html`: Evidently's plots, which the check's page frames when opened."""
    return f"{slug(stream)}/checks/{slug(report_id)}-evidently.html"


def page_of_comparison(stream: str, report_id: str) -> str:
    """`<stream>/comparisons/<report_id>.html`: models at a gate, or periods, against each other."""
    return f"{slug(stream)}/comparisons/{slug(report_id)}.html"


def plots_of_comparison(stream: str, report_id: str) -> str:
    """`<stream>/comparisons/<report_id>-evidently.html`"""
    return f"{slug(stream)}/comparisons/{slug(report_id)}-evidently.html"


def page_of_incident(stream: str, incident_id: str) -> str:
    """`<stream>/incidents/<id>.html`"""
    return f"{slug(stream)}/incidents/{slug(incident_id)}.html"


def page_of_models(stream: str) -> str:
    """`<stream>/models.html`"""
    return f"{slug(stream)}/models.html"


def page_of_quarantine(stream: str) -> str:
    """`<stream>/quarantine.html`"""
    return f"{slug(stream)}/quarantine.html"


def page_of_trying(stream: str) -> str:
    """`<stream>/try.html`: where somebody asks the champion; `trueup serve` shows it, the site has none."""
    return f"{slug(stream)}/try.html"


def csv_of(page: str, drawing: str) -> str:
    """The numbers of a page's drawing, whose name is a slug: `<page>-<drawing>.csv` beside it."""
    return f"{page.removesuffix('.html')}-{drawing}.csv"


def evidently_asset(version: str) -> str:
    """`assets/evidently-<version>.js`: the one script that all plots of Evidently share."""
    return f"{ASSETS}/evidently-{re.sub(r'[^A-Za-z0-9.]', '-', version)}.js"


def href(from_: str, to: str) -> str:
    """The relative link from one page (or file) of the site to another.

    >>> href("reviews/checks/a1.html", "reviews/index.html")
    '../index.html'
    """
    return posixpath.relpath(to, posixpath.dirname(from_) or ".")
