"""Texts as sentence embeddings, where the extra `embeddings` is installed; onnxruntime is imported where one is read.

all-MiniLM-L6-v2 (Reimers and Gurevych 2019, "Sentence-BERT"; Wang et al. 2020, "MiniLM: deep self-attention
distillation") makes 384 numbers of a text: the mean over its word pieces, at length 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from trueup_model.kept_vectors import keep_vector, kept_vector
from trueup_model.weights import TOKENIZER_FILE, EmbeddingsUnusable, file_of

PIECES = Path(__file__).parent / "wordpieces" / "vocab.txt"
PIECES_DIGEST = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
MOST_PIECES = 256  # of a text, as the model was trained; what follows is not read
MOST_CHARACTERS = 10_000  # among which they are found: a text may be a whole book
_AT_ONCE = 50  # texts between two looks at the time

# Measured on one core of the benchmarks' machine; what a record costs decides whether embeddings are tried.
SECONDS_A_TEXT = 0.003
SECONDS_A_CHARACTER = 0.00008
_READ_CHARACTERS = 1100  # that MOST_PIECES pieces usually have


class ReadingTimeIsUp(ValueError):
    """The time was up amid the texts."""


class Embedded(TransformerMixin, BaseEstimator):
    """Reads n texts as n vectors (n × 384, float64), each by itself: what a text's vector is hangs on no other text.

    Args:
        weights: sha256 of the weights, as `weights_in_use` gives it.
    """

    def __init__(self, weights: str) -> None:
        self.weights = weights

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, texts: np.ndarray, y: Any = None) -> Embedded:
        return self

    def transform(self, texts: np.ndarray) -> np.ndarray:
        """The vectors.

        Raises:
            EmbeddingsUnusable: the weights or what they run on are not here.
        """
        return embed(self.weights, texts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """As it is loaded: a model that could not answer is refused at once, not at its first record."""
        super().__setstate__(state)
        file_of(self.weights)


def embed(weights: str, texts: Collection[str], goes_on: Callable[[], bool] = lambda: True) -> np.ndarray:
    """The vectors of n texts (n × the encoder's width), equal texts read once.

    Args:
        goes_on: whether there is time left; asked now and then.

    Raises:
        EmbeddingsUnusable: the weights or what they run on are not here.
        ReadingTimeIsUp: there is no time left.
    """
    encode = _encoder(weights)
    place = {text: at for at, text in enumerate(dict.fromkeys(texts))}
    found = []
    for text, at in place.items():
        if at % _AT_ONCE == 0 and not goes_on():
            raise ReadingTimeIsUp(f"there was time to read {at} of {len(place)} texts")
        vector = kept_vector(weights, text)
        if vector is None:
            vector = encode(text)
            keep_vector(weights, text, vector)
        found.append(vector)
    return np.stack(found)[[place[text] for text in texts]].astype(np.float64)


def seconds_to_embed(lengths: np.ndarray) -> np.ndarray:
    """How long texts of so many characters probably take, in seconds each."""
    return SECONDS_A_TEXT + SECONDS_A_CHARACTER * np.minimum(lengths, _READ_CHARACTERS)


@cache
def _encoder(weights: str) -> Callable[[str], np.ndarray]:
    """What makes a vector of a text. One text at a time: measured, batches are no faster on one core.

    So nothing is padded, and memory holds the activations of one text, a few MB for the longest.
    """
    file = file_of(weights)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # as every fit: sums that threads share differ
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    wanted = {one.name for one in session.get_inputs()}
    tokenizer = _tokenizer(file.with_name(TOKENIZER_FILE))

    def encode(text: str) -> np.ndarray:
        plain = text[:MOST_CHARACTERS].encode("utf-8", "replace").decode()  # half a surrogate pair is no text
        ids = np.array([tokenizer.encode(plain).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        pieces = session.run(None, {name: value for name, value in given.items() if name in wanted})[0]
        mean = pieces.reshape(-1, pieces.shape[-1]).mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)

    return encode


def _tokenizer(own: Path) -> Any:
    """The tokenizer beside the weights, else BERT's."""
    from tokenizers import BertWordPieceTokenizer, Tokenizer

    if own.is_file():
        made = Tokenizer.from_file(str(own))
        made.no_padding()
    else:
        if hashlib.sha256(PIECES.read_bytes()).hexdigest() != PIECES_DIGEST:
            raise EmbeddingsUnusable(f"{PIECES} is not the vocabulary that the weights were trained with. Reinstall.")
        made = BertWordPieceTokenizer(str(PIECES), lowercase=True)
    made.enable_truncation(MOST_PIECES)
    return made
