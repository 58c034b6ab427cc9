"""Slack, by Prefect's block for its incoming webhooks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from trueup.flows.alert.channels.answers import PATIENCE_SECONDS, in_two_tries
from trueup.flows.alert.channels.below_the_lines import lines_below, web_address
from trueup.flows.alert.channels.budget import fitted, more
from trueup.flows.alert.channels.channel import Envelope
from trueup.flows.alert.channels.notification_block import notify
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.letter import Letter, Standing
from trueup.storage.escaping import for_chat, for_header

SLACK_BUDGET = 3000  # characters as they are sent, subject included; Slack folds what is longer than 700
# As text, since apprise makes a call of "<!channel>" again that was escaped for it; nor does it draw its own picture.
_ASKED = "format=text&image=no&footer=no"
_Colour = Literal["failure", "warning", "success", "info"]
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}  # all that Slack asks for, and all that begins a link or a call


class SlackChannel:
    """Posts a letter as one message: the subject, the four lines, and what fits below them."""

    def __init__(
        self, who: str, url: str, *, clock: Callable[[], datetime], patience: float = PATIENCE_SECONDS
    ) -> None:
        self.who, self.clock = who, clock
        parts = urlsplit(url)
        tokens = "/".join(parts.path.strip("/").split("/")[-3:])
        mode = "gov-hook" if parts.hostname == "hooks.slack-gov.com" else "hook"
        # in apprise's own words: it loses what is asked of a URL of hooks.slack-gov.com, and its host
        self.url = f"slack://{tokens}/?mode={mode}&{_ASKED}&cto={patience:g}&rto={patience:g}"

    def send(self, letter: Letter, envelope: Envelope) -> None:
        """Posts it; where Slack refuses the content, the four lines alone.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows.
        """
        small, left_out = fitted(letter, SLACK_BUDGET, _size)
        subject = for_chat(small.subject)  # apprise escapes it as Slack asks
        in_two_tries(
            lambda: self._post(_text(small, left_out), subject, colour_of(letter)),
            lambda: self._post("\n".join(map(for_slack, small.lines)), "", colour_of(letter)),
        )

    def _post(self, text: str, subject: str, colour: _Colour) -> None:
        from prefect.blocks.notifications import SlackWebhook
        from pydantic import SecretStr

        block = SlackWebhook(url=SecretStr(self.url), notify_type=colour)  # anew: it makes its second message wait
        notify(self.who, block, text, subject, now=self.clock())


def colour_of(letter: Letter) -> _Colour:
    """What the block draws beside a message: red, yellow, green or blue."""
    if letter.standing is Standing.CLOSED:
        return "success"
    if letter.standing is not Standing.OPEN:
        return "info"
    return "failure" if letter.severity is Severity.HIGH else "warning"


def for_slack(text: str) -> str:
    """The text as Slack shows it as it is: no link, no call of a person or a channel.

    Asterisk, underscore, tilde and backtick have no escape in Slack: the worst that they do is a bold word.
    """
    return _escaped(for_chat(text))


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(sign, sign) for sign in text)


def _size(letter: Letter, left_out: int) -> int:
    return len(for_slack(letter.subject)) + len(_text(letter, left_out))


def _text(letter: Letter, left_out: int) -> str:
    lines = [for_slack(line) for line in letter.lines]
    if letter.action:  # a command is copied, so nothing unseen goes into it
        lines += ["", _escaped(for_header(letter.action.command)), f"({for_slack(letter.action.changes)})"]
    if address := web_address(letter.link):
        lines.append(f"<{_escaped(address)}|Open the page>")
    lines += [for_slack(line) for line in lines_below(letter)]
    return "\n".join([*lines, *filter(None, [more(left_out)])])
