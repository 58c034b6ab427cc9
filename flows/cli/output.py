"""Standard output as it is: in any encoding, closed, or read by somebody who goes away."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from trueup.storage.escaping import for_terminal
from trueup.storage.secrets import without_secrets


@contextmanager
def undisturbed_output() -> Iterator[None]:
    """Let no output fail for what it cannot draw or for a reader that is gone; to be entered before anything is opened.

    A character that the terminal's encoding lacks is shown as `?`. A closed stream swallows what is written to it.
    Where the reader left (`| head`), the rest is dropped. Output that a disk refuses is one line, and status 1.
    """
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python flushes again at its end
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"trueup: the output cannot be written ({error.strerror}); what was done is kept.\n")
            raise SystemExit(1) from None


@contextmanager
def only_answers() -> Iterator[None]:
    """Keep standard output for the command's own answer; what libraries and a team's code print goes to standard error.

    MLflow prints the address of each run, and a candidate may print what it likes: neither is an answer.
    """
    kept = sys.stdout
    sys.stdout = _Aside(answer_stream())
    try:
        yield
    finally:
        sys.stdout = kept


def answer_stream() -> TextIO:
    """Where answers go: standard output, also while it is kept from others."""
    return sys.stdout.answers if isinstance(sys.stdout, _Aside) else sys.stdout


class _Aside(io.TextIOBase):
    """What others take for standard output; it writes to standard error, without secrets."""

    def __init__(self, answers: TextIO) -> None:
        self.answers = answers

    def write(self, text: str) -> int:
        sys.stderr.write(for_terminal(without_secrets(text)))
        return len(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    def fileno(self) -> int:
        return sys.stderr.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return sys.stderr.encoding


def write_json(document: Any, *, indent: int | None = None) -> None:
    """Print one JSON document; what a terminal would obey or its encoding lacks is escaped, and reads back the same."""
    text, answers = json.dumps(document, ensure_ascii=False, indent=indent), answer_stream()
    try:
        text.encode(answers.encoding or "utf-8")
        safe = for_terminal(text) == text
    except UnicodeEncodeError:
        safe = False
    answers.write((text if safe else json.dumps(document, indent=indent)) + "\n")


class PlainLines(logging.Formatter):
    """Log lines in which nothing is obeyed by a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return for_terminal(super().format(record))


def _open_closed_streams() -> None:
    """Give each standard stream that was closed (`>&-`) the null device, or a file opened later takes its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
