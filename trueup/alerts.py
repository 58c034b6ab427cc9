"""Incidents and the outbox of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import ConfigError, InputError
from trueup.storage.tabular import Document, Listing, Tabular

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.storage.alerts import Incident, OutboxItem
    from trueup.storage.baselines import Baseline
    from trueup.storage.silences import Silence


@dataclass(frozen=True, kw_only=True)
class AlertOverview(Tabular):
    """Incidents, mails of the outbox, and silences in force. As a table, the incidents."""

    incidents: Listing[Incident]
    mails: Listing[OutboxItem]
    silences: Listing[Silence]

    def caption(self) -> str:
        unsent = sum(mail.state != "sent" for mail in self.mails)
        return f"{len(self.incidents)} incidents, {len(self.mails)} mails ({unsent} not sent)"

    def records(self) -> Sequence[Document]:
        return self.incidents.records()


@dataclass(frozen=True)
class Alerts:
    """The alerts of a stream, or of all where `stream` is None."""

    _app: App
    stream: str | None

    def list(self) -> AlertOverview:
        """Incidents, mails and silences in force, newest first."""
        if self.stream:
            self._app.stream(self.stream)
        return AlertOverview(
            incidents=self.incidents(),
            mails=Listing(self._app.alerts.alerts(self.stream)),
            silences=Listing(self._app.silences.in_force(self._app.now(), self.stream)),
        )

    def incidents(self) -> Listing[Incident]:
        """Incidents, newest first, open or resolved."""
        return Listing(self._app.alerts.incidents(self.stream))

    def show(self, alert: str) -> OutboxItem:
        """One alert as it is mailed.

        Raises:
            InputError: there is none of this id.
        """
        found = next((a for a in self._app.alerts.alerts(limit=None) if a.id == alert), None)
        if found is None:
            raise InputError(f"There is no alert '{alert}'. `trueup alerts list` names them.")
        return found

    def test(self) -> Listing[OutboxItem]:
        """Send a test mail to the stream's recipients, now; the mail with what became of it.

        Raises:
            ConfigError: the stream tells nobody.
        """
        from trueup.flows.alert.compose import outbox_item
        from trueup.flows.alert.dispatch import deliver_now
        from trueup.reports.alerts.facts import AlertFacts, AlertKind

        app, stream = self._app, self._app.stream(self.stream or "")
        facts = AlertFacts(kind=AlertKind.TEST, stream=stream.name, as_of=app.now(), home=str(app.home))
        sent = outbox_item(app, stream, facts, None)
        if not sent.to:
            raise ConfigError(
                f"Stream '{stream.name}' tells nobody: `to` under [streams.{stream.name}.alerts] is empty, so its "
                "incidents are kept and no mail is written. Name addresses there, then test again."
            )
        with app.database.write() as connection:
            app.alerts.add(connection, sent)
        deliver_now(app)
        return self._of({sent.id})

    def deliver(self) -> Listing[OutboxItem]:
        """Try every alert of the deployment that is pending or dead, but no silenced one; what became of each."""
        from trueup.flows.alert.dispatch import deliver_now

        waiting = {a.id for a in (*self._app.alerts.pending(), *self._app.alerts.dead())}
        deliver_now(self._app, all_pending=True)
        return self._of(waiting - self._app.alerts.held(self._app.now()))

    def ack(self, incident: str) -> Incident:
        """Say that somebody has seen an open incident; nothing else changes by it."""
        from trueup.flows.promote.manual import acknowledge

        return acknowledge(self._app, incident)

    def silence(self, target: str, until: str, why: str) -> Silence:
        """Hold the mails of an incident, or of a code such as DRF-TEXT, back for a while ("3d"; "0s" ends a silence).

        Raises:
            InputError: neither an incident nor a code that was ever measured; the span cannot be read, or no reason.
        """
        from trueup.flows.alert.silence import silence

        return silence(self._app, target, until, why, stream=self.stream)

    def accept(self, incident: str, why: str) -> Listing[Baseline]:
        """Take an incident's window as the baseline of its input signals, until the champion changes."""
        from trueup.flows.alert.accept_baseline import accept

        return Listing(accept(self._app, incident, why))

    def _of(self, ids: set[str]) -> Listing[Any]:
        return Listing(a for a in self._app.alerts.alerts(limit=None) if a.id in ids)
