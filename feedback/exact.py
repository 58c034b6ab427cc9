"""Numbers that the file itself types, told apart from text that looks like one. Importing this is light."""

from __future__ import annotations

KEPT_DIGITS = 10**15  # from here on Excel keeps no whole number exactly


class Exact(str):
    """A number as the file types it (JSON, Parquet, Excel), written with a point; it is read in no other notation."""

    __slots__ = ()


class Ruined(Exact):
    """A whole number of 16 digits or more from Excel, which keeps 15: as an id or a code it is another one."""

    __slots__ = ()
