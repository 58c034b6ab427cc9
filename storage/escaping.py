"""What outsiders wrote, as each place may show it: a terminal, Markdown, HTML, a chat, a spreadsheet, a mail's header.

Each cleaner shows the text and lets nothing in it be obeyed. Record ids, category levels, column and file names,
replies of servers and the reasons that quote them are such texts.
"""

from __future__ import annotations

import html
import re

# Marks that reorder or hide text (Unicode TR36); joiners stay, emoji and some scripts need them.
_MARKS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff"
_BREAKS = "\u2028\u2029"
_HALVES = "\ud800-\udfff"  # of surrogate pairs, which no encoding writes
_CONTROLS = "\x00-\x1f\x7f-\x9f"

_UNSEEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_MARKS}{_BREAKS}{_HALVES}]")
_HIDING = re.compile(f"[{_MARKS}]")
_NO_LETTERS = re.compile(f"[{_CONTROLS}{_BREAKS}{_HALVES}]+")
_UNSAFE = re.compile(f"[{_CONTROLS}{_MARKS}{_BREAKS}{_HALVES}]+")

# What a spreadsheet computes begins so, also behind blanks and marks that it drops, and in the wide signs of East Asian
# keyboards. RE2, by which Arrow looks, reads this pattern as well.
_DROPPED = r"\x00-\x20\x7f-" + "\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
FORMULA = rf"^(?:[\t\r\n]|[{_DROPPED}]*[=+\-@＝＋－＠])"
_FORMULA = re.compile(FORMULA)

# Within an address and an @name; signs that begin something within a line, a sign of a scheme or an address that pages
# link by themselves, and those that do so at the line's start.
_LINKED = re.compile(r"(?<=:)(?=//)|(?<=@)(?=\w)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_SIGNS = re.compile(
    r"[\\`*_\[\]<>|~&]|!(?=\[)|:(?=//)|(?<=\w)@(?=\w)|(?<=www)\.|^[#+-](?=\s)|^(?:=+|-+)$|(?<=^\d)[.)]", re.IGNORECASE
)


def for_terminal(text: str) -> str:
    """The text with what a terminal would obey written out, as in `\\x1b`; tabs and line ends stay."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def for_markdown(text: str) -> str:
    """The text as one line of Markdown that shows it as it is: no link, image, HTML, or border of a table."""
    return _SIGNS.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), _UNSAFE.sub(" ", text).strip())


def for_html(text: str) -> str:
    """The text as HTML that shows it as it is, within an element or a quoted attribute."""
    return html.escape(for_terminal(text))


def for_page(value: object) -> object:
    """What a Jinja template shows of a value, before it escapes it: its `finalize`."""
    return for_terminal(value) if type(value) is str else value


def for_header(text: str) -> str:
    """The text as one line of a mail, which cannot add a header or hide a part of itself."""
    return " ".join(_NO_LETTERS.sub(" ", _HIDING.sub("", text)).split())


def for_spreadsheet(value: object) -> object:
    """A cell of a CSV file: a text that a spreadsheet would take for a formula begins with an apostrophe.

    What is no text, such as a negative number, stays as it is.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def for_chat(text: str) -> str:
    """The text as one line whose addresses and @names no chat makes a link or a call of.

    They look as they did: a space without width stands within them.
    """
    return _LINKED.sub("\u200b", for_header(text))
