"""Which types a stored model may be made of.

skops reads no pickle, but builds what the file names. MLflow takes the list of allowed names from the model's own
folder, where whoever writes the model writes the list too; ours stands here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from storage.errors import ModelUnusable

OURS = frozenset(
    {
        "training.cleaning.plain_text",
        "training.cleaning.plain_numbers",
        "training.cleaning.plain_levels",
        "training.boosting.BoostedClassifier",
        "training.boosting.BoostedRegressor",
        "training.calibration.Calibrated",
        "training.token_counts.Counts",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "numpy.dtype",
    }
)


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

    return skops.io.load(file, trusted=trusted(skops.io.get_untrusted_types(file=file), packages))
