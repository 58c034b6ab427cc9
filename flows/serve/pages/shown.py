"""Which page lies under which address, made when it is asked for. Nothing here writes to the store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from http import HTTPStatus

from trueup.flows.app import App
from trueup.flows.serve.pages import guard
from trueup.flows.serve.pages.trying_page import Trying
from trueup.flows.site import layout
from trueup.reports.pages.frame import PageFrame, page_template, whole_page
from trueup.reports.pages.try_page import try_page

HTML = "text/html; charset=utf-8"
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')  # before any text of others


@dataclass(frozen=True)
class Shown:
    """An answer: its bytes, what kind they are, and what the browser may do with them."""

    content: bytes
    kind: str = HTML
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


def page(content: bytes, status: HTTPStatus = HTTPStatus.OK) -> Shown:
    """A page of ours, sent with the content policy that it names itself, and never within another page."""
    own = _POLICY.search(content)
    policy = unescape(own[1].decode()) if own else guard.NO_CONTENT_POLICY
    return Shown(content, status=status, headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})


def message_page(status: HTTPStatus, title: str, words: str) -> Shown:
    """A page that only says something, in text."""
    from markupsafe import Markup

    body = Markup(page_template("message.html").render(title=title, words=words))
    return page(whole_page(PageFrame(title=title, root="/index.html"), body), status)


class ShownPages:
    """The pages of a deployment. It opens the store for itself, so that no other thread's connection is shared."""

    def __init__(self, app: App) -> None:
        self._app = replace(app)
        self._trying = Trying(self._app)
        self._streams = {layout.page_of_trying(name): stream for name, stream in app.settings.streams.items()}

    def shown(self, path: str, form: Mapping[str, str] | None) -> Shown:
        """The page under a path of the site, such as `reviews/index.html`.

        Args:
            form: what was sent to it; None: it is only read.

        Raises:
            TrueupError: the store or a model cannot be read.
        """
        if path in self._streams:
            return page(try_page(self._trying.facts(self._streams[path], form)))
        if form is not None:
            return message_page(
                HTTPStatus.METHOD_NOT_ALLOWED, "No form is here", "Nothing was read, and nothing was changed."
            )
        return message_page(
            HTTPStatus.NOT_FOUND,
            "No such page",
            "It was never here, or what it showed was removed since. Begin at the overview.",
        )
