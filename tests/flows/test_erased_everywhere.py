"""A person's data is erased: no byte of it stays in reach, nothing of it comes in again, the trail says who did it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import trueup
from tests.found_bytes import places_of
from tests.made_deployments import BROKEN, HISTORY, ONE_CANDIDATE, SETTINGS, START, TRAINED, WEEK, WINDOW
from tests.made_person import CANARY, PERSON, with_a_person
from trueup.flows.demo.reviews import HEALTHY, make_reviews

PATIENT = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240"}
MORE = ONE_CANDIDATE + '\n[site]\nto = "{site}"\n'


def with_person(frame: pd.DataFrame, every: int) -> pd.DataFrame:
    """Reviews of which some are one person's, who leaves the word in every field."""
    frame = frame.assign(note="nothing", stars=frame["stars"].astype(str))
    theirs = frame.index % every == 3
    for column in ("product", "note", "user"):
        frame.loc[theirs, column] = f"{CANARY} {column}"
    frame.loc[theirs, "text"] = [f"{CANARY} {text} {CANARY}s" for text in frame.loc[theirs, "text"]]
    frame.loc[theirs, "review_id"] = [f"{CANARY}-{name}" for name in frame.loc[theirs, "review_id"]]
    some = frame.index[theirs][::2]
    frame.loc[some, "stars"] = f"{CANARY} stars"  # the label, and a number as text: of no class
    return frame


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with a champion, a cycle that retrained and mailed, feedback, refused rows, a site and pages."""
    folder = tmp_path_factory.mktemp("lived")
    settings = SETTINGS.format(window=WINDOW).replace('text = ["text"]', 'text = ["text"]\ncategorical = ["product"]')
    settings = settings.replace('time = "at"', 'time = "at"\nuser = "user"')
    (folder / "trueup.toml").write_text(settings + MORE.format(site=folder / ".trueup" / "site"))
    history = with_person(make_reviews(1, START, (TRAINED - START).days, HISTORY, HEALTHY), 40)
    week = with_person(make_reviews(2, TRAINED, WEEK.days, WINDOW, BROKEN), 8)
    history.to_csv(folder / "history.csv", index=False)
    week.to_csv(folder / "week.csv", index=False)
    theirs = history["review_id"][3]
    (folder / "feedback.csv").write_text(
        f"record_id,kind,value,user,at\n{theirs},label,negative,{CANARY} user,2024-01-20\n"
        f"{history['review_id'][0]},label,negative,{CANARY} user,2024-01-20\n"
        f"no-{CANARY},label,negative,{CANARY} user,2024-01-20\n"
        f"{history['review_id'][1]},label,{CANARY} value,{CANARY} user,2024-01-20\n"
        f"{history['review_id'][2]},{CANARY} kind,negative,{CANARY} user,{CANARY} at\n"
    )
    (folder / "bad.csv").write_text(
        f"review_id,at,text,stars,product,user\nx{CANARY},2024-02-01,,5,p,{CANARY} user\n"
        f"y{CANARY},{CANARY} at,{CANARY} text,{CANARY} stars,{CANARY} product,{CANARY} user\n"
        f"{CANARY} user,too,many,cells,for,a,row,{CANARY} user\n"
    )
    with trueup.open(folder / "trueup.toml") as deployment:
        stream = deployment.stream()
        stream.ingest(folder / "history.csv")
        stream.train(as_of=TRAINED)
        stream.ingest(folder / "week.csv", folder / "bad.csv")
        stream.feedback(folder / "feedback.csv")
        assert len(stream.quarantine.list()) == 6
        cycle = stream.cycle(as_of=TRAINED + WEEK)
        assert cycle.action == "retrain"
        deployment.reports.export_workspace(folder / ".trueup" / "workspace")
        stream.reports.compare_periods("2024-01-02..2024-01-29", "2024-02-01..2024-02-06")
    return folder


def test_a_canary_in_every_field_is_gone_from_every_byte(lived: Path) -> None:
    """Home, archive, MLflow, mails, site and workspace held it, packed and not; after erasing no byte does."""
    before = places_of(CANARY, lived)
    kinds = ("trueup.db", "archive/records", "archive/snapshots", "archive/reports", "mail/", "mlflow/", "mlflow.db",
             "site/", "model.skops", "workspace/")  # fmt: skip
    assert {kind for kind in kinds if any(kind in place for place in before)} == set(kinds)
    with trueup.open(lived / "trueup.toml") as deployment:
        stream = deployment.stream()
        done = stream.erase(user=f"{CANARY} user", why="request 4711")
        assert done.erased, done.document
        assert (done.rows, done.versions) == (HISTORY // 40 + WINDOW // 8, (1, 2))
        assert places_of(CANARY, lived) == []
        found = stream.models.verify()
        assert found.ok, found.problems
        assert [note.split()[2] for note in found.erased] == ["v2", "v1"]
        assert "were erased since" in stream.reproduce(1).said
        (event,) = [e for e in stream.history().events if e["kind"] == "erasure"]
        assert event["why"] == "request 4711"
        assert event["who"] == stream._app.who
        assert stream.check(as_of=TRAINED + WEEK).signals
        assert stream.export(lived / "out").files[0]["rows"] == HISTORY + WINDOW - done.rows


def test_what_prefect_keeps_is_cleaned_as_well(tmp_path: Path) -> None:
    """Logs, parameters and artifacts of runs, in its own database below the home folder."""
    with_a_person(tmp_path / "one").close()
    home = tmp_path / "one" / ".trueup"
    ran = f"""
from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact

@flow(name="cycle", persist_result=False)
def told(words: str) -> None:
    get_run_logger().warning("new words: %s", words)
    create_markdown_artifact(f"New words: {{words}}", key="cycle")

told("{PERSON}")
"""
    variables = {**os.environ, "PREFECT_HOME": str(home / "prefect"), **PATIENT}
    variables.pop("PREFECT_API_URL", None)
    done = subprocess.run([sys.executable, "-c", ran], env=variables, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert any("prefect/prefect.db" in place for place in places_of(CANARY, home))
    with trueup.open(tmp_path / "one" / "trueup.toml") as deployment:
        assert deployment.stream("reviews").erase(user=PERSON, why="request").erased
    assert places_of(CANARY, home) == []
