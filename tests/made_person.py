"""A small deployment in which one person left a word in every field, for tests of what is erased."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd

from trueup.feedback.intake import ingest, ingest_feedback
from trueup.flows.app import App, open_app

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


def opened(folder: Path) -> App:
    return open_app(folder / "trueup.toml", folder / ".trueup")


def with_a_person(folder: Path, url: str = "") -> App:
    """Records, a changed record, feedback, refused rows, a report, a mail: all with the word of one person in them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.toml").write_text(SETTINGS.format(url=url))
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
