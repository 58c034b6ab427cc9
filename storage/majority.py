"""One label of several users: the answer that most of them give, as known at a time. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def majority(
    record: np.ndarray, user: np.ndarray, known_at: np.ndarray, value: np.ndarray, answer: np.ndarray
) -> np.ndarray:
    """Which of n labels stand for their records: at most one a record, as positions.

    Each user's newest label counts, a label without a user by itself. The answer with most of them wins, and its newest
    label stands for it; of numbers the middle one does (the lower of two). A tie says nothing.

    Args:
        record: n integers. user: n texts, "" where nobody is named. known_at: n integers.
        value: n raw labels. answer: the class (str) or number (float) of each, None where it is neither.
    """
    frame = pd.DataFrame({"record": record, "user": user, "known_at": known_at, "answer": answer, "value": value})
    frame["user"] = [name or f"\x1f{k}" for k, name in enumerate(user)]
    frame = frame[frame["answer"].notna()].sort_values(["known_at", "value"], kind="stable")
    frame = frame.drop_duplicates(["record", "user"], keep="last")
    if not len(frame):
        return np.empty(0, dtype=np.int64)
    if isinstance(frame["answer"].iloc[0], float):
        ordered = frame.assign(answer=frame["answer"].astype(float)).sort_values(["record", "answer"], kind="stable")
        rank = ordered.groupby("record").cumcount()
        middle = (ordered.groupby("record")["answer"].transform("size") - 1) // 2
        return np.sort(ordered.index[rank == middle].to_numpy())
    votes = frame.groupby(["record", "answer"], sort=False).size().rename("votes").reset_index()
    most = votes.groupby("record")["votes"].transform("max")
    leading = votes[votes["votes"] == most]
    won = leading[~leading["record"].duplicated(keep=False)]
    winners = frame.reset_index().merge(won[["record", "answer"]], on=["record", "answer"])
    return np.sort(winners.drop_duplicates("record", keep="last")["index"].to_numpy())


def settled(labels: Sequence[np.ndarray], given: Sequence[np.ndarray], answer: np.ndarray) -> list[np.ndarray]:
    """Labels, in which those of feedback are the ones that stand by majority.

    Args:
        labels: record, provenance, raw value and known_at of n labels.
        given: record, user, raw value and known_at of those of them that feedback gave; answer: what each value means.
    """
    others = labels[1] != "feedback"
    record, user, value, known_at = given
    won = majority(record, user, known_at, value, answer)
    standing = (record[won], np.full(len(won), "feedback", object), value[won], known_at[won])
    return [np.concatenate([old[others], new]) for old, new in zip(labels, standing, strict=True)]


def shared_by_users(record: np.ndarray, user: np.ndarray, records: int) -> np.ndarray:
    """Boolean mask of shape (records,): whether a record's labels come from more than one user.

    Args:
        record: n places of records. user: n texts.
    """
    users = pd.DataFrame({"record": record, "user": user}).drop_duplicates()["record"]
    return np.bincount(users.to_numpy(dtype=np.int64), minlength=records) > 1
