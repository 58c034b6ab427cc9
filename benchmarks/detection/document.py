"""docs/detection.md, from the results alone."""

from __future__ import annotations

import json
from pathlib import Path

from scipy.stats import binom

from benchmarks.detection import other_sections
from benchmarks.detection.cells import CURRENTS, REFERENCES
from benchmarks.detection.made import KINDS
from benchmarks.detection.page import Row, by_size, of, pick
from benchmarks.page import short, table

HOLM = 0.05  # over the cells of a table


def document(results: Path) -> str:
    """The page.

    Raises:
        FileNotFoundError: trueup's own experiments were not run.
    """
    lines = (results / "trueup.jsonl").read_text().splitlines()
    cells = [cell for line in lines for cell in json.loads(line)["cells"]]
    file = results / "peers.json"
    peers = json.loads(file.read_text()) if file.exists() else []
    others = [tell(results) for tell in (other_sections.estimated, other_sections.speed, other_sections.replay)]
    parts = [
        HEAD,
        _bounds(cells) + "\n" + "\n".join(f"| {' | '.join(line)} |" for _, told in others for line in told),
        _false_alarms(cells, peers),
        _columns(cells),
        _year(cells),
        _power(cells),
        _kinds(cells, peers),
        *(text for text, _ in others),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


HEAD = """
# Detection

How often healthy records raise an alarm, and how often broken ones do: trueup beside Evidently's defaults, NannyML and
Frouros on the same rows. Made by

```sh
make bench-detection     # the peers' environment, all experiments, this page: some hours on two cores
```

Machine: 2 cores, 24 GiB, Python 3.11, shared with other work; so times are given as ratios within one run. Every
experiment is seeded; they were run one by one on one day, the same rows for all methods. Shares stand with their 95 %
interval (Wilson). What each code measures: [monitoring.md](monitoring.md).

Records are made (`benchmarks/detection/made.py`): four numbers (normal, log-normal, lumpy, heavy-tailed with missing
values), four categories (5, 8 and 200 levels, a flag), a text and a score. Texts are real app reviews, answered by a
TF-IDF logistic regression that was fitted on other reviews. A check judges them all with a budget of 1 %.
"""


def _bounds(cells: list[Row]) -> str:
    """What was required, and what was measured."""
    checks = by_size(pick(cells, table="check", method="trueup"))
    beyond = [c for c in checks if _exceeds(c, 0.01, HOLM / len(checks))]
    rows: list[tuple[str, str, str]] = [
        (
            "false alarm per check at 1 %", "no cell above, Holm over cells",
            f"{of(checks)} pooled; highest cell {short(max(c['hits'] / c['repetitions'] for c in checks))}; "
            f"{len(beyond)} of {len(checks)} cells above",
        ),
    ]
    for name, kind, n, method, bound in ROWS:
        found = by_size(pick(cells, table=name, kind=kind, n_current=n, method=method))
        if found:
            note = f"; {found[0]['note']}" if found[0]["note"].startswith("median") else ""
            rows.append((f"{KINDS[kind].what if name != 'year' else 'a year of weekly checks'}: "
                         f"{method}, n = {n}", bound, of(found) + note))
    for kind, what in (("label_flip", "label flip of 15 %, 300 labels"), ("prior", "class mix alone, 300 labels")):
        for metric in ("accuracy", "f1_macro"):
            found = pick(cells, table="flip", kind=kind, note=metric)
            if found:
                rows.append((f"{what}: {metric}", "≥ .95" if kind == "label_flip" else "≤ its level, .002", of(found)))
    before = pick(cells, table="flip", kind="label_flip", note="before labels")
    if before:
        rows.append(("label flip, judged before labels arrive", "never", of(before)))
    return "## What was required, and what was measured\n\n" + table(("what", "bound", "measured"), rows)


ROWS = (
    ("year", "none", 500, "acted on", "≤ .01"),
    ("year", "none", 500, "any breach", "–"),
    ("year", "shift", 500, "detected", "≥ .98"),
    ("year", "shift", 500, "detected within a week", "median ≤ 1 week"),
    ("numbers", "shift", 500, "trueup", "≥ .66"),
    ("numbers", "scale", 500, "trueup", "≥ .95"),
    ("numbers", "outliers", 500, "trueup", "≥ .95"),
    ("numbers", "humps", 500, "trueup", "≥ .90"),
    ("sentiment", "sentiment", 200, "trueup at .001", "≥ .85"),
    ("sentiment", "sentiment", 300, "trueup at .001", "≥ .95"),
    ("sentiment", "sentiment", 500, "trueup at .001", "≥ .99"),
    ("topic", "topic", 50, "words at .001", "≥ .85"),
    ("topic", "topic", 200, "words at .001", "≥ .99"),
    ("topic", "topic", 1000, "words at .001", "1.0"),
    ("topic", "topic_common", 200, "words at .001", "≥ .35"),
    ("topic", "topic_common", 1000, "words at .001", "1.0"),
    ("flip by the week", "label_flip", 200, "trueup, within six weeks", "≥ .90"),
    ("flip by the week", "label_flip", 200, "trueup, in seven weeks before it", "–"),
)


def _exceeds(cell: Row, level: float, alpha: float) -> bool:
    return bool(binom.sf(cell["hits"] - 1, cell["repetitions"], level) < alpha)


def _false_alarms(cells: list[Row], peers: list[Row]) -> str:
    text = """## False alarms of a check

Share of healthy checks in which anything breaches, at a budget of 1 %. Beside it, the peers at their defaults."""
    grid = [
        [f"**{m}**", *(of(pick(cells, table="check", method="trueup", n_reference=m, n_current=n)) for n in CURRENTS)]
        for m in REFERENCES
    ]
    text += "\n\n" + table(["reference \\ current", *map(str, CURRENTS)], grid)
    acted = pick(cells, table="check", method="trueup, acted on at once")
    counts = [c["repetitions"] for c in by_size(acted)]
    text += f"\n\nActed on at once, all cells: {of(acted)}. A cell holds {min(counts)} to {max(counts)} checks;"
    text += " the command makes 2,000 of each where it is let run to its end."
    healthy = [c for c in peers if c["kind"] == "none"]
    methods = list(dict.fromkeys(c["method"] for c in healthy))
    sizes = sorted({(c["n_reference"], c["n_current"]) for c in healthy}, reverse=True)
    if methods:
        rows = [[name, *(of(pick(healthy, method=name, n_reference=m, n_current=n)) for m, n in sizes)]
                for name in methods]
        text += "\n\n" + table(["peer", *(f"{m} / {n}" for m, n in sizes)], rows)
    return text


def _columns(cells: list[Row]) -> str:
    """Each signal's own level, pooled over sizes, with the lowest and highest cell."""
    found = pick(cells, table="column")
    codes = list(dict.fromkeys(c["method"] for c in found))
    rows = []
    for code in codes:
        line = [f"`{code}`"]
        for level in ("0.05", "0.01"):
            mine = by_size(pick(found, method=code, note=level))
            shares = [c["hits"] / c["repetitions"] for c in mine if c["repetitions"] >= 100]
            spread = f", cells {short(min(shares))}–{short(max(shares))}" if shares else ""
            line.append(of(mine) + spread)
        rows.append(line)
    return """## False alarms of each signal

Share of healthy comparisons with a p-value at or below the level, all pairs of sizes pooled. Below the level where the
data are discrete (few missing values, few repeats) or the test adjusts for hypotheses that cannot be reached (words).

""" + table(("signal", "at 5 %", "at 1 %"), rows)


def _year(cells: list[Row]) -> str:
    return """## A year of weekly checks

52 checks of 500 records against one reference of 5000, ten numeric columns and a score; three columns move by .2
standard deviations in week 20. A breach is acted on at once where it is overwhelming, else when the next check breaches
the same code in the same direction.

""" + table(
        ("what", "share of years", ""),
        [(c["method"], of([c]), c["note"]) for c in by_size(pick(cells, table="year"))],
    )


def _power(cells: list[Row]) -> str:
    text = "## Power of single tests\n\nAt the level .001, reference 5000.\n\n"
    rows = [
        (KINDS[c["kind"]].what, str(c["n_current"]), c["method"], of([c]))
        for table in ("numbers", "sentiment", "topic")
        for c in sorted(pick(cells, table=table), key=lambda c: (c["kind"], c["n_current"], c["method"]))
    ]
    return text + table(("break", "n", "method", "seen"), rows)


def _kinds(cells: list[Row], peers: list[Row]) -> str:
    """Every break, by the whole check and by the peers."""
    text = """## Every break, by a whole check

Reference 5000, current 500. trueup with a budget of 1 % over all signals, the peers at their defaults, which raise an
alarm on healthy records as often as the first line says. "By" names the codes that breached in at least a tenth of the
checks."""
    mine = pick(cells, table="kinds", method="trueup")
    others = [c for c in peers if (c["n_reference"], c["n_current"]) == (5000, 500) and "any" in c["method"]]
    names = list(dict.fromkeys(c["method"] for c in others))
    rows = []
    for cell in mine:
        by = sorted(pick(cells, table="kinds by code", kind=cell["kind"]), key=lambda c: -c["hits"])
        rows.append(
            [
                KINDS[cell["kind"]].what,
                of([cell]),
                of(pick(cells, table="kinds", method="trueup, acted on at once", kind=cell["kind"])),
                ", ".join(f"`{c['method']}`" for c in by if c["hits"] >= 0.1 * c["repetitions"]) or "–",
                *(of(pick(others, method=name, kind=cell["kind"])) for name in names),
            ]
        )
    return text + "\n\n" + table(("break", "trueup", "acted on at once", "by", *names), rows)
