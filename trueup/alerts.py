"""Incidents and the outbox of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import ConfigError, InputError
from trueup.storage.tabular import Document, Listing, Page, Tabular
from trueup.storage.timepoints import parse_since

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.storage.baselines import Baseline
    from trueup.storage.incidents import Incident
    from trueup.storage.outbox import Notice
    from trueup.storage.silences import Silence


@dataclass(frozen=True, kw_only=True)
class AlertOverview(Tabular):
    """Incidents, mails of the outbox, and silences in force. As a table, the incidents."""

    incidents: Page[Incident]
    mails: Page[Notice]
    silences: Listing[Silence]

    def caption(self) -> str:
        unsent = sum(mail.state != "sent" for mail in self.mails)
        return f"{len(self.incidents)} incidents, {len(self.mails)} mails ({unsent} not sent)"

    def records(self) -> Sequence[Document]:
        return self.incidents.records()


@dataclass(frozen=True, kw_only=True)
class ShownAlert:
    """An alert with its mail. page: of the site, on its incident or report; empty: there is none."""

    alert: Notice
    subject: str
    text: str
    html: str
    page: str = ""


@dataclass(frozen=True)
class Alerts:
    """The alerts of a stream, or of all where `stream` is None."""

    _app: App
    stream: str | None

    def list(
        self,
        limit: int | None = 100,
        *,
        since: str | None = None,
        state: str | None = None,
        severity: str | None = None,
        code: str | None = None,
    ) -> AlertOverview:
        """Incidents, mails and silences in force, newest first; `total` of the first two says how many there are.

        Args:
            limit: how many incidents and how many mails at most; None: all.
            since: a span back from now ("7d") or a time: incidents that are open or were opened or closed since, and
                mails written since.
            state: of incidents (open, acknowledged, closed) or of mails (pending, sent, dead, dropped): only these.
            severity: only high, or low.
            code: only incidents that stand for it, and their mails.

        Raises:
            UsageError: `since` cannot be read.
            InputError: there is no such state.
        """
        from trueup.storage.alert_lists import INCIDENT_STATES, NOTICE_STATES, AlertFilter

        app = self._app
        if self.stream:
            app.stream(self.stream)
        if state is not None and state not in (*INCIDENT_STATES, *NOTICE_STATES):
            known = ", ".join((*INCIDENT_STATES, *NOTICE_STATES))
            raise InputError(f"'{state}' is no state of incidents or alerts. Write one of: {known}.")
        start = parse_since(since, now=app.now())
        asked = AlertFilter(stream=self.stream, since=start, state=state, severity=severity, code=code)
        wanted = [] if state in NOTICE_STATES else [i for i in self.incidents() if asked.wants(i)]
        of = None if code is None else [i.id for i in self.incidents() if code in i.codes]
        ids, total = app.alert_lists.notices(asked, limit, of)
        return AlertOverview(
            incidents=Page(wanted[:limit], len(wanted)),
            mails=Page(reversed(app.outbox.of(ids)), total),
            silences=Listing(app.silences.in_force(app.now(), self.stream)),
        )

    def incidents(self) -> Listing[Incident]:
        """Incidents, newest first, open or resolved."""
        return Listing(self._app.incidents.newest(self.stream, limit=None))

    def show(self, alert: str) -> ShownAlert:
        """One alert by its id or the beginning of it ("last": the newest), and the mail that would tell of it now.

        Raises:
            InputError: there is none, or more than one.
        """
        from trueup.storage.short_ids import NEWEST, the_one

        known = self._app.alert_lists
        if alert == NEWEST:
            begin = [notice.id for notice in self._app.outbox.newest(self.stream, limit=1)]
            alert = begin[0] if begin else alert
        else:
            begin = known.notices_beginning(alert)
        (found,) = self._app.outbox.of({the_one(alert, begin, of="alert", listed="trueup alerts list")})
        from trueup.flows.alert.linked_pages import page_on_site
        from trueup.flows.alert.messages import mail_about

        mail, report = mail_about(self._app, found), (found.facts or {}).get("report_id")
        page = page_on_site(
            self._app, "incident" if found.incident_id else "report", stream=found.stream, incident=found.incident_id,
            report=report,
        )  # fmt: skip
        return ShownAlert(alert=found, subject=mail.subject, text=mail.text, html=mail.html, page=page)

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
                f"Stream '{stream.name}' has no recipients: `to` under [streams.{stream.name}.alerts] is empty, so its "
                "incidents are kept and no mail is sent. Name addresses there, then test again."
            )
        with app.database.write() as connection:
            written = add_notice(app, connection, stream, facts, to=to)
        deliver_now(app)
        return self._of({written})

    def links(self) -> dict[str, str]:
        """By kind of page, the address as a mail would have it now; "" where the stream has no such page yet.

        Only pages with a template in `[links]`, and those of the site where `[site] url` says where it is.
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
        """Say that somebody has seen an open incident; nothing else changes by it.

        Args:
            incident: its id, or the beginning of it; "last": the newest that is open.

        Raises:
            InputError: there is none, more than one, or it is closed.
        """
        from trueup.flows.promote.manual import acknowledge

        return acknowledge(self._app, self._incident(incident))

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
        from trueup.storage.short_ids import NEWEST

        named = self._app.alert_lists.incidents_beginning(target) or target == NEWEST
        return silence(self._app, self._incident(target) if named else target, until, why, stream=self.stream)

    def accept(self, incident: str, why: str) -> Listing[Baseline]:
        """Take an incident's window as the baseline of its input signals, until the champion changes."""
        from trueup.flows.alert.accept_baseline import accept

        return Listing(accept(self._app, self._incident(incident), why))

    def _incident(self, typed: str) -> str:
        """The id of the incident that is meant."""
        from trueup.storage.short_ids import NEWEST, the_one

        app = self._app
        begin = app.alert_lists.incidents_beginning(typed)
        if typed == NEWEST:
            begin = [i.id for i in (app.incidents.open_ones(self.stream) or app.incidents.newest(self.stream, limit=1))]
            typed = begin[0] if begin else typed
        return the_one(typed, begin, of="incident", listed="trueup alerts list")

    def _of(self, ids: set[str]) -> Listing[Any]:
        return Listing(reversed(self._app.outbox.of(ids)))
