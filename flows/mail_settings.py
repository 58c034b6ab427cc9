"""How mails leave: the `[smtp]` table of the settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from trueup.storage.stream import mail_address

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class SmtpSettings(BaseModel):
    """An SMTP server, or none: without host and block, mails go to a Maildir in the home folder.

    host, port, security: where and how to connect; `starttls` and `ssl` verify the server's certificate.
        Without a port: 25, 587 for starttls, 465 for ssl.
    username, password: for servers that ask for a login; the password comes only from TRUEUP_SMTP__PASSWORD.
    from_: the sender's address; the key in the file is `from`.
    block: name of a saved Prefect block `EmailServerCredentials` that holds host, port, security and login instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["none", "starttls", "ssl"] = "none"
    username: str = ""
    password: SecretStr = SecretStr("")
    from_: Annotated[str, Field(alias="from"), AfterValidator(mail_address)] = "trueup@localhost"
    block: str = ""

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
        return self

    @property
    def uses_server(self) -> bool:
        """Whether mails leave this machine's home folder at all."""
        return bool(self.host or self.block)
