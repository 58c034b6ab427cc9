"""Standard output as it is: in any encoding, closed, or read by somebody who goes away."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trueup.storage.escaping import for_terminal


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
            sys.stderr.write(f"trueup: the output cannot be written ({error.strerror}); what was done stands.\n")
            raise SystemExit(1) from None


def write_json(document: Any, *, indent: int | None = None) -> None:
    """Print one JSON document; what a terminal would obey or its encoding lacks is escaped, and reads back the same."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
        safe = for_terminal(text) == text
    except UnicodeEncodeError:
        safe = False
    sys.stdout.write((text if safe else json.dumps(document, indent=indent)) + "\n")


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
