"""The colours of every picture, one a meaning: pages, mails and MLflow draw the same thing in the same colour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A colour as `#rrggbb` on light paper and on dark."""

    light: str
    dark: str


# Against paper: text and what labels are written in at least 4.5:1, lines and marks at least 3:1; grid only orders.
PALETTE = {
    "paper": Colour("#ffffff", "#14181f"),
    "ink": Colour("#1a1f29", "#e6e9ef"),
    "muted": Colour("#566070", "#a5aebc"),
    "grid": Colour("#e2e6ec", "#2b323d"),
    "axis": Colour("#858e9c", "#7b8494"),
    "measured": Colour("#1d4ed8", "#7fa6ff"),
    "estimated": Colour("#0a7f96", "#45c4dc"),
    "bound": Colour("#a8500a", "#f0a04b"),
    "incident": Colour("#b91c1c", "#ff7f76"),
    "promotion": Colour("#15803d", "#4fcf72"),
    "retrain": Colour("#7e22ce", "#c79bff"),
    "reference": Colour("#64748b", "#97a3b6"),
    "current": Colour("#0f766e", "#2fd0bd"),
    "good": Colour("#2f7d4f", "#63c088"),
    "quiet": Colour("#7c8594", "#858e9d"),
}
# For what has no meaning of its own, in this order: classes, candidates, models side by side.
CATEGORIES = (
    Colour("#1d4ed8", "#7fa6ff"),
    Colour("#b45309", "#f0a04b"),
    Colour("#0f766e", "#2fd0bd"),
    Colour("#a21a5b", "#f584b8"),
    Colour("#6d28d9", "#bfa0ff"),
    Colour("#4d7c0f", "#a3d04f"),
    Colour("#0a7f96", "#45c4dc"),
    Colour("#64748b", "#97a3b6"),
)
