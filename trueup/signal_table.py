"""Every signal of a stream's checks as one table of data: a row a signal, as a DataFrame, CSV or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from trueup.storage.errors import InputError
from trueup.storage.escaping import for_spreadsheet
from trueup.storage.signal_rows import SignalRow
from trueup.storage.tabular import Page
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from trueup.flows.app import App
    from trueup.storage.check_lists import SignalFilter


class SignalTable(Page[SignalRow]):
    """Signals of the newest checks first; of one check in the order of their codes. `total`: how many there are."""

    def to_frame(self) -> pd.DataFrame:
        """A row a signal, with every column also where there is no row; `as_of` is a time in UTC."""
        import pandas as pd

        frame = super().to_frame() if self else pd.DataFrame(columns=SignalRow.names())
        return frame.astype({"as_of": "datetime64[ns, UTC]"})

    def to_arrow(self) -> pa.Table:
        """The same as an Arrow table, each column of one type, whatever rows there are."""
        import pyarrow as pa

        types = {
            "str": pa.string(), "int": pa.int64(), "bool": pa.bool_(), "float": pa.float64(),
            "datetime": pa.timestamp("us", tz="UTC"),
        }  # fmt: skip
        said = {name: str(kind).split(" ")[0] for name, kind in SignalRow.__annotations__.items()}
        schema = pa.schema([(name, types[said[name]]) for name in SignalRow.names()])
        return pa.Table.from_pylist(list(map(dict, self.records())), schema)

    def write_csv(self, file: str | Path) -> Path:
        """Write a CSV file with a header: times ISO 8601 with Z, yes and no as true and false, nothing as nothing.

        A text that a spreadsheet would take for a formula begins with an apostrophe.

        Raises:
            InputError: the file cannot be written; what stood there stays.
        """
        with _whole(Path(file)) as target, target.open("w", newline="", encoding="utf-8") as out:
            lines = csv.writer(out, lineterminator="\n")
            lines.writerow(SignalRow.names())
            lines.writerows([_cell(value) for value in row.values()] for row in self.records())
        return Path(file)

    def write_parquet(self, file: str | Path) -> Path:
        """Write a Parquet file. Raises: as `write_csv`."""
        import pyarrow.parquet as pq

        with _whole(Path(file)) as target:
            pq.write_table(self.to_arrow(), target, compression="zstd")
        return Path(file)


def signals_of(app: App, asked: SignalFilter, limit: int | None) -> SignalTable:
    """The newest signals that were asked for."""
    return SignalTable(*app.checks.signals(asked, limit))


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """Where to write what then becomes the file at once; a device or pipe is written to directly."""
    special = file.exists() and not file.is_file()
    part = file if special else file.with_name(f".{file.name}.{uuid4().hex[:8]}")
    try:
        try:
            yield part
            if not special:
                part.replace(file)
        finally:
            if not special:
                part.unlink(missing_ok=True)
    except OSError as error:
        said = f"'{file}' cannot be written: {error.strerror}. Name a file in a folder that is there."
        raise InputError(said) from error


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value) if hasattr(value, "isoformat") else for_spreadsheet(value)
