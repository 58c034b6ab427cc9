"""Messages kept in a Maildir of the home folder, which any mail reader opens."""

from __future__ import annotations

import mailbox
from dataclasses import dataclass
from pathlib import Path

from trueup.flows.alert.channels.channel import DeliveryFailed


@dataclass(frozen=True)
class MaildirFolder:
    """Writes messages into a Maildir, made at need."""

    folder: Path

    def send(self, raw: bytes, sender: str, to: str) -> None:
        """Stores the message, synced to disk.

        Raises:
            DeliveryFailed: the folder cannot be written.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            mailbox.Maildir(self.folder, create=True).add(raw.replace(b"\r\n", b"\n"))
        except OSError as error:
            raise DeliveryFailed(
                f"the Maildir {self.folder} cannot be written ({error.strerror}); mails wait until it can",
                server=True,
                counts=False,
            ) from error
