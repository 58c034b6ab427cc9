"""What erased rows alone held is found as it was written, others' words stay, and a model stays whole however often."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from trueup.storage.erasure.file_bytes import LearntTerms, cleaned_bytes
from trueup.storage.erasure.needles import ERASED, Needles

FOXES = "🦊🦉🦊🦉"


@pytest.mark.parametrize("text", ["👎 value", "“value”", "- at", "(threshold"])
def test_signs_before_a_word_belong_to_the_text(text: str) -> None:
    """A short text that begins with signs is taken out with them; its word alone is everybody's, as in documents."""
    word = text.strip("👎“”(- ")
    document = {word: 0.5, "said": f"longest: '{text}' of 3"}
    assert Needles((), [text]).scrubbed(document) == {word: 0.5, "said": f"longest: '{ERASED}' of 3"}


def test_a_name_of_signs_alone_is_found() -> None:
    """As it is, within a longer cell, and as JSON writes it."""
    needles = Needles((), [FOXES])
    assert needles.scrub(f"'{FOXES} device' 1 %") == f"'{ERASED} device' 1 %"
    assert needles.scrub(json.dumps([FOXES])) == f'["{ERASED}"]'
    assert needles.stand_in(f"\x00{FOXES}".encode())
    assert needles.scrub(same := "🦊 alone") is same


@pytest.mark.parametrize(
    "said", ["zürich", "Émile", "überaus schlechte Anwendung, nie wieder", "🦊 schlechte Anwendung, nie wieder"]
)
def test_letters_that_json_escapes_are_found_in_its_text(said: str) -> None:
    """Words and texts in lines of JSON or a page's data, which can be read as JSON afterwards."""
    needles = Needles([word for word in [said.lower()] if word.isalpha()], [said] if " " in said else ())
    made = needles.scrub(f"var data = {json.dumps({'level': said, 'other': 'ürich'})}")
    left = json.loads(made.removeprefix("var data = "))
    assert left["other"] == "ürich"
    assert left["level"].removeprefix("🦊 ") == ERASED


def test_what_was_erased_before_stays_as_it_reads() -> None:
    """Of a row that an earlier erasure went through, the mark is no word of the person."""
    said = f"levels: {ERASED}, phone"
    assert Needles((), [ERASED]).scrub(said) is said


def test_a_model_keeps_each_entry_of_its_vocabulary_through_many_erasures() -> None:
    """Each entry that goes becomes one of its own: two of one name would be one, and the weights too many."""
    terms = [f"term{k}" for k in range(6)]
    data = _model({"dict": {term: k for k, term in enumerate(terms)}, "listed": json.dumps("\n".join(terms))})
    for some in (terms[:2], terms[2:3], terms[3:5]):
        data = cleaned_bytes(data, "model.skops", Needles((), ()), LearntTerms(frozenset(some)))
    schema = _schema(data)
    listed = json.loads(schema["listed"]).split("\n")
    assert list(schema["dict"].values()) == list(range(6))
    assert len({*listed, *schema["dict"]}) == 2 * 6 - 1  # but for the one that both keep
    assert [term for term in (*schema["dict"], *listed) if term in terms] == ["term5", "term5"]
    assert cleaned_bytes(data, "model.skops", Needles((), ()), LearntTerms(frozenset(terms[:5]))) is data


def test_a_word_of_theirs_stays_a_part_of_others_words() -> None:
    """In a vocabulary of letters `arent` is a part of "parent", which others write: only of words it is theirs."""
    made = {
        kind: {"analyzer": {"content": f'"{kind}"'}, "vocabulary_": json.dumps("arent\nyou")}
        for kind in ("word", "char_wb")
    }
    cleaned = _schema(cleaned_bytes(_model(made), "model.skops", Needles(["arent"], ()), LearntTerms()))
    assert cleaned["char_wb"] == made["char_wb"]
    assert json.loads(cleaned["word"]["vocabulary_"]) == f"({ERASED} 1)\nyou"


def _model(schema: dict[str, object]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as write:
        write.writestr("schema.json", json.dumps(schema))
    return out.getvalue()


def _schema(data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        return json.loads(read.read("schema.json"))
