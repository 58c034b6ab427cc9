"""The console of every command: nothing that outsiders wrote moves its cursor, hides text or is markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

from trueup.storage.escaping import for_terminal


class PlainConsole(Console):
    """A console that shows texts as they are: no markup, no emoji codes, and no control characters but rich's own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """What is drawn, its texts cleaned."""
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else for_terminal(segment.text)
            yield segment if shown == segment.text else Segment(shown, segment.style)
