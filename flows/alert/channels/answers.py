"""What the answer of a service over HTTP means for a message, and one request that ends in such an answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.storage.escaping import for_header
from trueup.storage.secrets import remember

PATIENCE_SECONDS = 10.0  # for a connection, and for each part of an answer
LONGEST_WAIT = timedelta(days=1)  # that a service can ask for
_SAID = 200  # characters of an answer that are kept
_CONTENT = frozenset({400, 413, 422})  # the content is refused, not the sender or the place
_AWAY = frozenset({408, 425, 429, 502, 503, 504})  # nobody has dealt with the message


class ContentRefused(DeliveryFailed):
    """The service takes no message such as this; a plainer one may pass."""


def failure_of(who: str, status: int, said: str, retry_after: str, now: datetime) -> DeliveryFailed:
    """What a refusing answer means.

    who: the channel, as a person knows it. said: the answer's beginning. retry_after: its header, or "".
    """
    words = for_header(said[:_SAID])
    why = f"{who} answered {status}{f': {words}' if words else ''}"
    if status in _CONTENT:
        return ContentRefused(why, permanent=True)
    if status in _AWAY:
        return DeliveryFailed(why, server=True, counts=False, retry_after=span_of(retry_after, now))
    if status >= 500 or status < 300:  # below 300: not what the service answers when it takes a message
        return DeliveryFailed(why, server=True, retry_after=span_of(retry_after, now))
    return DeliveryFailed(f"{why}; look whether its url and key still hold", permanent=True)


def not_met(who: str, why: str) -> DeliveryFailed:
    """No server was reached: it may be away for days, and no message dies of that."""
    return DeliveryFailed(f"no connection to {who}: {for_header(why)}", server=True, counts=False)


def not_heard(who: str, why: str) -> DeliveryFailed:
    """The message was under way, and no answer came."""
    said = f"no answer of {who} after the message was sent ({for_header(why)}); it may have arrived"
    return DeliveryFailed(said, server=True, unknown=True)


def span_of(retry_after: str, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110, 10.2.3: seconds or a date), at most a day; None where it says nothing."""
    try:
        if retry_after.strip().isdecimal():
            wait = timedelta(seconds=min(int(retry_after), LONGEST_WAIT.total_seconds()))
        else:
            then = parsedate_to_datetime(retry_after)
            wait = (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def in_two_tries(whole: Callable[[], None], plain: Callable[[], None]) -> None:
    """Sends the whole message, and where its content is refused the plain one, once."""
    try:
        whole()
    except ContentRefused:
        plain()


def post(
    who: str, url: str, body: bytes, headers: dict[str, str], *, now: datetime, patience: float = PATIENCE_SECONDS
) -> None:
    """Hands a body over by POST; redirects are not followed, since a body is meant for one place.

    Raises:
        DeliveryFailed: it was not taken, or nobody knows.
    """
    import httpx

    remember([str(httpx.URL(url))])  # httpx logs it as it has put it right
    sent = {"Content-Type": "application/json", "User-Agent": "trueup", **headers}
    try:
        with httpx.stream("POST", url, content=body, headers=sent, timeout=patience) as answer:
            if answer.is_success:
                return
            said = ""
            with suppress(httpx.TransportError):  # the status is known, whatever becomes of the words
                said = next(answer.iter_bytes(4 * _SAID), b"").decode("utf-8", "replace")
            retry_after = answer.headers.get("Retry-After", "")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise not_met(who, str(error) or f"none within {patience:.0f} s") from None
    except httpx.TransportError as error:
        raise not_heard(who, str(error) or f"{type(error).__name__} after {patience:.0f} s") from None
    except httpx.InvalidURL:
        raise DeliveryFailed(f"{who} has a url that cannot be asked", server=True, counts=False) from None
    raise failure_of(who, answer.status_code, said, retry_after, now)
