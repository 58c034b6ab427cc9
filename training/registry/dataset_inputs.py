"""The data that a version stands for, as its run's data set in MLflow: the snapshot's hash, and where it lies."""

from __future__ import annotations

import warnings
from typing import Any


def log_snapshot(client: Any, run_id: str, stream: str, snapshot: str, file: str, *, context: str) -> None:
    """Name a snapshot as an input of a run whose rows MLflow need not read.

    Args:
        snapshot: content hash. file: its Parquet, path or URL.
        context: what the rows were to the run: training, or reference.

    Raises:
        MlflowException: MLflow fails.
    """
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.entities import Dataset, DatasetInput, InputTag

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The specified dataset source can be interpreted")  # by two of its own names
        told = MetaDataset(resolve_dataset_source(file), name=stream, digest=snapshot).to_dict()
    named = Dataset(told["name"], told["digest"], told["source_type"], told["source"])
    client.log_inputs(run_id, [DatasetInput(named, [InputTag("mlflow.data.context", context)])])
