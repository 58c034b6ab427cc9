"""What the face gives back: frozen values, each the typed form of the command's JSON document (`as_json()`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.monitoring.check import Check
from trueup.storage.formatting import counted_noun
from trueup.storage.tabular import Document, Tabular

if TYPE_CHECKING:
    import pandas as pd

    from trueup.reports.replay_facts import Replay


@dataclass(frozen=True)
class PredictResult(Tabular):
    """Answers: id, predicted, score, version of each record. refused: line, reason, detail of each that got none."""

    predictions: tuple[Document, ...]
    refused: tuple[Document, ...]

    def caption(self) -> str:
        return f"{counted_noun(len(self.predictions), 'prediction')}, {counted_noun(len(self.refused), 'row')} refused"

    def records(self) -> Sequence[Document]:
        return self.predictions

    def as_json(self) -> Document:
        return {"predictions": self.predictions, "refused": self.refused}


@dataclass(frozen=True, kw_only=True)
class ExplainedAnswer(Tabular):
    """An answer to one record, and what drove it: a row a driver, the strongest first.

    predicted: a class or a number. chances: the probability of each class.
    drivers: column, part (the word or words that were left out; empty: the column was left empty), by (how far it
        raises the log-odds of the answered class, or the number), without (its probability, or the number, without).
    untried: parts of a long record that the time did not suffice for.
    """

    predicted: str | float
    chances: Document
    version: int
    drivers: tuple[Document, ...]
    untried: int

    def caption(self) -> str:
        return f"v{self.version} answers {self.predicted}"

    def records(self) -> Sequence[Document]:
        return self.drivers


@dataclass(frozen=True, kw_only=True)
class TrainResult(Tabular):
    """A training: its version, and what the gate said. As a table, the candidates.

    promotion: from_version and to_version, None where nothing was promoted. held: what keeps a version waiting that
    passed its gate.
    """

    version: int
    run_id: str
    candidates: tuple[Document, ...]
    gate: Document
    promotion: Document | None
    held: str | None
    document: Document = field(repr=False)

    @classmethod
    def from_json(cls, document: Document) -> TrainResult:
        return cls(
            version=document["version"],
            run_id=document["run_id"],
            candidates=tuple(document["candidates"]),
            gate=document["gate"],
            promotion=document["promotion"],
            held=document["held"],
            document=document,
        )

    def caption(self) -> str:
        ended = "is champion" if self.promotion else "waits" if self.held else "was refused by the gate"
        return f"v{self.version} {ended}; {len(self.candidates)} candidates"

    def records(self) -> Sequence[Document]:
        return [
            {**{name: one[name] for name in ("model", "feature", "history", "hyper", "winner")}, **one["metrics"]}
            for one in self.candidates
        ]

    def as_json(self) -> Document:
        return self.document


@dataclass(frozen=True, kw_only=True)
class CycleResult(Tabular):
    """A cycle. As a table, the signals of its check.

    action: none, alert or retrain, with its codes and reasons. check: None where there was no champion. gate: None
    where nothing was judged. alerts: id, kind, subject, state of each. repeated: it had been finished before.
    """

    cycle_id: str
    stream: str
    as_of: datetime
    champion: int | None
    check: Check | None
    action: str
    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    training: Document | None
    gate: Document | None
    promotion: Document | None
    alerts: tuple[Document, ...]
    paused: bool
    repeated: bool
    document: Document = field(repr=False)

    @classmethod
    def from_json(cls, document: Document) -> CycleResult:
        decision = document["decision"]
        return cls(
            cycle_id=document["cycle_id"],
            stream=document["stream"],
            as_of=datetime.fromisoformat(document["as_of"]),
            champion=document["champion"],
            check=Check.from_json(document["check"]) if document["check"] else None,
            action=decision["action"],
            codes=tuple(decision["codes"]),
            reasons=tuple(decision["reasons"]),
            training=document["training"],
            gate=document["gate"],
            promotion=document["promotion"],
            alerts=tuple(document["alerts"]),
            paused=document.get("paused", False),
            repeated=document.get("repeated", False),
            document=document,
        )

    @property
    def outcome(self) -> str:
        """The cycle in a few words."""
        from trueup.flows.cycle.document import outcome

        return outcome(dict(self.document))

    def caption(self) -> str:
        return f"{self.stream} as of {self.as_of:%Y-%m-%d %H:%M} UTC: {self.outcome}"

    def records(self) -> Sequence[Document]:
        return self.check.records() if self.check else []

    def as_json(self) -> Document:
        return self.document


@dataclass(frozen=True)
class ReproduceResult(Tabular):
    """A version made again. identical: it answers the same to the last bit. said: that in a sentence."""

    version: int
    identical: bool
    said: str
    document: Document = field(repr=False)

    @classmethod
    def from_json(cls, document: Document) -> ReproduceResult:
        return cls(document["version"], document["identical"], document["said"], document)

    def as_json(self) -> Document:
        return self.document


@dataclass(frozen=True)
class ReplayResult(Tabular):
    """A replay. As a table, its policies. page: the timelines, as an HTML file."""

    replay: Replay
    page: Path

    def caption(self) -> str:
        return f"replay of {self.replay.stream}, mean {self.replay.metric} over checks"

    def records(self) -> Sequence[Document]:
        return [
            {
                "policy": played.name, "metric_mean": played.metric_mean, "checks": len(played.timeline),
                "alerts": played.alerts, "retrains": played.retrains, "promotions": played.promotions,
            }
            for played in self.replay.policies
        ]  # fmt: skip

    def timeline(self) -> pd.DataFrame:
        """Every check of every policy: policy, as_of, breached, action, champion, metric."""
        import pandas as pd

        rows = [{"policy": p.name, **moment} for p in self.replay.policies for moment in p.as_json()["timeline"]]
        return pd.DataFrame(rows)

    def as_json(self) -> Document:
        return {**self.replay.as_json(), "page": self.page}


@dataclass(frozen=True)
class PauseResult(Tabular):
    """Whether cycles act on a stream. event_id: of the change; None where it stood so already."""

    stream: str
    paused: bool
    event_id: str | None

    def as_json(self) -> Document:
        return asdict(self)


@dataclass(frozen=True)
class PruneResult(Tabular):
    """What was removed, or would be with `dry_run`: kind, name, bytes, left. kept: the versions that stay, and why."""

    dry_run: bool
    removed: tuple[Document, ...]
    kept: tuple[Document, ...]
    bytes: int
    document: Document = field(repr=False)

    @classmethod
    def from_json(cls, document: Document) -> PruneResult:
        removed, kept = tuple(document["removed"]), tuple(document["kept"])
        return cls(document["dry_run"], removed, kept, document["bytes"], document)

    def caption(self) -> str:
        return f"{self.bytes:,} bytes {'would go' if self.dry_run else 'removed'}"

    def records(self) -> Sequence[Document]:
        return self.removed

    def as_json(self) -> Document:
        return self.document

@dataclass(frozen=True)
class ExportResult(Tabular):
    """Exported data: what, file and rows of each. folder: what holds them. masked: whether personal data is."""

    folder: Path
    files: tuple[Document, ...]
    masked: bool
    document: Document = field(repr=False)

    @classmethod
    def from_json(cls, document: Document) -> ExportResult:
        return cls(document["folder"], tuple(document["files"]), document["masked"], document)

    def caption(self) -> str:
        return str(self.folder)

    def records(self) -> Sequence[Document]:
        return self.files

    def as_json(self) -> Document:
        return self.document


@dataclass(frozen=True)
class EraseResult(Tabular):
    """What was erased. erased: whether the last byte is gone; a later cycle goes on where it is not.

    rows: how many records. versions: trained on some of them. left: places that it could not reach, in words.
    """

    id: str
    erased: bool
    rows: int
    versions: tuple[int, ...]
    left: tuple[str, ...]
    document: Document = field(repr=False)

    @classmethod
    def from_json(cls, document: Document) -> EraseResult:
        return cls(
            document["id"], document["erased"], document["records"], tuple(document["versions"]),
            tuple(document["left"]), document,
        )  # fmt: skip

    def caption(self) -> str:
        return f"{counted_noun(self.rows, 'record')}{' erased' if self.erased else ', not yet erased'}"

    def as_json(self) -> Document:
        return self.document
