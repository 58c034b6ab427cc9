"""Names of streams and ids as parts of an address: ASCII, unique, and safe as a file on every system."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
_MADE = re.compile(r".*-[0-9a-f]{8}")  # what ends as a changed name does is changed as well, so no two names meet
_LETTERS = 40  # of a changed name
_TAKEN = frozenset(
    {"assets", "index", "con", "prn", "aux", "nul", *(f"{device}{n}" for device in ("com", "lpt") for n in range(10))}
)


def slug(name: str) -> str:
    """The name as one part of an address: itself where it is plain lower-case ASCII, changed and numbered elsewhere.

    Two names never have one slug, not even where upper and lower case count as the same (but for a collision of 32
    bits of blake2b), and none is a name that Windows keeps for a device or the site for itself.
    """
    if _PLAIN.fullmatch(name) and not _MADE.fullmatch(name) and name not in _TAKEN:
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    begin = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LETTERS].strip("-")
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{begin or 'x'}-{digest}"
