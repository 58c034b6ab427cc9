"""Microsoft Teams, by Prefect's block for the URL of a workflow."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from trueup.flows.alert.channels.answers import PATIENCE_SECONDS, in_two_tries
from trueup.flows.alert.channels.below_the_lines import lines_below, web_address
from trueup.flows.alert.channels.budget import fitted, more
from trueup.flows.alert.channels.channel import Envelope
from trueup.flows.alert.channels.notification_block import notify
from trueup.reports.alerts.letter import Letter
from trueup.storage.escaping import for_chat, for_header

TEAMS_BUDGET = 20_000  # characters of the message's JSON; Teams takes 28 kB
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


class TeamsChannel:
    """Posts a letter as an Adaptive Card of text runs, in which Teams reads no Markdown."""

    def __init__(
        self, who: str, url: str, *, clock: Callable[[], datetime], patience: float = PATIENCE_SECONDS
    ) -> None:
        self.who, self.clock = who, clock
        self.url = f"{url}&cto={patience:g}&rto={patience:g}"

    def send(self, letter: Letter, envelope: Envelope) -> None:
        """Posts it; where the content is refused, the four lines alone.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows.
        """
        small, left_out = fitted(letter, TEAMS_BUDGET, lambda cut, left: len(_written(_card(cut, left))))
        in_two_tries(
            lambda: self._post(_card(small, left_out)),
            lambda: self._post(_message([_text(for_chat(line)) for line in small.lines])),
        )

    def _post(self, message: dict[str, Any]) -> None:
        """By a template of the block's library, so that it sends the card as it is made here.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows.
        """
        from prefect.blocks.notifications import MicrosoftTeamsWebhook
        from pydantic import SecretStr

        handle, place = tempfile.mkstemp(suffix=".json")  # readable by this account alone
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(_written(message))
            block = MicrosoftTeamsWebhook(url=SecretStr(f"{self.url}&template={quote(place, safe='')}"))
            notify(self.who, block, "trueup", "", now=self.clock())
        finally:
            os.unlink(place)


def _card(letter: Letter, left_out: int) -> dict[str, Any]:
    body = [_text(for_chat(letter.subject), size="Large", weight="Bolder"), *(_text(for_chat(s)) for s in letter.lines)]
    if letter.action:  # a command is copied, so nothing unseen goes into it
        body.append(_text(for_header(letter.action.command), fontType="Monospace"))
        body.append(_text(f"({for_chat(letter.action.changes)})"))
    below = [*map(for_chat, lines_below(letter)), *filter(None, [more(left_out)])]
    body += [_text(line, isSubtle=True) for line in below]
    address = web_address(letter.link)
    return _message(body, [{"type": "Action.OpenUrl", "title": "Open the page", "url": address}] if address else [])


def _text(text: str, **looks: object) -> dict[str, Any]:
    """A paragraph that Teams wraps and otherwise shows as it is: Markdown is read in a TextBlock alone."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **looks}]}


def _message(body: list[dict[str, Any]], actions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    card = {"$schema": _SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": body, "msteams": {"width": "full"}}
    if actions:
        card["actions"] = actions
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _written(message: dict[str, Any]) -> str:
    """As JSON in which nothing is a token of a template: two braces beside each other stand in texts alone."""
    return json.dumps(message).replace("{{", r"\u007b\u007b")
