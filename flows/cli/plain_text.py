"""What outsiders wrote, as a terminal may show it: nothing in it moves the cursor, hides text or is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.segment import Segment

# C0 and C1 controls but tab and line end, marks that reorder or hide text (Unicode TR36), line and paragraph
# separators, and halves of surrogate pairs; joiners stay, emoji and some scripts need them.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def for_terminal(text: str) -> str:
    """The text with what a terminal would obey written out, as in `\\x1b`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class PlainConsole(Console):
    """A console that shows texts as they are: no markup, no emoji codes, and no control characters but rich's own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(self, renderable: Any, options: Any = None) -> Iterable[Segment]:
        """What is drawn, its texts cleaned."""
        for segment in super().render(renderable, options):
            if segment.control or not _UNSAFE.search(segment.text):
                yield segment
            else:
                yield Segment(for_terminal(segment.text), segment.style)
