"""Folds judge a trainer's model: each is answered by a training that did not see its labels, and the answers count."""

from __future__ import annotations

import io
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from tests.made_rows import make_rows
from trueup.storage.errors import ModelUnusable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.candidates.recipes import candidates
from trueup.training.evaluation.head_to_head import compare_on_new_rows, fold_of
from trueup.training.models.fitting import fit
from trueup.training.models.out_of_time import held_out_blocks
from trueup.training.models.recency import recent_row_count
from trueup.training.trainers.ending import JobEnd, end_of
from trueup.training.trainers.fold_answers import fold_answers_file, read_fold_answers, returned_by_fold
from trueup.training.trainers.handover import folds_to_withhold, part_of, rows_table
from trueup.training.trainers.program import Ended, program_ended, start_program
from trueup.training.trainers.returned import answers_to_keep, recipe_of

FOLDS_TRAINER = Trainer(command=("train.py",), judged_by="folds")


def _answered(folder: Path, stream: StreamSettings, rows: Rows) -> tuple[dict[int, Path], np.ndarray]:
    """What each fold's training would give back, and each row's chance of the last class."""
    chance = np.random.default_rng(0).random(len(rows))
    first, last = stream.label.classes or ("negative", "positive")
    folds, training = fold_of(rows.meta["group"].to_numpy()), ~rows.meta["evaluation"].to_numpy()
    jobs = {fold: folder / part_of(fold) for fold in folds_to_withhold(rows)}
    for fold, job in jobs.items():
        job.mkdir()
        places = np.flatnonzero(training & (folds == fold))
        own = chance[places]
        table = pd.DataFrame({"row": places, "prediction": np.where(own > 0.5, last, first),
                              f"p_{first}": 1 - own, f"p_{last}": own})  # fmt: skip
        table.sample(frac=1, random_state=0).to_parquet(job / "answers.parquet")
    return jobs, chance


def test_a_fold_is_answered_without_its_labels(tmp_path: Path) -> None:
    """Its labels are null in its rows and those of the other folds are not; its answers are kept by their rows."""
    stream, rows = make_rows(600, 0, window=150)
    classes = tuple(stream.label.classes)
    folds, training = fold_of(rows.meta["group"].to_numpy()), ~rows.meta["evaluation"].to_numpy()
    label = rows_table(stream, rows, 2).column("label").to_pandas()
    assert label[training & (folds == 2)].isna().all()
    assert (label[training & (folds != 2)].notna() == rows.labelled[training & (folds != 2)]).all()
    jobs, chance = _answered(tmp_path, stream, rows)
    given = returned_by_fold(stream, jobs, rows, classes)
    assert len(given) == training.sum()
    again = read_fold_answers(fold_answers_file(given, rows), rows)
    assert again.meta["seq"].tolist() == rows.meta["seq"][training].tolist()
    assert np.allclose(again.meta["score"].to_numpy(dtype=float), chance[training])
    assert (again.meta["predicted"] == given.meta["predicted"]).all()


def test_answers_stay_with_their_records_where_others_are_erased(tmp_path: Path) -> None:
    """Rows of the snapshot move up then; former files that know places only are not read any more."""
    stream, rows = make_rows(600, 0, window=150)
    jobs, chance = _answered(tmp_path, stream, rows)
    kept = fold_answers_file(returned_by_fold(stream, jobs, rows, tuple(stream.label.classes)), rows)
    stays = np.arange(600) % 7 != 2
    left = read_fold_answers(kept, rows.take(stays), whole=False)
    training = ~rows.meta["evaluation"].to_numpy() & stays
    assert left.meta["seq"].tolist() == rows.meta["seq"][training].tolist()
    assert np.allclose(left.meta["score"].to_numpy(dtype=float), chance[training])
    former = io.BytesIO()
    pd.read_parquet(io.BytesIO(kept)).drop(columns="__seq").to_parquet(former)
    assert read_fold_answers(former.getvalue(), rows.take(stays), whole=False) is None
    assert len(read_fold_answers(former.getvalue(), rows)) == (~rows.meta["evaluation"]).sum()


def test_a_models_answers_are_found_by_their_records(tmp_path: Path) -> None:
    """answers.parquet is kept with the places in intake order, in whatever order its rows came."""
    _, rows = make_rows(600, 0, window=150)
    places = np.flatnonzero(rows.meta["evaluation"].to_numpy(dtype=bool))
    sent = pd.DataFrame({"row": places, "prediction": "x", "__seq": "theirs"}).sample(frac=1, random_state=0)
    sent.to_parquet(tmp_path / "answers.parquet")
    kept = pd.read_parquet(io.BytesIO(answers_to_keep(tmp_path, rows)))
    assert kept["__seq"].tolist() == rows.meta["seq"].to_numpy()[kept["row"]].tolist()
    assert kept["row"].tolist() == sent["row"].tolist()


def test_a_row_whose_content_another_fold_holds_is_left_out(tmp_path: Path) -> None:
    """That training learnt from it. A file that answers other rows than its fold's is refused by the fold's name."""
    stream, rows = make_rows(600, 0, window=150)
    twice = rows.with_meta(content=np.arange(600) % 400)
    jobs, _ = _answered(tmp_path, stream, twice)
    given = returned_by_fold(stream, jobs, twice, tuple(stream.label.classes))
    folds, training = fold_of(twice.meta["group"].to_numpy()), ~twice.meta["evaluation"].to_numpy()
    mine = pd.DataFrame({"content": twice.meta["content"], "fold": folds})[training]
    alone = mine.groupby("content")["fold"].nunique() == 1
    assert set(given.meta["content"]) == set(alone.index[alone])
    (jobs[3] / "answers.parquet").write_bytes((jobs[1] / "answers.parquet").read_bytes())
    with pytest.raises(ModelUnusable, match="in fold 3 of the training side"):
        returned_by_fold(stream, jobs, twice, tuple(stream.label.classes))


def test_answers_out_of_fold_judge_beside_the_evaluation_side(tmp_path: Path) -> None:
    """Both sides of the new rows meet the champion, and both are the reference of the metric."""
    stream, rows = make_rows(600, 0, window=150)
    own = next(recipe for recipe in candidates(stream) if recipe.model == "logistic_regression")
    training = ~rows.meta["evaluation"].to_numpy()
    fitted = replace(fit(own, stream, rows.take(training), 0, recent_row_count(stream, rows)),
                     recipe=recipe_of(FOLDS_TRAINER))  # fmt: skip
    jobs, chance = _answered(tmp_path, stream, rows)
    out_of_fold = returned_by_fold(stream, jobs, rows, tuple(stream.label.classes))

    def met(challenger: object) -> object:
        return compare_on_new_rows(
            stream, challenger, lambda asked: asked.with_meta(predicted=asked.meta["label"], score=0.5), rows,
            cut_off=rows.meta["time"][299].to_pydatetime(), known_contents=rows.meta["content"].to_numpy()[:300],
            seed=0,
        )  # fmt: skip

    less, more = met(fitted), met(replace(fitted, out_of_fold=out_of_fold))
    assert less.evaluation.all()
    assert (more.evaluation.sum(), (~more.evaluation).sum()) == (len(less), (training & rows.labelled)[300:].sum())
    by_id = dict(zip(rows.meta["id"], chance, strict=True))
    said = [by_id[one] for one in more.ids[~more.evaluation]]
    assert np.allclose(more.challenger_score[~more.evaluation], said)
    judged = rows.take(~training & rows.labelled).with_meta(predicted="positive", score=0.5)
    past = held_out_blocks(stream, rows, judged, out_of_fold)
    assert len(past.rows) > len(held_out_blocks(stream, rows, judged).rows)
    assert (np.diff(past.blocks) >= 0).all()


def test_the_parts_of_a_job_run_one_after_the_other(tmp_path: Path) -> None:
    """Each in its folder; the first that fails ends the job, and the reason names its fold."""
    code = (
        "import os, sys; job = os.environ['TRUEUP_JOB']; open(os.path.join(job, 'ran'), 'w').close();"
        "sys.exit(3 if job.endswith('-1') else 0)"
    )
    parts = [part_of(fold) for fold in (None, 0, 1, 2)]
    for part in parts:
        (tmp_path / part).mkdir()
    trainer = Trainer(command=(sys.executable, "-c", code), judged_by="folds")
    start_program(tmp_path, trainer, 60, tmp_path, os.environ, parts=parts)
    until = time.monotonic() + 120
    while (ended := program_ended(tmp_path)) is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert [(tmp_path / part / "ran").exists() for part in parts] == [True, True, True, False]
    end, said = end_of(trainer, ended, 1)
    assert end is JobEnd.FAILED
    assert said.endswith("asked without the labels of fold 1, failed (exit status 3).")
    assert end_of(trainer, Ended(75, "", None, part=part_of(1)), 1)[0] is JobEnd.AGAIN


def test_folds_of_a_series_are_refused_by_name() -> None:
    """Neighbours know each other's answer, also where a fold lies between them."""
    with pytest.raises(ValidationError, match="judged_by is 'folds', across which neighbours of a series"):
        StreamSettings(
            name="s", time="at", numeric=("x",), series=True, label={"column": "y"},
            training={"trainer": FOLDS_TRAINER.model_dump()},
        )  # fmt: skip
