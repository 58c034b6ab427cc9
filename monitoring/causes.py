"""What an incident is about."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """What an incident is about; one incident of a cause is open at a time."""

    DRIFT = "drift"
    METRIC = "metric"
    DATA = "data"  # quality of the data that arrives
    FEED = "feed"  # volume, duplicates, quarantine: judged by time
    CHAMPION = "champion"  # it cannot be loaded or scored
    NO_CHAMPION = "no_champion"  # a first one was tried, and there is none
    CYCLE = "cycle"  # it fails, whatever the champion is worth
    SOURCE = "source"  # a place that data comes in from by itself fails, or holds a file that cannot be taken in
    TRAINER = "trainer"  # the team's own training job fails, or gave back what cannot be used
    ROLLBACK = "rollback"  # the champion went back; until somebody resumes promotion, nothing is promoted by itself
    LABEL_FEED = "label_feed"  # the labels that a challenger gained by may be broken; it waits for a person
