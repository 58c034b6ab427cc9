"""Commands about versions: models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trueup.flows.cli.progress import working
from trueup.flows.cli.session import (
    PAGE,
    AsJson,
    Commands,
    Config,
    Every,
    Home,
    Limit,
    Since,
    StreamName,
    Why,
    add_group,
    heading,
    progress,
    session,
)
from trueup.reports.tables import MOMENT, SENTENCE, Column, facts, table
from trueup.storage.formatting import figure, metric_name
from trueup.storage.short_ids import short_id
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trueup.stream import Stream

VersionName = Annotated[str, typer.Argument(help="A version's number, champion, challenger, previous, or last.")]


def models_list(
    stream: StreamName = None,
    limit: Limit = None,
    since: Since = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Registered versions, newest first, with their aliases."""
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        metric = chosen.settings.metric
        found = chosen.models.list(limit or (None if as_json else PAGE), since=since)
        rows = [
            (f"v{v.version}", ", ".join(v.aliases), to_minute(v.cut_off), (v.recipe or {}).get("model"),
             figure((v.metrics or {}).get(metric)))
            for v in found
        ]  # fmt: skip
        heads = (
            Column("version"), Column("aliases", least=10), Column("trained on data until", least=MOMENT),
            Column("model", rank=1, least=12),
            Column(f"{metric_name(metric)} (hold-out)", least=10, right=True),
        )  # fmt: skip
        s.show(
            {"champion": chosen.models.alias("champion"), "versions": found, "total": found.total},
            table(heading("versions", len(found), found.total), heads, rows),
        )


def models_show(
    version: VersionName,
    stream: StreamName = None,
    every: Every = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One version: its training, its gate, what became of it, and why."""
    from rich.text import Text

    from trueup.flows.audit.history import what_happened
    from trueup.flows.train.lineage import lineage_in_words
    from trueup.reports.explanation import with_passed_counted
    from trueup.reports.signal_tables import gate_shown

    with session(config, home, as_json) as s:
        found = s.stream(stream).models.show(version)
        record, pruned = found.record, found.pruned
        recipe = dict(record.document["recipe"])
        if "hyper" in recipe:  # a service's own model has none
            recipe["hyper"] = ", ".join(f"{name}={value}" for name, value in json.loads(recipe["hyper"]).items())
        metrics = {name: figure(value) for name, value in record.document["metrics"].items()}
        title = f"v{record.version}, trained on data until {to_minute(record.cut_off)}, run {record.run_id}"
        gone = f"Its files were pruned at {to_minute(pruned.decided_at)} by {pruned.who}." if pruned else ""
        judged = [e for e in found.events if e["to_version"] == record.version and (e["gate"] or {}).get("tests")]
        s.show(
            found.as_json(),
            facts(title, {**recipe, **metrics, **lineage_in_words(record)}),
            *chain.from_iterable(
                (Text(f"{what_happened(e)} {to_minute(e['at'])}"), *gate_shown(e["gate"]["tests"], every=every))
                for e in judged
            ),
            *([Text(gone)] if gone else []),
            Text("\n".join(with_passed_counted(found.explained))),
        )


def models_explain(
    versions: Annotated[
        list[str] | None,
        typer.Argument(
            help="What these would have needed; left out: all since the champion came, and who waits."
        ),
    ] = None,
    stream: StreamName = None,
    every: Every = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Why the champion is champion, and what others would have needed."""
    from rich.text import Text

    from trueup.reports.explanation import with_passed_counted

    with session(config, home, as_json) as s:
        found = s.stream(stream).models.explain(versions or ())
        said = str(found).splitlines()
        s.show(found.as_json(), Text("\n".join(said if every else with_passed_counted(said))))


def models_history(
    event: Annotated[
        str | None, typer.Argument(help="Only this event, whole: its id, the beginning of it, or last.")
    ] = None,
    stream: StreamName = None,
    limit: Limit = None,
    since: Since = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only events of this kind, as --json has it.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Only events in this state, as --json has it.")] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The audit trail: who changed or held the champion, newest first."""
    from rich.text import Text

    from trueup.flows.audit.history import what_happened

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        if event is not None:
            trail = chosen.models.event(event)
            s.show(trail.as_json(), *_whole_event(trail.events[0]))
            return
        trail = chosen.models.history(limit or (None if as_json else PAGE), since=since, kind=kind, state=state)
        rows = [
            (short_id(e["id"]), to_minute(e["at"]), e["who"], what_happened(e),
             _arrow(e["from_version"], e["to_version"]), " ".join(e["why"].split()))
            for e in trail.events
        ]  # fmt: skip
        heads = (
            Column("id", rank=2), Column("at"), Column("who", least=17, cut=True), Column("what", cut=True),
            Column("versions"), Column("why", rank=3, least=SENTENCE, cut=True),
        )  # fmt: skip
        s.show(
            trail.as_json(),
            table(heading("history", len(trail.events), trail.total), heads, rows),
            *([Text("MLflow cannot be read, so this is read from the store alone: "
            f"{trail.lost}")] if trail.lost else []),
        )


def _whole_event(event: Mapping[str, Any]) -> Iterator[RenderableType]:
    """One event of the audit trail with its reason and what the gate found."""
    from trueup.flows.audit.history import what_happened
    from trueup.reports.signal_tables import gate_shown

    yield facts(
        f"event {event['id']}",
        {
            "what": what_happened(event), "versions": _arrow(event["from_version"], event["to_version"]),
            "at": to_minute(event["at"]), "as of": to_minute(event["as_of"]), "who": event["who"],
            "why": event["why"], "codes": ", ".join(event["codes"]),
        },
    )  # fmt: skip
    yield from gate_shown((event["gate"] or {}).get("tests", ()), every=True)


def models_verify(
    stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Check that the audit trail agrees with MLflow and the files.

    Status 1 where they do not agree; changes nothing.
    """
    from rich.text import Text

    with session(config, home, as_json) as s:
        with working("verify"):
            found = s.stream(stream).models.verify()
        said = [f"- {problem}" for problem in found.problems] or ["The audit trail, MLflow and the archive agree."]
        s.show(found.as_json(), *map(Text, said), *(Text(f"note: {note}") for note in found.erased))
        if not found.ok:
            raise typer.Exit(1)


def models_promote(
    why: Why,
    to: Annotated[str, typer.Option("--to", help="The version that is to answer: its number, or challenger.")],
    stream: StreamName = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also against its gate, or without one; the history says so.")
    ] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a version champion that waits for a person."""
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        can = _tell_answerable(chosen)
        done = chosen.promote(to, why, force=force)
        arrow = _arrow(done.from_version, done.to_version)
        s.show({**done.as_json(), "answerable": can}, f"{arrow}: v{done.to_version} is champion now ({done.kind})")


def models_rollback(
    why: Why,
    to: Annotated[
        str | None, typer.Option("--to", help="The version to go back to; the one before where left out.")
    ] = None,
    stream: StreamName = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier version.

    Nothing is promoted by itself until: trueup models resume.
    """
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        can = _tell_answerable(chosen)
        done = chosen.rollback(why, to)
        resume = f"trueup models resume --stream {chosen.name} --why '...'"
        waits = [f"No automatic promotion until: {resume}"] if done.waits_for else []
        arrow = _arrow(done.from_version, done.to_version)
        s.show({**done.as_json(), "answerable": can}, f"{arrow}: v{done.to_version} is champion again", *waits)


def models_resume(
    why: Why, stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Let promotion follow the policy again after a rollback."""
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        done = chosen.models.resume(why)
        said = f"promotion of '{chosen.name}' follows the policy again; rollback incident {done.id} is closed"
        s.show({"incidents": [done]}, said)


def _tell_answerable(stream: Stream) -> tuple[int, ...]:
    """The versions that can answer, told before anything is changed."""
    found = stream.models.answerable()
    progress().print(f"Can answer: {', '.join(f'v{version}' for version in found) or 'none'}.")
    return found


def _arrow(before: int | None, after: int | None) -> str:
    return f"{'–' if before is None else f'v{before}'} → {'–' if after is None else f'v{after}'}"


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    models: Commands = {
        "list": models_list, "show": models_show, "explain": models_explain, "history": models_history,
        "verify": models_verify, "promote": models_promote, "rollback": models_rollback, "resume": models_resume,
    }  # fmt: skip
    add_group(cli, "models", "The registry's view and the audit trail.", models)
