"""Whom alerts go to: mail addresses with their display names, as people write them and as mail servers take them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from trueup.storage.escaping import for_header

CHANNEL = "channel:"  # begins a recipient that is no mail address but one of the settings' channels

_ATOM = r"[^\s\x00-\x1f\x7f-\x9f<>@,;:\"()\[\]\\.]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@({_ATOM}(?:\.{_ATOM})*)")
_NAMED = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>")
_CHANNEL_NAME = re.compile(rf"{CHANNEL}[A-Za-z0-9][A-Za-z0-9_-]*")
_PARTS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^,;"<]|["<])+')  # between commas that stand outside of quotes
_PLAIN_NAME = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]*")
_LONGEST_LOCAL, _LONGEST = 64, 254  # octets, RFC 5321 § 4.5.3.1


@dataclass(frozen=True)
class Mailbox:
    """A mail address. name: who it is, or "". local, domain: before and after the @, as they were written."""

    name: str
    local: str
    domain: str

    def __str__(self) -> str:
        """As people write it: `Ann <ann@example.org>`; a name with commas or dots in quotes."""
        address = f"{self.local}@{self.domain}"
        if not self.name:
            return address
        if _PLAIN_NAME.fullmatch(self.name):
            return f"{self.name} <{address}>"
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{address}>'

    @property
    def host(self) -> str:
        """The domain as servers know it: in ASCII (punycode, UTS 46) and small letters."""
        return _ascii(self.domain)

    @property
    def address(self) -> str:
        """The address alone, as servers take it; not ASCII only where the part before the @ is not."""
        return f"{self.local}@{self.host}"


def mailbox_of(text: str) -> Mailbox:
    """One address, alone or as `Ann <ann@example.org>` (RFC 5321 without quoted local parts and literals).

    Raises:
        ValueError: no mail server could take it for one; with advice.
    """
    named = _NAMED.fullmatch(text.strip())
    name, written = (named["name"], named["address"].strip()) if named else ("", text.strip())
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    found = _ADDRESS.fullmatch(written)
    if not found or for_header(name) != name:
        raise ValueError(
            f"'{text}' is not a mail address, so nobody would be told; write it as \"oncall@example.org\" or "
            "\"Ann <ann@example.org>\", and a name with a comma in quotes"
        )
    mailbox = Mailbox(name, *found.groups())
    if len(mailbox.local.encode()) > _LONGEST_LOCAL or len(mailbox.address.encode()) > _LONGEST:
        raise ValueError(f"'{text}' is longer than a mail address can be, so nobody would be told")
    return mailbox


def recipients_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Recipients one by one, each once: mail addresses, several of which may stand in a text, and `channel:NAME`.

    Raises:
        ValueError: one is neither; with advice.
    """
    found: dict[str, str] = {}
    for text in texts:
        parts = [part.strip() for part in _PARTS.findall(text)]
        for part in [part for part in parts if part] or [text]:
            found.setdefault(recipient_key(part), part if part.startswith(CHANNEL) else str(mailbox_of(part)))
    return tuple(found.values())


def recipient_key(recipient: str) -> str:
    """What two ways of writing one recipient have in common: the address without its name, or the channel.

    Raises:
        ValueError: it is neither; with advice.
    """
    if not recipient.startswith(CHANNEL):
        return mailbox_of(recipient).address
    if not _CHANNEL_NAME.fullmatch(recipient):
        raise ValueError(
            f"'{recipient}' names no channel, so nobody would be told; write \"channel:NAME\" with the NAME of a table "
            "[alerts.channels.NAME]"
        )
    return recipient


RecipientList = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    AfterValidator(recipients_of),
]  # a key of the settings that names whom something goes to


def sender_of(text: str) -> str:
    """One address as people write it.

    Raises:
        ValueError: it is none, or several; with advice.
    """
    return str(mailbox_of(text))


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    import idna  # its tables take longer to read than all else here

    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise ValueError(f"'{domain}' is no name of a domain ({domain!a}), so no mail would reach it") from None
