"""An MLflow server: the login that its address holds, and whether it answers in time."""

from __future__ import annotations

import os
import re
import time
from typing import Any
from urllib.parse import unquote, urlsplit

from trueup.storage.errors import TrueupError

_PAUSE = 1.0  # seconds before a server that refused or failed is asked once more: it may just be starting
_REMEMBERED = 30.0  # seconds in which a server that did not answer is not asked again
_VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_from_addresses: set[tuple[str, str]] = set()
_UNANSWERED = re.compile(r"API request to \S+ failed with (timeout )?exception")


class MlflowServer:
    """A server by its address; every wait for it is bounded.

    uri: its address without a login. MLflow takes a login from variables: in the address it would be lost where
        artifacts are read, and stand in MLflow's own lines.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.uri = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._login = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
        self._answered = False
        self._silent_until = 0.0
        self._silence = ""

    def log_in(self) -> None:
        """Give MLflow the address's login; one of the variables counts where the address has none.

        What another server's address put there is taken away: its login is none of this server's business.
        """
        if self._login is not None:
            os.environ.update(zip(_VARIABLES, self._login, strict=True))
            _from_addresses.add(self._login)
        elif tuple(os.environ.get(name, "") for name in _VARIABLES) in _from_addresses:
            for name in _VARIABLES:
                del os.environ[name]

    def need_answer(self) -> None:
        """Ask once whether the server answers; one that did not lately is not waited for again.

        Raises:
            TrueupError: it does not answer in time, fails, refuses the login, or is no MLflow server.
        """
        if time.monotonic() < self._silent_until:
            raise TrueupError(self._silence)
        if self._answered:
            return
        said = self._fault()
        if said:
            self._silence, self._silent_until = said, time.monotonic() + _REMEMBERED
            raise TrueupError(said)
        self._answered = True

    def lost(self, error: Exception) -> str:
        """What a failed request says of the server where it got no answer; empty where it got one."""
        from requests.exceptions import RequestException

        broken = isinstance(error, RequestException) and error.response is None
        if not broken and not _UNANSWERED.match(str(error)):
            return ""
        self._answered = False
        self._silence = self._unreached(str(error))
        self._silent_until = time.monotonic() + _REMEMBERED
        return self._silence

    def _fault(self) -> str:
        from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_TIMEOUT
        from mlflow.exceptions import MlflowException

        until = time.monotonic() + int(MLFLOW_HTTP_REQUEST_TIMEOUT.get())
        said = ""
        for pause in (0.0, _PAUSE):
            if time.monotonic() + pause >= until:
                break
            time.sleep(pause)
            try:
                answer = self._asked(until - time.monotonic())
            except MlflowException as error:
                said = self._unreached(str(error))
            else:
                said = self._refusal(answer)
                if answer.status_code < 500:
                    return said
        return said

    def _asked(self, seconds: float) -> Any:
        from mlflow.utils.credentials import get_default_host_creds
        from mlflow.utils.rest_utils import http_request

        return http_request(
            get_default_host_creds(self.uri),
            "/api/2.0/mlflow/experiments/search",
            "GET",
            params={"max_results": 1},
            max_retries=0,
            raise_on_status=False,
            timeout=seconds,
        )

    def _refusal(self, answer: Any) -> str:
        """Why an answer is none to work with; empty where it is."""
        status = answer.status_code
        if status == 401:
            given = any(os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "TOKEN"))
            asks = "refuses the login that it was given" if given else "asks for a login"
            return (
                f"The MLflow server at {self.uri} {asks} (401), so no model can be read or registered. Set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or save the login in Prefect and name it as "
                "[tracking] block."
            )
        if status == 403:
            return (
                f"The MLflow server at {self.uri} does not allow this account to read (403), so no model can be read "
                "or registered. Ask its keeper for the permission, or give another login."
            )
        if status >= 500:
            return (
                f"The MLflow server at {self.uri} fails ({status}), so no model can be read or registered. Look at its "
                "own log; then run the same command again."
            )
        if "json" not in answer.headers.get("Content-Type", "") or status >= 400:
            return (
                f"What answers at {self.uri} is no MLflow server ({status}), so no model can be read or registered. "
                "Look at [tracking] uri."
            )
        return ""

    def _unreached(self, error: str) -> str:
        from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_TIMEOUT

        if "timed out" in error or "timeout" in error.lower():
            why = f"does not answer within {MLFLOW_HTTP_REQUEST_TIMEOUT.get()} seconds"
        elif found := re.search(r"too many (\d+) error", error):
            why = f"fails ({found[1]})"
        elif "resolve" in error or "Name or service" in error:
            why = "cannot be found: nobody knows the host's name"
        else:
            why = "cannot be reached: the connection was refused or broke off"
        return (
            f"The MLflow server at {self.uri} {why}, so no model can be read or registered. Look at [tracking] uri, "
            "and whether the server runs; then run the same command again."
        )
