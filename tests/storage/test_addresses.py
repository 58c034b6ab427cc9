"""Mail addresses: taken as people write them, and told as servers take them."""

from __future__ import annotations

from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.storage.addresses import Mailbox, mailbox_of, recipient_key, recipients_of
from trueup.storage.escaping import for_header


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["a@x.org, b@y.org"], ("a@x.org", "b@y.org")),
        (["Ann <a@x.org>; B <b@y.org>,"], ("Ann <a@x.org>", "B <b@y.org>")),
        (['"Doe, Ann" <a@x.org>, b@y.org'], ('"Doe, Ann" <a@x.org>', "b@y.org")),
        (["a@x.org", "Ann <a@X.ORG>"], ("a@x.org",)),
        (["a@x.org", "A@x.org"], ("a@x.org", "A@x.org")),
        (["a@bücher.example", "a@xn--bcher-kva.example"], ("a@bücher.example",)),
        (["channel:ops", "a@x.org", "channel:ops"], ("channel:ops", "a@x.org")),
        ([], ()),
    ],
)
def test_several_in_one_string_are_told_apart_and_each_is_kept_once(written: list[str], kept: tuple[str, ...]) -> None:
    """Commas and semicolons part them, not those in a quoted name; only the domain's case does not count."""
    assert recipients_of(written) == kept


@pytest.mark.parametrize(
    "wrong",
    ["", "nobody", "Ann <nobody>", "a@", "@x.org", "a b@x.org", "Doe, Ann <a@x.org>", "a@x.org b@y.org", "a@x..org",
     "a@x.org\r\nBcc: c@d.org", "A\x1b[1m <a@x.org>", "A\u202e <a@x.org>", "channel:", "channel:a b", "channel: ops",
     "<a@x.org", f"{'a' * 65}@x.org", f"a@{'x' * 260}.org", "a@xn\u00a0.org", "a@-\u00fc.org"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_plain_words(wrong: str) -> None:
    """It would only be found out when the first alert reaches nobody."""
    with pytest.raises(ValueError, match=r"nobody would be told|no mail would reach it"):
        recipients_of([wrong])


@pytest.mark.parametrize(
    ("domain", "host"),
    [("Example.ORG", "example.org"), ("bücher.example", "xn--bcher-kva.example"), ("straße.de", "xn--strae-oqa.de")],
)
def test_a_domain_in_other_letters_is_told_in_ascii(domain: str, host: str) -> None:
    """As today's registries hold it: the German sharp s is a letter of its own."""
    assert mailbox_of(f"ann@{domain}").address == f"ann@{host}"
    assert recipient_key(f"Ann <ann@{domain}>") == f"ann@{host}"


@settings(deadline=None)
@given(st.text(max_size=40).filter(lambda name: for_header(name) == name and "<" not in name and ">" not in name))
def test_a_name_is_read_back_as_it_was_written(name: str) -> None:
    """Whatever signs a name has, ours and the standard library's reading of it are the same."""
    written = Mailbox(name, "ann", "example.org")
    assert mailbox_of(str(written)) == written
    assert recipients_of([f"{written}, b@y.org"]) == (str(written), "b@y.org")
    message = EmailMessage()
    message["To"] = Address(name, addr_spec=written.address)
    read = BytesParser(policy=policy.default).parsebytes(message.as_bytes())["To"].addresses
    assert [a.addr_spec for a in read] == ["ann@example.org"]
