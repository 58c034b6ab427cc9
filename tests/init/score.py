"""How right `trueup init --from` is on all made shapes, as tables.

    python -m tests.init.score [SHAPE …]     files with what is not right, and the kinds of their columns
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.init.judging import RIGHT, UNDECIDED, WRONG, Score, score
from tests.init.reading import ask_init
from tests.init.shapes import SHAPES


def scores(folder: Path, names: Sequence[str] = ()) -> list[Score]:
    """Each shape (all where none is named) written into a folder of its own, read by init, and scored."""
    done = []
    for maker in [SHAPES[name] for name in names] or SHAPES.values():
        made, own = maker.shape(), folder / maker.name
        own.mkdir()
        path = made.file.write(own, maker.name, [(c.name, c.cells) for c in made.columns])
        done.append(score(maker.name, made, ask_init(path)))
    return done


def kinds_right(done: Sequence[Score]) -> dict[str, tuple[int, int]]:
    """By the kind that is right (the first by name where people would differ): columns said right, and all."""
    counts: dict[str, tuple[int, int]] = {}
    for _, right, said in (one for each in done for one in each.kinds):
        kind = said if said in right else min(right)
        good, of = counts.get(kind, (0, 0))
        counts[kind] = (good + (said in right), of + 1)
    return dict(sorted(counts.items()))


def report(done: Sequence[Score]) -> str:
    """The scores as tables in Markdown: the counts, each file, and the kinds."""
    states, kinds = Counter(one.state for one in done), kinds_right(done)
    good, of = (sum(pair[k] for pair in kinds.values()) for k in (0, 1))
    lines = [f"{len(done)} files: {', '.join(f'{states[s]} {s}' for s in (RIGHT, UNDECIDED, WRONG))}; "
             f"kind right in {good} of {of} columns ({good / max(of, 1):.1%}).", ""]
    lines += ["| file | language | after | outcome | what is not right |", "|---|---|---|---|---|"]
    for one in done:
        maker = SHAPES[one.shape]
        faults = "; ".join(f"{p.question} {p.state}: {p.said}" for p in one.points if p.state != RIGHT)
        lost = f" (left out: {', '.join(one.lost)})" if one.lost else ""
        told = f"{faults}{lost}".replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {one.shape} | {maker.language} | {maker.export.split(':')[0]} | {one.state} | {told} |")
    lines += ["", "| kind | right | columns |", "|---|---|---|"]
    lines += [f"| {kind} | {right} | {all_of} |" for kind, (right, all_of) in kinds.items()]
    lines += ["", *(f"- {one.shape}: '{name}' is {' or '.join(sorted(right))}, not {said}"
                    for one in done for name, right, said in one.kinds if said not in right)]
    return "\n".join(lines)


if __name__ == "__main__":
    import sys
    import tempfile

    with tempfile.TemporaryDirectory() as made_here:
        print(report(scores(Path(made_here), sys.argv[1:])))
