"""Bytes as lines of text by a declared encoding; what it cannot read is refused row by row, or the file whole.

Bytes that the encoding does not know become lone surrogates, which validation refuses in the row where they stand.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from trueup.feedback.formats.contents import Place
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE

SAMPLE_BYTES = 4 << 20
_LINE_BYTES = 16 << 20          # a longer line is taken in pieces, so that memory stays bounded
_BLOCK = 1 << 18
_FOREIGN_SHARE = 0.1            # of sampled lines: above it the file is in another encoding, below it a line is spoilt
_BOMS = (  # the longer ones first: that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIRST_END = re.compile(r"\r\n|\n|\r")
_CR_END = re.compile(r"\r\n|\r")


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("trueup-bytes", _keep_bytes)


def bom_of(head: bytes) -> str:
    """The encoding that a file's byte order mark names; "" where it has none."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), "")


def is_wide(encoding: str) -> bool:
    """Whether a character takes two bytes or four, so that lines do not end in one byte."""
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def zero_pattern(block: bytes) -> str:
    """UTF-16 or UTF-32 without a byte order mark, told by where its zero bytes lie; "" where it is neither.

    Text in any other encoding holds no zero byte at all.
    """
    block = block[: len(block) // 4 * 4]
    if b"\x00" not in block:
        return ""
    zeros = [block[k::4].count(0) for k in range(4)]
    for name, text in (("utf-32-le", 0), ("utf-32-be", 3), ("utf-16-le", 0), ("utf-16-be", 1)):
        step = 4 if name.startswith("utf-32") else 2
        in_text = sum(zeros[k] for k in range(4) if k % step == text)
        in_rest = sum(zeros) - in_text
        enough = len(block) // 2 if step == 4 else 1
        if in_text <= 0.01 * in_rest and in_rest >= enough and _ends_lines(block, name) and _decodes(block, name):
            return name
    return ""


def _ends_lines(block: bytes, encoding: str) -> bool:
    """Whether its line ends are those of the encoding; a stray zero byte in other text makes none of them."""
    wide = sum(block.count(sign.encode(encoding)) for sign in "\r\n")
    return wide * 2 >= block.count(b"\r") + block.count(b"\n")


def _decodes(block: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(block)
    except UnicodeDecodeError:
        return False
    return True


def text_lines(place: Place) -> Iterator[str]:
    """Physical lines with their ends, the byte order mark gone.

    Lines end in LF or CR LF; where the file's first line ends in a lone CR, in CR.
    """
    if is_wide(place.format.encoding) or ends_in_cr(place):
        yield from _decoded_lines(place)
        return
    encoding = place.format.encoding
    with place.open() as handle:
        first = handle.readline(_LINE_BYTES)
        if codecs.lookup(encoding).name == "utf-8":
            first = first.removeprefix(codecs.BOM_UTF8)
        if first:
            yield first.decode(encoding, "trueup-bytes")
        while line := handle.readline(_LINE_BYTES):
            yield line.decode(encoding, "trueup-bytes")


def text_blocks(place: Place) -> Iterator[str]:
    """The text in pieces of any length, the byte order mark gone."""
    decoder = codecs.getincrementaldecoder(place.format.encoding)("trueup-bytes")
    with place.open() as handle:
        first = True
        while block := handle.read(_BLOCK):
            text = decoder.decode(block)
            yield text.removeprefix("\ufeff") if first else text
            first = first and not text
        yield decoder.decode(b"", final=True)


def ends_in_cr(place: Place) -> bool:
    """Whether the file's lines end in a lone CR, as its first one does."""
    text = codecs.getincrementaldecoder(place.format.encoding)("replace").decode(place.head())
    quoted = False
    for part in re.split(r'(")', text):
        if part == '"':
            quoted = not quoted
        elif not quoted and (end := _FIRST_END.search(part)):
            return end[0] == "\r"
    return False


def _decoded_lines(place: Place) -> Iterator[str]:
    end = _CR_END if ends_in_cr(place) else re.compile("\n")
    held = ""
    for block in text_blocks(place):
        held += block
        waits = held.endswith("\r")  # perhaps half of a CR LF
        at = 0
        for match in end.finditer(held, 0, len(held) - waits):
            yield held[at : match.end()]
            at = match.end()
        held = held[at:]
        if len(held) > _LINE_BYTES:
            yield held
            held = ""
    if held:
        yield held


# ---- what a file in another encoding is refused with ----


def check_encoding(place: Place) -> None:
    """Refuse a file that is not in its declared encoding: its byte order mark, or a good part of its lines, say so.

    Raises:
        InputError: with the line, and the setting that would read the file.
    """
    block = place.head(SAMPLE_BYTES)
    declared = place.format.encoding
    told = bom_of(block) or ("" if is_wide(declared) else zero_pattern(block))
    if told and not _fits(codecs.lookup(declared).name, told, block):
        raise InputError(_another(place, f"the text is {told.upper()}", told))
    if is_wide(declared):
        _check_wide(place, block)
    else:
        _check_lines(place, block)


def _fits(declared: str, told: str, block: bytes) -> bool:
    order = declared.removeprefix(told)  # "" or "-le", "-be"
    return declared.startswith(told) and (not is_wide(told) or not order or bom_of(block) == "" or
                                          block.startswith("\ufeff".encode(declared)))  # fmt: skip


def _check_wide(place: Place, block: bytes) -> None:
    encoding = place.format.encoding
    if not bom_of(block):
        if b"\x00" not in block:
            raise InputError(_another(place, f"the text is not {encoding.upper()}: it holds no zero bytes", "utf-8"))
        if codecs.lookup(encoding).name in ("utf-16", "utf-32"):
            told = zero_pattern(block) or f"{codecs.lookup(encoding).name}-le"
            raise InputError(_another(place, "the text has no byte order mark", told))
    decoded = codecs.getincrementaldecoder(encoding)("trueup-bytes").decode(block)
    bad = sum("\ud800" <= sign <= "\udfff" for sign in decoded)
    if bad > 0.001 * len(decoded) + 1:
        raise InputError(f"{place.name}: the file is damaged: {bad} of its first {len(decoded):,} characters are not "
                         f"{encoding.upper()}. Nothing was stored. Get it again.")  # fmt: skip


def _check_lines(place: Place, block: bytes) -> None:
    encoding = place.format.encoding
    cut = len(block) == SAMPLE_BYTES  # perhaps within a character of the last line
    bad, foreign = [], []
    lines = block.split(b"\n")
    utf8 = codecs.lookup(encoding).name == "utf-8"
    for k, line in enumerate(lines, start=1):
        if line.isascii():
            continue
        final = not cut or k < len(lines)
        try:
            codecs.getincrementaldecoder(encoding)().decode(line, final)
        except UnicodeDecodeError as error:
            bad.append((k, line[error.start]))
        if not utf8 and "\ufffd" not in codecs.utf_8_decode(line, "replace", final)[0]:
            foreign.append(k)
    mine = sum(not line.isascii() for line in lines)
    if (bad and bad[0][0] == 1) or len(bad) > _FOREIGN_SHARE * len(lines):
        number, byte = bad[0]
        lost = f"{len(bad):,} of {len(lines):,} lines cannot be read"
        said = f"the text is not {encoding.upper()}: byte 0x{byte:02x} in line {number}; {lost}"
        raise InputError(_another(place, said, ""))
    if foreign and len(foreign) == mine:
        raise InputError(_another(place, f"the text is UTF-8, such as line {foreign[0]}", "utf-8"))


def _another(place: Place, said: str, encoding: str) -> str:
    """The refusal of a file in another encoding, with the one that is told or found."""
    if not encoding:
        from trueup.feedback.formats.encoding_guess import guessed_encoding

        found = guessed_encoding(place)
        encoding = found.encoding if found.encoding != place.format.encoding else ""
    advice = f'Set encoding = "{encoding}"' if encoding else "Set the encoding of the file"
    declared = f"format.encoding is '{place.format.encoding}'"
    return f"{place.name}: {said}, and {declared}. Nothing was stored. {advice} {ADVICE}."
