"""A small text classifier in numpy: the mean of the embeddings of a text's words, a hidden layer, and the classes.

The model's own code: it travels with each model (`code_paths`), so a later change of it leaves older models alone.
"""

from __future__ import annotations

import mlflow
import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer

BUCKETS, WIDTH = 2048, 16  # of words and pairs of words by their hash; numbers that say what one means
STEPS, RATE, DECAY = 60, 0.05, 1e-4  # of fine-tuning, by Adam on all rows at once


def counted(texts):
    """Words and pairs of words of n texts, as a sparse matrix of shape (n, BUCKETS)."""
    words = HashingVectorizer(n_features=BUCKETS, ngram_range=(1, 2), alternate_sign=False, norm="l2")
    return words.transform(list(texts))


def pretrain(texts, file, seed=0):
    """Base weights from texts without labels: words that stand beside the same others get alike embeddings (LSA)."""
    found = TruncatedSVD(WIDTH, random_state=seed).fit(counted(texts))
    np.savez(file, embedding=found.components_.T * BUCKETS**0.5)


def fine_tune(base, texts, labels, classes, seed):
    """Weights that begin at the base's and are moved, embeddings too, to tell the classes of labelled texts apart."""
    weights = {"embedding": np.array(base["embedding"], dtype=float)}
    rng, words = np.random.default_rng(seed), counted(texts)
    weights["hidden"] = rng.normal(0, WIDTH**-0.5, (WIDTH, WIDTH))
    weights["out"] = np.zeros((WIDTH, len(classes)))
    weights["bias"] = np.zeros(len(classes))
    truth = (np.asarray(labels)[:, None] == np.asarray(classes)[None, :]).astype(float)
    share = (truth / truth.sum(axis=0).clip(1)).sum(axis=1, keepdims=True) / len(classes)  # classes weigh the same
    first, second = ({name: np.zeros_like(value) for name, value in weights.items()} for _ in range(2))
    for step in range(1, STEPS + 1):
        inner, chances = forward(weights, words)
        wrong = (chances - truth) * share
        back = (wrong @ weights["out"].T) * (1 - inner**2)
        gradient = {"out": inner.T @ wrong, "bias": wrong.sum(axis=0),
                    "hidden": (words @ weights["embedding"]).T @ back,
                    "embedding": words.T @ (back @ weights["hidden"].T)}
        for name, value in weights.items():
            slope = gradient[name] + DECAY * value
            first[name] = 0.9 * first[name] + 0.1 * slope
            second[name] = 0.999 * second[name] + 0.001 * slope**2
            size = np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8
            weights[name] = value - RATE * first[name] / (1 - 0.9**step) / size
    return weights


def forward(weights, words):
    """What the hidden layer holds for n texts, and the probability of each class."""
    inner = np.tanh(words @ weights["embedding"] @ weights["hidden"])
    logits = inner @ weights["out"] + weights["bias"]
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return inner, raised / raised.sum(axis=1, keepdims=True)


class TextNet(mlflow.pyfunc.PythonModel):
    """Answers by weights in a file of the model's folder."""

    def __init__(self, features, classes):
        self.features, self.classes = features, classes

    def load_context(self, context):
        self.weights = dict(np.load(context.artifacts["weights"]))

    def predict(self, context, model_input, params=None):
        chances = forward(self.weights, counted(joined(model_input, self.features)))[1]
        table = pd.DataFrame(chances, columns=self.classes)
        return table.add_prefix("p_").assign(prediction=table.idxmax(axis=1).to_numpy())


def joined(rows, features):
    """The text columns of rows as one text each."""
    return rows[features].fillna("").agg(" ".join, axis=1)
