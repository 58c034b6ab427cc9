"""The pages over HTTP: guarded, limited in size and time, and plain in what they say when something fails."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from trueup.flows.serve.pages import guard
from trueup.flows.serve.pages.shown import ShownPages, message_page
from trueup.storage.errors import TrueupError

if TYPE_CHECKING:
    from fastapi import Request, Response

    from trueup.flows.app import App

log = logging.getLogger("trueup")

Message = MutableMapping[str, Any]
Asgi = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
_T = TypeVar("_T")

PAGE_SECONDS = 60.0  # for a page to be made, a model to be loaded and to answer
BODY_SECONDS = 10.0  # for a form to come in
_AT_ONCE = 2  # pages that are made beside each other; the others wait
_FIELDS = 2_000


def web_app(app: App, port: int) -> Asgi:
    """The ASGI application of a deployment's pages at a port of loopback."""
    from fastapi import FastAPI, Response

    pages = ShownPages(app)
    places = asyncio.Semaphore(_AT_ONCE)

    async def answer(request: Request) -> Response:
        path = request.path_params["path"]
        try:
            form = await _form(request) if request.method == guard.SEND_METHOD else None
            shown = await _in_time(places, lambda: pages.shown(path, form))
        except _Refused as refused:
            return _plain(refused.refusal)
        except TimeoutError:
            log.warning("the page '%s' was not ready after %.0f s", path, PAGE_SECONDS)
            shown = message_page(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "This takes too long",
                f"After {PAGE_SECONDS:.0f} s there was no answer yet. Nothing was changed. Try again in a minute.",
            )
        except TrueupError as error:
            shown = message_page(HTTPStatus.SERVICE_UNAVAILABLE, "This page is not available now", str(error))
        except Exception:  # whatever it is, the next request may go well
            log.warning("the page '%s' failed", path, exc_info=True)
            shown = message_page(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "This page failed",
                "Nothing was changed, and the schedule goes on. The log of `trueup serve` says what happened.",
            )
        return Response(shown.content, shown.status, dict(shown.headers), shown.kind)

    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    web.add_route("/{path:path}", answer, methods=[*guard.READ_METHODS, guard.SEND_METHOD])
    return _guarded(web, port)


def _guarded(web: Asgi, port: int) -> Asgi:
    """The application behind the guard, which sees each request first and adds what every answer says."""

    async def guarded(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                more = [(name.lower().encode(), value.encode()) for name, value in guard.EVERY_ANSWER.items()]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in given)]
            await send(message)

        if scope["type"] != "http":
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        refusal = guard.refusal_of(scope["method"], scope["path"], headers, port)
        await (_plain(refusal) if refusal else web)(scope, receive, headed)

    return guarded


def _plain(refusal: guard.Refusal) -> Response:
    from fastapi import Response

    return Response(f"{refusal.words}\n", refusal.status, media_type="text/plain")


class _Refused(Exception):
    """A form that is not read to its end."""

    def __init__(self, refusal: guard.Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, each once; its size and the time that it takes to come in are limited."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > guard.MOST_BYTES:
                    raise _Refused(guard.too_large())
    except TimeoutError:
        slow = f"The form did not come in within {BODY_SECONDS:.0f} s."
        raise _Refused(guard.Refusal(HTTPStatus.REQUEST_TIMEOUT, slow)) from None
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        wrong = f"The form is not UTF-8 text, or has more than {_FIELDS:,} fields."
        raise _Refused(guard.Refusal(HTTPStatus.BAD_REQUEST, wrong)) from None
    return {name: value.replace("\r\n", "\n") for name, value in reversed(fields)}


async def _in_time(places: asyncio.Semaphore, work: Callable[[], _T]) -> _T:
    """What the work gives, done in a thread of its own; its place is free again when it ended, even too late.

    The thread is a daemon, so that a model that never answers does not keep `trueup serve` from ending.

    Raises:
        TimeoutError: no place was free, or the work did not end, in time.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def ended(result: _T | None, error: BaseException | None) -> None:
        places.release()
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as failed:  # noqa: BLE001 - raised where it is awaited
            error = failed
        except BaseException as left:  # noqa: BLE001 - a model that calls exit() ends its request alone
            error = RuntimeError(f"{type(left).__name__}: {left}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended, result, error)

    async with asyncio.timeout(PAGE_SECONDS):
        await places.acquire()
        threading.Thread(target=run, name="trueup-page", daemon=True).start()
        return await done
