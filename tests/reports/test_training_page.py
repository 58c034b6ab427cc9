"""The page of a training: the chosen candidate stands first, and no text of an outsider is markup."""

from __future__ import annotations

from trueup.reports.pages.training_page import CandidateLine, TrainingFacts, training_page

EVIL = "<img src=https://evil.example/x><script>alert(1)</script>"


def candidate(title: str, value: float | None, blocks: int, *, winner: bool = False) -> CandidateLine:
    return CandidateLine(title=title, value=value, blocks=blocks, seconds=1.5, winner=winner)


def page(metric: str = "f1_macro", *, lower_is_better: bool = False) -> str:
    facts = TrainingFacts(
        title="reviews, retrain of 2024-02-07",
        lead="Macro-F1 0.91 on 169 held-out labelled rows.",
        reasons=(EVIL,),
        links=(("Report", "https://trueup.example.org/r"), ("trueup reports open abc", "")),
        metric=metric,
        lower_is_better=lower_is_better,
        candidates=(
            candidate("dropped early", 0.99, 1), candidate("second", 0.8, 3), candidate("third", 0.7, 3),
            candidate("never fitted", None, 0), candidate("chosen", 0.75, 3, winner=True),
        ),
        pictures=(("Confusion matrix", "data:image/png;base64,AAAA"),),
        lineage={"Snapshot": "5a11", "Commit": ""},
    )  # fmt: skip
    return training_page(facts).decode()


def test_the_chosen_candidate_stands_first_then_those_judged_on_as_much() -> None:
    """A figure of fewer blocks is no better for being higher; errors are better the smaller they are."""
    assert _order(page()) == ["chosen", "second", "third", "dropped early", "never fitted"]
    assert _order(page("mae", lower_is_better=True)) == ["chosen", "third", "second", "dropped early", "never fitted"]


def test_words_stay_words_and_what_is_empty_is_left_out() -> None:
    """A reason with a picture and a script is shown as it was written."""
    shown = page()
    assert "evil.example" in shown
    assert "<img src=https" not in shown
    assert "<script>alert" not in shown
    assert '<a href="https://trueup.example.org/r">Report</a>' in shown
    assert "<code>trueup reports open abc</code>" in shown
    assert "Commit" not in shown


def _order(shown: str) -> list[str]:
    names = ["chosen", "second", "third", "dropped early", "never fitted"]
    return sorted(names, key=lambda name: shown.index(f">{name}"))
