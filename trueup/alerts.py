"""Incidents and the outbox of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import ConfigError, InputError
from trueup.storage.tabular import Document, Listing, Tabular

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.storage.baselines import Baseline
    from trueup.storage.incidents import Incident
    from trueup.storage.outbox import Notice
    from trueup.storage.silences import Silence


@dataclass(frozen=True, kw_only=True)
class AlertOverview(Tabular):
    """Incidents, mails of the outbox, and silences in force. As a table, the incidents."""

    incidents: Listing[Incident]
    mails: Listing[Notice]
    silences: Listing[Silence]

    def caption(self) -> str:
        unsent = sum(mail.state != "sent" for mail in self.mails)
        return f"{len(self.incidents)} incidents, {len(self.mails)} mails ({unsent} not sent)"

    def records(self) -> Sequence[Document]:
        return self.incidents.records()


@dataclass(frozen=True, kw_only=True)
class ShownAlert:
    """An alert with its mail."""

    alert: Notice
    subject: str
    text: str
    html: str


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
            mails=Listing(self._app.outbox.newest(self.stream)),
            silences=Listing(self._app.silences.in_force(self._app.now(), self.stream)),
        )

    def incidents(self) -> Listing[Incident]:
        """Incidents, newest first, open or resolved."""
        return Listing(self._app.incidents.newest(self.stream))

    def show(self, alert: str) -> ShownAlert:
        """One alert, and the mail that tells of it as it would be composed now.

        Raises:
            InputError: there is none of this id.
        """
        found = next(iter(self._app.outbox.of({alert})), None)
        if found is None:
            raise InputError(f"There is no alert '{alert}'. `trueup alerts list` names them.")
        from trueup.flows.alert.messages import mail_about

        mail = mail_about(self._app, found)
        return ShownAlert(alert=found, subject=mail.subject, text=mail.text, html=mail.html)

    def test(self) -> Listing[Notice]:
        """Send a test mail to the stream's recipients, now; the mail with what became of it.

        Raises:
            ConfigError: the stream tells nobody.
        """
        from trueup.flows.alert.dispatch import deliver_now
        from trueup.flows.alert.notices import add_notice, recipients
        from trueup.monitoring.severity import Severity
        from trueup.reports.alerts.facts import AlertFacts, AlertKind

        app, stream = self._app, self._app.stream(self.stream or "")
        facts = AlertFacts(kind=AlertKind.TEST, stream=stream.name, as_of=app.now(), home=str(app.home))
        to = [one for severity in Severity for one in recipients(app, stream, severity)]
        if not to:
            raise ConfigError(
                f"Stream '{stream.name}' tells nobody: `to` under [streams.{stream.name}.alerts] is empty, so its "
                "incidents are kept and no mail is written. Name addresses there, then test again."
            )
        with app.database.write() as connection:
            written = add_notice(app, connection, stream, facts, to=to)
        deliver_now(app)
        return self._of({written})

    def links(self) -> dict[str, str]:
        """By kind of page, the address as a mail would have it now; "" where the stream has no such page yet.

        Only pages with a template in `[links]`.
        """
        from trueup.flows.alert.linked_pages import linked_pages

        return linked_pages(self._app, self._app.stream(self.stream or "").name)

    def deliver(self) -> Listing[Notice]:
        """Try every alert of the deployment that is pending or dead, and not held back; what became of each."""
        from trueup.flows.alert.dispatch import deliver_now
        from trueup.flows.alert.holding import held_deliveries

        app = self._app
        waiting = [*app.outbox.pending(), *app.outbox.dead()]
        deliver_now(app, all_pending=True)
        tried = app.outbox.of({notice.id for notice in waiting})
        held = held_deliveries(app, tried, app.now())
        left = {n.id: [d.id for d in n.deliveries if d.state in ("pending", "dead")] for n in tried}
        return self._of({notice for notice, waits in left.items() if not waits or not held.issuperset(waits)})

    def ack(self, incident: str) -> Incident:
        """Say that somebody has seen an open incident; nothing else changes by it."""
        from trueup.flows.promote.manual import acknowledge

        return acknowledge(self._app, incident)

    def ack_all(self) -> Listing[Incident]:
        """Say so of every open incident of the stream, or of all, that nobody has yet; those, newest first."""
        from trueup.flows.promote.manual import acknowledge_all

        if self.stream:
            self._app.stream(self.stream)
        return Listing(acknowledge_all(self._app, self.stream))

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
        return Listing(reversed(self._app.outbox.of(ids)))
