"""How many mails one event makes: the real sets played through cycles, their mails counted.

    python -m benchmarks.alerts.events [--keep FOLDER] [SET...]

An event is a cycle that has something to tell. Each set is played under the policy of examples/, with one family in
place of the whole default search, the clock at the time of each cycle, and digests and reminders off; its mails go to a
Maildir. `--keep` copies them, with plain text beside, for somebody who reads them cold.
"""

from __future__ import annotations

import argparse
import email
import mailbox
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from email import policy
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.page import table
from benchmarks.promotion import light
from benchmarks.promotion.course import BIKE, ELEC2, FLIPKART, GREENLIGHT, RealSet, with_policy, with_training
from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.check.labels import with_resolved_labels
from trueup.flows.cycle.run import run_cycle
from trueup.flows.replay.policies import REPLAYED
from trueup.flows.replay.run import END, check_times
from trueup.storage.stream import StreamSettings

CYCLES = 60  # of a set at most, from its start


@dataclass(frozen=True)
class Course:
    """A set and the window it is played with; None: the example's."""

    set: RealSet
    window: int | None = None


COURSES = (Course(GREENLIGHT, 300), Course(FLIPKART), Course(BIKE), Course(ELEC2))


def play(course: Course, home: Path) -> list[int]:
    """The mails of each cycle, to every recipient."""
    read = open_app(machine.ROOT / "examples" / f"{course.set.name}.toml", home)
    stream = _stream(course, read.stream(course.set.name))
    clock = [read.now()]
    only_events = read.settings.alerts.model_copy(update={"digest": "", "reminders": ""})
    settings = read.settings.model_copy(update={"streams": {stream.name: stream}, "alerts": only_events})
    with ExitStack() as stack:
        app = App(settings, None, home, clock=lambda: clock[0])
        stack.callback(app.close)
        ingest(app.store, stream, [str(machine.DATA / course.set.file)], now=read.now())
        known = with_resolved_labels(stream, app.reader.read(stream, as_of=END))
        first = course.set.starts
        moments = [first, *check_times(stream.policy, known.meta["time"].to_numpy(), first, None)][: CYCLES + 1]
        told = []
        for moment in moments:
            clock[0] = moment
            before = _mails(home)
            run_cycle(app, stream, moment, strategies=REPLAYED)
            told.append(_mails(home) - before)
        return told


def _stream(course: Course, stream: StreamSettings) -> StreamSettings:
    stream = with_training(stream, candidates=(light.NAME,))
    if course.window is not None:
        stream = with_policy(stream, window=course.window, confirm=1, cooldown="1d")
    alerts = stream.alerts.model_copy(update={"to": ("oncall@example.org",)})
    return stream.model_copy(update={"alerts": alerts})


def _mails(home: Path) -> int:
    folder = home / "mail"
    return len(mailbox.Maildir(folder, create=False)) if folder.is_dir() else 0


def keep(home: Path, folder: Path) -> None:
    """The mails of a deployment as files that are read one by one: as sent, and their plain text."""
    folder.mkdir(parents=True, exist_ok=True)
    messages: list[Any] = [
        email.message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in sorted((home / "mail").glob("*/*"), key=lambda file: file.stat().st_mtime_ns)
    ]
    for number, message in enumerate(messages, 1):
        (folder / f"{number:03}.eml").write_bytes(message.as_bytes())
        text = message.get_body(("plain",)).get_content()
        (folder / f"{number:03}.txt").write_text(f"Subject: {message['Subject']}\nDate: {message['Date']}\n\n{text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[*(c.set.name for c in COURSES), []])
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    rows = []
    for course in COURSES:
        if asked.sets and course.set.name not in asked.sets:
            continue
        with tempfile.TemporaryDirectory(prefix="trueup-bench-") as home:
            told = play(course, Path(home))
            if asked.keep:
                keep(Path(home), asked.keep / course.set.name)
        events = Counter(count for count in told if count)
        spread = ", ".join(f"{number} × {count}" for count, number in sorted(events.items()))
        mails, happened = sum(told), sum(events.values())
        rows.append(
            (course.set.name, str(len(told)), str(happened), str(mails), f"{mails / max(1, happened):.2f}", spread)
        )
        print(rows[-1], flush=True)
    print(table(("set", "cycles", "events", "mails", "a event", "events × mails"), rows))
    print(machine.said(machine.facts()))


if __name__ == "__main__":
    main()
