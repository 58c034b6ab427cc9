"""A training job that fine-tunes: it begins at base weights in a file and moves them by the rows that trueup gives it.

The same contract as train.py; the model's own code, text_net.py, travels with each model. It needs pandas, pyarrow,
scikit-learn and mlflow-skinny. In trueup.toml:

    [streams.NAME.training.trainer]
    command = ["/opt/team/bin/python", "fine_tune.py"]
    python = "/opt/team/bin/python"
    env = ["BASE_WEIGHTS"]

Base weights are made once, of any texts a line: `python fine_tune.py --base texts.txt base.npz`.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import text_net

WRONG_INPUT, NOTHING_TO_PROPOSE = 2, 3
NEEDED = ("numpy", "pandas", "scikit-learn", "cloudpickle")  # in these versions where the model answers


def main() -> int:
    """Fine-tune on the labelled rows of the training side; the exit status says what came of it."""
    folder = Path(os.environ["TRUEUP_JOB"])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    texts = [feature["name"] for feature in job["features"] if feature["type"] == "text"]
    base = Path(os.environ.get("BASE_WEIGHTS", "base.npz"))
    if job["format"] != 1 or not texts or not job["classes"] or not base.exists():
        print(f"this job needs texts, classes, format 1 and base weights in {base}", file=sys.stderr)
        return WRONG_INPUT
    rows, columns, write = pd.read_parquet(folder / "rows.parquet"), job["columns"], job["write"]
    side, fold = rows[columns["side"]], rows[columns["fold"]]
    known = rows[(side == "training") & rows[columns["label"]].notna()]
    if len(known) < 50:
        print(f"{len(known)} labelled rows are too few", file=sys.stderr)
        return NOTHING_TO_PROPOSE

    weights = text_net.fine_tune(
        np.load(base), text_net.joined(known, texts), known[columns["label"]], job["classes"], job["seed"]
    )
    model = text_net.TextNet(texts, job["classes"])
    model.weights = weights
    withheld = job["withheld"]
    asked = rows[side == "evaluation"] if withheld is None else rows[(side == "training") & (fold == withheld)]
    said = model.predict(None, asked)
    said.insert(0, "row", asked[columns["row"]].to_numpy())
    said.to_parquet(folder / write["answers"])
    if withheld is not None:
        return 0
    del model.weights  # they travel as a file, not in the pickle
    np.savez(folder / "weights.npz", **weights)
    mlflow.pyfunc.save_model(
        folder / write["model"], python_model=model, artifacts={"weights": str(folder / "weights.npz")},
        code_paths=[text_net.__file__], pip_requirements=[f"{name}=={version(name)}" for name in NEEDED],
    )
    result = {"run": job["run"], "parameters": {"base": base.name, "steps": text_net.STEPS}, "rows": len(known)}
    (folder / write["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--base"]:
        text_net.pretrain(Path(sys.argv[2]).read_text(encoding="utf-8").splitlines(), sys.argv[3])
    else:
        sys.exit(main())
