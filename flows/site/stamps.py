"""Stamps: what a page was made from, so that one that would come out the same is not made again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path

from trueup.storage.check_lists import CheckTime
from trueup.storage.incidents import Incident
from trueup.storage.promotions import PromotionAttempt

_ROOMS = ("reports", "flows/site", "flows/check", "monitoring/report")
_CODE = (".py", ".html", ".css", ".js")


@cache
def code_of_pages() -> str:
    """What changes with each file of code that pages are made by."""
    root, found = Path(__file__).parents[2], blake2b(digest_size=8)
    for room in _ROOMS:
        for file in sorted((root / room).rglob("*")):
            if file.suffix in _CODE:
                found.update(file.read_bytes())
    return found.hexdigest()


def stamp(*parts: object) -> str:
    """The stamp of a page that is made from these values."""
    return blake2b("|".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def by_month(checks: Iterable[CheckTime]) -> dict[date, list[CheckTime]]:
    """Checks by the first day of their month (UTC), the newest month first where they come so."""
    found: dict[date, list[CheckTime]] = defaultdict(list)
    for check in checks:
        found[check.as_of.date().replace(day=1)].append(check)
    return dict(found)


def stamps_of_months(
    months: Mapping[date, Sequence[CheckTime]],
    incidents: Sequence[Incident],
    promotions: Sequence[PromotionAttempt],
    pruned: Iterable[str],
    made_by: str,
) -> dict[date, str]:
    """The stamp of each month: of its checks and whether their reports are there, and of what happened in it."""
    gone = set(pruned)
    found = {}
    for month in months:
        first, last = months[month][-1].as_of, months[month][0].as_of
        found[month] = stamp(
            made_by,
            *((c.report_id, c.made_at, c.report_id in gone) for c in months[month]),
            *(month in months for month in (_before(month), _after(month))),
            *(i for i in incidents if i.opened_at <= last and (i.resolved_at is None or i.resolved_at >= first)),
            *((p.id, p.state) for p in promotions if first <= p.as_of <= last),
        )
    return found


def stamp_of_incident(incident: Incident, now: datetime, made_by: str) -> str:
    """That of an incident's page: empty while it is open, and for a while after, when words may still be added."""
    if incident.resolved_at is None or (now - incident.resolved_at).days < 7:
        return ""
    return stamp(made_by, incident)


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
