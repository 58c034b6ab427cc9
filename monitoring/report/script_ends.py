"""Text of outsiders in what Evidently writes into a page: it cannot end the script that it stands in."""

from __future__ import annotations

import re

_ENDS = re.compile(r"<(?=/script|script|!--)", re.IGNORECASE)
_APART = "<\\u2060"  # a joiner without width, as JSON writes it: the text looks as it did


def without_script_ends(document: str) -> str:
    """JSON whose texts, put raw into a script element as Evidently does, neither end it nor begin a comment in it.

    It stays the same JSON but for an invisible character behind each `<` of `<script`, `</script` and `<!--`.
    """
    return _ENDS.sub(lambda found: _APART, document)
