"""`python -m benchmarks.intake [NAME…]`: measures subjects, and writes their tables into a page.

Figures are processor time, user and system, of whole processes with their start-up: medians of pairs measured in turn.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.intake.document import section, written_between
from benchmarks.intake.registry import ASKED_FOR, SUBJECTS, subject
from benchmarks.intake.subject import Options


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(SUBJECTS)}; and {', '.join(ASKED_FOR)}")
    told.add_argument("--pairs", type=int, default=7)
    told.add_argument("--rows", type=int, default=300_000)
    told.add_argument("--many", type=int, help="rows where memory is measured; left out: ten million")
    told.add_argument("--scratch", type=Path, metavar="DIR", help="keeps the made files for the next run")
    told.add_argument("--write", type=Path, metavar="FILE", help="the page whose marked parts are replaced")
    given = told.parse_args()
    for name in given.names:
        if name not in (*SUBJECTS, *ASKED_FOR):
            told.error(f"no subject is called {name}")
    with tempfile.TemporaryDirectory() as temporary:
        scratch: Path = given.scratch or Path(temporary)
        scratch.mkdir(parents=True, exist_ok=True)
        for name in given.names or SUBJECTS:
            rows = subject(name).measure(Options(given.pairs, given.rows, scratch.resolve(), given.many))
            text = section(name, rows, machine.facts())
            print(text)
            if given.write:
                page = given.write.read_text(encoding="utf-8")
                given.write.write_text(written_between(page, name, text), encoding="utf-8")


if __name__ == "__main__":
    main()
