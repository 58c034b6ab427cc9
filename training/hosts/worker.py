"""The program that answers by one MLflow model, in the interpreter that trained it: mlflow and pandas, nothing of ours.

`python -s worker.py FOLDER MEMORY IDLE` loads the model in `FOLDER/model` and writes `FOLDER/0.json`. Each line of
standard input then names a question, `FOLDER/N.question.json`, which it answers by `FOLDER/N.json`. It runs on other
versions of Python and of libraries than ours, so it keeps to what they all have, and everything goes by way of files: a
double is written so that it is read back as itself, and a null stays a null.

MEMORY: bytes that the process may hold; 0: no limit. IDLE: seconds without a question, after which it ends. When it
ends by itself, for that or because nobody is left to ask, it takes the folder and its process group with it.
"""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import signal
import sys
import warnings

TYPE_CHECKING = False  # that of `typing` costs an import of each process
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OUTDATED = "InconsistentVersionWarning"  # scikit-learn's, of a model of another version: it answers, and wrongly


def main(folder: str, memory: int, idle: float) -> None:
    """Load, then answer until standard input ends or nobody asks any more."""
    del sys.path[0]  # this program's own folder is not the model's
    sys.dont_write_bytecode = True  # beside the model's code: its folder is held to its digest
    asked = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # questions are not for the model to read
    if memory:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    model = _reply(folder, "0", lambda: _loaded(os.path.join(folder, "model")))
    left = b""
    while model is not None:
        while b"\n" not in left:
            got = os.read(asked, 4096) if select.select([asked], [], [], idle)[0] else b""
            if not got:
                os.chdir("/")
                shutil.rmtree(folder, ignore_errors=True)
                os.killpg(0, signal.SIGKILL)
            left += got
        number, left = left.split(b"\n", 1)
        name = number.decode()
        _reply(folder, name, lambda: _answers(model, os.path.join(folder, name + ".question.json")))  # noqa: B023


def _reply(folder: str, name: str, work: Callable[[], Any]) -> Any:
    """Do some work and write what came of it, whole or not at all; what it made is returned, None where it failed."""
    made: Any = None
    try:
        made = work()
        said = {"columns": made} if isinstance(made, dict) else {"python": sys.version.split()[0]}
    except MemoryError:
        said = {"failed": "memory", "said": ""}
    except OtherLibraries as error:
        said = {"failed": "version", "said": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever the model raises, the process stays and says so
        said = {"failed": "error", "said": type(error).__name__ + ": " + str(error)}
    part = os.path.join(folder, name + ".part")
    with open(part, "w", encoding="utf-8") as file:
        json.dump(said, file)
    os.replace(part, os.path.join(folder, name + ".json"))
    return made


class OtherLibraries(Exception):
    """The libraries here are not those that the model was made with."""


def _loaded(folder: str) -> Any:
    """The model. What only warns of another version is refused: such a model answers, and may answer wrongly."""
    _need_same_versions(folder)
    import mlflow.pyfunc

    told: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda entry: told.append(entry.getMessage())  # type: ignore[method-assign, assignment]
    logging.getLogger("mlflow").addHandler(handler)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = mlflow.pyfunc.load_model(folder)
    told = [line for line in told if "mismatch" in line or "differs from the version" in line]
    told += [str(one.message) for one in caught if any(kind.__name__ == OUTDATED for kind in one.category.__mro__)]
    if told:
        raise OtherLibraries("; ".join(" ".join(line.split()) for line in dict.fromkeys(told)))
    return model


def _need_same_versions(folder: str) -> None:
    """Compare Python and what `requirements.txt` pins, before any byte of the model is read: another Python crashes."""
    import yaml  # type: ignore[import-untyped]

    with open(os.path.join(folder, "MLmodel"), encoding="utf-8") as file:
        flavor = yaml.safe_load(file)["flavors"].get("python_function")
    if flavor is None:
        raise ValueError("it has no flavour python_function")
    named = str(flavor.get("python_version") or "").split(".")[:2]
    here = [str(part) for part in sys.version_info[:2]]
    if named != [""] and named != here:
        raise OtherLibraries("it was made with Python " + ".".join(named) + ", and this is Python " + ".".join(here))
    from importlib import metadata

    pinned = os.path.join(folder, "requirements.txt")
    lines = open(pinned, encoding="utf-8").read().splitlines() if os.path.exists(pinned) else []  # noqa: SIM115
    other = []
    for line in lines:
        needed, exactly, version = line.partition(";")[0].partition("==")
        needed = needed.partition("[")[0].strip()
        if not exactly or not needed or needed[0] in "#-" or "*" in version:
            continue
        names = (needed, "mlflow-skinny") if needed == "mlflow" else (needed,)  # whichever of them it was saved by
        found = [one.version for name in names for one in metadata.distributions(name=name)]
        installed = found[0] if found else "no version"
        if installed.partition("+")[0] != version.strip().partition("+")[0]:
            other.append(needed + " " + version.strip() + " (here " + installed + ")")
    if other:
        raise OtherLibraries("it was made with " + ", ".join(other))


def _answers(model: Any, question: str) -> dict[str, list[Any]]:
    """The model's columns for the rows of a question, as plain numbers and text."""
    import numpy
    import pandas

    with open(question, encoding="utf-8") as file:
        columns = json.load(file)
    rows = pandas.DataFrame(
        {
            name: pandas.Series(column["values"], dtype="float64" if column["numbers"] else "object")
            for name, column in columns.items()
        }
    )
    given = model.predict(rows)
    if not isinstance(given, pandas.DataFrame):
        given = pandas.DataFrame({"prediction": numpy.asarray(given).reshape(len(rows))})
    return {str(name): [_plain(value) for value in given[name].tolist()] for name in given.columns}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float)) else str(value)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
