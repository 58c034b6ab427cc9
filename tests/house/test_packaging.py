"""What is installed: two names, whole, by wheel, sdist and editable install; and whose names it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.made_deployments import SETTINGS, START, TRAINED
from trueup.flows.demo.reviews import HEALTHY, make_reviews

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("storage", "feedback", "monitoring", "training", "reports", "flows")
SERVING = ROOT / "training" / "serving"
NOT_SOURCE = (".*", "build", "*.egg-info", "__pycache__", "results")


def _packages() -> dict[str, str]:
    """Each package that pyproject.toml names, with its folder."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert sorted(settings["packages"]) == sorted(settings["package-dir"])
    return dict(settings["package-dir"])


def test_every_folder_of_code_is_a_package() -> None:
    """pyproject.toml lists the folders that hold Python, each under the name that its place gives it."""
    expected = {"trueup": "trueup", "trueup_model": "training/serving"}
    for room in ROOMS:
        for folder in {file.parent for file in (ROOT / room).rglob("*.py")} - {SERVING}:
            place = folder.relative_to(ROOT).as_posix()
            expected[f"trueup.{place.replace('/', '.')}"] = place
    assert _packages() == expected


def test_the_rooms_have_no_names_of_their_own(tmp_path: Path) -> None:
    """Outside the checkout none of them can be imported by its bare name, from an editable install either."""
    for room in ROOMS:
        done = _python(sys.executable, f"import {room}", tmp_path)
        assert f"No module named '{room}'" in done.stderr, room


def _python(interpreter: str | Path, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return _run([str(interpreter), "-c", code], folder)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRUEUP_")}
    guard = os.environ.get("PYTHONPATH", "")  # the guard of conftest.py and nothing else
    assert str(ROOT) not in [part.rstrip("/") for part in guard.split(os.pathsep)]
    network = {"TRUEUP_TEST_NETWORK_LOG": os.environ["TRUEUP_TEST_NETWORK_LOG"]}
    return subprocess.run(
        command, cwd=folder, env=environment | network, capture_output=True, text=True, check=False, timeout=1800
    )


@dataclass(frozen=True)
class Built:
    """The wheel and the sdist, as pip and setuptools make them of a clean copy of the sources."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    pytest.importorskip("setuptools", minversion="77", reason="what builds the wheel without the network")
    copy = tmp_path_factory.mktemp("sources") / "trueup"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    out = tmp_path_factory.mktemp("built")
    done = _python(sys.executable, f"from setuptools.build_meta import build_sdist; build_sdist({str(out)!r})", copy)
    assert done.returncode == 0, done.stderr
    return Built(_wheel_of(copy, out), next(out.glob("*.tar.gz")))


def _wheel_of(sources: Path, out: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index"]
    done = _run([*pip, "--wheel-dir", str(out)], sources)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def _contents(wheel: Path) -> dict[str, bytes]:
    """Each file of a wheel, but for what pip writes about it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


@pytest.mark.slow
def test_the_wheel_holds_two_names_and_every_file(built: Built) -> None:
    """`trueup` and `trueup_model`, with templates, migrations, settings and the mark that it is typed."""
    contents = _contents(built.wheel)
    assert {name.split("/")[0] for name in contents} == {"trueup", "trueup_model"}
    expected = {}
    for package, folder in _packages().items():
        for file in (ROOT / folder).iterdir():
            if file.is_file() and file.suffix != ".pyc":
                expected[f"{package.replace('.', '/')}/{file.name}"] = file
        for data in ("templates", "wordpieces"):
            for file in (ROOT / folder / data).glob("*"):
                expected[f"{package.replace('.', '/')}/{data}/{file.name}"] = file
    assert contents.keys() == expected.keys()
    assert all(contents[name] == file.read_bytes() for name, file in expected.items())
    assert "trueup/py.typed" in contents


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    """Nothing that the wheel needs is left out of the sdist."""
    with tarfile.open(built.sdist) as packed:
        packed.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    (tmp_path / "again").mkdir()
    assert _contents(_wheel_of(unpacked, tmp_path / "again")) == _contents(built.wheel)


@dataclass(frozen=True)
class Installed:
    """An environment of its own with the wheel in it, and a folder far from the checkout to work in."""

    python: Path
    packages: Path
    folder: Path

    def trueup(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _run([str(self.python.parent / "trueup"), *words], self.folder)


@pytest.fixture
def installed(built: Built, tmp_path: Path) -> Installed:
    """The dependencies are those of this environment, lent by a path: only trueup itself is installed anew."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index"]
    done = _run([*pip, str(built.wheel)], tmp_path)
    assert done.returncode == 0, done.stderr
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv")}))
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "elsewhere").mkdir()
    return Installed(python, packages, tmp_path / "elsewhere")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_teams_own_modules_are_candidates(installed: Installed) -> None:
    """`training.py`, `monitoring.py` and `reports.py` beside trueup.toml are found, and one becomes champion."""
    own = "from sklearn.dummy import DummyClassifier\n\ndef make(stream):\n    return DummyClassifier()\n"
    for name in ("monitoring", "reports"):
        (installed.folder / f"{name}.py").write_text(own)
    shutil.copy(ROOT / "tests" / "plain_candidate.py", installed.folder / "training.py")
    names = '["training:plain", "monitoring:make", "reports:make"]'
    settings = SETTINGS.format(window=400) + f"\n[streams.reviews.training]\ncandidates = {names}\n"
    (installed.folder / "trueup.toml").write_text(settings)
    reviews = make_reviews(1, START, (TRAINED - START).days, 1000, HEALTHY)
    reviews.to_csv(installed.folder / "reviews.csv", index=False)
    for room in ROOMS:
        assert f"No module named '{room}'" in _python(installed.python, f"import {room}", installed.packages).stderr
    where = _python(installed.python, "import trueup; print(trueup.__file__)", installed.folder)
    assert where.stdout.startswith(str(installed.packages))
    taken = installed.trueup("ingest", "reviews.csv", "-s", "reviews")
    assert taken.returncode == 0, taken.stderr
    trained = installed.trueup("train", "-s", "reviews", "--as-of", f"{TRAINED:%Y-%m-%d}", "--json")
    assert trained.returncode == 0, trained.stderr
    document = json.loads(trained.stdout)
    assert {c["model"] for c in document["candidates"]} == {"training:plain", "monitoring:make", "reports:make"}
    assert [c["model"] for c in document["candidates"] if c["winner"]] == ["training:plain"]
    assert document["promotion"] == {"from_version": None, "to_version": 1}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo_ends_well_beside_packages_named_as_our_rooms(installed: Installed) -> None:
    """PyPI has a `reports`, a `storage`, a `monitoring` and a `flows`: none of them is ever imported."""
    for room in ROOMS:
        (installed.packages / room).mkdir()
        (installed.packages / room / "__init__.py").write_text("raise RuntimeError('a stranger was imported')\n")
    done = installed.trueup("demo", "--keep", "demo", "--json")
    assert done.returncode == 0, done.stderr
    assert "stranger" not in done.stdout + done.stderr
