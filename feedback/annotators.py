"""Where several users gave a label to one record: how often they differ, and what then counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from trueup.feedback.labels import resolve
from trueup.storage.incoming import FeedbackItem
from trueup.storage.instants import microseconds
from trueup.storage.majority import majority
from trueup.storage.stream import StreamSettings


@dataclass
class Annotators:
    """The labels that files of feedback hold, as they come."""

    stream: StreamSettings
    labels: list[tuple[str, str, int, str]] = field(default_factory=list)  # record, user, at (microseconds), value

    def add(self, items: Iterable[FeedbackItem]) -> None:
        """Take in what a chunk came to."""
        self.labels += [(i.record_id, i.user, microseconds(i.at), i.label) for i in items if i.label is not None]

    def notes(self) -> Iterator[str]:
        """What is to be told of the users, where they speak of the same records."""
        frame = pd.DataFrame(self.labels, columns=["record", "user", "at", "value"], dtype="object")
        frame["record"] = pd.factorize(frame["record"])[0]
        shared = frame[frame.groupby("record")["user"].transform("nunique") > 1].sort_values("at", kind="stable")
        if not len(shared):
            return
        answer = resolve(self.stream, shared["value"])
        newest = shared.assign(answer=answer).drop_duplicates(["record", "user"], keep="last")
        differ = newest.groupby("record")["answer"].nunique()
        several, differing = len(differ), int((differ > 1).sum())
        said = f"{several:,} records have labels of several users, who differ on {differing:,} of them"
        if self.stream.feedback.several == "newest":
            more = "; the newest label counts. several = \"majority\" under [streams.{}.feedback] counts them all"
            yield said + (more.format(self.stream.name) if differing else "")
            return
        stamps = shared["at"].to_numpy(dtype=np.int64)
        won = majority(
            shared["record"].to_numpy(), shared["user"].to_numpy(), stamps, shared["value"].to_numpy(), answer
        )
        ties = several - len(won)
        yield f"{said}; the majority counts" + (f", and {ties:,} ties count as no label" if ties else "")
