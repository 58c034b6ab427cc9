"""A drawing as a file of its own, for places that have no style of ours: an image in Markdown, an artifact."""

from __future__ import annotations

import re
from base64 import b64encode

from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.palette import picture_css

_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_EDGE = 16  # between the drawing and the end of its ground


def standalone_svg(drawing: Drawing) -> bytes:
    """The SVG with its style and a ground of its own, since around it may be light or dark whatever it is in."""
    opening, _, rest = drawing.svg.partition(">")
    inner = rest.removesuffix("</svg>")
    named = opening if "xmlns=" in opening else f'{opening} xmlns="http://www.w3.org/2000/svg"'
    wider = _BOX.sub(_with_edge, named)
    return (
        f"{wider}><style>{picture_css()}</style>"
        f'<rect x="{-_EDGE}" y="{-_EDGE}" width="100%" height="100%" style="fill:var(--paper)"/>'
        f'<g class="picture" font-family="system-ui,sans-serif">{inner}</g></svg>'
    ).encode()


def _with_edge(box: re.Match[str]) -> str:
    width, height = (int(size) + 2 * _EDGE for size in box.groups())
    return f'viewBox="{-_EDGE} {-_EDGE} {width} {height}"'


def as_data_uri(content: bytes, kind: str = "image/svg+xml") -> str:
    """A picture as the address of an image, which nothing is fetched for."""
    return f"data:{kind};base64,{b64encode(content).decode()}"
