"""DQ-LABELS: how many mature records carry a label."""

from __future__ import annotations

from collections.abc import Iterator

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.formatting import percent
from trueup.monitoring.signals.pending import insufficient
from trueup.storage.stream import StreamSettings

_CODE, _NAME = "DQ-LABELS", "share of mature records that carry a label"


def label_coverage(stream: StreamSettings, comparison: Comparison) -> Iterator[Signal]:
    """States how many mature records carry a label; never a breach, since labels come at their own pace."""
    limit = comparison.mature64(stream.label.maturity_span)
    current = comparison.current.labelled[comparison.current.meta["time"].to_numpy() <= limit]
    reference = comparison.reference.labelled
    if not len(current):
        said = f"No record of the window is past its maturity of {stream.label.maturity}, so none needs a label yet."
        yield insufficient(_CODE, _NAME, said, len(reference), 0)
        return
    usual = f", {percent(float(reference.mean()))} of the reference" if len(reference) else ""
    yield Signal(
        code=_CODE,
        name=_NAME,
        verdict=Verdict.OK,
        said=f"{int(current.sum())} of {len(current)} mature records ({percent(float(current.mean()))}) carry a label"
        f"{usual}.",
        value=float(current.mean()),
        effect=float(current.mean() - reference.mean()) if len(reference) else None,
        worse=Worse.LOWER,
        n_reference=len(reference),
        n_current=len(current),
    )
