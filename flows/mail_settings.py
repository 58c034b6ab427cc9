"""Settings of mails: the server that takes them, who they come from, and the pages that they link to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from trueup.reports.alerts.links import checked_link
from trueup.storage.addresses import mailbox_of, sender_of
from trueup.storage.locations import checked_host
from trueup.storage.policy import Frozen

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_Link = Annotated[str, AfterValidator(checked_link)]


class SmtpSettings(BaseModel):
    """An SMTP server, or none: without host and block, mails go to a Maildir in the home folder.

    host, port, security: where and how to connect; `starttls` and `ssl` verify the server's certificate.
        Without a port: 25, 587 for starttls, 465 for ssl.
    username, password: for servers that ask for a login; the password comes only from TRUEUP_SMTP__PASSWORD.
    ca: file with the certificates (PEM) that the server's has to descend from, beside those that the system trusts.
    from_: the sender, as "Ann <ann@example.org>" or the address alone; the key in the file is `from`.
    reply_to: where answers go; empty: to the sender.
    block: name of a saved Prefect block `EmailServerCredentials` that holds host, port, security and login instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    host: Annotated[str, AfterValidator(checked_host)] = ""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["none", "starttls", "ssl"] = "none"
    username: str = ""
    password: SecretStr = SecretStr("")
    ca: str = ""
    from_: Annotated[str, Field(alias="from"), AfterValidator(sender_of)] = "trueup@localhost"
    reply_to: str = ""
    block: str = ""

    @field_validator("reply_to")
    @classmethod
    def _can_be_answered(cls, value: str) -> str:
        return sender_of(value) if value else value

    @model_validator(mode="after")
    def _keeps_the_password_secret(self) -> SmtpSettings:
        if self.host and self.block:
            raise ValueError(
                f"both host = '{self.host}' and block = '{self.block}' are set, so it is unclear which server takes "
                "the mails; leave one of them out"
            )
        if self.username and self.security == "none" and self.host not in _THIS_MACHINE:
            raise ValueError(
                f"username is set but security = 'none', so the password would cross the network to '{self.host}' "
                "readable by all; set security to 'starttls' or 'ssl', or leave username out"
            )
        if self.ca and self.security == "none" and not self.block:
            raise ValueError(
                f"ca = '{self.ca}' is set but security = 'none', so no certificate is ever looked at; set security to "
                "'starttls' or 'ssl', or leave ca out"
            )
        return self

    @property
    def domain(self) -> str:
        """The sender's domain in ASCII: ids of mails and of their threads end in it."""
        return mailbox_of(self.from_).host

    def doubt_of_sender(self, host: str, username: str) -> str:
        """Why a server may not take the sender, or rewrite it; "" where nothing speaks against it.

        host, username: of the server and its login, in the settings or in the block.
        """
        if not self.uses_server or (host in _THIS_MACHINE and not username):
            return ""
        if "." not in self.domain:
            return f"mails come from {self.from_}, which no server beyond this network takes and nobody can answer"
        name, at, domain = username.rpartition("@")
        login = domain.lower()
        if at and name and not (f".{login}".endswith(f".{self.domain}") or f".{self.domain}".endswith(f".{login}")):
            return (
                f"mails come from {self.from_}, and the login is {username}, of another domain: many servers "
                "refuse that, or write the login over the sender"
            )
        return ""

    @property
    def uses_server(self) -> bool:
        """Whether mails leave this machine's home folder at all."""
        return bool(self.host or self.block)


class LinkSettings(Frozen):
    """Templates of the addresses of a team's own pages; without one a mail names the command and the host instead.

    site: trueup's pages as a whole. report, incident, model, run, cycle, runbook: one page of each.
    """

    site: _Link = ""
    report: _Link = ""
    incident: _Link = ""
    model: _Link = ""
    run: _Link = ""
    cycle: _Link = ""
    runbook: _Link = ""
