"""Where several users gave a label to one record: how often they differ, and what then counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np

from trueup.feedback.chunks import object_array
from trueup.feedback.labels import resolve
from trueup.storage.incoming import FeedbackItem
from trueup.storage.instants import microseconds
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
        users = defaultdict[str, set[str]](set)
        for record, user, *_ in self.labels:
            users[record].add(user)
        shared = sorted((label for label in self.labels if len(users[label[0]]) > 1), key=itemgetter(2))
        if not shared:
            return
        records, names, stamps, values = (object_array(column) for column in zip(*shared, strict=True))
        answer = resolve(self.stream, values)
        newest = dict(zip(zip(records, names, strict=True), answer, strict=True))
        answers = defaultdict[str, set[object]](set)
        for (record, _), one in newest.items():
            answers[record].add(one)
        several, differing = len(answers), sum(len(given - {None}) > 1 for given in answers.values())
        said = f"{several:,} records have labels of several users, who differ on {differing:,} of them"
        if self.stream.feedback.several == "newest":
            more = "; the newest label counts. several = \"majority\" under [streams.{}.feedback] counts them all"
            yield said + (more.format(self.stream.name) if differing else "")
            return
        from trueup.storage.majority import majority  # by pandas, which no other intake needs

        numbers = dict(zip(answers, range(several), strict=True))
        places = np.array([numbers[record] for record in records], np.int64)
        won = majority(places, names, stamps.astype(np.int64), values, answer)
        ties = several - len(won)
        yield f"{said}; the majority counts" + (f", and {ties:,} ties count as no label" if ties else "")
