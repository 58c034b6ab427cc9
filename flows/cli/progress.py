"""How far a command is, shown on a terminal while it runs; nothing of what takes less than two seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Protocol

from trueup.flows.cli.session import progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from trueup.flows.cycle.run import Watch
    from trueup.training.search import SearchProgress

PATIENCE = 2.0  # seconds before anything is shown


class Advance(Protocol):
    """Told how much is done, and of how much (0: nobody knows), of a part of the work that has a name."""

    def __call__(self, done: int, total: int, part: str = "") -> None: ...


@contextmanager
def shown(console: Console, title: str) -> Iterator[Watch]:
    """What a cycle or a training tells of itself, as a bar on `console`; nothing where that is no terminal."""
    from rich import progress as bars

    from trueup.flows.cycle.run import Watch

    name = bars.TextColumn("{task.description}", markup=False)
    said = name, bars.BarColumn(), bars.TextColumn("{task.fields[said]}", markup=False)
    bar = bars.Progress(bars.SpinnerColumn(), *said, console=console, transient=True)
    with _once_it_takes_long(bar):
        task = bar.add_task(title, total=None, said="")

        def step(name: str) -> None:
            bar.update(task, description=f"{title}: {name}", total=None, completed=0, said="")

        def candidate(progress: SearchProgress) -> None:
            bar.update(task, total=progress.of, completed=progress.done, said=progress.said)

        yield Watch(on_step=step, on_candidate=candidate)


@contextmanager
def counted(name: str) -> Iterator[Advance]:
    """A bar of what is done; nothing where there is no terminal."""
    console = progress()
    if not console.is_terminal:
        yield lambda done, total, part="": None
        return
    from rich import progress as bars

    said = bars.TextColumn("{task.description}", markup=False), bars.BarColumn(), bars.TextColumn("{task.fields[said]}")
    bar = bars.Progress(*said, bars.TimeRemainingColumn(), console=console, transient=True)
    with _once_it_takes_long(bar):
        task = bar.add_task(name, total=None, said="")

        def moved(done: int, total: int, part: str = "") -> None:
            told = f"{done:,} of {total:,}" if total else f"{done:,}"
            bar.update(task, description=f"{name} {part}".rstrip(), completed=done, total=total or None, said=told)

        yield moved


@contextmanager
def working(name: str) -> Iterator[None]:
    """That a command is at work, and for how long, where nobody knows how far it is; nothing without a terminal."""
    console = progress()
    if not console.is_terminal:
        yield
        return
    from rich import progress as bars

    said = bars.SpinnerColumn(), bars.TextColumn("{task.description}", markup=False), bars.TimeElapsedColumn()
    bar = bars.Progress(*said, console=console, transient=True)
    with _once_it_takes_long(bar):
        bar.add_task(name, total=None)
        yield


@contextmanager
def _once_it_takes_long(bar: Progress) -> Iterator[None]:
    """The bar from then on, gone when the block ends, however it ends."""
    if not bar.console.is_terminal:
        yield
        return
    begin = Timer(PATIENCE, bar.start)
    begin.daemon = True
    begin.start()
    try:
        yield
    finally:
        begin.cancel()
        begin.join()  # it may be drawing the bar just now
        bar.stop()
