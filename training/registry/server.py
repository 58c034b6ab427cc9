"""An MLflow server: the login that its address holds, and whether it answers in time."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from trueup.storage.errors import TrueupError
from trueup.training.registry.local_tables import Registered

_PAUSE = 1.0  # seconds before a server that refused or failed is asked once more: it may just be starting
_REMEMBERED = 30.0  # seconds in which a server that did not answer is not asked again
_QUESTION = "/api/2.0/mlflow/experiments/search?max_results=1"
_MODEL = "/api/2.0/mlflow/registered-models/get?name="
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

    def _log_in(self) -> None:
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
        """Log in, and ask once whether the server answers; one that did not lately is not waited for again.

        Raises:
            TrueupError: it does not answer in time, fails, refuses the login, or is no MLflow server.
        """
        self._log_in()
        if time.monotonic() < self._silent_until:
            raise TrueupError(self._silence)
        if self._answered:
            return
        said = self._fault()
        if said:
            self._silence, self._silent_until = said, time.monotonic() + _REMEMBERED
            raise TrueupError(said)
        self._answered = True

    def registered(self, name: str) -> Registered | None:
        """Aliases and tags of a registered model, both empty where there is none; None: MLflow has to be asked.

        Raises:
            TrueupError: the server does not answer.
        """
        try:
            answer = _asked(f"{self.uri.rstrip('/')}{_MODEL}{quote(name, safe='')}", _patience())
            found = json.loads(answer.body) if answer.is_json else {}
        except OSError as error:
            self._fall_silent(str(error))
            raise TrueupError(self._silence) from error
        except ValueError:
            return None
        if answer.status == 404 and found.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
            return {}, {}
        model = found.get("registered_model")
        if answer.status != 200 or not isinstance(model, dict):
            return None
        aliases = {held["alias"]: int(held["version"]) for held in model.get("aliases", ())}
        return aliases, {tag["key"]: tag["value"] for tag in model.get("tags", ())}

    def lost(self, error: Exception) -> str:
        """What a failed request says of the server where it got no answer; empty where it got one."""
        from requests.exceptions import RequestException

        broken = isinstance(error, RequestException) and error.response is None
        if not broken and not _UNANSWERED.match(str(error)):
            return ""
        return self._fall_silent(str(error))

    def _fall_silent(self, error: str) -> str:
        self._answered = False
        self._silence = self._unreached(error)
        self._silent_until = time.monotonic() + _REMEMBERED
        return self._silence

    def _fault(self) -> str:
        """Why the server cannot be worked with; empty where it can.

        It is asked without MLflow, whose import takes as long as a patient person waits. What that request cannot do (a
        login by file or by plugin, a certificate) is left to MLflow's own.
        """
        until = time.monotonic() + _patience()
        said = ""
        for pause in (0.0, _PAUSE):
            if time.monotonic() + pause >= until:
                break
            time.sleep(pause)
            try:
                answer = _asked(f"{self.uri.rstrip('/')}{_QUESTION}", until - time.monotonic())
            except OSError as error:
                said = self._unreached(str(error))
            else:
                if answer.status == 200 and answer.is_json:
                    return ""
                if answer.status < 500:
                    return self._fault_by_mlflow(max(1.0, until - time.monotonic()))
                said = self._refusal(answer.status, answer.kind)
        return said

    def _fault_by_mlflow(self, seconds: float) -> str:
        from mlflow.exceptions import MlflowException
        from mlflow.utils.credentials import get_default_host_creds
        from mlflow.utils.rest_utils import http_request

        creds = get_default_host_creds(self.uri)
        try:
            answer = http_request(creds, _QUESTION, "GET", max_retries=0, raise_on_status=False, timeout=seconds)
        except MlflowException as error:
            return self._unreached(str(error))
        return self._refusal(answer.status_code, answer.headers.get("Content-Type", ""))

    def _refusal(self, status: int, kind: str) -> str:
        """Why an answer of this status and content type is none to work with; empty where it is."""
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
                f"The MLflow server at {self.uri} fails ({status}), so no model can be read or registered. Check its "
                "own log; then run the same command again."
            )
        if "json" not in kind or status >= 400:
            return (
                f"What answers at {self.uri} is no MLflow server ({status}), so no model can be read or registered. "
                "Check [tracking] uri."
            )
        return ""

    def _unreached(self, error: str) -> str:
        if "timed out" in error or "timeout" in error.lower():
            why = f"does not answer within {_patience():g} seconds"
        elif found := re.search(r"too many (\d+) error", error):
            why = f"fails ({found[1]})"
        elif "resolve" in error or "Name or service" in error or "name resolution" in error:
            why = "cannot be found: nobody knows the host's name"
        else:
            why = "cannot be reached: the connection was refused or broke off"
        return (
            f"The MLflow server at {self.uri} {why}, so no model can be read or registered. Check [tracking] uri, "
            "and whether the server runs; then run the same command again."
        )


def _patience() -> float:
    """Seconds that a request may take."""
    return float(os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"])


@dataclass(frozen=True)
class _Answer:
    """Of a plain request. status: 0 where only MLflow's own settings lead to an answer."""

    status: int
    kind: str = ""
    body: bytes = b""

    @property
    def is_json(self) -> bool:
        return "json" in self.kind


def _asked(url: str, seconds: float) -> _Answer:
    """What the server answers under the login of MLflow's variables.

    Raises:
        OSError: no answer came.
    """
    from base64 import b64encode
    from http.client import HTTPException
    from ssl import SSLError
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            """Elsewhere the login is not to be told."""

    name, password = (os.environ.get(variable, "") for variable in _VARIABLES)
    request = Request(url)
    if name and password:
        request.add_header("Authorization", "Basic " + b64encode(f"{name}:{password}".encode()).decode())
    elif token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with build_opener(Stay).open(request, timeout=max(seconds, 0.1)) as answer:
            return _Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())
    except HTTPError as error:
        return _Answer(error.code, error.headers.get("Content-Type", ""), error.read())
    except URLError as error:
        if isinstance(error.reason, SSLError):
            return _Answer(0)  # MLflow may know the certificate
        raise
    except HTTPException as error:
        raise OSError(f"no HTTP: {error}") from error
