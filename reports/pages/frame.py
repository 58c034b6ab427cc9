"""What every page shares: its head, style and content policy, the way back to the index, and the one small script.

A page needs no network and no script: without it, tables keep the order they were written in.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.reports.pictures.palette import picture_css
from trueup.storage.escaping import for_page
from trueup.storage.formatting import figure
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class PageFrame:
    """What stands around the body of a page.

    title: of the window, and the last crumb. crumbs: the pages above, outermost first, as words and relative address.
    root: the relative address of the site's index, empty for a page that stands alone. made: when, in words.
    """

    title: str
    crumbs: tuple[tuple[str, str], ...] = ()
    root: str = ""
    made: str = ""


def whole_page(
    frame: PageFrame, body: Markup, *, scripts: tuple[str, ...] = (), allowed: tuple[str, ...] = ()
) -> bytes:
    """The page as a file: `body` is what `<main>` holds, and begins with its `h1`.

    scripts: further inline scripts of this page. allowed: further sources of its `script-src`, for a frame within it.
    """
    from markupsafe import Markup

    inline = (_text("page.js"), *scripts)
    return (
        page_template("frame.html")
        .render(
            frame=frame, body=body, css=Markup(page_css()), scripts=[Markup(script) for script in inline],
            policy=page_policy(scripts=scripts, allowed=allowed),
        )
        .encode()
    )  # fmt: skip


def page_policy(*, scripts: tuple[str, ...] = (), allowed: tuple[str, ...] = ()) -> str:
    """The content policy of a page: nothing from elsewhere, and no script but its own, which are named by hashes."""
    sources = (*(hash_of_script(script) for script in (_text("page.js"), *scripts)), *allowed)
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {' '.join(sources)}; img-src 'self' data:; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'"
    )


def hash_of_script(script: str) -> str:
    """How a content policy names an inline script."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def page_css() -> str:
    """The one style of all pages: light, dark, on paper, and on a phone."""
    return f"{picture_css()}\n{_text('page.css')}"


def page_template(name: str) -> jinja2.Template:
    """A template of this folder; what it shows is escaped, and a name that it lacks is an error."""
    return _environment().get_template(name)


def page_part(template: str, **values: object) -> Markup:
    """A template of this folder with its values, as the body of a page or a part of one."""
    from markupsafe import Markup

    return Markup(page_template(template).render(values))


def shown(value: object) -> str:
    """A value of a table of numbers as people read it; nothing for what is missing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return to_minute(value)
    if isinstance(value, float):
        return figure(value)
    return str(value)


@cache
def _environment() -> jinja2.Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=for_page,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    return environment


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
