"""Data taken out again: whole, in a layout that others read, batch by batch, and obeyed by no spreadsheet."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import trueup
from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion
from trueup.flows.demo.reviews import HEALTHY
from trueup.storage.escaping import for_spreadsheet
from trueup.storage.export import exported_batches, layout
from trueup.storage.export.exported_files import _cells
from trueup.storage.stream import StreamSettings

START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = """
[streams.r]
id = "id"
time = "at"
text = ["text"]
numeric = ["price"]
on_change = "revise"
label = { column = "stars", classes = { bad = "<=2", good = ">=4" } }
"""
HEAD = "id,at,text,price,stars,=note\n"
READER = """
import sys, duckdb, pandas as pd, pyarrow.parquet as pq
folder = sys.argv[1]
for name in ("records", "labels", "predictions", "checks", "signals"):
    file = f"{folder}/{name}.parquet"
    table = pq.read_table(file)
    assert len(pd.read_parquet(file)) == len(table) == duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall()[0][0] > 0
    print(name, len(table))
joined = duckdb.sql(f'''SELECT r.__label, p.predicted, count(*) FROM '{folder}/records.parquet' r
    JOIN '{folder}/predictions.parquet' p ON p.id = r.__id GROUP BY ALL''').fetchall()
assert {label for label, _, _ in joined} >= {"negative", "positive"}
assert "trueup" not in sys.modules
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with a champion, and a cycle that scored and checked a week."""
    folder = tmp_path_factory.mktemp("exported")
    app = with_champion(folder, more=ONE_CANDIDATE)
    take_in(app, folder, 2, TRAINED, WEEK, HEALTHY)
    app.close()
    with trueup.open(folder / "trueup.toml") as opened:
        opened.stream().cycle(as_of=TRAINED + WEEK)
    return folder


def small(folder: Path, rows: str) -> trueup.Stream:
    (folder / "trueup.toml").write_text(SETTINGS)
    (folder / "rows.csv").write_text(HEAD + rows)
    stream = trueup.open(folder / "trueup.toml").stream()
    assert stream.ingest(folder / "rows.csv").quarantined == 0
    return stream


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def test_others_read_what_is_exported(deployment: Path, tmp_path: Path) -> None:
    """pandas, DuckDB and PyArrow read every file in a process that does not know trueup."""
    with trueup.open(deployment / "trueup.toml") as opened:
        done = opened.stream().export(tmp_path / "out")
    script = tmp_path / "reader.py"
    script.write_text(READER)
    read = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "out")], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert read.returncode == 0, read.stderr
    assert read.stdout.splitlines() == [f"{one['what']} {one['rows']}" for one in done.files]
    told = json.loads((tmp_path / "out" / "export.json").read_text())
    assert told["files"] == [dict(one) for one in done.files]


def test_labels_are_those_that_a_check_reads(deployment: Path, tmp_path: Path) -> None:
    """Each record of a span once, with the label, answer and signals that the store's own readers give."""
    with trueup.open(deployment / "trueup.toml") as opened:
        stream = opened.stream()
        out = stream.export(tmp_path / "out", since=TRAINED.isoformat(), until=TRAINED + WEEK).folder
        app, settings = stream._app, stream.settings
        rows = app.reader.read(settings, as_of=TRAINED + WEEK, after=TRAINED, version=1)
        signals = stream.signals().to_frame()
    records = pd.read_parquet(out / "records.parquet").set_index("__id").loc[list(rows.meta["id"])]
    assert list(records["text"]) == list(rows.features["text"])
    assert list(records["__label_given"].isna()) == list(rows.meta["label"].isna())
    assert set(records["__label"].dropna()) == {"negative", "positive"}
    assert list(records["__side"] == "evaluation") == list(rows.meta["evaluation"])
    answers = pd.read_parquet(out / "predictions.parquet").set_index("id").loc[list(rows.meta["id"])]
    assert list(answers["predicted"]) == list(rows.meta["predicted"])
    exported = pd.read_parquet(out / "signals.parquet")
    assert sorted(exported["code"]) == sorted(signals["code"])
    checks = pd.read_parquet(out / "checks.parquet")
    assert set(checks["report_id"]) == set(signals["report_id"])


def test_batches_make_no_difference(deployment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records are looked at together, the files hold the same rows in the same order."""
    with trueup.open(deployment / "trueup.toml") as opened:
        whole = opened.stream().export(tmp_path / "whole").folder
        monkeypatch.setattr(exported_batches, "_AT_ONCE", 1)
        told = list[int]()

        def looked_at(kind: str, done: int, total: int) -> None:
            if kind == "records":
                told.append(done)

        parts = opened.stream().export(tmp_path / "parts", on_rows=looked_at).folder
    assert told == sorted(set(told))  # it goes forward, and begins once
    for kind in layout.KINDS:
        one, other = (pq.read_table(folder / f"{kind}.parquet") for folder in (whole, parts))
        assert one.equals(other), kind


def test_a_cell_is_no_formula_and_a_change_is_the_record(tmp_path: Path) -> None:
    """CSV is defused, its header too; of a changed record the newest says what is exported; numbers stay numbers."""
    stream = small(tmp_path, 'a,2024-01-01,=1+1,-2.5,5,@x\nb,2024-01-02,plain,,1,"+1"\nc,2024-01-03,x,7,3,\n')
    (tmp_path / "more.csv").write_text(HEAD.replace("=note", "other") + "a,2024-01-01,-changed,3,1,new\n")
    assert stream.ingest(tmp_path / "more.csv").revised == 1
    out = stream.export(tmp_path / "out", "records", csv=True).folder
    with (out / "records.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["__id"]: row for row in csv.DictReader(file)}
    assert [rows[k]["text"] for k in "abc"] == ["'-changed", "plain", "x"]
    assert [rows[k]["price"] for k in "abc"] == ["3", "", "7"]
    assert [rows[k]["__label"] for k in "abc"] == ["bad", "bad", ""]
    assert [rows[k]["'=note"] for k in "abc"] == ["", "'+1", ""]
    assert rows["b"]["__time"] == "2024-01-02T23:59:59.999999Z"
    typed = pq.read_table(stream.export(tmp_path / "typed", "records").folder / "records.parquet")
    assert typed.schema.equals(layout.records_layout(stream.settings, ["id", "at", "stars", "=note"]))
    assert typed["text"].to_pylist() == ["-changed", "plain", "x"]


@pytest.mark.parametrize("before", ["", "  ", "\u00a0", "\ufeff", "\u200b", "\x0b", "\n", " \t"])
@pytest.mark.parametrize("sign", [*"=+-@＝＋－＠"])
def test_no_sign_of_a_formula_hides_behind_blanks(before: str, sign: str) -> None:
    """Spreadsheets drop blanks and marks before a sign, and read its wide form; Arrow's cells are Python's."""
    text = f"{before}{sign}1"
    assert _cells(pa.chunked_array([[text, f"a{text}", None]])).to_pylist() == [f"'{text}", f"a{text}", None]
    assert for_spreadsheet(text) == f"'{text}"


def test_the_label_that_counts_beside_all_that_were_given(tmp_path: Path) -> None:
    """Feedback overrides the record's own label; both stand among the labels, with who gave it."""
    stream = small(tmp_path, "a,2024-01-01,x,1,5,\n")
    (tmp_path / "f.csv").write_text("record_id,kind,value,user,at\na,label,bad,mary@example.org,2024-01-05\n")
    assert stream.feedback(tmp_path / "f.csv").accepted == 1
    out = stream.export(tmp_path / "out", mask=True).folder
    record = pq.read_table(out / "records.parquet").to_pylist()[0]
    assert (record["__label"], record["__label_by"]) == ("bad", "feedback")
    labels = pq.read_table(out / "labels.parquet").to_pylist()
    assert sorted((row["by"], row["label"], row["user"]) for row in labels) == [
        ("feedback", "bad", "[account]"), ("record", "good", None),
    ]  # fmt: skip
    before = stream.export(tmp_path / "before", until="2024-01-04").folder
    assert pq.read_table(before / "records.parquet")["__label"].to_pylist() == ["good"]


def test_masked_texts_keep_ids_times_and_labels(tmp_path: Path) -> None:
    """Addresses and long numbers of texts and undeclared columns go; what a record is named by stays."""
    stream = small(tmp_path, "12345678901,2024-01-01,mail me@example.org or 0171 2345678,1,5,@someone\n")
    out = stream.export(tmp_path / "out", "records", mask=True).folder
    record = pq.read_table(out / "records.parquet").to_pylist()[0]
    assert record["text"] == "mail [address] or [number]"
    assert (record["__id"], record["id"], record["stars"]) == ("12345678901", "12345678901", "5")
    assert record["=note"] == "[account]"


def test_a_masked_record_names_no_user(tmp_path: Path) -> None:
    """The declared user is masked as the user of feedback is, whatever it looks like; one that is missing stays so."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.replace('id = "id"', 'id = "id"\nuser = "by"'))
    stream = trueup.open(tmp_path / "trueup.toml").stream()
    (tmp_path / "more.csv").write_text("id,at,text,price,stars,by\na,2024-01-01,x,1,5,mary\nb,2024-01-01,y,1,5,\n")
    assert stream.ingest(tmp_path / "more.csv").accepted == 2
    records = pq.read_table(stream.export(tmp_path / "out", "records", mask=True).folder / "records.parquet")
    assert records["by"].to_pylist() == ["[account]", None]
    plain = pq.read_table(stream.export(tmp_path / "plain", "records").folder / "records.parquet")
    assert plain["by"].to_pylist() == ["mary", None]


def test_what_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken folder, a kind that there is not, a failure half-way: said, and no file stays."""
    stream = small(tmp_path, "a,2024-01-01,x,1,5,\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(trueup.InputError, match="is there already"):
        stream.export(tmp_path)
    with pytest.raises(trueup.InputError, match="cannot be exported"):
        stream.export(tmp_path / "out", "secrets")
    with pytest.raises(trueup.UsageError, match=r"^--until '2999-01-01' is in the future\. Use"):
        stream.export(tmp_path / "out", until="2999-01-01")
    monkeypatch.setattr(exported_batches.StoredBatches, "_labelled", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stream.export(tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("harm", "said"), [(Path.unlink, "The archive lacks 'records/r/"), (_cut, "archive is damaged")]
)
def test_a_file_of_the_archive_that_is_gone_is_named_as_such(
    tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    """Where the store was restored without its archive: the place that is written to is not to blame."""
    stream = small(tmp_path, "a,2024-01-01,x,1,5,\n")
    for file in (tmp_path / ".trueup" / "archive" / "records").rglob("*.parquet"):
        harm(file)
    with pytest.raises(trueup.StoreUnusable, match=said):
        stream.export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", [".trueup/out", ".trueup/archive/records/r/out", "s3://bucket/out"])
def test_only_a_folder_outside_of_the_deployment_is_written(tmp_path: Path, place: str) -> None:
    """Files within would be taken for the deployment's own, and a bucket's name would become a folder's."""
    stream = small(tmp_path, "a,2024-01-01,x,1,5,\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(trueup.InputError, match=r"Nothing was written\. Name a"):
        stream.export(place if "://" in place else tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_span_that_ends_before_it_begins_is_refused_and_a_kind_is_written_once(tmp_path: Path) -> None:
    """Nothing found would look like a stream without records."""
    stream = small(tmp_path, "a,2024-01-01,x,1,5,\n")
    with pytest.raises(trueup.InputError, match="2024-03-01 00:00 UTC is after 2024-02-01 23:59 UTC"):
        stream.export(tmp_path / "out", since="2024-03-01", until="2024-02-01")
    done = stream.export(tmp_path / "out", "records", "records")
    assert [(one["what"], one["rows"]) for one in done.files] == [("records", 1)]


def test_the_docs_name_every_column() -> None:
    """docs/data.md lists the columns of each file in their order, and says the types."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    stream = StreamSettings(name="s", time="at", text=("text",))
    said = {
        "records": list(layout.OWN_COLUMNS), "labels": layout.labels_layout(stream).names,
        "predictions": layout.predictions_layout(stream).names, "checks": layout.CHECKS.names,
    }  # fmt: skip
    for kind, names in said.items():
        part = page.split(f"`{kind}.parquet`:", 1)[1].split("`:", 1)[0]
        first = [cell for line in part.splitlines() if line.startswith("| `") for cell in [line.split("|")[1]]]
        assert re.findall(r"`(\w+)`", " ".join(first)) == names, kind


@pytest.mark.slow
def test_memory_does_not_grow_with_the_store(tmp_path: Path) -> None:
    """Four times as many records cost no more at the peak."""
    peaks = [_peak(tmp_path / str(batches), batches) for batches in (5, 20)]
    assert peaks[1] < 1.2 * peaks[0], peaks


def _peak(folder: Path, batches: int) -> int:
    """The peak memory of an export, MB, in a process of its own."""
    folder.mkdir()
    (folder / "trueup.toml").write_text(SETTINGS)
    with trueup.open(folder / "trueup.toml") as opened:
        for k in range(batches):
            at = START + timedelta(days=k) + np.arange(20_000) * timedelta(seconds=1)
            ids = np.arange(20_000) + k * 20_000
            frame = pd.DataFrame({"id": ids.astype(str), "at": at, "text": "some words of a review", "stars": 5})
            opened.stream().ingest(frame.assign(price=1.0))
    code = (
        "import resource, sys, trueup; s = trueup.open(sys.argv[1]).stream(); s.export(sys.argv[2]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "trueup.toml"), str(folder / "out")], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return int(done.stdout)
