"""What a glob matches and what it leaves out, decided on the parts of a path. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_UNFINISHED = (".part", ".tmp")  # how a file ends that is still being written


def is_pattern(part: str) -> bool:
    """Whether a part of a path stands for many names."""
    return any(sign in part for sign in "*?[")


def split_glob(glob: str) -> tuple[str, str]:
    """The folder that a glob begins at, and the pattern within it; a plain path is its folder and its name."""
    parts = glob.split("/")
    first = next((k for k, part in enumerate(parts) if is_pattern(part)), len(parts) - 1)
    return "/".join(parts[:first]) or ("/" if glob.startswith("/") else ""), "/".join(parts[first:])


def is_left_out(within: Sequence[str]) -> bool:
    """Whether a file is hidden or unfinished. within: the parts of its path that a pattern stands for."""
    return any(part[:1] in (".", "_") for part in within) or within[-1].lower().endswith(_UNFINISHED)


def reaches(pattern: Sequence[str], place: Sequence[str], *, a_file: bool = False) -> bool:
    """Whether a glob can match anything in a folder, or the file that `place` names. Both by their parts.

    Hidden folders are out of reach of a pattern: `**` beside trueup.toml does not reach `.trueup`.
    """
    if not place:
        return a_file if not pattern else not a_file or set(pattern) == {"**"}
    if not pattern:
        return False
    first, rest = pattern[0], pattern[1:]
    hidden = place[0][:1] in (".", "_")
    if first == "**":
        return reaches(rest, place, a_file=a_file) or (not hidden and reaches(pattern, place[1:], a_file=a_file))
    if not fnmatchcase(place[0], first) or (hidden and is_pattern(first)):
        return False
    return reaches(rest, place[1:], a_file=a_file)
