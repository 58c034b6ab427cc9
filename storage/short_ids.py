"""Ids as people type and read them: their beginning, as long as only one begins so."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.storage.errors import InputError

NEWEST = "last"  # stands for the newest, wherever an id is asked for
_SHORT = 8  # characters of an id in a table
CANDIDATES = 8  # candidates that are named where a beginning fits several


def short_id(whole: str) -> str:
    """An id as tables show it."""
    return whole[:_SHORT]


def the_one(typed: str, found: Sequence[str], *, of: str, listed: str) -> str:
    """The id that a person meant: one that is typed whole, or the only one that begins so.

    found: ids that begin with `typed`. of: what has such ids ("report"). listed: the command that names them.

    Raises:
        InputError: none begins so, or several do; these are named.
    """
    fitting = [one for one in found if one.startswith(typed)] if typed else []
    if typed in fitting:
        return typed
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise InputError(f"There is no {of} '{typed}'. `{listed}` names them.")
    shown = _told_apart(fitting[:CANDIDATES], len(typed))
    more = ", and more" if len(fitting) > CANDIDATES else ""
    raise InputError(f"Several ids begin with '{typed}': {', '.join(shown)}{more}. Type more of the {of}'s id.")


def _told_apart(ids: Sequence[str], typed: int) -> list[str]:
    """The ids, each as short as it may be typed next."""
    least = next((n for n in range(typed + 1, max(map(len, ids))) if len({one[:n] for one in ids}) == len(ids)), None)
    return [one if least is None else one[: max(least, _SHORT)] for one in ids]
