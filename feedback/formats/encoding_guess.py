"""Which encoding a file is in, for `init`: by what its bytes prove, else by the lines that are not ASCII."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from trueup.feedback.formats.contents import Place
from trueup.feedback.formats.encodings import SAMPLE_BYTES, bom_of, zero_pattern
from trueup.feedback.values import escaped

_KEPT = 400_000          # bytes of lines that are not ASCII that chardet is given
_SHOWN = 3
_ENOUGH = 60             # characters that are not ASCII, from which on the likeliest encoding is taken
_SPOILT = 0.1            # of the lines that are not ASCII: up to here bad ones are damaged UTF-8
_LONGEST = 1 << 20
_IN_USE = re.compile(  # what files of our days are in; chardet knows eighty more
    r"windows-12\d\d|iso-?8859-\d+|cp(?:437|850|852|866|874|932|936|949)|mac-?(?:roman|cyrillic)|koi8-[rtu]|"
    r"shift_jis(?:_2004)?|euc[-_](?:jp|kr|jis_2004)|gb18030|gbk|big5(?:hkscs)?|tis-620|johab"
)
_USUAL = {"iso-8859-1": "windows-1252", "iso8859-1": "windows-1252", "latin-1": "windows-1252", "gb2312": "gb18030"}


@dataclass(frozen=True)
class EncodingGuess:
    """The encoding taken, why, and the others that it may as well be (best first, `encoding` among them)."""

    encoding: str
    why: str = ""
    others: tuple[str, ...] = ()


def guessed_encoding(place: Place) -> EncodingGuess:
    """Judge a whole file: byte order mark, strict UTF-8, zero bytes, then chardet on lines that are not ASCII."""
    block = place.head(SAMPLE_BYTES)
    if bom := bom_of(block):
        return EncodingGuess(bom, f"its byte order mark says {bom.upper()}" if bom != "utf-8" else "")
    if wide := zero_pattern(block):
        return EncodingGuess(wide, f"every second byte is zero, as in {wide.upper()}")
    with place.open() as handle:
        good, bad, kept = _sorted_lines(handle)
    if not bad:
        return EncodingGuess("utf-8")
    if good and bad <= _SPOILT * (good + bad):
        return EncodingGuess("utf-8", f"UTF-8, except {bad} damaged lines, such as line {kept[0][0]}")
    return _by_chardet(kept, good, bad)


def _sorted_lines(handle: IO[bytes]) -> tuple[int, int, list[tuple[int, bytes]]]:
    """Lines that are not ASCII: how many are UTF-8, how many are not, and some of those with their numbers."""
    good, bad, size = 0, 0, 0
    kept: list[tuple[int, bytes]] = []
    for number, line in enumerate(_lines(handle), start=1):
        if line.isascii():
            continue
        try:
            codecs.utf_8_decode(line, "strict", True)
            good += 1
        except UnicodeDecodeError:
            bad += 1
            if size < _KEPT:
                kept.append((number, line))
                size += len(line)
    return good, bad, kept


def _lines(handle: IO[bytes]) -> Iterator[bytes]:
    while line := handle.readline(_LONGEST):
        yield line


def _by_chardet(kept: list[tuple[int, bytes]], good: int, bad: int) -> EncodingGuess:
    import chardet

    text = b"".join(line if line.endswith(b"\n") else line + b"\n" for _, line in kept)
    found: dict[str, str] = {}
    for candidate in chardet.detect_all(text):
        name = str(candidate["encoding"] or "").lower()
        name = _USUAL.get(name, name)
        try:
            read = text.decode(name) if _IN_USE.fullmatch(name) else ""
        except (LookupError, UnicodeDecodeError):
            continue
        if read and name not in found and read not in found.values() and all(c >= " " or c in "\t\r\n" for c in read):
            found[name] = read
    if not found:
        return EncodingGuess("utf-8", f"{bad} lines are not UTF-8, and no other encoding reads all of them", ("utf-8",))
    best = next(iter(found))
    signs = sum(byte > 127 for byte in text)
    shown = "; ".join(f"line {n}: {_around(line, best)}" for n, line in kept[:_SHOWN])
    why = f"{bad} lines are not UTF-8; read as {best} they are: {shown}"
    if good > _SPOILT * (good + bad) or signs < _ENOUGH:
        return EncodingGuess(best, why, tuple(found)[:3] if len(found) > 1 else (best, "utf-8"))
    return EncodingGuess(best, why)


def _around(line: bytes, encoding: str) -> str:
    """The words of a line about its first character that is not ASCII."""
    text = line.decode(encoding, "replace").strip()
    at = next((k for k, sign in enumerate(text) if not sign.isascii()), 0)
    return "'" + escaped(text[max(0, at - 20) : at + 20].strip()) + "'"
