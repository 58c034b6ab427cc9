"""How a column writes its times: what a format names, and whether it can date a row. Importing this is light."""

from __future__ import annotations

import re
from datetime import datetime

from trueup.storage.errors import ConfigError

ISO = ""


def check_format(time_format: str) -> None:
    """Refuse a format that cannot date a row.

    Raises:
        ConfigError: strptime does not know a directive, or the format names no year.
    """
    try:
        datetime.strptime("", time_format)
    except (ValueError, re.error) as error:  # the latter where a directive comes twice
        if isinstance(error, re.error) or "does not match" not in str(error):
            raise ConfigError(
                f"time_format '{time_format}' cannot be read ({error}); write it as strptime does, each part once"
            ) from None
    if not re.search(r"%-?[YyGcxD]", time_format):
        raise ConfigError(
            f"time_format '{time_format}' names no year, so every record would lie in 1900; "
            "write the whole time, as in '%Y-%m-%d %H:%M:%S', from several columns if need be"
        )


def grain(time_format: str) -> str:
    """What a strptime format names: "" an instant, "D" a day, "M" a month, "Y" a year."""
    named = set(re.findall(r"%-?([A-Za-z])", time_format))
    if named & set("HIMSfcXsT"):
        return ""
    if named & set("djxDFuwaAUWV"):
        return "D"
    return "M" if named & set("mbBh") else "Y"
