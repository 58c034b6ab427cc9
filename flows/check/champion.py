"""Who answers: the version that the alias `champion` points to, with what the store knows of it."""

from __future__ import annotations

from datetime import datetime

from trueup.flows.app import App
from trueup.storage.deployments import uses_store
from trueup.storage.errors import ModelUnusable, NoChampion, TimeRefused
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute


def champion_version(app: App, stream: StreamSettings) -> int | None:
    """The version in force; None where none ever was.

    Raises:
        ModelUnusable: one was promoted, and the registry names none: it must not be taken for a stream without.
    """
    version = app.registry.alias(stream.name, "champion")
    last = app.promotions.last_committed(stream.name) if version is None else None
    if last is not None:
        raise ModelUnusable(
            f"The registry lost the champion of '{stream.name}', v{last.to_version}: nothing answers, nothing is "
            f"compared, and no other model takes its place by itself. {_way_back(app, stream, last.to_version)}"
        )
    return version


def _way_back(app: App, stream: StreamSettings, lost: int | None) -> str:
    """What a person can do: a version can be named again only where the registry still holds it."""
    restore = "Restore the tracking store (mlflow.db and mlflow/ of the home folder, or the MLflow server)"
    known = {record.version for record in app.promotions.versions(stream.name)}
    held = [version.number for version in app.registry.versions(stream.name) if version.number in known]
    if not held:
        return f"{restore}; it holds no version of '{stream.name}' that the store knows. {begin_anew(stream)}"
    return (
        f"{restore}, or let a version that it still holds answer: trueup models promote "
        f"--to {lost if lost in held else held[0]} --force --stream {stream.name} --why '...'"
    )


def begin_anew(stream: StreamSettings) -> str:
    """What is left to do where no version can ever answer again; champion and history are lost by it."""
    return (
        "Without a backup, begin anew: move the home folder aside (or name another [store] url and [tracking] uri), "
        f"take the records in again, and train: trueup train --stream {stream.name}"
    )


def need_own_name(app: App, stream: StreamSettings) -> None:
    """Refuse a registered model that another deployment made and of whose versions the store knows none.

    Raises:
        ModelUnusable: another deployment owns the name.
    """
    if not app.settings.tracking.uri:
        return  # MLflow's file is the home's own, whoever began it: a copied home becomes a deployment of its own
    owner, place = app.registry.owner_of(stream.name)
    if owner in ("", app.registry.owner[0]) or uses_store(app.database, owner):
        return
    known = {record.run_id for record in app.promotions.versions(stream.name)}
    if known & {version.run_id for version in app.registry.versions(stream.name)}:
        return
    own = f"{stream.name}-" if app.settings.tracking.prefix else f"{app.home.parent.name or 'second'}-"
    raise ModelUnusable(
        f"Another deployment (home {place or 'unknown'}) owns the registered model '"
        f"{app.registry.model_name(stream.name)}' on {app.registry.uri}, so nothing was compared, trained or promoted "
        f"here, and nothing of it was changed. Give this deployment names of its own: set prefix = \"{own}\" under "
        "[tracking], or name another uri. If it was yours and its store was lost, restore the store and the home."
    )


def champion_of(app: App, stream: StreamSettings) -> VersionRecord:
    """The champion in force.

    Raises:
        NoChampion: there never was one.
        ModelUnusable: the registry lost it, or names one that the store does not know.
    """
    version = champion_version(app, stream)
    if version is None:
        need_own_name(app, stream)
        raise NoChampion(stream.name)
    record = app.promotions.version(stream.name, version)
    if record is None:
        need_own_name(app, stream)
        raise ModelUnusable(
            f"The registry's champion of '{stream.name}' is version {version}, which the store does not know, so its "
            "reference is missing and nothing can be compared or promoted over it. Restore the store (trueup.db, or "
            "the database) from a backup. Where it is lost for good, move mlflow.db and mlflow/ aside as well (or name "
            "another [tracking] uri), take the records in again, and train: "
            f"trueup train --stream {stream.name}"
        )
    return record


def refuse_rewind(app: App, stream: StreamSettings, as_of: datetime, champion: VersionRecord | None) -> None:
    """Refuse a time that models would have to be rewound for.

    Raises:
        TimeRefused: it lies before the champion's cut-off or before the last cycle that had a champion to check.
    """
    if champion is not None and as_of < champion.cut_off:
        raise TimeRefused(
            f"{to_minute(as_of)} lies before {to_minute(champion.cut_off)}, up to which champion v{champion.version} "
            "of "
            f"'{stream.name}' knew the stream; models are not rewound. Ask for a later time."
        )
    last = app.cycles.last_checked(stream.name)
    if last is not None and as_of < last:
        raise TimeRefused(
            f"{to_minute(as_of)} lies before the last cycle that checked '{stream.name}' ({to_minute(last)}); what it "
            "decided "
            "is not undone. Ask for a later time."
        )
