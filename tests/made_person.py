"""A small deployment in which one person left a word in every field, for tests of what is erased."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from tests.found_bytes import places_of
from trueup.feedback.intake import ingest, ingest_feedback
from trueup.flows.app import App, open_app
from trueup.flows.erase.run import finish_erasures
from trueup.storage.leases import hold

CANARY = "zzyqwxcanary"
PERSON = f"{CANARY} mary"
ROWS, THEIRS = 40, 8  # the person's are the first of each five
SETTINGS = """
[streams.reviews]
id = "id"
time = "at"
text = ["text"]
categorical = ["product"]
user = "user"
on_change = "revise"

[streams.reviews.label]
column = "stars"
classes = {{ negative = "<=2", positive = ">=4" }}

[streams.other]
id = "id"
time = "at"
text = ["text"]

[store]
url = "{url}"
archive = "{archive}"
"""


def rows_of(first: int, until: int) -> pd.DataFrame:
    """Reviews of an hour each; every fifth is the person's."""
    found = []
    for k in range(first, until):
        word = CANARY if k % 5 == 0 else "plain"
        found.append(
            {
                "id": f"{word}-{k}", "at": f"2024-01-{1 + k // 24:02d} {k % 24:02d}:00",
                "text": f"{word} text {k} {word}s", "product": f"{word} product",
                "user": PERSON if word == CANARY else f"user {k}", "note": f"{word} note",
                "stars": "5" if k % 2 else "1",
            }
        )  # fmt: skip
    return pd.DataFrame(found)


ALL = sorted(rows_of(0, ROWS)["id"])
LEFT = sorted(name for name in ALL if CANARY not in name)


def settings(url: str = "", archive: str = "") -> str:
    """The settings, with the store at a URL, and files of rows in an archive elsewhere."""
    return SETTINGS.format(url=url, archive=archive)


def opened(folder: Path) -> App:
    return open_app(folder / "trueup.toml", folder / ".trueup")


def copied(made: Path, folder: Path) -> App:
    """A deployment of its own, which does not know that it is a copy."""
    shutil.copytree(made, folder)
    (folder / ".trueup" / "deployment.json").unlink(missing_ok=True)
    return opened(folder)


def ids(app: App) -> list[str]:
    return sorted(app.reader.read(app.stream("reviews"), as_of=app.now()).meta["id"])


def go_on(app: App) -> None:
    """What the next cycle does first."""
    with hold(app.database, "reviews", clock=app.clock) as lease:
        finish_erasures(app, lease, app.stream("reviews"))


def nothing_is_left(app: App, more: Iterable[str] = ()) -> None:
    """Of the person; of all others everything is."""
    assert ids(app) == sorted((*LEFT, *more))
    app.close()
    assert places_of(CANARY, app.home) == []


def with_a_person(folder: Path, url: str = "", archive: str = "") -> App:
    """Records, a changed record, feedback, refused rows, a report, a mail: all with the word of one person in them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.toml").write_text(settings(url, archive))
    rows_of(0, 25).to_csv(folder / "first.csv", index=False)
    rows_of(25, ROWS).to_csv(folder / "second.csv", index=False)
    rows_of(0, 7).assign(text=lambda rows: rows["text"] + " changed").to_csv(folder / "changed.csv", index=False)
    rows_of(0, 10).assign(text="").to_csv(folder / "bad.csv", index=False)
    (folder / "feedback.csv").write_text(
        "record_id,kind,value,user,at\n"
        f"{CANARY}-0,label,negative,ann,2024-01-20\nplain-1,label,negative,{PERSON},2024-01-20\n"
        f"plain-2,label,negative,ann,2024-01-20\nno-{CANARY},label,negative,{PERSON},2024-01-20\n"
    )
    app = opened(folder)
    stream = app.stream("reviews")
    for name in ("first", "second", "changed", "bad"):
        ingest(app.store, stream, [str(folder / f"{name}.csv")], now=app.now())
    ingest_feedback(app.store, stream, [str(folder / "feedback.csv")], now=app.now())
    shown = json.dumps({"widgets": [{"words": [CANARY, "plain"], "count": 3}]}).encode()
    app.report_files.store("reviews", "0123456789ab", snapshot=gzip.compress(shown))
    rows_of(0, 10)[["text", "stars"]].to_parquet(app.home / "job.parquet")  # such as a trainer is given
    mail = app.home / "mail" / "new" / "1.eml"
    mail.parent.mkdir(parents=True, exist_ok=True)
    mail.write_text(f"Subject: drift\nContent-Type: text/plain\n\nThe words {CANARY} and plain are new.\n")
    return app
