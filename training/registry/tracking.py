"""What a training leaves in MLflow: a parent run, a nested run per candidate, the data set, the registered model."""

from __future__ import annotations

import json
import math
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distributions
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

import trueup_model
from trueup.storage.errors import TrueupError
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso
from trueup.training.artifacts.error_examples import EXAMPLES_FILE
from trueup.training.candidates.recipes import Recipe, extra_packages
from trueup.training.candidates.run_params import full_title, run_params, title, varying_params
from trueup.training.models.fitting import Fitted
from trueup.training.registry.registry import OWNER, Registry, Version
from trueup.training.registry.run_tags import PACKAGE, lineage_tags, tags_to_ask_by
from trueup.training.registry.trusted_types import OURS, trusted
from trueup.training.search import SearchResult, Trial
from trueup_model.weights import weights_in_use

REQUIRED = ("scikit-learn", "skops", "numpy", "scipy", "pandas", "mlflow")  # what a stored model runs on
WEIGHTS = "embedding-weights"  # stands among the packages
WORD_PIECES = "wordpieces"  # the folder of the vocabulary that embeddings are read by
PARENT = "mlflow.parentRunId"
KIND = "mlflow.experimentKind"  # without it MLflow opens an experiment as one of language models
NOTE = "mlflow.note.content"  # a run's description, in Markdown


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """A finished training.

    cycle: by which a restart finds the version again. occasion: why it was trained, in a word or two for the run's
    name. who: the account that trains. snapshot: content hash; snapshot_file: its Parquet, path or URL.
    metrics: of the fitted model, on the evaluation side. lineage: the caller's own, beside that of every version.
    description: what the version is, in Markdown. files: artifacts of the parent run, by path. mask: takes
    personal data out of a text of the model's example.
    """

    cycle: str
    as_of: datetime
    occasion: str
    who: str
    snapshot: str
    snapshot_file: str
    cut_off: datetime
    commit: str
    result: SearchResult
    fitted: Fitted
    metrics: Mapping[str, float]
    description: str = ""
    lineage: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    mask: Callable[[str], str] = str


def record(registry: Registry, stream: StreamSettings, training: TrainingRecord) -> Version:
    """Writes the runs, stores the model, and registers it as the stream's newest version (no alias moves).

    Raises:
        TrueupError: MLflow fails; no version was registered.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    import mlflow

    try:
        experiment = experiment_id(registry, client, stream.name)
        tags = version_tags(stream, training)
        name = f"{training.as_of:%Y-%m-%d} {training.occasion}"
        noted = {**tags, **({NOTE: training.description} if training.description else {})}
        with mlflow.start_run(experiment_id=experiment, run_name=name, tags=noted) as run:
            log_figures(client, run.info.run_id, run_params(training.fitted.recipe), [training.metrics])
            _log_candidates(client, experiment, run.info.run_id, training.result.trials)
            _log_rows(stream, training)
            log_files(training.files)
            stored = _store_model(stream, training.fitted, registry.packages, training.mask)
            name_model(registry, client, stream.name)
            made = client.create_model_version(
                registry.model_name(stream.name), stored.model_uri, run.info.run_id, tags=tags,
                description=training.description or None, model_id=stored.model_id,
            )  # fmt: skip
            client.update_run(run.info.run_id, name=f"{name} → v{made.version} {title(training.fitted.recipe)}")
    except (MlflowException, OSError) as error:
        raise TrueupError(
            f"The training of stream '{stream.name}' could not be written to the model registry ({error}), so no "
            "version was registered and the champion stays. Check [tracking] and the free space, then try again."
        ) from error
    return registry.version(stream.name, int(made.version))


def version_tags(stream: StreamSettings, training: TrainingRecord) -> dict[str, str]:
    """What every version says of itself; with the recipe, which makes it again."""
    recipe = training.fitted.recipe
    told = {
        "stream": stream.name,
        "cycle": training.cycle,
        "as_of": iso(training.as_of) or "",
        "cut_off": iso(training.cut_off) or "",
        "snapshot": training.snapshot,
        "commit": training.commit,
        **training.lineage,
        **{PACKAGE + name: number for name, number in packages(recipe).items()},
    }
    first = tags_to_ask_by(
        stream, who=training.who, algorithm=recipe.model, feature=recipe.feature, stage="challenger"
    )
    return {**first, **lineage_tags(told, recipe)}


def packages(recipe: Recipe) -> dict[str, str]:
    """The versions of all that a model's figures hang on, as they are here: Python, trueup, and what it runs on.

    Of sentence embeddings the sha256 of their weights, too.
    """
    try:
        own = installed("trueup")
    except PackageNotFoundError:
        own = "not installed"  # run from its source
    found = {"python": platform.python_version(), "trueup": own}
    if recipe.embeds:
        found[WEIGHTS] = weights_in_use()
    return found | {name: installed(name) for name in (*REQUIRED, *extra_packages(recipe))}


@cache
def locked_packages() -> str:
    """All packages that are installed here, with their versions, as a requirements file."""
    found = {f"{told['Name']}=={told['Version']}\n" for told in (one.metadata for one in distributions())}
    return "".join(sorted(found, key=str.lower))


def close_stray_runs(registry: Registry, stream: str) -> int:
    """Ends the runs that a killed training left RUNNING, as KILLED; how many. Call it under the stream's lease only.

    Raises:
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    try:
        found = client.get_experiment_by_name(registry.experiment_name(stream))
        if found is None:
            return 0
        strays = client.search_runs([found.experiment_id], "attributes.status = 'RUNNING'")
        for run in strays:
            client.set_terminated(run.info.run_id, "KILLED")
    except MlflowException as error:
        raise registry.failed(f"the runs that a killed training of '{stream}' left", error) from error
    return len(strays)


def experiment_id(registry: Registry, client: Any, stream: str) -> str:
    found = client.get_experiment_by_name(registry.experiment_name(stream))
    if found is not None:
        return str(found.experiment_id)
    # MLflow's own default is a folder of wherever the command was started
    folder = (registry.artifact_root / stream).as_uri() if registry.is_local else None
    name = registry.experiment_name(stream)
    return str(client.create_experiment(name, artifact_location=folder, tags={KIND: "custom_model_development"}))


def name_model(registry: Registry, client: Any, stream: str) -> None:
    """Makes the registered name where it is new, with the deployment that owns it from now on."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(registry.model_name(stream), tags=dict(zip(OWNER, registry.owner, strict=True)))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def log_figures(client: Any, run_id: str, params: Mapping[str, str], steps: Sequence[Mapping[str, float]]) -> None:
    """Writes a run's parameters, and its metrics step by step from 1."""
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, value, now, step)
            for step, metrics in enumerate(steps, start=1)
            for name, value in metrics.items()
            if math.isfinite(value)
        ],
        params=[Param(name, value) for name, value in params.items()],
    )


def _log_candidates(client: Any, experiment: str, parent: str, trials: Sequence[Trial]) -> None:
    """A nested run for each, whose metrics have a step for each rung of the search, and the parameters that differ."""
    for trial, params in zip(trials, varying_params([trial.recipe for trial in trials]), strict=True):
        tags = {PARENT: parent, **({"failed": trial.failed} if trial.failed else {})}
        run = client.create_run(experiment, run_name=full_title(trial.recipe), tags=tags)
        steps = () if trial.failed else trial.rungs
        log_figures(client, run.info.run_id, params, [*steps[:-1], {**trial.metrics, "seconds": trial.seconds}])
        client.set_terminated(run.info.run_id, "FAILED" if trial.failed else "FINISHED")


def _log_rows(stream: StreamSettings, training: TrainingRecord) -> None:
    """The fitted rows as the run's data set: their schema and count, the snapshot's hash as digest, and where it lies.

    MLflow's own digest reads the first 10,000 rows.
    """
    import mlflow

    used = training.fitted.used
    frame = _plain(stream, used.features).assign(label=used.meta["label"].astype(_label_type(stream)).to_numpy())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The specified dataset source can be interpreted")  # by two of its own names
        rows = mlflow.data.from_pandas(
            frame, source=training.snapshot_file, name=stream.name, targets="label", digest=training.snapshot
        )
    mlflow.log_input(rows, context="training")


def log_files(files: Mapping[str, bytes]) -> None:
    """Stores files as artifacts of the active run."""
    import mlflow

    if not files:
        return
    with TemporaryDirectory(prefix="trueup-run-") as folder:
        for path, content in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        mlflow.log_artifacts(folder)
    if EXAMPLES_FILE in files:
        table = json.dumps([{"path": EXAMPLES_FILE, "type": "table"}])
        mlflow.set_tag("mlflow.loggedArtifacts", table)  # as its own log_table


def _store_model(
    stream: StreamSettings, fitted: Fitted, packages: tuple[str, ...], mask: Callable[[str], str]
) -> Any:
    """Stores the model under the active run, with three of its records as an example; MLflow's note of where."""
    import mlflow
    import skops.io
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [ColSpec("double" if c in stream.numeric else "string", c, required=False) for c in stream.features]
    answer = "double" if stream.is_regression else "string"
    example = _plain(stream, fitted.used.features).head(3).map(lambda v: mask(v) if isinstance(v, str) else v)
    needed = skops.io.get_untrusted_types(data=skops.io.dumps(fitted.model)) if fitted.recipe.is_own else sorted(OURS)
    with TemporaryDirectory(prefix="trueup-model-") as place:
        return mlflow.sklearn.log_model(
            fitted.model,
            name="model",
            signature=ModelSignature(Schema(inputs), Schema([ColSpec(answer)])),
            input_example=example,
            pip_requirements=[f"{name}=={installed(name)}" for name in (*REQUIRED, *extra_packages(fitted.recipe))],
            code_paths=[str(_model_code(Path(place), fitted.recipe))],
            serialization_format="skops",
            skops_trusted_types=trusted(needed, packages),
        )


def _model_code(place: Path, recipe: Recipe) -> Path:
    """A copy of the package that models are made of, so that they answer where trueup is not installed.

    It bears its own name: MLflow lays a folder down by the name it has on the disk, which is another in a checkout.
    """
    source = Path(trueup_model.__file__).parent
    left_out = ("__pycache__", *(() if recipe.embeds else (WORD_PIECES,)))
    return shutil.copytree(source, place / trueup_model.__name__, ignore=shutil.ignore_patterns(*left_out))


def _plain(stream: StreamSettings, features: pd.DataFrame) -> pd.DataFrame:
    """The feature columns, with the types that the signature names."""
    return pd.DataFrame(
        {c: features[c].astype("float64" if c in stream.numeric else "object") for c in stream.features}
    )


def _label_type(stream: StreamSettings) -> type:
    return float if stream.is_regression else str
