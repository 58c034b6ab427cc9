"""`models verify` says what does not agree between store, MLflow and archive, and survives the loss of any of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.flows.test_commands import Shell
from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion
from trueup.flows.app import App, open_app
from trueup.flows.audit.consistency import RegistryView, StoreView, problems
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.promote.manual import roll_back
from trueup.storage import tables
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState, VersionRecord
from trueup.training.registry.registry import Version

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
ACTS = ("win", "lose", "wait", "killed before the gate", "killed before the alias", "go back", "put back", "outside")
HARMS = (
    "event lost", "version lost", "deleted in MLflow", "alias moved", "alias deleted", "other run", "other snapshot",
    "file damaged", "unknown version",
)  # fmt: skip

# ---- the comparison ----


@dataclass
class Trail:
    """A made history, by the rules that trueup keeps, with what MLflow holds after it."""

    versions: list[int] = field(default_factory=list)
    attempts: list[PromotionAttempt] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)

    def act(self, act: str) -> None:
        """One thing that happens; what is not possible in this state does not."""
        champion = self.aliases.get("champion")
        self.settle()
        if act in ("go back", "outside"):
            others = [number for number in self.versions if number != champion]
            if champion and others:
                self.move(others[0], "rollback" if act == "go back" else "outside")
        elif act == "put back":
            if champion:
                del self.aliases["champion"]
                self.move(champion, "forced")
        else:
            self.train(act)

    def train(self, end: str) -> None:
        new = len(self.versions) + 1
        self.versions.append(new)
        champion = self.aliases.get("champion")
        if champion:
            self.aliases["challenger"] = new
        kind = "challenger" if champion else "first"
        if end == "win":
            self.move(new, kind)
        elif end == "killed before the alias":
            self.write(new, kind, PromotionState.DECIDED)
            if champion:
                self.aliases["previous"] = champion
        elif end != "killed before the gate":
            self.write(new, kind, PromotionState.REFUSED if end == "lose" else PromotionState.HELD)

    def settle(self) -> None:
        for at, attempt in enumerate(self.attempts):
            if attempt.state is PromotionState.DECIDED:
                del self.attempts[at]
                assert attempt.to_version
                self.move(attempt.to_version, attempt.kind)

    def move(self, to: int, kind: str) -> None:
        self.write(to, kind, PromotionState.COMMITTED)
        champion = self.aliases.get("champion")
        if champion and kind != "outside":
            self.aliases["previous"] = champion
        self.aliases["champion"] = to
        if kind != "outside" and self.aliases.get("challenger") == to:
            del self.aliases["challenger"]

    def write(self, to: int, kind: str, state: PromotionState) -> None:
        at = NOON + timedelta(hours=len(self.attempts))
        self.attempts.append(
            PromotionAttempt(
                stream="made", kind=PromotionKind(kind), state=state, from_version=self.aliases.get("champion"),
                to_version=to, as_of=at, at=at, who="me", why="so", codes=(), labels=0, gate={},
            )
        )  # fmt: skip

    @property
    def views(self) -> tuple[StoreView, RegistryView]:
        records = tuple(
            VersionRecord(
                stream="made", version=n, run_id=f"run{n}", cut_off=NOON, trained_as_of=NOON,
                snapshot=f"snapshots/made/a{n}.parquet", reference=f"snapshots/made/b{n}.parquet",
                quality=f"snapshots/made/c{n}.parquet", document={},
            )
            for n in self.versions
        )  # fmt: skip
        registered = tuple(
            Version(number=n, run_id=f"run{n}", created_at=NOON, tags={"snapshot": f"a{n}"}, aliases=())
            for n in self.versions
        )
        return StoreView(records, tuple(self.attempts)), RegistryView(registered, dict(self.aliases))


def made(acts: list[str]) -> Trail:
    trail = Trail()
    for act in ("win", *acts):
        trail.act(act)
    return trail


@given(st.lists(st.sampled_from(ACTS), max_size=12))
def test_whatever_trueup_does_is_in_order(acts: list[str]) -> None:
    """No history that cycles, trainings, people and crashes can leave behind is called broken."""
    assert problems("made", *made(acts).views, {}) == ()


# A champion put back by hand says nothing of the one before it, so what the store lost there cannot be seen.
@given(
    st.lists(st.sampled_from([act for act in ACTS if act != "put back"]), max_size=8),
    st.sampled_from(HARMS),
    st.randoms(use_true_random=False),
)
def test_whatever_is_lost_or_changed_is_said(acts: list[str], harm: str, luck: object) -> None:
    """Any one thing that goes missing or is altered on one side is a problem, whatever came before it."""
    trail = made([*acts, "win", "lose"])
    store, registry = trail.views
    pick = luck.choice  # type: ignore[attr-defined]
    hurt = pick(trail.versions)
    faults = {}
    if harm == "event lost":
        gone = pick(store.committed)
        store = replace(store, attempts=tuple(p for p in store.attempts if p is not gone))
    elif harm == "version lost":
        store = replace(store, versions=tuple(v for v in store.versions if v.version != hurt))
    elif harm == "deleted in MLflow":
        registry = replace(registry, versions=tuple(v for v in registry.versions if v.number != hurt))
    elif harm == "unknown version":
        stranger = replace(registry.versions[0], number=99)
        registry = replace(registry, versions=(*registry.versions, stranger))
    elif harm == "file damaged":
        faults = {f"snapshots/made/{pick('abc')}{hurt}.parquet": "it is damaged."}
    elif harm.startswith("alias"):
        alias = pick(sorted(registry.aliases))
        others = [number for number in trail.versions if number != registry.aliases[alias]]
        kept = {name: number for name, number in registry.aliases.items() if name != alias}
        moved = {alias: pick(others)} if harm == "alias moved" else {}
        registry = replace(registry, aliases=kept | moved)
    else:
        change = {"run_id": "another"} if harm == "other run" else {"tags": {"snapshot": "another"}}
        registry = replace(
            registry,
            versions=tuple(replace(v, **change) if v.number == hurt else v for v in registry.versions),  # type: ignore[arg-type]
        )
    assert problems("made", store, registry, faults)


@pytest.mark.parametrize("lost", ["store", "MLflow"])
def test_an_emptied_side_is_one_sentence(lost: str) -> None:
    """A store or registry that begins anew is named as lost, not each thing that it held."""
    store, registry = made(["lose", "win"]).views
    if lost == "store":
        (said,) = problems("made", StoreView(), registry, {})
    else:
        (said,) = problems("made", store, RegistryView(), {})
    assert "v1, v2, v3" in said
    assert f"{lost} " in said


# ---- on a deployment ----


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment that promoted v2 over v1 and went back."""
    folder = tmp_path_factory.mktemp("verifying")
    app = with_champion(folder, more=ONE_CANDIDATE)
    take_in(app, folder, 2, TRAINED, WEEK, BROKEN)
    assert train_now(app, app.stream("reviews"), TRAINED + WEEK)["promotion"]
    roll_back(app, app.stream("reviews"), None, "worse")
    app.close()
    return folder


@pytest.fixture
def app(sound: Path, tmp_path: Path) -> Iterator[App]:
    """A copy of it, to be damaged."""
    folder = tmp_path / "copy"
    shutil.copytree(sound, folder)
    opened = open_app(folder / "trueup.toml", folder / ".trueup")
    yield opened
    opened.close()


def found(app: App, status: int = 1) -> list[str]:
    """What `models verify` finds."""
    done = Shell(app.home.parent)("models verify -s reviews", status=status).document
    assert done["ok"] == (not done["problems"]) == (status == 0)
    problems: list[str] = done["problems"]
    return problems


def test_a_sound_deployment_is_ok(app: App) -> None:
    """Nothing is found, nothing is changed, and the status is 0."""
    before = app.promotions.history("reviews"), app.registry.versions("reviews")
    assert found(app, status=0) == []
    assert (app.promotions.history("reviews"), app.registry.versions("reviews")) == before


def test_a_version_deleted_in_mlflow_is_named(app: App) -> None:
    """What was gone back from is no longer there, nor is the alias that pointed to it."""
    app.registry.client().delete_model_version("reviews", "2")
    version, alias = found(app)
    assert "no longer holds v2" in version
    assert "`previous` points to none" in alias


def test_an_alias_moved_in_mlflow_is_named_until_it_is_written_down(app: App) -> None:
    """A champion that no event made is said, with the event that the history ends with."""
    app.registry.set_alias("reviews", "champion", 2)
    (said,) = found(app)
    assert "`champion` points to v2" in said
    assert "v2 → v1, rollback" in said


def test_a_champion_that_mlflow_lost_is_named_with_the_way_back(app: App) -> None:
    """Nothing answers, and the command that fixes it is there in full."""
    app.registry.drop_alias("reviews", "champion")
    (said,) = found(app)
    assert "names no champion" in said
    Shell(app.home.parent)(said.split("trueup ")[-1])
    assert found(app, status=0) == []


def test_a_flipped_byte_of_a_snapshot_is_named(app: App) -> None:
    """The file, what it is of, and what to do."""
    record = app.promotions.version("reviews", 1)
    assert record
    path = app.archive.local_path(record.snapshot)
    assert path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (said,) = found(app)
    assert said.startswith("The snapshot of v1 cannot be relied on")
    assert "damaged" in said


def test_an_event_that_the_store_lost_is_named(app: App) -> None:
    """A gap in the chain of champions is seen by its two ends, and MLflow still tells what was in it."""
    with app.database.write() as connection:
        connection.execute(sa.delete(tables.promotions).where(tables.promotions.c.from_version == 1))
    told, gap = found(app)
    assert "MLflow tells of v1 → v2, challenger" in told
    assert "none → v1" in gap
    assert "next v2 → v1" in gap


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("changed", "One side was changed"), ("unreadable", "cannot be read"), ("deleted", "was deleted"),
    ],
)  # fmt: skip
def test_a_version_that_tells_another_story_is_named(app: App, change: str, expected: str) -> None:
    """What a version says in MLflow of how it became champion is compared with the history."""
    event = next(p for p in app.promotions.history("reviews") if p.kind == "rollback")
    name = f"trueup.promotion.{event.id}"
    value = next(v for v in app.registry.versions("reviews") if v.number == 1).tags[name]
    if change == "deleted":
        app.registry.client().delete_model_version_tag("reviews", "1", name)
    else:
        app.registry.set_tag("reviews", 1, name, value.replace("worse", "fine") if change == "changed" else "{")
    assert expected in found(app)[0]


def test_the_history_outlives_the_store(app: App) -> None:
    """With the store lost, MLflow's tags still say who changed the champion, when, why and on what evidence."""
    shell = Shell(app.home.parent)
    before = shell("models history -s reviews").document
    assert {e["source"] for e in before["events"]} == {"store"}
    app.close()
    for file in app.home.glob("trueup.db*"):
        file.unlink()
    after = shell("models history -s reviews").document
    assert {e["source"] for e in after["events"]} == {"mlflow"}
    assert after["champion"] == before["champion"] == 1
    for was, now in zip(before["events"], after["events"], strict=True):
        for key in ("id", "who", "kind", "state", "from_version", "to_version", "why", "at", "as_of", "labels"):
            assert was[key] == now[key], key
        assert [t["value"] for t in was["gate"]["tests"]] == [t["value"] for t in now["gate"]["tests"]]
    versions = {v.number: v.tags["stage"] for v in open_app(app.config, app.home).registry.versions("reviews")}
    assert versions == {1: "champion", 2: "previous"}


@pytest.mark.parametrize("what", ["removed", "damaged"])
def test_the_history_outlives_mlflow(app: App, what: str) -> None:
    """With MLflow lost, the store tells all of it, and that the other side could not be asked."""
    for file in app.home.glob("mlflow.db*"):
        file.unlink()
    if what == "damaged":
        (app.home / "mlflow.db").write_bytes(b"this was a database once" * 100)
    after = Shell(app.home.parent)("models history -s reviews").document
    assert [e["id"] for e in after["events"]] == [p.id for p in app.promotions.history("reviews")]
    assert after["champion"] is None
    assert bool(after["lost"]) == (what == "damaged")


def test_a_champion_that_was_replaced_is_named(app: App) -> None:
    """A model that loads, and answers otherwise than the one that was trained, is none."""
    other = app.registry.client().get_model_version("reviews", "2").source
    with sa.create_engine(app.registry.uri).begin() as mlflow:
        changed = "UPDATE model_versions SET source = :other, storage_location = :other WHERE version = 1"
        mlflow.execute(sa.text(changed), {"other": other})
    (said,) = found(app)
    assert "v1 is not the model that was trained" in said


@pytest.mark.parametrize("what", ["removed", "damaged"])
@pytest.mark.parametrize("side", ["trueup.db", "mlflow.db"])
def test_the_loss_of_a_side_is_said(app: App, side: str, what: str) -> None:
    """A database that is gone, or no database any more, is a sentence that names what is lost."""
    for file in app.home.glob(f"{side}*"):
        file.unlink()
    if what == "damaged":
        (app.home / side).write_bytes(b"this was a database once" * 100)
    said = found(app)[0]
    assert ("store" if side == "trueup.db" else "MLflow") in said
    assert "lost" in said
