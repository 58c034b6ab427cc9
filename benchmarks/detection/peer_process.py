"""The peers as a child process in the environment of their own that `make bench-peers-env` builds."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"

Ask = Callable[[str, pd.DataFrame, pd.DataFrame], list[dict[str, Any]]]


@contextmanager
def peers() -> Iterator[Ask]:
    """A function (question, reference, current) -> answer, which `peers.py` answers; its start takes some 5 s.

    Questions: "verdicts" on one comparison, "estimates" of CBPE for each `chunk` of the current rows.

    Raises:
        SystemExit: there is no such environment; or the child ended, having told why on standard error.
    """
    if not PYTHON.exists():
        raise SystemExit("there is no .venv-peers, so nothing can stand beside trueup: run `make bench-peers-env`")
    command: list[str | Path] = [PYTHON, "-W", "ignore", Path(__file__).with_name("peers.py")]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder) as child,
    ):
        questions, answers = child.stdin, child.stdout
        assert questions
        assert answers

        def ask(question: str, reference: pd.DataFrame, current: pd.DataFrame) -> list[dict[str, Any]]:
            reference.to_parquet(Path(folder) / "reference.parquet")
            current.to_parquet(Path(folder) / "current.parquet")
            print(json.dumps({"ask": question, "folder": folder}), file=questions, flush=True)
            line = answers.readline()
            if not line:
                raise SystemExit(f"the peers' process ended before it answered '{question}'; it says why above")
            answer: list[dict[str, Any]] = json.loads(line)
            return answer

        yield ask
