"""What the page of a stream's quarantine says."""

from __future__ import annotations

from pathlib import PurePath

from trueup.flows.app import App
from trueup.flows.site.layout import OVERVIEW, href, page_of_quarantine, page_of_stream
from trueup.reports.masking import Mask, masked
from trueup.reports.pages.quarantine_page import QuarantineFacts, RefusedGroup, RefusedItem
from trueup.storage.quarantine import QuarantineLog
from trueup.storage.stream import StreamSettings

_NEWEST = 5  # of each reason
_DETAIL, _RAW = 200, 300  # characters


def quarantine_facts(app: App, stream: StreamSettings, *, mask: Mask = masked) -> QuarantineFacts:
    """Everything on the page; `mask`: what the refused rows are shown through."""
    page, log = page_of_quarantine(stream.name), QuarantineLog(app.database)
    groups = tuple(
        RefusedGroup(
            kind=found.kind,
            reason=found.reason,
            waiting=found.waiting,
            released=found.released,
            first=found.first,
            last=found.last,
            newest=tuple(
                RefusedItem(
                    received_at=item.received_at,
                    where=f"{mask(PurePath(item.source).name)}, line {item.line:,}",
                    detail=mask(item.detail, _DETAIL),
                    raw=mask(item.raw, _RAW),
                )
                for item in log.page(stream, limit=_NEWEST, reason=found.reason, kind=found.kind)[0]
            ),
        )
        for found in log.by_reason(stream)
    )
    return QuarantineFacts(
        stream=stream.name,
        groups=groups,
        stream_href=href(page, page_of_stream(stream.name)),
        index=href(page, OVERVIEW),
        masked=mask is masked,
    )
