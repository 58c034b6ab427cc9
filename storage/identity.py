"""Which deployment a home folder is: the same wherever it was moved, another one where it was copied."""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from trueup.storage.errors import ConfigError
from trueup.storage.timepoints import iso

IDENTITY_FILE = "deployment.json"  # in the home folder


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a home folder says of itself.

    path, host, inode: where the folder was when it was last opened. shares: what lies outside of it (store, archive,
    registry), without logins. moved_from: earlier paths. copied_from: the path of the deployment it is a copy of.
    """

    id: str
    path: str
    host: str
    inode: int
    made_at: str
    shares: Mapping[str, str] = field(default_factory=dict)
    moved_from: tuple[str, ...] = ()
    copied_from: str = ""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """An identity as it was settled on opening.

    original: the path of the deployment that this one is a copy of, as long as nobody decided whose the shared parts
        are; empty: it may write. common: those parts. told: what a person should know of what was just settled.
    """

    identity: Identity
    original: str = ""
    common: tuple[str, ...] = ()
    told: str = ""

    @property
    def refusal(self) -> str:
        """Why it may not write, and what to do; empty where it may."""
        if not self.original:
            return ""
        return (
            f"This home is a copy of the deployment at {self.original} and shares its {' and '.join(self.common)}, so "
            "both would write to the same place. Nothing was written; commands that only read work. To go on here as a "
            "deployment of its own: trueup adopt --why '...' (with --take-over the other one may not write any more)"
        )


def settle(home: Path, shares: Mapping[str, str], now: datetime) -> Settled:
    """Find out whether a home is new, the one it was, moved, or copied, and write that down in it.

    A copy that shares nothing with its original gets an identity of its own; of one that does a person decides.

    Args:
        shares: by name, what lies outside the home.

    Raises:
        ConfigError: the file in the home is damaged.
        OSError: it cannot be written.
    """
    here = _here(home)
    known = read_identity(home)
    if known is not None and _is_settled(known, here, shares):
        return Settled(identity=known)
    from filelock import FileLock  # where nothing is to be written down a light command does without

    with FileLock(home / "deployment.lock"):
        known = read_identity(home)  # another process may have been first
        if known is None:
            return Settled(identity=_write(home, replace(here, id=_new_id(), made_at=iso(now) or "", shares=shares)))
        if not _is_copy(known, home, here):
            earlier = tuple(p for p in (*known.moved_from, known.path) if p != here.path)
            moved = replace(here, id=known.id, made_at=known.made_at, shares=shares, copied_from=known.copied_from)
            return Settled(identity=_write(home, replace(moved, moved_from=tuple(dict.fromkeys(earlier)))))
        common = tuple(name for name, place in shares.items() if known.shares.get(name) == place)
        if common:
            return Settled(identity=known, original=known.path, common=common)
        own = replace(here, id=_new_id(), made_at=iso(now) or "", shares=shares, copied_from=known.path)
        told = (
            f"this home is a copy of the deployment at {known.path}; it shares nothing with it and is a deployment of "
            "its own from now on"
        )
        return Settled(identity=_write(home, own), told=told)


def adopted(home: Path, settled: Settled, shares: Mapping[str, str], now: datetime, *, take_over: bool) -> Identity:
    """A new identity for a copy, written down in its home.

    take_over: the original's models are its own from now on.
    """
    known = settled.identity
    earlier = (*known.moved_from, known.path) if take_over else ()
    own = replace(_here(home), id=_new_id(), made_at=iso(now) or "", shares=shares, copied_from=known.path)
    return _write(home, replace(own, moved_from=tuple(p for p in earlier if p != own.path)))


def read_identity(home: Path) -> Identity | None:
    """What a home says of itself; None where it says nothing yet.

    Raises:
        ConfigError: its file is damaged.
    """
    file = home / IDENTITY_FILE
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return Identity(**{**told, "moved_from": tuple(told["moved_from"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"'{file}' is damaged ({type(error).__name__}), so it is unknown which deployment this is. Nothing was "
            "written. Restore it from a backup; where this home is no copy of another one, remove it, and it is made "
            "anew."
        ) from None


def is_still_there(identity: Identity, home: Path) -> bool:
    """Whether the deployment still lies where it says, so that `home` is a copy; what cannot be seen counts as there.

    The same folder under another path (a mount, a link) is no copy.
    """
    there = Path(identity.path)
    try:
        if there.exists() and os.path.samefile(there, home):
            return False
        found = read_identity(there)
    except (OSError, ConfigError):
        return True
    return found is not None and found.id == identity.id


def _is_settled(known: Identity, here: Identity, shares: Mapping[str, str]) -> bool:
    same = (known.path, known.host, known.inode) == (here.path, here.host, here.inode)
    return same and dict(known.shares) == dict(shares)


def _is_copy(known: Identity, home: Path, here: Identity) -> bool:
    if known.inode == here.inode and known.host != here.host:
        return False  # a container that got another name, or another place to mount the folder at
    if known.host != here.host:
        return True  # what lies on another machine cannot be seen from here
    return known.path != here.path and is_still_there(known, home)


def _here(home: Path) -> Identity:
    place = home.resolve()
    return Identity(id="", path=str(place), host=socket.gethostname(), inode=place.stat().st_ino, made_at="")


def _new_id() -> str:
    return uuid.uuid4().hex


def _write(home: Path, identity: Identity) -> Identity:
    """The file appears whole or not at all."""
    part = home / f".{IDENTITY_FILE}.part"
    with open(part, "w", encoding="utf-8") as file:
        json.dump(asdict(identity), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, home / IDENTITY_FILE)
    return identity
