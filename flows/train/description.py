"""What a training came to, in sentences for MLflow's pages and for our own page, with the way back to its cause."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from trueup.reports.alerts.links import link_for
from trueup.reports.masking import masked
from trueup.storage.escaping import for_markdown
from trueup.storage.formatting import aligned_figure, capitalised, metric_name
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.candidates.recipes import Recipe
    from trueup.training.search import SearchResult

PAGE = "training.html"  # the artifact
_LONGEST = 1000  # characters of a reason


@dataclass(frozen=True, kw_only=True)
class TrainingStory:
    """A version before its gate, in plain text.

    found: how good it is. made: how, and of how many candidates. rows: what it was trained on. reasons: why.
    ways: to what asked for it, as (words, address); without an address the words hold a command.
    """

    found: str
    made: str
    rows: str
    reasons: tuple[str, ...]
    ways: tuple[tuple[str, str], ...]


def story_of(
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
    refit: str = "",
) -> TrainingStory:
    """The story of a version.

    Args:
        source: its lineage, as `trueup.flows.train.lineage.lineage` gives it.
        metrics: on the `judged` labelled rows of the evaluation side.
        candidates: how many the search compared.
        links: templates of the addresses of pages, by kind.
        incident: that asked for it, if one is open.
        mask: whether personal data in the reasons is masked.
        refit: what serves, where that is not the fit whose metrics these are, as `refit_in_words` has it.
    """
    from trueup.training.candidates.run_params import full_title

    value, metric = metrics.get(stream.metric), capitalised(metric_name(stream.metric))
    rows, asked = source["snapshot"], source["asked"]
    serving = f" It {refit}." if refit else ""
    span = " to ".join(str(at)[:10] for at in (rows["first_time"], rows["last_time"]))
    return TrainingStory(
        found="" if value is None else f"{metric} {aligned_figure(value)} on {judged:,} held-out labelled rows.",
        made=f"Best of {candidates} candidates: {full_title(recipe)}.",
        rows=f"Trained on {rows['labels']:,} labelled of {rows['rows']:,} rows, {span}.{serving}",
        reasons=tuple((masked if mask else _cut)(reason, _LONGEST) for reason in asked["reasons"]),
        ways=tuple(_ways(stream, asked["report_id"], incident, links)),
    )


def in_markdown(story: TrainingStory) -> str:
    """The story as MLflow shows descriptions; nothing that an outsider wrote is markup in it."""
    ways = [f"[{words}]({address})" if address else f"`{words}`" for words, address in story.ways]
    lines = [
        " ".join(for_markdown(said) for said in (story.found, story.made, story.rows) if said),
        "**Why**\n\n" + "\n".join(f"- {for_markdown(reason)}" for reason in story.reasons),
        " · ".join(ways),
    ]
    return "\n\n".join(line for line in lines if line)


def page_of_training(
    stream: StreamSettings,
    name: str,
    story: TrainingStory,
    result: SearchResult,
    files: Mapping[str, bytes],
    lineage: Mapping[str, str],
) -> bytes:
    """The story as one page, with the candidates and the pictures among the run's files.

    Args:
        name: of the run.
        files: of the run, by path.
        lineage: what the version was made of, by name.
    """
    from trueup.reports.pages.training_page import CandidateLine, TrainingFacts, training_page
    from trueup.training.candidates.run_params import full_title

    pictures = [(path, content) for path, content in files.items() if path.endswith(".png")]
    return training_page(
        TrainingFacts(
            title=f"{stream.name}, {name}",
            lead=" ".join(said for said in (story.found, story.made, story.rows) if said),
            reasons=story.reasons,
            links=story.ways,
            metric=stream.metric,
            lower_is_better=stream.lower_is_better,
            candidates=tuple(
                CandidateLine(
                    title=full_title(trial.recipe),
                    value=trial.metrics.get(stream.metric),
                    blocks=trial.blocks,
                    seconds=trial.seconds,
                    winner=trial.recipe == result.winner,
                    failed=trial.failed,
                )
                for trial in result.trials
            ),
            pictures=tuple(
                (
                    capitalised(PurePosixPath(path).stem.replace("_", " ")),
                    f"data:image/png;base64,{b64encode(content).decode()}",
                )
                for path, content in pictures
            ),
            lineage=lineage,
        )
    )


def _ways(
    stream: StreamSettings, report: str | None, incident: str | None, links: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Links where pages are served, else the commands that show the same."""
    ways = []
    for kind, found, command in (
        ("report", report, f"trueup reports open {report}"),
        ("incident", incident, f"trueup alerts list --stream {stream.name}"),
    ):
        if found:
            link = link_for(links, kind, stream=stream.name, **{kind: found})
            ways.append((capitalised(kind), link) if link else (command, ""))
    return ways


def _cut(reason: str, length: int) -> str:
    return reason[:length]
