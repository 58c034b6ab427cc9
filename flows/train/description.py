"""What a version is, in a few sentences of Markdown for MLflow's pages, with the way back to what asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trueup.reports.alerts.links import link_for
from trueup.reports.masking import masked
from trueup.storage.escaping import for_markdown
from trueup.storage.formatting import aligned_figure, capitalised, metric_name
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.candidates.recipes import Recipe

_LONGEST = 1000  # characters of a reason


def describe(
    stream: StreamSettings,
    recipe: Recipe,
    source: Mapping[str, Any],
    metrics: Mapping[str, float],
    *,
    judged: int,
    candidates: int,
    links: Mapping[str, str],
    incident: str | None,
    mask: bool,
) -> str:
    """A version before its gate.

    Args:
        source: its lineage, as `trueup.flows.train.lineage.lineage` gives it.
        metrics: on the `judged` labelled rows of the evaluation side.
        candidates: how many the search compared.
        links: templates of the addresses of pages, by kind.
        incident: that asked for it, if one is open.
        mask: whether personal data in the reasons is masked.
    """
    from trueup.training.candidates.run_params import full_title

    value = metrics.get(stream.metric)
    found = "" if value is None else (
        f"{capitalised(metric_name(stream.metric))} **{aligned_figure(value)}** on {judged:,} held-out labelled rows. "
    )  # fmt: skip
    rows, asked = source["snapshot"], source["asked"]
    span = " to ".join(str(at)[:10] for at in (rows["first_time"], rows["last_time"]))
    said = [masked(reason, _LONGEST) if mask else reason for reason in asked["reasons"]]
    lines = [
        f"{found}{capitalised(for_markdown(full_title(recipe)))}: best of {candidates} candidates.",
        f"Trained on {rows['labels']:,} labelled of {rows['rows']:,} rows, {span}.",
        "**Why**\n\n" + "\n".join(f"- {for_markdown(reason[:_LONGEST])}" for reason in said),
        _ways(stream, asked["report_id"], incident, links),
    ]
    return "\n\n".join(line for line in lines if line)


def _ways(stream: StreamSettings, report: str | None, incident: str | None, links: Mapping[str, str]) -> str:
    """Links where pages are served, else the commands that show the same."""
    ways = []
    for kind, found, command in (
        ("report", report, f"trueup reports open {report}"),
        ("incident", incident, f"trueup alerts list --stream {stream.name}"),
    ):
        if found:
            link = link_for(links, kind, stream=stream.name, **{kind: found})
            ways.append(f"[{capitalised(kind)}]({link})" if link else f"{capitalised(kind)}: `{command}`")
    return " · ".join(ways)
