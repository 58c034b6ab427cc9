"""The style of every drawing: colours in light and dark, sizes of text, and the classes that a drawing may use."""

from __future__ import annotations

from itertools import pairwise

from trueup.storage.colours import CATEGORIES, PALETTE, Colour

# Text is sized by the width of the figure (`.picture`), in units of the drawing, so that it is never under 11 px.
_SIZES = ((860, 11), (640, 14), (440, 19), (0, 25))  # from this width of the figure on, px: this size


def palette_css() -> str:
    """The colours alone, as custom properties (`--measured`, `--category-0`, …) in light and dark; paper is light."""
    light = "".join(f"--{name}:{colour.light};" for name, colour in _named())
    dark = "".join(f"--{name}:{colour.dark};" for name, colour in _named())
    return f":root{{color-scheme:light dark;{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def picture_css() -> str:
    """The colours and the classes of drawings. A page puts each drawing into an element of class `picture`."""
    names = [name for name, _ in _named()]
    fills = "".join(f".picture .fill-{name}{{fill:var(--{name})}}" for name in names)
    strokes = "".join(f".picture .line-{name}{{stroke:var(--{name});fill:none}}" for name in names)
    return f"{palette_css()}{fills}{strokes}{_STYLE}{_sizes()}"


def _named() -> list[tuple[str, Colour]]:
    return [*PALETTE.items(), *((f"category-{k}", colour) for k, colour in enumerate(CATEGORIES))]


_STYLE = (
    ".picture{container-type:inline-size}"
    ".picture svg{display:block;width:100%;height:auto;overflow:hidden;font-family:system-ui,sans-serif}"
    ".picture text{fill:var(--ink);font-size:11px;dominant-baseline:central;font-variant-numeric:tabular-nums}"
    ".picture text.muted{fill:var(--muted)}"
    ".picture .strong{font-weight:600}"
    ".picture .middle{text-anchor:middle}.picture .end{text-anchor:end}"
    ".picture [class*=line-]{stroke-width:2;stroke-linejoin:round}"
    ".picture .thin{stroke-width:1}.picture .thick{stroke-width:3}"
    ".picture .dashed{stroke-dasharray:7 4}.picture .dotted{stroke-dasharray:2 4;stroke-linecap:round}"
    ".picture .soft{fill-opacity:.16;stroke-opacity:.5}"
    ".picture .edged{stroke:var(--axis);stroke-width:1}"
    ".picture .hollow{fill:var(--paper)}"
    ".picture .unseen{fill:transparent}"
    ".picture a:hover .unseen,.picture a:focus .unseen,.picture a:focus-visible .unseen"
    "{fill:var(--muted);fill-opacity:.18}"
)


def _sizes() -> str:
    return "".join(
        f"@container (max-width:{upper - 0.02}px){{.picture text{{font-size:{size}px}}}}"
        for (upper, _), (_, size) in pairwise(_SIZES)
    )
