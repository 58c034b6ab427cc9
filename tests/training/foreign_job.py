"""A training job of somebody else: run by any interpreter with mlflow, pandas and scikit-learn, it leaves a model.

`python foreign_job.py FOLDER [BEHAVIOUR [GOOD BAD]]` fits TF-IDF and logistic regression on a few texts and
saves it in FOLDER.
"""

import sys

import mlflow
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

TEXTS = ["good fine nice", "lovely good day", "great and fine", "bad awful poor", "poor bad thing", "awful mess"] * 20


class WithChances(mlflow.pyfunc.PythonModel):
    """The classes and the probability of each; some texts make it misbehave."""

    def __init__(self, pipeline, behaviour):
        self.pipeline, self.behaviour = pipeline, behaviour

    def predict(self, context, model_input, params=None):
        import os
        import time

        texts = model_input["text"].fillna("")
        asked = set(texts)
        if "hang" in asked:
            time.sleep(600)
        if "crash" in asked:
            os._exit(7)
        if "fail" in asked:
            raise ValueError("no such word")
        if "hoard" in asked:
            hoard = np.ones(1 << 31)
            del hoard
        if "look" in asked:  # what the process sees, as its answer would tell
            raise ValueError(repr(sorted(os.environ)) + os.environ["HOME"] + os.getcwd())
        chances = self.pipeline.predict_proba(texts)
        if self.behaviour == "sums":
            chances = chances * 2
        classes = [str(name) for name in self.pipeline.classes_]
        table = pd.DataFrame({"p_" + name: chances[:, k] for k, name in enumerate(classes)})
        table["prediction"] = np.asarray(classes)[chances.argmax(axis=1)]
        if "number" in model_input:
            table["extra"] = model_input["number"].to_numpy()
        return table.drop(columns="p_good") if self.behaviour == "bare" else table


def main(folder, behaviour="", good="good", bad="bad"):
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    pipeline.fit(TEXTS, [good, good, good, bad, bad, bad] * 20)
    mlflow.pyfunc.save_model(
        folder, python_model=WithChances(pipeline, behaviour),
        pip_requirements=["scikit-learn==" + __import__("sklearn").__version__, "numpy", "pandas"],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
