"""A webhook: a letter as JSON, signed in the manner of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from trueup.flows.alert.channels.answers import PATIENCE_SECONDS, in_two_tries, post
from trueup.flows.alert.channels.budget import fitted
from trueup.flows.alert.channels.channel import Envelope
from trueup.reports.alerts.letter import Letter
from trueup.storage.timepoints import iso

WEBHOOK_BUDGET = 60_000  # bytes of the body
_TYPE = "trueup.alert"


class WebhookChannel:
    """Posts a letter's texts as they are, without the picture; whoever shows them escapes them.

    keys: what signs, the newest first; while a key is exchanged both do, and either is enough for the receiver.
    """

    def __init__(
        self,
        who: str,
        url: str,
        keys: tuple[bytes, ...],
        *,
        clock: Callable[[], datetime],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.who, self.url, self.keys, self.clock, self.patience = who, url, keys, clock, patience

    def send(self, letter: Letter, envelope: Envelope) -> None:
        """Posts it; where the content is refused, the four lines alone.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows.
        """
        small, left_out = fitted(letter, WEBHOOK_BUDGET, lambda cut, left: len(_body(cut, left, envelope)))
        in_two_tries(
            lambda: self._post(_body(small, left_out, envelope), envelope),
            lambda: self._post(_four_lines(small, envelope), envelope),
        )

    def _post(self, body: bytes, envelope: Envelope) -> None:
        now = self.clock()
        at = str(int(now.timestamp()))
        headers = {
            "webhook-id": envelope.message_id,
            "webhook-timestamp": at,
            "webhook-signature": " ".join(signature(key, envelope.message_id, at, body) for key in self.keys),
        }
        post(self.who, self.url, body, headers, now=now, patience=self.patience)


def signature(key: bytes, message_id: str, at: str, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, timestamp (Unix seconds) and body in base64, as Standard Webhooks 1.0 has it."""
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def _body(letter: Letter, left_out: int, envelope: Envelope) -> bytes:
    data: dict[str, Any] = {
        "stream": letter.stream,
        "kind": letter.kind,
        "severity": str(letter.severity),
        "standing": str(letter.standing),
        "incidents": list(letter.incidents),
        "over": list(letter.over),
        "subject": letter.subject,
        "wrong": letter.wrong,
        "affected": letter.affected,
        "done": letter.done,
        "todo": letter.todo,
        "action": {"command": letter.action.command, "changes": letter.action.changes} if letter.action else None,
        "link": letter.link,
        "causes": [{"said": cause.said, "examples": list(cause.examples)} for cause in letter.causes],
        "sections": [
            {"title": part.title, "columns": list(part.columns), "rows": [list(row) for row in part.rows]}
            for part in letter.sections
        ],
        "foot": dict(letter.foot),
        "left_out": left_out,
    }
    return _written(data, envelope)


def _four_lines(letter: Letter, envelope: Envelope) -> bytes:
    return _written({"stream": letter.stream, "text": "\n".join(letter.lines)}, envelope)


def _written(data: dict[str, Any], envelope: Envelope) -> bytes:
    at = iso(envelope.at.replace(microsecond=0))
    return json.dumps({"type": _TYPE, "timestamp": at, "data": data}).encode()
