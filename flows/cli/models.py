"""Commands about versions: models."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trueup.flows.cli.session import AsJson, Commands, Config, Home, StreamName, Why, add_group, session, table
from trueup.monitoring.formatting import figure
from trueup.storage.errors import InputError
from trueup.storage.promotions import Promotion
from trueup.storage.timepoints import iso


def models_list(stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Registered versions, newest first, with their aliases."""
    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        metric = named.metric
        known = {v.version: v for v in s.app.promotions.versions(stream)}
        found: list[dict[str, Any]] = []
        for version in s.app.registry.versions(stream):
            record = known.get(version.number)
            found.append(
                {
                    "version": version.number,
                    "aliases": list(version.aliases),
                    "run_id": version.run_id,
                    "created_at": version.created_at,
                    "cut_off": record.cut_off if record else None,
                    "recipe": record.document["recipe"] if record else None,
                    "metrics": record.document["metrics"] if record else None,
                    "snapshot": record.snapshot if record else None,
                }
            )
        rows = [
            (f"v{f['version']}", ", ".join(f["aliases"]), iso(f["cut_off"]), (f["recipe"] or {}).get("model"),
             figure((f["metrics"] or {}).get(metric)))
            for f in found
        ]
        s.show(
            {"champion": s.app.registry.alias(stream, "champion"), "versions": found},
            table("versions", ("version", "aliases", "knew the stream up to", "model", f"{metric} held out"), rows),
        )


def models_show(
    version: Annotated[int, typer.Argument(help="The version's number.")],
    stream: StreamName,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One version: its training, its gate, what became of it, and why."""
    from rich.text import Text

    from trueup.flows.audit.explain import explain_one
    from trueup.flows.audit.history import history
    from trueup.flows.train.lineage import told

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        record = s.app.promotions.version(stream, version)
        if record is None:
            raise InputError(f"'{stream}' has no version {version}. See: trueup models list --stream {stream}")
        trail = history(s.app, named)
        events = [e for e in trail.events if e["to_version"] == version or e["from_version"] == version]
        tests = [
            (e["kind"], e["state"], g["code"], "yes" if g["passed"] else "no", figure(g["value"]), g["said"])
            for e in events if e["to_version"] == version for g in e["gate"]["tests"]
        ]
        facts = [(k, v) for k, v in {**record.document["recipe"], **record.document["metrics"]}.items()]
        facts += told(record).items()
        explained = explain_one(s.app, named, version)
        pruned = s.app.prunings.version(stream, version)
        gone = f"Its files were pruned at {iso(pruned.decided_at)} by {pruned.who}." if pruned else ""
        s.show(
            {
                "champion": trail.champion,
                "versions": [record],
                "events": events,
                "lost": trail.lost or None,
                "pruned": pruned,
                "explained": explained,
            },
            table(f"v{version}, run {record.run_id}, cut-off {iso(record.cut_off)}", ("what", "value"), facts),
            table("how it was judged", ("kind", "state", "code", "passed", "value", "what was found"), tests),
            *([gone] if gone else []),
            Text("\n".join(explained)),
        )


def models_explain(
    stream: StreamName,
    versions: Annotated[
        list[int] | None,
        typer.Argument(help="What these would have needed; left out: all since the champion came, and who waits."),
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Why the champion is champion, and what others would have needed."""
    from rich.text import Text

    from trueup.flows.audit.explain import explain

    with session(config, home, as_json) as s:
        found = explain(s.app, s.app.stream(stream), versions or ())
        said = [*found["notes"], *(found["because"]["said"] if found["because"] else ["There is no champion yet."])]
        for other in found["others"]:
            said += ["", other["said"], *(f"  {wanted}" for wanted in other["needed"])]
        s.show(found, Text("\n".join(said)))


def models_history(stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """The audit trail: who changed or held the champion, newest first."""
    from rich.text import Text

    from trueup.flows.audit.history import history

    with session(config, home, as_json) as s:
        trail = history(s.app, s.app.stream(stream))
        rows = [
            (iso(e["at"]), e["who"], e["kind"], e["state"], _arrow(e["from_version"], e["to_version"]), e["why"])
            for e in trail.events
        ]
        s.show(
            {"champion": trail.champion, "versions": [], "events": trail.events, "lost": trail.lost or None},
            table("history", ("at", "who", "kind", "state", "versions", "why"), rows),
            *([Text(f"MLflow cannot be read, so only the store speaks here: {trail.lost}")] if trail.lost else []),
        )


def models_verify(stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Hold the audit trail against MLflow and the archive.

    Status 1 where they do not agree; changes nothing.
    """
    from rich.text import Text

    from trueup.flows.audit.verify import verify

    with session(config, home, as_json) as s:
        found = verify(s.app, s.app.stream(stream))
        said = [f"- {problem}" for problem in found] or ["The audit trail, MLflow and the archive agree."]
        s.show({"ok": not found, "problems": found}, *map(Text, said))
        if found:
            raise typer.Exit(1)


def models_promote(
    stream: StreamName,
    why: Why,
    to: Annotated[int, typer.Option("--to", help="The version that is to answer.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also against its gate, or without one; the history says so.")
    ] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a version champion that waits for a person."""
    from trueup.flows.promote.manual import promote_by_hand

    with session(config, home, as_json) as s:
        done = promote_by_hand(s.app, s.app.stream(stream), to, why, force=force)
        s.show(_changed(done), f"{_arrow(done.from_version, done.to_version)}: v{to} is champion now ({done.kind})")


def models_rollback(
    stream: StreamName,
    why: Why,
    to: Annotated[
        int | None, typer.Option("--to", help="The version to go back to; the one before where left out.")
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Go back to an earlier version.

    Nothing is promoted by itself until that is acknowledged.
    """
    from trueup.flows.promote.manual import roll_back
    from trueup.flows.promote.notifications import open_rollback

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        done = roll_back(s.app, named, to, why)
        waits = open_rollback(s.app, named)
        s.show(
            _changed(done),
            f"{_arrow(done.from_version, done.to_version)}: v{done.to_version} is champion again",
            *([f"Nothing is promoted by itself until: trueup alerts ack {waits.id}"] if waits else []),
        )


def _changed(done: Promotion) -> dict[str, Any]:
    return {"from_version": done.from_version, "to_version": done.to_version, "event_id": done.id}


def _arrow(before: int | None, after: int | None) -> str:
    return f"{'–' if before is None else f'v{before}'} → {'–' if after is None else f'v{after}'}"


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    models: Commands = {
        "list": models_list, "show": models_show, "explain": models_explain, "history": models_history,
        "verify": models_verify, "promote": models_promote, "rollback": models_rollback,
    }  # fmt: skip
    add_group(cli, "models", "The registry's view and the audit trail.", models)
