"""`trueup adopt`: a copy that shares a store, an archive or a registry with its original becomes a deployment."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.flows.app import App
from trueup.storage.deployments import enter_adopted, replacement_of
from trueup.storage.errors import InputError
from trueup.storage.identity import Identity, adopted


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What a copy became. copy_of: the path of its original. took_over: whether that may not write any more."""

    deployment: Identity
    copy_of: str
    took_over: bool


def adopt(app: App, why: str, *, take_over: bool = False) -> Adoption:
    """Give a copy an identity of its own, so that it may write to what it shares with its original.

    Raises:
        InputError: it is no copy, or there is no reason.
    """
    if not why.strip():
        raise InputError("--why is empty. Nothing was changed; give a reason for the audit trail.")
    settled = app.settled
    replaced = settled is not None and bool(replacement_of(app.database, settled.identity.id))
    if settled is None or not (settled.original or replaced):
        raise InputError("This home is a deployment of its own already, so there is nothing to adopt; it may write.")
    former = settled.identity
    own = adopted(app.home, settled, app.shares, app.now(), take_over=take_over)
    enter_adopted(app.database, own, former.id, app.now(), why.strip(), take_over=take_over)
    return Adoption(deployment=own, copy_of=former.path, took_over=take_over)
