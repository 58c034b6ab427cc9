"""The ready settings of examples/, each on a made file of the shape that it is for."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trueup.feedback.intake import ingest, ingest_feedback
from trueup.feedback.labels import resolve
from trueup.flows.app import App, open_app
from trueup.storage.incoming import Appended
from trueup.storage.rows import Rows

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = datetime(2024, 6, 15, tzinfo=UTC)
AT = [datetime(2024, 5, 3, 10, 11, 12, tzinfo=UTC), datetime(2024, 5, 4, 23, 59, tzinfo=UTC)]
MILLIS = [int(at.timestamp() * 1000) for at in AT]
TEXTS = ["Große Klasse, \"wirklich\"", "stürzt ab;\nimmer"]


@contextmanager
def _opened(example: str, home: Path) -> Iterator[App]:
    app = open_app(EXAMPLES / f"{example}.toml", home / ".trueup")
    try:
        yield app
    finally:
        app.close()


def _rows(app: App, stream: str) -> tuple[Rows, list[Any]]:
    settings = app.stream(stream)
    rows = app.reader.read(settings, as_of=NOW)
    return rows, resolve(settings, rows.meta["label"]).tolist()


def _csv(rows: list[dict[str, Any]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def _play_console() -> bytes:
    def row(k: int, text: str, stars: int, link: str) -> dict[str, Any]:
        return {
            "Package Name": "org.example", "App Version Code": 12, "App Version Name": "1.10",
            "Reviewer Language": "de", "Device": "x", "Review Submit Date and Time": f"{AT[k]:%Y-%m-%dT%H:%M:%SZ}",
            "Review Submit Millis Since Epoch": MILLIS[k], "Review Last Update Date and Time": "",
            "Review Last Update Millis Since Epoch": "", "Star Rating": stars, "Review Title": "", "Review Text": text,
            "Developer Reply Date and Time": "", "Developer Reply Millis Since Epoch": "", "Developer Reply Text": "",
            "Review Link": link,
        }  # fmt: skip

    link = "http://play.google.com/console/developers/app/user-feedback/review-details?reviewId={}&corpus=PUBLIC"
    rows = [row(k, TEXTS[k], [5, 1][k], link.format(k)) for k in (0, 1)]
    return _csv([*rows, row(1, "", 4, "")], "utf-16")


def _app_store() -> bytes:
    def review(k: int) -> dict[str, Any]:
        attributes = {
            "rating": [5, 1][k], "title": "", "body": TEXTS[k], "reviewerNickname": "n", "territory": "DEU",
            "createdDate": ["2024-05-03T03:11:12-07:00", "2024-05-04T16:59:00-07:00"][k],
        }  # fmt: skip
        return {"type": "customerReviews", "id": f"r{k}", "attributes": attributes, "links": {"self": "x"}}

    page = {"data": [review(0), review(1)], "links": {"next": "x"}, "meta": {"paging": {"total": 2, "limit": 50}}}
    return json.dumps(page, indent=1).encode()


def _amazon() -> bytes:
    rows = (
        {
            "rating": [5.0, 1.0][k], "title": "t", "text": TEXTS[k], "images": [], "asin": "B00YQ6X8EO",
            "parent_asin": "B00YQ6X8EO", "user_id": f"U{k}", "timestamp": MILLIS[k], "helpful_vote": 0,
            "verified_purchase": True,
        }
        for k in (0, 1)
    )  # fmt: skip
    return gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())


def _trustpilot() -> bytes:
    def review(k: int) -> dict[str, Any]:
        return {
            "id": f"r{k}", "stars": [5, 1][k], "title": "t", "text": TEXTS[k], "language": "de", "numberOfLikes": 3,
            "createdAt": f"{AT[k]:%Y-%m-%dT%H:%M:%S}.000Z", "consumer": {"id": "c", "displayName": "n"},
            "companyReply": None if k else {"text": "thanks", "createdAt": "2024-05-09T00:00:00Z"}, "links": [],
        }  # fmt: skip

    return json.dumps({"reviews": [review(0), review(1)], "links": []}).encode()


@pytest.mark.parametrize(
    ("example", "stream", "name", "content", "refused"),
    [
        ("play_console", "play", "reviews.csv", _play_console(), 1),
        ("app_store", "app_store", "page1.json", _app_store(), 0),
        ("amazon", "amazon", "reviews.jsonl.gz", _amazon(), 0),
        ("trustpilot", "trustpilot", "page1.json", _trustpilot(), 0),
    ],
)
def test_reviews_are_read_as_they_are_exported(
    example: str, stream: str, name: str, content: bytes, refused: int, tmp_path: Path
) -> None:
    """Every time, text and label is that of the file; a bare rating has no text to learn from, and stays out."""
    (tmp_path / name).write_bytes(content)
    with _opened(example, tmp_path) as app:
        settings = app.stream(stream)
        done = ingest(app.store, settings, [str(tmp_path / name)], now=NOW)
        assert done == Appended(accepted=2, quarantined=refused, labelled=2)
        rows, labels = _rows(app, stream)
        assert labels == ["positive", "negative"]
        assert rows.features[settings.text[-1]].tolist() == TEXTS
        assert [time.to_pydatetime().replace(tzinfo=UTC) for time in rows.meta["time"]] == AT
        assert ingest(app.store, settings, [str(tmp_path / name)], now=NOW).duplicate == 2


def _take_in_reviews(app: App, stream: str, folder: Path) -> None:
    rows = [{"review_id": f"r{k}", "at": f"{AT[k]:%Y-%m-%d %H:%M:%S}", "text": TEXTS[k]} for k in (0, 1)]
    (folder / "records.csv").write_bytes(_csv(rows))
    assert ingest(app.store, app.stream(stream), [str(folder / "records.csv")], now=NOW).accepted == 2


def _label_studio_json() -> bytes:
    def annotation(k: int, user: int, choice: str, *, cancelled: bool = False) -> dict[str, Any]:
        result = {
            "id": "a1", "type": "choices", "value": {"choices": [choice]}, "origin": "manual", "to_name": "text",
            "from_name": "sentiment",
        }  # fmt: skip
        at = f"2024-05-1{user}T08:00:00.123456Z"
        return {
            "id": 10 * k + user, "completed_by": user, "result": [] if cancelled else [result], "ground_truth": False,
            "was_cancelled": cancelled, "created_at": at, "updated_at": at, "lead_time": 3.2, "prediction": {},
        }  # fmt: skip

    said = [
        [annotation(0, 1, "Positive"), annotation(0, 2, "Negative"), annotation(0, 3, "Positive")],
        [annotation(1, 1, "Negative"), annotation(1, 2, "", cancelled=True)],
    ]
    tasks = [
        {
            "id": k + 1, "annotations": said[k], "file_upload": "records.csv", "drafts": [], "predictions": [],
            "data": {"review_id": f"r{k}", "text": TEXTS[k]}, "meta": {}, "created_at": "2024-05-09T08:00:00Z",
            "total_annotations": 3, "cancelled_annotations": k, "project": 1,
        }
        for k in (0, 1)
    ]  # fmt: skip
    return json.dumps(tasks).encode()


def _label_studio_csv() -> bytes:
    given = [(0, 1, "Positive"), (0, 2, "Negative"), (0, 3, "Positive"), (1, 1, "Negative")]
    return _csv([
        {
            "annotation_id": 10 * k + user, "annotator": user, "created_at": f"2024-05-1{user}T08:00:00.123456Z",
            "id": k + 1, "lead_time": 3.2, "review_id": f"r{k}", "sentiment": choice, "text": TEXTS[k],
            "updated_at": f"2024-05-1{user}T08:00:00.123456Z",
        }
        for k, user, choice in given
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("stream", "name", "content"),
    [("reviews", "export.json", _label_studio_json()), ("reviews_csv", "export.csv", _label_studio_csv())],
)
def test_annotations_of_label_studio_become_labels(stream: str, name: str, content: bytes, tmp_path: Path) -> None:
    """Two of three annotators outvote the third, who is told of; from both exports alike."""
    (tmp_path / name).write_bytes(content)
    notes: list[str] = []
    with _opened("label_studio", tmp_path) as app:
        _take_in_reviews(app, stream, tmp_path)
        done = ingest_feedback(
            app.store, app.stream(stream), [str(tmp_path / name)], now=NOW, on_note=notes.append
        )
        assert (done.accepted, done.quarantined) == (4, 0)
        assert _rows(app, stream)[1] == ["positive", "negative"]
    assert "1 records have labels of several users, who differ on 1 of them; the majority counts" in notes


def test_satisfaction_of_zendesk_becomes_labels(tmp_path: Path) -> None:
    """By the ratings' own times; what was offered and not answered is left out and told."""
    tickets = {"tickets": [
        {
            "id": 35436 + k, "created_at": f"{AT[k]:%Y-%m-%dT%H:%M:%SZ}", "updated_at": "2024-06-01T00:00:00Z",
            "subject": "s", "description": TEXTS[k], "status": "closed", "priority": "high", "tags": ["a"],
            "via": {"channel": "email", "source": {"rel": None}}, "satisfaction_rating": {"score": "good", "id": 1},
        }
        for k in (0, 1)
    ], "end_of_stream": True, "count": 2}  # fmt: skip
    given = [(0, "offered"), (0, "good"), (1, "bad"), (1, "unoffered")]
    ratings = {"satisfaction_ratings": [
        {
            "id": k, "ticket_id": 35436 + ticket, "score": score, "requester_id": 7881 + ticket, "comment": None,
            "created_at": "2024-05-05T00:00:00Z", "updated_at": f"2024-05-06T00:00:0{k}Z",
        }
        for k, (ticket, score) in enumerate(given)
    ], "next_page": None}  # fmt: skip
    (tmp_path / "tickets.json").write_text(json.dumps(tickets))
    (tmp_path / "ratings.json").write_text(json.dumps(ratings))
    notes: list[str] = []
    with _opened("zendesk", tmp_path) as app:
        stream = app.stream("tickets")
        assert ingest(app.store, stream, [str(tmp_path / "tickets.json")], now=NOW).accepted == 2
        done = ingest_feedback(app.store, stream, [str(tmp_path / "ratings.json")], now=NOW, on_note=notes.append)
        assert (done.accepted, done.quarantined) == (2, 0)
        rows, labels = _rows(app, "tickets")
    assert labels == ["good", "bad"]
    assert rows.features["via.channel"].tolist() == ["email", "email"]
    assert notes == ["Rows of feedback left out, since they give no label: 2 (cancelled, or an ignored value)"]
