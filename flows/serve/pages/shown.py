"""Which page lies under which address, made when it is asked for. Nothing here writes to the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from html import unescape
from http import HTTPStatus

from trueup.flows.app import App
from trueup.flows.serve.pages import guard
from trueup.flows.serve.pages.trying_page import Trying
from trueup.flows.site import layout
from trueup.flows.site.facts.comparisons import comparisons_of
from trueup.flows.site.making import PageFiles, PageMaker
from trueup.monitoring.report.evidently_frame import evidently_script, evidently_version
from trueup.reports.masking import masks_at
from trueup.reports.pages.frame import PageFrame, page_template, whole_page
from trueup.reports.pages.try_page import try_page
from trueup.storage.check_courses import CheckCourses
from trueup.storage.check_lists import CheckFilter
from trueup.storage.errors import InputError
from trueup.storage.slugs import slug
from trueup.storage.stream import StreamSettings

HTML, CSV, SCRIPT = "text/html; charset=utf-8", "text/csv; charset=utf-8", "text/javascript; charset=utf-8"
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')  # before any text of others
_PLOTS = "-evidently"
_MONTH = re.compile(r"([1-9]\d{3})-(0[1-9]|1[0-2])\.html")


@dataclass(frozen=True)
class Shown:
    """An answer: its bytes, what kind they are, and what the browser may do with them."""

    content: bytes
    kind: str = HTML
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


def page(content: bytes, status: HTTPStatus = HTTPStatus.OK, *, plots: bool = False) -> Shown:
    """A page, sent with the content policy that it names itself, and never within a page of others.

    plots: it is Evidently's; its scripts reach neither our pages nor the window around them.
    """
    own = _POLICY.search(content)
    policy = unescape(own[1].decode()) if own else guard.NO_CONTENT_POLICY
    around = "; sandbox allow-scripts; frame-ancestors 'self'" if plots else "; frame-ancestors 'none'"
    return Shown(content, status=status, headers={"Content-Security-Policy": f"{policy}{around}"})


def message_page(status: HTTPStatus, title: str, words: str) -> Shown:
    """A page that only says something, in text."""
    from markupsafe import Markup

    body = Markup(page_template("message.html").render(title=title, words=words, root="/index.html"))
    return page(whole_page(PageFrame(title=title, root="/index.html"), body), status)


class ShownPages:
    """The pages of a deployment. It opens the store for itself, so that no other thread's connection is shared."""

    def __init__(self, app: App) -> None:
        self._app = replace(app)
        self._maker = PageMaker(self._app, masks_at(app.settings.site.mask, ""), served=True)
        self._trying = Trying(self._app)
        self._streams = {slug(name): stream for name, stream in app.settings.streams.items()}

    def shown(self, path: str, form: Mapping[str, str] | None) -> Shown:
        """What lies under a path of the site, such as `reviews/index.html`.

        Args:
            form: what was sent to it; None: it is only read.

        Raises:
            TrueupError: the store or a model cannot be read.
        """
        if path in self._streams:
            return Shown(b"", status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"/{path}/"})
        if path == "favicon.ico":  # browsers ask by themselves
            return Shown(b"", status=HTTPStatus.NO_CONTENT)
        path = f"{path}index.html" if not path or path.endswith("/") else path
        folder, _, name = path.partition("/")
        if name == "try.html" and folder in self._streams:
            return page(try_page(self._trying.facts(self._streams[folder], form)))
        if form is not None:
            return message_page(HTTPStatus.METHOD_NOT_ALLOWED, "No form is here", "Nothing was changed.")
        if path == layout.evidently_asset(evidently_version()):
            kept = {"Cache-Control": "public, max-age=31536000, immutable"}  # its name says its version
            return Shown(evidently_script().encode(), SCRIPT, headers=kept)
        for known in _pages_beside(path):
            files = self._files(known)
            if path in files:
                return _sent(path, files[path])
        return message_page(
            HTTPStatus.NOT_FOUND,
            "No such page",
            "It was never here, or what it showed was removed since. Begin at the overview.",
        )

    def _files(self, path: str) -> PageFiles:
        """A page and what lies beside it; nothing where there is no such page."""
        make = self._maker_of(path)
        try:
            return make() if make else {}
        except InputError:  # no such incident or check
            return {}

    def _maker_of(self, path: str) -> Callable[[], PageFiles] | None:
        if path == layout.OVERVIEW:
            return self._maker.overview
        folder, _, name = path.partition("/")
        stream = self._streams.get(folder)
        return self._maker_of_stream(stream, name) if stream else None

    def _maker_of_stream(self, stream: StreamSettings, name: str) -> Callable[[], PageFiles] | None:
        maker = self._maker
        whole = {"index.html": maker.stream, "models.html": maker.models, "quarantine.html": maker.quarantine}
        if name in whole:
            return partial(whole[name], stream)
        if month := _MONTH.fullmatch(name):
            first = date(int(month[1]), int(month[2]), 1)
            known = CheckCourses(self._app.database).months(stream.name)
            return partial(maker.month, stream, first) if first in [one.month for one in known] else None
        kind, _, page_name = name.partition("/")
        found = page_name.removesuffix(".html").removesuffix(_PLOTS)
        if found != slug(found):  # ids are their own slugs
            return None
        if kind == "incidents":
            return partial(maker.incident, stream, found)
        if kind == "comparisons":
            listed = next((one for one in comparisons_of(self._app, stream.name) if one.report_id == found), None)
            return partial(maker.comparison, stream, listed) if listed else None
        if kind == "checks" and self._app.checks.page(CheckFilter(stream=stream.name, report_id=found), 1)[0]:
            return partial(maker.check, stream, found, partial(_to_check, stream.name))
        return None


def _to_check(stream: str, page: str, report_id: str) -> str:
    return layout.href(page, layout.page_of_check(stream, report_id))


def _pages_beside(path: str) -> Iterator[str]:
    """The page itself, or those that a CSV can lie beside: `2024-03-metric.csv` beside `2024-03.html`."""
    if not path.endswith(".csv"):
        yield path
        return
    folder, _, name = path.rpartition("/")
    steps = name.removesuffix(".csv").split("-")
    for count in range(len(steps) - 1, 0, -1):
        beside = f"{'-'.join(steps[:count])}.html"
        yield f"{folder}/{beside}" if folder else beside


def _sent(path: str, content: bytes) -> Shown:
    if path.endswith(".csv"):
        return Shown(content, CSV, headers={"Content-Disposition": "attachment"})
    return page(content, plots=path.endswith(f"{_PLOTS}.html"))
