"""Where a model version comes from: what is kept with it in the store and in MLflow, and reads back."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trueup.flows.app import App
from trueup.flows.check.comparison import WindowComparison
from trueup.monitoring.policy import Decision
from trueup.storage.errors import ConfigError
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso, to_minute

# tables that no model hangs on; addresses are people's
NOT_OF_MODELS = frozenset({"alerts", "feedback_source", "gate", "policies", "schedule", "source", "tags"})
SOURCE = Path(__file__).resolve().parents[2]


def settings_of(stream: StreamSettings) -> dict[str, Any]:
    """A stream's settings as they are kept with a version."""
    return stream.model_dump(mode="json", exclude=set(NOT_OF_MODELS))


def stream_when_trained(record: VersionRecord) -> StreamSettings | None:
    """The stream as it was set when the version was trained; None where nobody kept that.

    Raises:
        ConfigError: this trueup does not know those settings.
    """
    kept = record.document.get("settings")
    try:
        return None if kept is None else StreamSettings(**kept)
    except ValidationError as error:
        raise ConfigError(
            f"v{record.version} of '{record.stream}' has settings that this trueup cannot read ({error}), "
            "so it cannot be made again here. Use the trueup of its training: tag trueup.package.trueup of its version "
            "in MLflow."
        ) from error


def changed_settings(then: StreamSettings, now: StreamSettings) -> list[dict[str, Any]]:
    """The settings that are others today, by their dotted key."""
    before, after = _flat(settings_of(then)), _flat(settings_of(now))
    return [
        {"key": key, "then": before.get(key), "now": after.get(key)}
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def window_spans(compared: WindowComparison) -> dict[str, dict[str, Any]]:
    """The rows that a check compared with each other: how many, and from when to when."""
    found = compared.comparison
    return {
        "reference": span(found.reference),
        "current": span(found.current),
        "quality_reference": span(found.quality_reference),
        "quality_current": span(found.quality_current),
    }


def asked_by_cycle(
    cycle_id: str, decision: Decision, *, report_id: str | None, windows: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What asked for a training in a cycle: its decision, and the check behind it (None: there was no champion yet)."""
    return {
        "cycle_id": cycle_id,
        "report_id": report_id,
        "windows": windows,
        "codes": list(decision.confirmed),
        "reasons": list(decision.reasons),
        **({"growth": decision.growth} if decision.growth else {}),
    }


def asked_by_person(who: str) -> dict[str, Any]:
    """What asked for a training on demand."""
    return {
        "cycle_id": None, "report_id": None, "windows": None, "codes": [],
        "reasons": [f"{who} started it with `trueup train`."],
    }  # fmt: skip


def occasion_of(asked: Mapping[str, Any]) -> str:
    """Why a version was trained, in a word or two: by a check, for want of a champion, or by a person."""
    if asked["cycle_id"] is None:
        return "training on demand"
    return "retrain" if asked["report_id"] else "first training"


def lineage(
    app: App,
    rows: Rows,
    *,
    snapshot: str,
    seed: int,
    asked: Mapping[str, Any],
    drawn: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """What leads from a version back to the rows, the code and the check that it came of.

    drawn: the candidates that were drawn of `training.spaces`, as they are kept.
    """
    return {
        "snapshot": {"hash": Path(snapshot).stem, "file": snapshot, "labels": int(rows.labelled.sum()), **span(rows)},
        "asked": dict(asked),
        "commit": git_commit(app.config.parent if app.config else app.home),
        "trueup_commit": git_commit(SOURCE) if (SOURCE / ".git").exists() else "",
        "seed": seed,
        **({"drawn": list(drawn)} if drawn else {}),
    }


def lineage_in_words(record: VersionRecord) -> dict[str, str]:
    """A version's lineage as people read it; empty where none was kept."""
    found = record.document.get("lineage")
    if found is None:
        return {}
    asked, rows = found["asked"], found["snapshot"]
    window = (asked["windows"] or {}).get("current")
    return {
        "rows": f"{rows['rows']}, {rows['labels']} labelled, {_from_to(rows)}",
        "snapshot": rows["hash"],
        **({"fitted on": _refit_in_words(record)} if record.refit_labels else {}),
        "started by": " ".join([f"check {asked['report_id']}:"] * bool(asked["report_id"]) + asked["reasons"]),
        **({"window": f"{window['rows']} rows {_from_to(window)}"} if window else {}),
        "commit": found["commit"] or "–",
        "seed": str(found["seed"]),
        **({"drawn": _drawn_in_words(record, found["drawn"])} if "drawn" in found else {}),
    }


def _refit_in_words(record: VersionRecord) -> str:
    from trueup.training.models.refit import refit_in_words

    return f"v{record.version} {refit_in_words(record.refit_labels, record.document['labels'])}"


def _drawn_in_words(record: VersionRecord, drawn: Sequence[Mapping[str, str]]) -> str:
    tried = [{name: one[name] for name in drawn[0]} for one in record.document["candidates"]]
    left = sum(one not in tried for one in drawn)
    return f"{len(drawn)} candidates of training.spaces" + (f", {left} not tried: the time was up" if left else "")


def _from_to(ends: Mapping[str, Any]) -> str:
    first, last = (datetime.fromisoformat(at) if at else None for at in (ends["first_time"], ends["last_time"]))
    return f"from {to_minute(first)} to {to_minute(last)}"


def lineage_files(found: Mapping[str, Any], settings: Mapping[str, Any], packages: str) -> dict[str, bytes]:
    """The lineage as files of the MLflow run."""
    return {
        "lineage/lineage.json": _json(found),
        "lineage/settings.json": _json(settings),
        "lineage/requirements.txt": packages.encode(),
    }


def span(rows: Rows) -> dict[str, Any]:
    """How many rows, and from when to when."""
    times = rows.meta["time"]
    ends = [iso(times.iloc[k].to_pydatetime()) for k in (0, -1)] if len(rows) else [None, None]
    return {"rows": len(rows), "first_time": ends[0], "last_time": ends[1]}


def git_commit(folder: Path) -> str:
    """The commit that a folder stands at, with "-dirty" where tracked files differ; empty where it is in none."""
    git = shutil.which("git")
    if git is None:
        return ""
    asked = [git, "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _flat(value: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        here = f"{path}{key}"
        found |= _flat(inner, f"{here}.") if isinstance(inner, Mapping) and inner else {here: inner}
    return found


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()
