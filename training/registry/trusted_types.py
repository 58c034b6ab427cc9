"""Which types a stored model may be made of.

skops reads no pickle, but builds what the file names. MLflow takes the list of allowed names from the model's own
folder, where whoever writes the model writes the list too; ours stands here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trueup.storage.errors import ModelUnusable

OURS = frozenset(
    {
        "trueup_model.cleaning.plain_text",
        "trueup_model.cleaning.plain_numbers",
        "trueup_model.cleaning.plain_levels",
        "trueup_model.boosting.BoostedClassifier",
        "trueup_model.boosting.BoostedRegressor",
        "trueup_model.calibration.Calibrated",
        "trueup_model.embeddings.Embedded",
        "trueup_model.text_counts.Counts",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "numpy.dtype",
    }
)

SKOPS_SCHEMA = "schema.json"  # of a skops file: the tree of its objects, each with the module and class it is made of
# Where the files of trueup_model lay when they were part of trueup itself; models stored then name them so.
FORMER_MODULES = {
    "training.cleaning": "trueup_model.cleaning",
    "training.token_counts": "trueup_model.text_counts",
    "training.calibration": "trueup_model.calibration",
    "training.boosting": "trueup_model.boosting",
}


def trusted(needed: Iterable[str], packages: Iterable[str]) -> list[str]:
    """The types of `needed`, all of which are ours or belong to one of the team's own `packages`.

    Raises:
        ModelUnusable: another type is needed.
    """
    own = tuple(f"{package}." for package in packages)
    strangers = sorted(name for name in needed if name not in OURS and not name.startswith(own))
    if strangers:
        raise ModelUnusable(
            f"The stored model is made of {', '.join(strangers)}, which trueup does not build from a file: it may run "
            "foreign code. Retrain the stream; a team's own candidate may use types of its own module's package only."
        )
    return list(needed)


def read_model(file: Path, packages: Iterable[str]) -> Any:
    """The model in a skops file.

    Raises:
        ModelUnusable: it needs a type that is not trusted.
        OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, zipfile.BadZipFile: it is damaged.
    """
    import skops.io

    data = with_present_modules(file.read_bytes())
    return skops.io.loads(data, trusted=trusted(skops.io.get_untrusted_types(data=data), packages))


def with_present_modules(data: bytes) -> bytes:
    """A skops file whose types stand under the names that their modules have today; `data` itself where they do."""
    with zipfile.ZipFile(io.BytesIO(data)) as stored:
        schema = stored.read(SKOPS_SCHEMA)
        if not any(f'"{module}"'.encode() in schema for module in FORMER_MODULES):
            return data
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as rewritten:
            for name in stored.namelist():
                rewritten.writestr(name, _renamed(schema) if name == SKOPS_SCHEMA else stored.read(name))
    return made.getvalue()


def _renamed(schema: bytes) -> str:
    return json.dumps(json.loads(schema, object_pairs_hook=_present))


def _present(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: FORMER_MODULES.get(value, value) if key == "__module__" else value for key, value in pairs}
