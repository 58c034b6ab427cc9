"""A word looked for in the bytes of a folder's files, whatever they are packed in."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def every_text_in(data: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and all that is packed in them: gzip, zip, Parquet's pages, mails' parts."""
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from every_text_in(gzip.decompress(data), f"{name} unpacked")
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as held:
            for entry in held.namelist():
                yield from every_text_in(held.read(entry), f"{name}:{entry}")
    elif data[:4] == b"PAR1":
        yield f"{name} read", repr(pq.read_table(io.BytesIO(data)).to_pylist()).encode()
    elif "/mail/" in name and not name.endswith(" part"):
        for part in message_from_bytes(data, policy=policy.default).walk():
            if not part.is_multipart():
                yield from every_text_in(part.get_payload(decode=True) or b"", f"{name} part")


def places_of(word: str, folder: Path) -> list[str]:
    """Where a word stands in the bytes of all files, packed or not."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.endswith(".csv"):
            named = str(file.relative_to(folder))
            found += [place for place, data in every_text_in(file.read_bytes(), named) if word.encode() in data.lower()]
    return found


def places_in_bucket(word: str, bucket: Any, name: str, below: str) -> list[str]:
    """Where a word stands in the objects of a bucket whose keys begin so. bucket: a client of boto3."""
    found = []
    for page in bucket.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=below):
        for key in (one["Key"] for one in page.get("Contents", ())):
            held = bucket.get_object(Bucket=name, Key=key)["Body"].read()
            found += [place for place, data in every_text_in(held, key) if word.encode() in data.lower()]
    return found
