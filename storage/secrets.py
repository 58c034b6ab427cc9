"""The one place that takes secrets out of texts: passwords, and what a driver's error repeats of a row."""

from __future__ import annotations

import html
import logging
import re
import traceback
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

HIDDEN = "***"
_SHORTEST = 4  # characters of a password that is looked for by itself; a shorter one stands in words as well

_NAMED = r"(?:password|passwd|pwd|sslpassword|token|access_token|secret|api_?key)"
_IN_QUERY = re.compile(rf"[?&;]{_NAMED}=([^&#\s'\"<>]+)", re.IGNORECASE)

_ADDRESSES = (
    # a port before a path is no password, though an @ may stand in the path
    (re.compile(r"(://[^\s/?#:@'\"<>]*):(?!\d+[/?#])[^\s'\"<>]*@"), rf"\g<1>:{HIDDEN}@"),
    (re.compile(r"(https?://)[^\s/?#:@'\"<>]+@"), rf"\g<1>{HIDDEN}@"),  # a token that stands for name and password
    (re.compile(rf"([?&;]{_NAMED}=)[^&#\s'\"<>]+", re.IGNORECASE), rf"\g<1>{HIDDEN}"),
    (re.compile(r"\b(Basic|Bearer) (?=[\w+/.~-]*[\d=+/])[\w+/.~-]{8,}=*"), rf"\g<1> {HIDDEN}"),
)

# What SQLAlchemy and drivers repeat of a row. A value may hold line breaks, so it ends where the driver's own words go
# on; where they do not, nothing more is said.
_VALUES = (
    (re.compile(r"(\[parameters: ).*\]"), rf"\g<1>{HIDDEN}]"),
    (
        re.compile(
            r"(DETAIL: +)Key \(.*?"
            r"(?:(?:already exists|(?:present in|referenced from) table \"[^\"\n]*\")\.(?=\n|\Z)|\Z)",
            re.DOTALL,
        ),
        rf"\g<1>{HIDDEN}",
    ),
    (re.compile(r"(DETAIL: +)Failing row .*?(?:\)\.(?=\n|\Z)|\Z)", re.DOTALL), rf"\g<1>{HIDDEN}"),
    (re.compile(r"(CONTEXT: +COPY [^\n:]*): \".*?(?:\"(?=\n|\Z)|\Z)", re.DOTALL), r"\g<1>"),
    (re.compile(r"(invalid input \w+ for \w+ [\w ]+: )\".*?(?:\"(?=\n|\Z)|\Z)", re.DOTALL), rf"\g<1>{HIDDEN}"),
    (re.compile(r"(decode to UTF-8 column .*? with text )'.*?(?:'(?=\n|\Z)|\Z)", re.DOTALL), rf"\g<1>{HIDDEN}"),
    (re.compile(r"(Duplicate key )\".*?(?:\" violates|\Z)", re.DOTALL), rf"\g<1>{HIDDEN} violates"),
    (re.compile(r"(ould not convert )string '.*?(?:' to |\Z)", re.DOTALL), rf"\g<1>{HIDDEN} to "),
    (re.compile(r"(ould not convert string to float: |for int\(\) with base 10: ).*"), rf"\g<1>{HIDDEN}"),
    (re.compile(r"(ould not convert )['\"].*(['\"] with type )"), rf"\g<1>{HIDDEN} with type "),
)

_SUSPECT = re.compile(
    r"://|[?&;]\w+=|\[parameters: |DETAIL: |CONTEXT: |Basic |Bearer |invalid input |decode to UTF-8 column|"
    r"Duplicate key \"|ould not convert |with base 10: "
)

_known: set[str] = set()


def remember(secrets: Iterable[str], *, apart_from: Collection[str] = ()) -> None:
    """Let these be taken out of every text from now on, also as addresses, HTML, JSON and Python write them.

    apart_from: words that are no secret, since they stand in the settings or in every text of ours: a password such as
        'trueup' is hidden only where it stands in an address.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret not in apart_from:
            ways = (quote(secret, safe=""), quote_plus(secret), html.escape(secret), repr(secret)[1:-1])
            _known.update({secret, *ways})


def passwords_in(address: str) -> tuple[str, ...]:
    """The passwords of an address, each as it is written there and as it is meant: beside the name, or named so."""
    try:
        found = [urlsplit(address).password or "", *_IN_QUERY.findall(address)]
    except ValueError:
        return ()
    return tuple(way for one in found if one for way in (one, unquote(one)))


def without_secrets(text: str) -> str:
    """The text with `***` in place of each secret."""
    if _known:
        text = _pattern(frozenset(_known)).sub(HIDDEN, text)
    if not _SUSPECT.search(text):
        return text  # as almost every text is: a document may hold a hundred thousand
    for found, instead in (*_ADDRESSES, *_VALUES):
        text = found.sub(instead, text)
    return text


@lru_cache(maxsize=8)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    """Any of them; one of letters alone only as a whole word, since it may be a part of other words."""
    longest_first = sorted(secrets, key=len, reverse=True)
    return re.compile("|".join(rf"\b{one}\b" if one.isalpha() else re.escape(one) for one in longest_first))


def keep_out_of_logs() -> None:
    """From now on no log record of this process carries a secret, whoever writes it and whoever handles it.

    It is done where records are made, so that it holds for the handlers of Prefect and of a team's own as well.
    """
    made = logging.getLogRecordFactory()
    if getattr(made, "keeps_secrets", False):
        return

    def cleaned(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        try:
            said = record.getMessage()
        except (TypeError, ValueError):  # its arguments do not fit, which logging itself tells
            return record
        clean = without_secrets(said)
        if clean != said:
            record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[0] is not None:
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            if without_secrets(trace) != trace:
                record.exc_text = without_secrets(trace)  # what a formatter takes instead of the exception
        return record

    cleaned.keeps_secrets = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(cleaned)
