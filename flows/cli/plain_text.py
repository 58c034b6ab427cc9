"""The console of every command: nothing that outsiders wrote moves its cursor, hides text, is markup or a secret."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from trueup.storage.escaping import for_terminal
from trueup.storage.secrets import without_secrets


class PlainConsole(Console):
    """A console that shows texts as they are: no markup, no emoji codes, and no control characters but rich's own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def print(self, *parts: Any, **settings: Any) -> None:
        """Print texts and what rich draws; a text without secrets, before it is broken into lines."""
        super().print(*map(_clean, parts), **settings)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """What is drawn, its texts cleaned."""
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else for_terminal(segment.text)
            yield segment if shown == segment.text else Segment(shown, segment.style)


def _clean(part: Any) -> Any:
    if isinstance(part, str):
        return without_secrets(part)
    if isinstance(part, Text) and (said := without_secrets(part.plain)) != part.plain:
        return Text(said)
    return part
