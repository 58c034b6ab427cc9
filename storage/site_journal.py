"""What was written of a site: a journal in the home folder, so that no name is lost and nothing is ever listed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import IO

from trueup.storage.identity import Settled

_PART = r"[a-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME = re.compile(f"{_PART}(?:/{_PART})*")
_SPARE = 2_000  # lines beyond one a page, after which the journal is written anew


def journal_file(home: Path, owner: Settled | None, to: str) -> Path:
    """The journal of what a deployment wrote to a place."""
    name = owner.identity.id if owner else "none"
    return home / "site-journals" / f"{name}-{digest(to.rstrip('/').encode())}.jsonl"


@dataclass(frozen=True)
class SiteFailure:
    """A build that failed, and none went well since. at: when it began to fail, as ISO 8601."""

    at: str
    why: str


def last_failure(journal: Path) -> SiteFailure | None:
    """The failure that stands, or None."""
    try:
        return SiteFailure(**json.loads(journal.with_suffix(".failed").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep_failure(journal: Path, failure: SiteFailure | None) -> None:
    """Keep why the last build failed, from the first failure on; None: it went well."""
    file = journal.with_suffix(".failed")
    if failure is None:
        file.unlink(missing_ok=True)
        return
    first = last_failure(journal) or failure
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"at": first.at, "why": failure.why}), encoding="utf-8")


def digest(data: bytes) -> str:
    """What tells one content from another."""
    return blake2b(data, digest_size=12).hexdigest()


@dataclass(frozen=True)
class WrittenPage:
    """A page that lies at the place. stamp: of what it was made from. files: it and those beside it, by name."""

    stamp: str
    files: Mapping[str, str] = field(default_factory=dict)  # digests of their contents


class SiteJournal:
    """The pages at one place, by the name of the page; a line a change, the last one of a page counts.

    Before files are written their names are noted, so that what a crash leaves half done is known, mended or removed.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._out: IO[str] | None = None
        self._lines = 0
        self._cut = False  # whether a crash cut its last line short
        self.pages: dict[str, WrittenPage] = {}
        self.doubtful: set[str] = set()  # names that were about to be written or removed when it ended
        self.begun = file.exists()
        if self.begun:
            self._read()

    def about_to(self, names: Iterable[str]) -> None:
        """Note files that are written or removed next."""
        noted = sorted(names)
        self.doubtful.update(noted)
        self._add({"about_to": noted})

    def made(self, pages: Mapping[str, WrittenPage]) -> None:
        """These pages lie there as they should."""
        for page, written in pages.items():
            self._keep(page, written)
            self._add({"page": page, "stamp": written.stamp, "files": dict(written.files)})

    def removed(self, page: str) -> None:
        """A page and the files beside it are gone."""
        self._drop(page)
        self._add({"gone": page})

    def settled(self, names: Iterable[str]) -> None:
        """Files that were in doubt and are gone now."""
        gone = sorted(names)
        self.doubtful.difference_update(gone)
        self._add({"settled": gone})

    def forget(self) -> None:
        """Take every file as one in doubt: each is written again, or removed."""
        self.about_to(self.names())

    def names(self) -> set[str]:
        """Every file that lies there as a page has it."""
        return {name for page in self.pages.values() for name in page.files}

    def close(self) -> None:
        """Let go of the file; where most of its lines are of the past it is written anew, whole or not at all."""
        if self._out is not None:
            self._out.close()
            self._out = None
        if self._lines > len(self.pages) + _SPARE:
            part = self._file.with_suffix(".part")
            lines = [{"page": p, "stamp": w.stamp, "files": dict(w.files)} for p, w in self.pages.items()]
            lines += [{"about_to": sorted(self.doubtful)}] if self.doubtful else []
            part.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
            os.replace(part, self._file)

    def _read(self) -> None:
        text = self._file.read_text(encoding="utf-8", errors="replace")
        self._cut = not text.endswith("\n") and bool(text)
        for line in text.splitlines():
            self._lines += 1
            try:
                told = json.loads(line)
                if "page" in told:
                    files = {str(k): str(v) for k, v in told["files"].items() if _plain(k)}
                    self._keep(str(told["page"]), WrittenPage(str(told["stamp"]), files))
                elif "gone" in told:
                    self._drop(str(told["gone"]))
                elif "settled" in told:
                    self.doubtful.difference_update(told["settled"])
                else:
                    self.doubtful.update(name for name in told["about_to"] if _plain(name))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # a line that a crash cut short: its page is made again

    def _keep(self, page: str, written: WrittenPage) -> None:
        self.pages[page] = written
        self.doubtful.difference_update(written.files)

    def _drop(self, page: str) -> None:
        gone = self.pages.pop(page, None)
        self.doubtful.difference_update(gone.files if gone else ())

    def _add(self, line: Mapping[str, object]) -> None:
        if self._out is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._out = self._file.open("a", encoding="utf-8")
            self._out.write("\n" if self._cut else "")
        self._out.write(f"{json.dumps(line)}\n")
        self._out.flush()
        self._lines += 1


def _plain(name: object) -> bool:
    """Whether it can be a file of a site, and leads nowhere else."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
