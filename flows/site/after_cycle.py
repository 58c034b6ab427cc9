"""The last thing of a cycle: the stream's pages of the site are brought up to date."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from trueup.flows.app import App
from trueup.flows.site.build import SiteBuild, build_site
from trueup.storage.errors import LeaseHeld, TrueupError
from trueup.storage.secrets import without_secrets
from trueup.storage.site_journal import SiteFailure, journal_file, keep_failure
from trueup.storage.timepoints import iso

_WAIT = timedelta(seconds=20)  # for another stream's cycle that builds its own pages
log = logging.getLogger("trueup")


@contextmanager
def site_afterwards(app: App, stream: str) -> Iterator[None]:
    """Bring the site up to date when the block ends, also where it failed: the incident of that has a page as well."""
    try:
        yield
    except LeaseHeld:  # the holder does it
        raise
    except TrueupError:
        update_site(app, stream)
        raise
    update_site(app, stream)


def update_site(app: App, stream: str) -> SiteBuild | None:
    """Bring the pages of a stream, and those above them, up to date at `[site] to`; None where there is no site.

    A failure is logged, shown by `status` until a build goes well, and tried again by the next cycle; no cycle fails.
    """
    to = app.settings.site.to
    if not to:
        return None
    journal = journal_file(app.home, app.settled, to)
    try:
        done = build_site(app, streams=[stream], wait=_WAIT)
    except Exception as error:  # noqa: BLE001  a page that cannot be drawn is no reason to lose a cycle
        said = str(error) if isinstance(error, TrueupError) else f"{type(error).__name__}: {error}"
        why = without_secrets(" ".join(said.split()))
        log.warning("the site is not up to date: %s", why)
        keep_failure(journal, SiteFailure(iso(app.now()) or "", why))
        return None
    keep_failure(journal, None)
    return done
