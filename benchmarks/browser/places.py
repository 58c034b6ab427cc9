"""The pages that are driven: a small deployment with hostile text, its site, what it serves, its single files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import trueup
from benchmarks.alerts.scenes import Scene
from benchmarks.browser.visits import HIT, Place
from trueup.flows.app import open_app
from trueup.flows.cycle.strategies import PRODUCTION
from trueup.flows.demo.reviews import HEALTHY, Regime
from trueup.flows.demo.run import run_demo
from trueup.flows.serve.pages.server import served_pages
from trueup.flows.site import layout

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from trueup import Deployment
    from trueup.stored_comparisons import StoredComparison

BREAK = Regime(topic_shift=0.3, vocabulary_shift=0.6, dirt=0.02)
WEEKS = (HEALTHY, HEALTHY, BREAK, BREAK, HEALTHY)
PERIODS = ("2024-W06", "2024-W08")  # before and after the break
PLOTS = "plots"  # a page of Evidently's own
HOSTILE = (
    f"<script>window.{HIT}=1</script>",
    f"</script><script>window.{HIT}=1</script>",
    f'"><img src=x onerror="window.{HIT}=1">',
    f"<a href='javascript:window.{HIT}=1'>link</a> ![picture](https://pictures.example/x.png)",
    "\u202egnirts\u202c zero\u200bwidth \x1b[31mred",
    "=HYPERLINK(1)",
    "w" * 3_000,
)


def hostile(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with hostile text in some of their texts and products."""
    rows = rows.copy()
    for place, said in enumerate(HOSTILE):
        of_it = rows.index % (4 * len(HOSTILE)) == place
        rows.loc[of_it, "text"] = said + " " + rows.loc[of_it, "text"].astype(str)
    rows.loc[rows.index % 9 == 0, "product"] = HOSTILE[0]
    return rows


@contextmanager
def made_places(folder: Path) -> Iterator[list[Place]]:
    """The pages of a stream that broke, was retrained and got well, while its deployment is there."""
    scene = Scene(folder, strategies=PRODUCTION)  # reports are kept, as a replay keeps none
    for regime in WEEKS:
        scene.week(regime, hostile)
    scene.close()
    settings, home = folder / "trueup.toml", folder / ".trueup"
    with trueup.open(settings, home=home) as deployment, closing(open_app(settings, home)) as app:
        site = folder / "site"
        periods = deployment.stream("reviews").reports.compare_periods(*PERIODS)
        deployment.site.build(to=str(site))
        with served_pages(app, 0) as address:
            yield [*_of_site(site), *_served(address, site), *_single_files(deployment, folder, periods)]


def _of_site(site: Path) -> Iterator[Place]:
    """One page of each kind; of those that have many, the one with most on it."""
    for path in _one_of_each(site):
        kind = _kind_of(path)
        yield Place(f"site-{kind}", (site / path).as_uri(), ours=kind != PLOTS)


def _served(address: str, site: Path) -> Iterator[Place]:
    for path in _one_of_each(site):
        kind = _kind_of(path)
        yield Place(f"served-{kind}", f"{address}/{path}", ours=kind != PLOTS)
    trying = f"{address}/{layout.page_of_trying('reviews')}"
    yield Place("try-empty", trying)
    for name, said in (("review", "the battery died after a week, awful"), ("hostile", " ".join(HOSTILE))):
        yield Place(f"try-{name}", trying, _asking(said))


def _asking(said: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.locator("textarea").first.fill(said)
        page.locator("form button").first.click()
        page.wait_for_load_state("load")

    return act


def _single_files(deployment: Deployment, folder: Path, periods: StoredComparison) -> Iterator[Place]:
    reviews = deployment.stream("reviews")
    reports = reviews.reports.list()
    breached = next(report for report in reports if report.breached and report.path)
    written, _ = breached.export(folder)
    yield Place("report-file", written.as_uri())
    compared, _ = periods.export(folder)
    yield Place("periods-file", compared.as_uri())
    differing = reviews.data.diff(*PERIODS).write(folder / "diff.html")
    yield Place("diff-file", differing.as_uri())
    replayed = reviews.replay(str(folder / "rows-1.csv"), start="2024-01-16", every=200)
    yield Place("replay", Path(replayed.page).as_uri())


def _one_of_each(site: Path) -> list[str]:
    found: dict[str, Path] = {}
    for file in sorted(site.rglob("*.html")):
        kind = _kind_of(str(file.relative_to(site)))
        if kind not in found or file.stat().st_size > found[kind].stat().st_size:
            found[kind] = file
    return [str(file.relative_to(site)) for file in found.values()]


def _kind_of(path: str) -> str:
    """`reviews/checks/a1.html` is a check, `index.html` the overview."""
    parts = path.removesuffix(".html").split("/")
    if len(parts) == 1:
        return "overview"
    if len(parts) == 3:
        return PLOTS if parts[2].endswith("-evidently") else parts[1].removesuffix("s")
    return "stream" if parts[1] == "index" else "month" if parts[1][:1].isdigit() else parts[1]


@contextmanager
def readme_places(folder: Path) -> Iterator[list[Place]]:
    """The pages of the demo that the README shows."""
    with redirect_stdout(StringIO()):
        run_demo(folder, as_json=True)
    site = folder / "site"
    with trueup.open(folder / "trueup.toml", home=folder / ".trueup") as deployment:
        deployment.site.build(to=str(site))
    checks = [path for path in _one_of_each(site) if _kind_of(path) == "check"]
    shown = {"overview": "index.html", "stream": layout.page_of_stream("reviews"), "check": checks[0]}
    yield [Place(name, (site / path).as_uri()) for name, path in shown.items()]
