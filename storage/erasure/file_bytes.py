"""What was erased taken out of a file, whatever it is packed in: texts, JSON, mails, gzip, zip, Parquet, models."""

from __future__ import annotations

import base64
import binascii
import email
import email.header
import gzip
import io
import json
import quopri
import re
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from email import policy
from email.message import Message

import pyarrow as pa
import pyarrow.parquet as pq

from trueup.storage.arrow_columns import as_text, is_text
from trueup.storage.erasure.needles import ERASED, Needles

_MODEL = ".skops"
_RENAMED = re.compile(rb"\(%s (\d+)\)" % re.escape(ERASED).encode())
_ANALYZER = "analyzer"  # of a vectoriser of scikit-learn: char and char_wb learn runs of letters
_BETWEEN = "\n"  # parts the words of a stored vocabulary


@dataclass(frozen=True)
class LearntTerms:
    """Entries of stored models' vocabularies that only erased rows gave: words and pairs of them, and runs of letters.

    They are apart since a word of theirs may be a part of everybody's words.
    """

    words: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()


NO_TERMS = LearntTerms()


def cleaned_bytes(data: bytes, name: str, needles: Needles, terms: LearntTerms = NO_TERMS) -> bytes:
    """The bytes of a file without what the needles name; the same object where they hold none of it.

    name: its ending tells mails and models. terms: what of a stored model's vocabularies goes.

    Raises:
        ValueError: it is packed in a way that cannot be opened, or holds some of it and is no text.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            inner = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError("it is damaged") from error
        made = cleaned_bytes(inner, name.removesuffix(".gz"), needles, terms)
        return data if made is inner else gzip.compress(made, 4, mtime=0)
    if data[:4] == b"PK\x03\x04":
        return _zip(data, name, needles, terms)
    if data[:4] == b"PAR1":
        return _parquet(data, needles)
    try:
        text = data.decode()
    except UnicodeDecodeError:  # a picture, numbers, or texts among numbers, such as a pickle
        if needles.stand_in(data):
            raise ValueError("it holds words of the rows in a form that is no text; remove it") from None
        return data
    cleaned = _mail(text, needles) if "/mail/" in f"/{name}" else _text(text, needles)
    return data if cleaned is text else cleaned.encode()


def _text(text: str, needles: Needles) -> str:
    if text[:1] in "{[":
        try:
            document = json.loads(text)
        except ValueError:
            return needles.scrub(text)
        made = needles.scrubbed(document)
        return text if made is document else json.dumps(made)
    return needles.scrub(text)


def _parquet(data: bytes, needles: Needles) -> bytes:
    try:
        table = pq.read_table(pa.BufferReader(data))
    except pa.ArrowException as error:
        raise ValueError("it is damaged") from error
    made = table
    for place, field in enumerate(table.schema):
        if is_text(field.type) or pa.types.is_dictionary(field.type):
            held = as_text(table.column(place)).to_pylist()
            clean = [value if value is None else needles.scrub(value) for value in held]
            if any(a is not b for a, b in zip(clean, held, strict=True)):
                made = made.set_column(place, field.name, pa.array(clean, pa.string()))
    if made is table:
        return data
    out = io.BytesIO()
    pq.write_table(made, out)
    return out.getvalue()


def _zip(data: bytes, name: str, needles: Needles, terms: LearntTerms) -> bytes:
    out, changed = io.BytesIO(), False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as read, zipfile.ZipFile(out, "w") as write:
            for entry in read.infolist():
                inner = read.read(entry)
                if name.endswith(_MODEL) and entry.filename.endswith(".json"):
                    made = _vocabulary(inner, {*terms.words, *needles.words, *needles.values}, terms.letters)
                elif name.endswith(_MODEL):
                    made = inner
                else:
                    made = cleaned_bytes(inner, entry.filename, needles)
                changed = changed or made is not inner
                write.writestr(entry, made)
    except (zipfile.BadZipFile, NotImplementedError, zlib.error) as error:
        raise ValueError("it is damaged, or packed otherwise") from error
    return out.getvalue() if changed else data


def _vocabulary(data: bytes, words: Collection[str], letters: Collection[str]) -> bytes:
    """A stored model's description without these terms, each replaced by one that no text makes: all weights stay.

    letters: those of a vocabulary of runs of letters; words: of all else.
    """
    document = json.loads(data)
    former = max(map(int, _RENAMED.findall(data)), default=0)  # a name twice would be one entry, and weights too many
    count = former

    def renamed(term: str) -> str:
        nonlocal count
        count += 1
        return f"({ERASED} {count})"

    def of_text(text: str, terms: Collection[str]) -> str:
        parts = text.split(_BETWEEN)
        if not any(part in terms for part in parts):
            return text
        return _BETWEEN.join(renamed(part) if part in terms else part for part in parts)

    def of(held: object, terms: Collection[str]) -> object:
        if isinstance(held, str):
            if held[:1] == '"' and isinstance(inner := _json(held), str):
                made = of_text(inner, terms)
                return held if made is inner else json.dumps(made)
            return of_text(held, terms)
        if isinstance(held, list):
            return [of(one, terms) for one in held]
        if isinstance(held, dict):
            if _ANALYZER in held:
                terms = letters if "char" in json.dumps(held[_ANALYZER]) else words
            return {renamed(key) if key in terms else key: of(value, terms) for key, value in held.items()}
        return held

    made = of(document, words)
    return json.dumps(made).encode() if count > former else data


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _mail(text: str, needles: Needles) -> str:
    """A mail with what it shows scrubbed: its headers, and each part of text in the way in which that is encoded."""
    mail = email.message_from_string(text, policy=policy.compat32)
    changed = False
    for part in mail.walk():
        changed = _headers(part, needles) or changed
        held = part.get_payload(decode=True)
        if part.is_multipart() or not isinstance(held, bytes):
            continue
        made = cleaned_bytes(held, part.get_filename() or "", needles)
        if made is not held:
            part.set_payload(_encoded(made, str(part.get("Content-Transfer-Encoding", "")).lower()))
            changed = True
    return mail.as_string() if changed else text


def _headers(part: Message, needles: Needles) -> bool:
    changed = False
    for name, value in part.items():
        try:
            shown = str(email.header.make_header(email.header.decode_header(value)))
        except (binascii.Error, LookupError, UnicodeDecodeError):
            continue
        made = needles.scrub(shown)
        if made is not shown:
            part.replace_header(name, email.header.Header(made, "utf-8").encode())
            changed = True
    return changed


def _encoded(data: bytes, way: str) -> str:
    if way == "base64":
        return base64.encodebytes(data).decode("ascii")
    if way == "quoted-printable":
        return quopri.encodestring(data).decode("ascii")
    return data.decode("utf-8", "surrogateescape")
