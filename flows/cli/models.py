"""Commands about versions: models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trueup.flows.cli.session import (
    MOST,
    AsJson,
    Commands,
    Config,
    Home,
    StreamName,
    Why,
    add_group,
    progress,
    session,
    table,
)
from trueup.storage.formatting import figure
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    from trueup.stream import Stream


def models_list(stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Registered versions, newest first, with their aliases."""
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        metric = chosen.settings.metric
        found = chosen.models.list()
        champion = next((v.version for v in found if "champion" in v.aliases), None)
        rows = [
            (f"v{v.version}", ", ".join(v.aliases), iso(v.cut_off), (v.recipe or {}).get("model"),
             figure((v.metrics or {}).get(metric)))
            for v in found
        ]  # fmt: skip
        s.show(
            {"champion": champion, "versions": found},
            table("versions", ("version", "aliases", "knew the stream up to", "model", f"{metric} held out"), rows),
        )


def models_show(
    version: Annotated[int, typer.Argument(min=1, max=MOST, help="The version's number.")],
    stream: StreamName = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One version: its training, its gate, what became of it, and why."""
    from rich.text import Text

    from trueup.flows.train.lineage import lineage_in_words

    with session(config, home, as_json) as s:
        found = s.stream(stream).models.show(version)
        record, pruned = found.record, found.pruned
        tests = [
            (e["kind"], e["state"], g["code"], "yes" if g["passed"] else "no", figure(g["value"]), g["said"])
            for e in found.events if e["to_version"] == version for g in e["gate"]["tests"]
        ]  # fmt: skip
        facts = [(k, v) for k, v in {**record.document["recipe"], **record.document["metrics"]}.items()]
        facts += lineage_in_words(record).items()
        gone = f"Its files were pruned at {iso(pruned.decided_at)} by {pruned.who}." if pruned else ""
        s.show(
            found.as_json(),
            table(f"v{version}, run {record.run_id}, cut-off {iso(record.cut_off)}", ("what", "value"), facts),
            table("how it was judged", ("kind", "state", "code", "passed", "value", "what was found"), tests),
            *([gone] if gone else []),
            Text("\n".join(found.explained)),
        )


def models_explain(
    versions: Annotated[
        list[int] | None,
        typer.Argument(
            min=1, max=MOST, help="What these would have needed; left out: all since the champion came, and who waits."
        ),
    ] = None,
    stream: StreamName = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Why the champion is champion, and what others would have needed."""
    from rich.text import Text

    with session(config, home, as_json) as s:
        found = s.stream(stream).models.explain(versions or ())
        s.show(found.as_json(), Text(str(found)))


def models_history(
    stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """The audit trail: who changed or held the champion, newest first."""
    from rich.text import Text

    with session(config, home, as_json) as s:
        trail = s.stream(stream).history()
        rows = [
            (iso(e["at"]), e["who"], e["kind"], e["state"], _arrow(e["from_version"], e["to_version"]), e["why"])
            for e in trail.events
        ]
        s.show(
            trail.as_json(),
            table("history", ("at", "who", "kind", "state", "versions", "why"), rows),
            *([Text(f"MLflow cannot be read, so only the store speaks here: {trail.lost}")] if trail.lost else []),
        )


def models_verify(
    stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Check that the audit trail agrees with MLflow and the files.

    Status 1 where they do not agree; changes nothing.
    """
    from rich.text import Text

    with session(config, home, as_json) as s:
        found = s.stream(stream).models.verify()
        said = [f"- {problem}" for problem in found.problems] or ["The audit trail, MLflow and the archive agree."]
        s.show(found.as_json(), *map(Text, said))
        if not found.ok:
            raise typer.Exit(1)


def models_promote(
    why: Why,
    to: Annotated[int, typer.Option("--to", min=1, max=MOST, help="The version that is to answer.")],
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
        s.show({**done.as_json(), "answerable": can}, f"{arrow}: v{to} is champion now ({done.kind})")


def models_rollback(
    why: Why,
    to: Annotated[
        int | None,
        typer.Option("--to", min=1, max=MOST, help="The version to go back to; the one before where left out."),
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
        waits = [f"Nothing is promoted by itself until: {resume}"] if done.waits_for else []
        arrow = _arrow(done.from_version, done.to_version)
        s.show({**done.as_json(), "answerable": can}, f"{arrow}: v{done.to_version} is champion again", *waits)


def models_resume(
    why: Why, stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Let challengers be promoted by themselves again after a rollback."""
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
