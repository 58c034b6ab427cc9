"""What is concluded from a file: a role for each column, with its reason, and what the file alone does not decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "category", "text", "time", "id", "code", "version", "url", "nested", "constant", "empty"]
RoleName = Literal[
    "id", "time", "label", "arrived", "text", "numeric", "categorical", "slices", "prediction", "left out"
]


@dataclass(frozen=True)
class Role:
    """What a column is used as, and why: `why` is a part of a sentence, with its figure where there is one.

    kind: what its values are, whatever they are used for.
    """

    column: str
    role: RoleName
    kind: Kind
    why: str = ""


@dataclass(frozen=True)
class Undecided:
    """Something that the file alone does not say. `settings`: lines of trueup.toml to choose from, uncommented.

    about: time, answer, format, id, missing, feature. column: "" where it concerns none alone.
    """

    about: str
    said: str
    settings: tuple[str, ...] = ()
    column: str = ""
