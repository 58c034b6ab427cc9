"""`trueup replay`: past data at past times through the cycle's own code, once for each policy and each baseline.

Everything happens in scratch homes that are deleted afterwards: no store, registry, incident or mail of the deployment
is touched. All begin with the same records and the same first champion.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from trueup.feedback.intake import ingest
from trueup.flows.alert_settings import AlertSettings
from trueup.flows.app import App
from trueup.flows.check.labels import with_resolved_labels
from trueup.flows.cycle.run import run_cycle
from trueup.flows.place_settings import StoreSettings, TrackingSettings
from trueup.flows.replay.policies import REPLAYED, ReplayPolicy, replay_policies, selected_policies
from trueup.flows.settings import SmtpSettings
from trueup.monitoring.stats.metrics import metric
from trueup.reports.replay_facts import Moment, Played, Replay
from trueup.storage.errors import InputError, TrueupError
from trueup.storage.policy import BASELINES, Policy
from trueup.storage.rows import Rows
from trueup.storage.sources.source_settings import SourceSettings
from trueup.storage.stream import Recipients, StreamSettings
from trueup.storage.trainers.trainer_settings import Trainer
from trueup_model.kept_vectors import vectors_kept

FIRST_RECORDS = 1000  # known before the first champion is trained, where no start is named
END = datetime.max.replace(tzinfo=UTC)  # later than anything in the data

Tell = Callable[[str], None]


@vectors_kept()
def replay(
    app: App,
    stream: StreamSettings,
    file: str | pa.Table,
    *,
    start: datetime | None = None,
    every: int | None = None,
    names: Sequence[str] = (),
    baselines: Collection[str] = BASELINES,
    tell: Tell = lambda doing: None,
) -> Replay:
    """Play policies, and the baselines beside them, over the records of a file; `app` lends its settings alone.

    Args:
        start: when the first champion is trained; left out, after the first 1,000 records.
        every: records from one check to the next; left out, one window of the stream's own policy.
        names: policies of the stream, as `selected_policies` reads them. baselines: which of those are played as well.
        tell: told what is being done.

    Raises:
        ConfigError: the stream has no policy of a name.
        InputError: the file cannot be taken in, or leaves nothing to check after the start.
        TrueupError: no first champion could be trained, or its gate refused it.
        ModelUnusable: a version cannot be loaded or scored.
    """
    if not stream.predicts:
        raise InputError(f"'{stream.name}' predicts nothing (task = \"drift\"), so there is no policy to play.")
    if not stream.training.candidates:
        raise InputError(
            f"'{stream.name}' is trained by {stream.training.trainer.name} alone, which a replay does not start. Name "
            "candidates of trueup's own to replay with, as TRUEUP_STREAMS__NAME__TRAINING__CANDIDATES='[\"default\"]'."
        )
    own = stream.training.model_copy(update={"trainer": Trainer()})
    stream = stream.model_copy(
        update={"source": SourceSettings(), "feedback_source": SourceSettings(), "training": own}
    )
    policies = selected_policies(stream, names)
    with tempfile.TemporaryDirectory(prefix="trueup-replay-") as scratch:
        with closing(_scratch(app, stream, Path(scratch) / "first")) as first:
            tell("taking in the records")
            taken = ingest(first.store, stream, [file], now=first.now())
            known = with_resolved_labels(stream, first.reader.read(stream, as_of=END))
            times = known.meta["time"].to_numpy()
            start = start or _default_start(stream, times)
            moments = check_times(stream.policy, times, start, every)
            tell("training the first champion")
            _first_champion(first, stream, start)
        played = []
        for number, policy in enumerate(replay_policies(stream, policies, moments, baselines)):
            # MLflow keeps whole paths, so models of the copies lie in the first home too, under names of their own
            home = _copied(first.home, Path(scratch) / str(number))
            with closing(_scratch(app, policy.stream, home)) as copy:
                played.append(_play(copy, policy, stream.metric, start, moments, known, tell))
            shutil.rmtree(home)
    return Replay(
        stream=stream.name,
        metric=stream.metric,
        lower_is_better=stream.lower_is_better,
        records=taken.accepted,
        quarantined=taken.quarantined,
        start=start,
        policies=tuple(played),
    )


def _copied(home: Path, to: Path) -> Path:
    """A copy of a home, by a process of its own: one that closes a file of SQLite's loses all its locks on it."""
    copy = "import shutil, sys; shutil.copytree(*sys.argv[1:])"
    subprocess.run([sys.executable, "-I", "-c", copy, str(home), str(to)], check=True)
    return to


def write_page(app: App, found: Replay) -> Path:
    """Write the timelines of a replay as a page into the deployment's home; where it is."""
    from trueup.reports.replay_page import replay_page

    folder = app.home / "replays"
    folder.mkdir(parents=True, exist_ok=True)
    plain_name = re.sub(r"[^\w.-]", "-", found.stream)
    written = folder / f"{plain_name}-{app.now():%Y%m%dT%H%M%S}.html"
    written.write_text(replay_page(found), encoding="utf-8")
    return written


def check_times(policy: Policy, times: np.ndarray, start: datetime, every: int | None) -> tuple[datetime, ...]:
    """When the checks are: each time `every` records, or else one window, came since the one before.

    Args:
        times: event times of all records (datetime64[us], UTC), ascending; records of one time come together.

    Raises:
        InputError: not even one check fits between the start and the newest record.
    """
    begin = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    count = every or policy.window_records
    found: list[np.datetime64] = []
    while following := _following(policy, times, found[-1] if found else begin, count):
        found.append(following)
    if not found:
        raise InputError(
            f"{int((times > begin).sum())} records come after the start, {start:%Y-%m-%d %H:%M} UTC, too few for one "
            f"check, which is made every {f'{count} records' if count else policy.window}, so nothing was replayed. "
            "Give more records, or name an earlier --start or a smaller --every."
        )
    return tuple(_moment(time) for time in found)


def _following(policy: Policy, times: np.ndarray, last: np.datetime64, count: int | None) -> np.datetime64 | None:
    """The time of the check after the one at `last`; None where the records end before it."""
    if count is not None:
        place = int(np.searchsorted(times, last, side="right")) + count
        return times[place - 1] if place <= len(times) else None
    end = last + np.timedelta64(policy.window_span)
    return end if len(times) and end <= times[-1] else None


def _moment(time: np.datetime64) -> datetime:
    found: datetime = time.astype("datetime64[us]").item().replace(tzinfo=UTC)
    return found


def _default_start(stream: StreamSettings, times: np.ndarray) -> datetime:
    if len(times) <= FIRST_RECORDS:
        raise InputError(
            f"The file holds {len(times)} records of '{stream.name}', and the first champion of a replay is trained "
            f"after the first {FIRST_RECORDS}, so nothing is left to check. Give more records, or name a --start."
        )
    return _moment(times[FIRST_RECORDS - 1])


def _scratch(app: App, stream: StreamSettings, home: Path) -> App:
    """A deployment of this stream alone with nothing outside `home`: its mails end there, and no channel is told."""
    home.mkdir(exist_ok=True)
    own = {
        "streams": {stream.name: stream.model_copy(update={"alerts": Recipients()})},
        "store": StoreSettings(),
        "tracking": TrackingSettings(),
        "smtp": SmtpSettings(),
        "alerts": AlertSettings(digest="", reminders=""),
    }
    return App(app.settings.model_copy(update=own), app.config, home)  # a copy, because making one reads TRUEUP_… again


def _first_champion(app: App, stream: StreamSettings, start: datetime) -> None:
    """Train the champion that every policy begins with, through its gate."""
    done = run_cycle(app, stream, start, strategies=REPLAYED)
    if done["promotion"] is None and done["champion"] is None:
        failed = [test["said"] for test in (done["gate"] or {"tests": []})["tests"] if not test["passed"]]
        why = " ".join(failed or done["decision"]["reasons"][-1:])
        raise TrueupError(
            f"What was known of '{stream.name}' at {start:%Y-%m-%d %H:%M} UTC gave no first champion, so nothing was "
            f"replayed: {why} Name a later --start."
        )


def _play(
    app: App,
    policy: ReplayPolicy,
    judged_by: str,
    start: datetime,
    moments: Sequence[datetime],
    known: Rows,
    tell: Tell,
) -> Played:
    """Every check of one policy, one after the other, each a whole cycle."""
    timeline: list[Moment] = []
    alerts, before = 0, start
    for number, as_of in enumerate(moments, start=1):
        tell(f"{policy.name}: check {number} of {len(moments)}, as of {as_of:%Y-%m-%d %H:%M}")
        done = run_cycle(app, policy.stream, as_of, strategies=policy.strategies)
        alerts += bool(done["alerts"])  # one message tells all that a cycle did
        timeline.append(
            Moment(
                as_of=as_of,
                breached=tuple(s["code"] for s in done["check"]["signals"] if s["verdict"] == "breached"),
                action=done["decision"]["action"],
                champion=done["champion"],
                metric=_answered(app, policy.stream, done["champion"], judged_by, known, before, as_of),
                promoted=done["promotion"] and done["promotion"]["to_version"],
            )
        )
        before = as_of
    return Played(policy.name, alerts, tuple(timeline))


def _answered(
    app: App, stream: StreamSettings, champion: int, judged_by: str, known: Rows, after: datetime, as_of: datetime
) -> float | None:
    """A metric of what a champion answered between two checks, by the labels that the data ended up with."""
    from trueup.training.models.fitting import ordered_classes

    answers = app.reader.read(stream, after=after, as_of=as_of, version=champion).meta
    times = known.meta["time"]
    between = known.take(((times > after.replace(tzinfo=None)) & (times <= as_of.replace(tzinfo=None))).to_numpy())
    labelled = between.labelled & answers["predicted"].notna().to_numpy()
    return metric(
        judged_by,
        between.meta["label"].to_numpy()[labelled],
        answers["predicted"].to_numpy()[labelled],
        answers["score"].to_numpy()[labelled],
        ordered_classes(stream, known.meta["label"].to_numpy()[known.labelled]),
    )
