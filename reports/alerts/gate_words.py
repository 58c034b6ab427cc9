"""Why a challenger was refused, and what it would take, in a sentence."""

from __future__ import annotations

from trueup.reports.alerts.facts import GateLine
from trueup.reports.alerts.plain_figures import about
from trueup.reports.alerts.situation import JudgedChallenger

_FAILED = {
    "GATE-LABELS": "too few labelled records to judge it",
    "GATE-METRIC": "it is not better on new records",
    "GATE-LOSS": "it could be worse than the version that answers",
    "GATE-LINE": "it could be worse than the version that its predecessors began with",
    "GATE-EVALUATION": "it is not better on the evaluation records",
    "GATE-OLDER": "it loses more on older records than it gains on new ones",
    "GATE-CALIBRATION": "its probabilities are less reliable",
    "GATE-CLASSES": "it never gives one of the classes",
    "GATE-SLICE": "it is worse within a slice",
    "GATE-GOLDEN": "it fails records of the golden set",
    "GATE-BEHAVIOUR": "it fails behaviour cases",
    "GATE-LATENCY": "it is too slow",
    "GATE-SIZE": "it is too large",
    "GATE-LOADS": "it could not be loaded, or answers otherwise than where it was trained",
    "GATE-REFIT": "the fit that its figures are of could not be made again",
    "GATE-FEED": "the newest labels look wrong",
    "GATE-UNIT": "a column looks as if its unit changed",
    "DATA-LEAK": "a column tells the label, which is known only later",
}

_DOUBTS = ("GATE-FEED", "GATE-UNIT")  # what speaks against the data and not against the challenger


def refusal(judged: JudgedChallenger | None) -> str:
    """The failing test in words, and what it would take."""
    if judged is None:
        return "it did not pass its tests"
    failed = [test for test in judged.tests if not test.passed]
    better = next((test for test in failed if test.code == "GATE-BETTER"), None)
    others = [test for test in failed if test.code not in ("GATE-BETTER", "GATE-METRIC", *_DOUBTS)]
    doubts = "".join(f"; {_words(test)}" for test in failed if test.code in _DOUBTS)
    if others:
        more = f" and {len(others) - 1} more tests" if len(others) > 1 else ""
        return f"{_words(others[0])}{more}{doubts}{_labels(judged)}"
    if better is not None and better.value is not None and better.bound is not None and better.value > 0.5:
        sure, asked = _apart(better.value, better.bound)
        return f"{sure} sure that it is better, {asked} asked{doubts}{_labels(judged)}"
    than = "the commonest answer" if judged.from_version is None else f"v{judged.from_version}"
    return f"it is not better than {than} on new records{doubts}{_labels(judged)}"


def _words(test: GateLine) -> str:
    known = (words for code, words in _FAILED.items() if test.code == code or test.code.startswith(f"{code}-"))
    return next(known, "") or f"it fails {test.code}"


def _apart(chance: float, bound: float) -> tuple[str, str]:
    """Two chances in percent, with as many digits as it takes to tell them apart."""
    for digits in range(4):
        said = tuple(f"{100 * value:.{digits}f} %" for value in (chance, bound))
        if said[0] != said[1] and "100 %" not in said:
            break
    return said[0], said[1]


def _labels(judged: JudgedChallenger) -> str:
    """How many labels more would tell, where labels are what is missing."""
    found = next((test for test in judged.tests if test.code == "GATE-LABELS"), None)
    if found is None or found.value is None:
        return ""
    wanted = judged.needed if judged.needed else found.bound
    if judged.outcome != "not enough evidence" or not wanted or wanted <= found.value:
        return ""
    return f": {about(wanted - found.value)} more labels, of new records, would tell"
