"""Who is told of what, when and in which time zone: the tables `[alerts]` and `[[alerts.rules]]`."""

from __future__ import annotations

import re
from datetime import time, timedelta
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from trueup.flows.channel_settings import CHANNEL_NAME, ChannelSettings
from trueup.storage.addresses import RecipientList
from trueup.storage.policy import Frozen, positive_span
from trueup.storage.schedule import known_zone
from trueup.storage.timepoints import parse_span

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_QUIET = re.compile(rf"{_CLOCK}-{_CLOCK}")
_WEEKLY = re.compile(rf"({'|'.join(WEEKDAYS)}) {_CLOCK}")


def positive_span_or_off(value: str) -> str:
    """The value, if it is a span of some length, or empty.

    Raises:
        ValueError: it is neither.
    """
    return positive_span(value) if value else value


class AlertRule(Frozen):
    """Whom to tell, of which streams and how grave; on whose clock, and when low alerts wait."""

    to: RecipientList
    streams: tuple[str, ...] = ()
    severity: tuple[Literal["high", "low"], ...] = ()
    timezone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    quiet: str = ""
    auto_submitted: bool = True

    @field_validator("to")
    @classmethod
    def _tells_somebody(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("the rule names nobody, so it tells nobody; name addresses or channels, or take it out")
        return value

    @field_validator("quiet")
    @classmethod
    def _is_a_part_of_the_day(cls, value: str) -> str:
        found = _QUIET.fullmatch(value)
        if value and not found:
            raise ValueError(f"'{value}' says no quiet hours; write from and to as HH:MM-HH:MM, as in '22:00-07:00'")
        if found and found.group(1, 2) == found.group(3, 4):
            raise ValueError(f"'{value}' begins and ends at the same time; write two times, as in '22:00-07:00'")
        return value

    @cached_property
    def quiet_hours(self) -> tuple[time, time] | None:
        """From when to when low alerts wait, on the rule's clock; across midnight where the end is earlier."""
        found = _QUIET.fullmatch(self.quiet)
        return (time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))) if found else None


class AlertSettings(Frozen):
    """Rules beside the recipients of each stream, and what is told again, later and each week.

    heartbeat: asked for while all goes well. attach_reports: mails bring the check's page along.
    digest: weekday and time, in each recipient's zone; empty: none.
    reminders: N of an open, unacknowledged `high` incident: told again after N, 2N, then daily for a week.
    escalate_after, escalate_to: who is told as well once such an incident is as old.
    channels: ways out besides mail, by name; `channel:NAME` among the recipients.
    """

    heartbeat: str = ""
    attach_reports: bool = False
    digest: str = "mon 09:00"
    reminders: Annotated[str, AfterValidator(positive_span_or_off)] = "4h"
    escalate_after: Annotated[str, AfterValidator(positive_span_or_off)] = ""
    escalate_to: RecipientList = ()
    rules: tuple[AlertRule, ...] = ()
    channels: dict[Annotated[str, Field(pattern=CHANNEL_NAME)], ChannelSettings] = Field(default_factory=dict)

    @field_validator("heartbeat")
    @classmethod
    def _can_be_asked(cls, value: str) -> str:
        address = urlsplit(value)
        if value and not (address.scheme in ("http", "https") and address.hostname):
            raise ValueError("heartbeat is no address, so no sign of life could be sent; begin it with https://")
        return value

    @field_validator("digest")
    @classmethod
    def _comes_once_a_week(cls, value: str) -> str:
        if value and not _WEEKLY.fullmatch(value):
            days = ", ".join(WEEKDAYS)
            raise ValueError(f"'{value}' says no weekday and time ({days}); write it as in 'mon 09:00', or '' for none")
        return value

    @model_validator(mode="after")
    def _escalates_to_somebody(self) -> AlertSettings:
        if self.escalate_after and not self.escalate_to:
            raise ValueError("escalate_to names nobody to tell after escalate_after; name people, or take both out")
        if self.escalate_to and not self.escalate_after:
            raise ValueError("escalate_to names people, and escalate_after says no time; set it, as in '4h'")
        return self

    @cached_property
    def digest_at(self) -> tuple[int, time] | None:
        """Weekday (Monday is 0) and time of the weekly digest; None where there is none."""
        found = _WEEKLY.fullmatch(self.digest)
        return (WEEKDAYS.index(found[1]), time(int(found[2]), int(found[3]))) if found else None

    @cached_property
    def reminder_span(self) -> timedelta | None:
        return parse_span(self.reminders) if self.reminders else None

    @cached_property
    def escalation_span(self) -> timedelta | None:
        return parse_span(self.escalate_after) if self.escalate_after else None
