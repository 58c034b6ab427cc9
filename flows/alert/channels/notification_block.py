"""Prefect's notification blocks, asked so that their failures are known: who answered what, and when to come again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.flows.alert.channels.answers import failure_of, not_heard, not_met
from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.storage.secrets import without_secrets

_one_at_a_time = threading.Lock()  # neither what is heard below nor Prefect's own listening to a log bears a second


@dataclass
class _Overheard:
    """What the last request of a block came to: an answer, or an exception in its place."""

    status: int | None = None
    said: str = ""
    retry_after: str = ""
    error: Exception | None = None


def notify(who: str, block: Any, body: str, subject: str, *, now: datetime) -> None:
    """Sends by a notification block, within its own `raise_on_failure`, without which it swallows 429 and 500.

    Raises:
        DeliveryFailed: it was not taken, or nobody knows.
    """
    from prefect.blocks.abstract import NotificationError

    with _one_at_a_time, _listening() as heard, block.raise_on_failure():
        try:
            block.notify(body, subject, _sync=True)
            return
        except NotificationError:  # its words hold the whole URL where apprise logs at DEBUG
            pass
    if heard.error is not None:
        said = without_secrets(" ".join(str(heard.error).split()))
        raise not_heard(who, said) if _was_connected(heard.error) else not_met(who, said)
    if heard.status is None:
        raise DeliveryFailed(
            f"{who} sent nothing: its Prefect block holds no url that it can use", server=True, counts=False
        )
    raise failure_of(who, heard.status, heard.said, heard.retry_after, now)


@contextmanager
def _listening() -> Iterator[_Overheard]:
    """Hears what this thread's requests come to.

    The block tells no more than that it failed: neither the `Retry-After` of a 429, nor whether a server was met. Its
    library sends by `requests`, whose one way out is `Session.send`.
    """
    import requests

    heard, me, send = _Overheard(), threading.get_ident(), requests.Session.send

    def overheard(session: Any, request: Any, **options: Any) -> Any:
        if threading.get_ident() != me:
            return send(session, request, **options)
        try:
            answer = send(session, request, **options)
        except Exception as error:
            heard.error = error
            raise
        heard.status, heard.said, heard.error = answer.status_code, answer.text, None
        heard.retry_after = answer.headers.get("Retry-After", "")
        return answer

    words = logging.getLogger("apprise")
    requests.Session.send = overheard  # type: ignore[assignment, method-assign]
    passed_on, words.propagate = words.propagate, False  # it says again, in its own words, what is raised here
    try:
        yield heard
    finally:
        requests.Session.send, words.propagate = send, passed_on  # type: ignore[method-assign]


def _was_connected(error: Exception) -> bool:
    """Whether the message may have reached a server before its request failed."""
    import requests
    from urllib3.exceptions import MaxRetryError

    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return False
    return not (error.args and isinstance(error.args[0], MaxRetryError))  # it is told of connecting alone
