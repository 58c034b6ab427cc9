"""How far a command is, shown while it runs: a bar on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trueup.flows.cli.session import progress

if TYPE_CHECKING:
    from rich.console import Console

    from trueup.flows.cycle.run import Watch
    from trueup.training.search import SearchProgress


@contextmanager
def shown(console: Console, title: str) -> Iterator[Watch]:
    """What a cycle or a training tells of itself, as a bar on `console`; nothing where that is no terminal."""
    from rich import progress as bars

    from trueup.flows.cycle.run import Watch

    name = bars.TextColumn("{task.description}", markup=False)
    said = name, bars.BarColumn(), bars.TextColumn("{task.fields[said]}", markup=False)
    with bars.Progress(
        bars.SpinnerColumn(), *said, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=None, said="")

        def step(name: str) -> None:
            bar.update(task, description=f"{title}: {name}", total=None, completed=0, said="")

        def candidate(progress: SearchProgress) -> None:
            bar.update(task, total=progress.of, completed=progress.done, said=progress.said)

        yield Watch(on_step=step, on_candidate=candidate)


@contextmanager
def counted(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of rows done, and of how many, on a terminal; nothing elsewhere."""
    console = progress()
    if not console.is_terminal:
        yield lambda done, total: None
        return
    from rich.progress import Progress

    with Progress(console=console) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
