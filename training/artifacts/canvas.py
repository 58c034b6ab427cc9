"""What every picture of a model shares: size, colours, and words of outsiders that are drawn as they are."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

from trueup.storage.colours import CATEGORIES, PALETTE

DPI = 90
COLOURS = tuple(colour.light for colour in CATEGORIES)
BLUE, ORANGE, GREY = *COLOURS[:2], PALETTE["reference"].light
LONGEST_LABEL = 32  # signs of a word or class name in a picture


def canvas(title: str, *, across: int = 1, down: int = 1, width: float = 5.2, height: float = 4.0) -> tuple[Any, Any]:
    """A figure and its axes (an array of them where there are several); no window, no state shared by threads."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * across, height * down), dpi=DPI, layout="tight")
    figure.suptitle(shortened(title, 110), fontsize=10)
    axes = figure.subplots(down, across)
    for one in axes.flat if hasattr(axes, "flat") else [axes]:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    return figure, axes


def png(figure: Any) -> bytes:
    """The picture; signs that no font here knows are drawn as boxes."""
    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        warnings.filterwarnings("ignore", "Tight layout not applied")
        figure.savefig(held, format="png")
    return held.getvalue()


def shortened(words: object, longest: int = LONGEST_LABEL) -> str:
    """Words as a picture may hold them: one line, not too long, and a dollar sign is a dollar sign, not a formula."""
    line = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", str(words))
    return (line if len(line) <= longest else line[: longest - 1] + "…").replace("$", r"\$")
