"""Which way out a recipient is reached by."""

from __future__ import annotations

from functools import partial

from trueup.flows.alert.channels.channel import Channel
from trueup.flows.app import App
from trueup.storage.addresses import CHANNEL


def way_to(app: App, recipient: str) -> Channel:
    """The way out to a recipient: mail for an address, a channel of the settings for `channel:NAME`.

    Raises:
        DeliveryFailed: the settings name no such channel, or nothing lets anybody in to it.
    """
    if recipient.startswith(CHANNEL):
        from trueup.flows.alert.channels.named_channels import named_channel

        return named_channel(app.settings, recipient, app.clock)
    from trueup.flows.alert.channels.mail import mail_channel
    from trueup.flows.check.stored_page import single_page

    page = partial(single_page, app, mask=True) if app.settings.alerts.attach_reports else None
    return mail_channel(app.settings.smtp, app.home / "mail", page)


def shared_way(recipient: str) -> str:
    """What recipients have in common who are out of reach together: the mail server, or a channel of its own."""
    return recipient if recipient.startswith(CHANNEL) else "mail"
