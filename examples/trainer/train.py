"""A training job of one's own: reads what trueup gives it, trains, and leaves a model with its answers.

It needs pandas, pyarrow, scikit-learn and mlflow-skinny, in whatever versions; nothing of trueup. In trueup.toml:

    [streams.NAME.training]
    candidates = []

    [streams.NAME.training.trainer]
    command = ["/opt/team/bin/python", "train.py"]
    python = "/opt/team/bin/python"
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import cloudpickle
import mlflow
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

NOTHING_TO_PROPOSE, WRONG_INPUT = 3, 2
NEEDED = ("cloudpickle", "numpy", "pandas", "scikit-learn")  # in these versions where the model answers


class Answers(mlflow.pyfunc.PythonModel):
    """The model as trueup asks it: a prediction for each row and, for classes, the probability of each."""

    def __init__(self, model, features, classes):
        self.model, self.features, self.classes = model, features, classes

    def predict(self, context, model_input, params=None):
        rows = model_input[self.features].fillna("")
        if not self.classes:
            return pd.DataFrame({"prediction": self.model.predict(rows)})
        chances = pd.DataFrame(self.model.predict_proba(rows), columns=self.model.classes_)
        chances = chances.reindex(columns=self.classes, fill_value=0.0)
        return chances.add_prefix("p_").assign(prediction=chances.idxmax(axis=1))


def main() -> int:
    """Train on the labelled rows of the training side; the exit status says what came of it."""
    folder = Path(os.environ["TRUEUP_JOB"])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    texts = [feature["name"] for feature in job["features"] if feature["type"] == "text"]
    if job["format"] != 1 or not texts:
        print("this job reads texts, in format 1", file=sys.stderr)
        return WRONG_INPUT
    rows, columns = pd.read_parquet(folder / "rows.parquet"), job["columns"]
    label = rows[columns["label"]]
    known = rows[(rows[columns["side"]] == "training") & label.notna()]
    if len(known) < 50:
        print(f"{len(known)} labelled rows are too few", file=sys.stderr)
        return NOTHING_TO_PROPOSE

    words = ColumnTransformer([(name, TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), name) for name in texts])
    of_class = LogisticRegression(C=10, class_weight="balanced", max_iter=1000, random_state=job["seed"])
    model = make_pipeline(words, of_class if job["classes"] else Ridge())
    model.fit(known[texts].fillna(""), known[columns["label"]])

    answers = Answers(model, texts, job["classes"])
    asked = rows[rows[columns["side"]] == "evaluation"]
    if job["withheld"] is not None:  # asked once more, without the labels of a fold, for answers to that fold
        asked = rows[(rows[columns["side"]] == "training") & (rows[columns["fold"]] == job["withheld"])]
    said = answers.predict(None, asked)
    said.insert(0, "row", asked[columns["row"]].to_numpy())
    said.to_parquet(folder / job["write"]["answers"])
    if job["withheld"] is not None:
        return 0
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the model needs no file of this job where it answers
    pinned = [f"{name}=={version(name)}" for name in NEEDED]  # left out, MLflow loads the model once more to find them
    mlflow.pyfunc.save_model(folder / job["write"]["model"], python_model=answers, pip_requirements=pinned)
    result = {"run": job["run"], "parameters": {"C": 10, "words": "1-2"}, "rows": len(known)}
    (folder / job["write"]["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
