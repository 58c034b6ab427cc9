"""The docs speak of the program that is there: its settings, files, tables, codes, commands and each other."""

from __future__ import annotations

import ast
import html
import json
import re
import shlex
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from pydantic import BaseModel, SecretStr

from tests.made_comparisons import compared, halves, made_records, made_stream
from trueup.flows.cli.main import cli
from trueup.flows.settings import Settings
from trueup.monitoring.signals import catalogue
from trueup.monitoring.signals.measure import measure
from trueup.storage import alert_tables as alert_tables  # of the same metadata
from trueup.storage.erasure import erasure_tables as erasure_tables
from trueup.storage.sources import source_tables as source_tables
from trueup.storage.tables import metadata
from trueup.storage.trainers import trainer_tables as trainer_tables
from trueup.training.gate import guardrails

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROOMS = ("storage", "feedback", "monitoring", "training", "reports", "flows")
PAGES = (
    *(ROOT / page for page in ("README.md", "CHANGELOG.md", "examples/README.md", "reports/runbook.md")),
    *sorted(DOCS.glob("*.md")),
)

# ---- settings ----


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models that an annotation names, at whatever depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in models_in(part)]


def tables_of(model: type[BaseModel], path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each table of the settings with its keys and their defaults, as TOML writes them."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        here = f"{path}.{key}" if path else key
        nested = models_in(field.annotation)
        named = typing.get_origin(field.annotation) is dict and bool(nested)
        for inner in nested:
            yield from tables_of(inner, f"{here}.{'POLICY' if key == 'policies' else 'NAME'}" if named else here)
        if key != "name" and (not nested or (len(typing.get_args(field.annotation)) > 1 and not named)):
            keys[key] = written(field.get_default(call_default_factory=True), required=field.is_required())
    if keys:
        yield path, keys


def written(value: Any, *, required: bool) -> str:
    """A default as the docs write it."""
    if required:
        return "required"
    if value is None:
        return "none"
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    return f"`{json.dumps(list(value) if isinstance(value, tuple) else value)}`"


def sections(text: str, mark: str) -> dict[str, str]:
    """The text under each heading of a level, by the heading's code or, where it has none, its words."""
    parts = re.split(rf"^{mark} (.+)$", text, flags=re.MULTILINE)[1:]
    names = [re.sub(r"^`\[*(.+?)\]*`.*$", r"\1", heading) for heading in parts[::2]]
    return dict(zip(names, parts[1::2], strict=True))


def test_every_setting_stands_in_the_docs_with_its_default() -> None:
    """docs/settings.md has every table and key of the models, with their defaults, and no others."""
    told = sections((DOCS / "settings.md").read_text(), "##")
    known = dict(tables_of(Settings, ""))
    assert {name for name in told if not re.search(r"[A-Z][a-z]", name)} == set(known)
    own = known.pop("streams.NAME.policies.POLICY")
    assert own == known["streams.NAME.policy"]
    for table, keys in known.items():
        rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", told[table], flags=re.MULTILINE))
        assert rows == keys, table


# ---- architecture ----


def test_every_room_and_sub_room_is_told_of() -> None:
    """docs/architecture.md has each folder of modules with the sentence of its package, and none that is gone."""
    text = (DOCS / "architecture.md").read_text()
    told = dict(re.findall(r"^\| `((?:[a-z]+/)+)` \| (.+?) \|$", text, flags=re.MULTILINE))
    folders = {file.parent for room in (*ROOMS, "trueup") for file in (ROOT / room).rglob("*.py")}
    known = {f"{folder.relative_to(ROOT)}/": sentence_of(folder / "__init__.py") for folder in folders}
    known = {name: sentence for name, sentence in known.items() if "/migrations/" not in name}
    assert told == known


def test_every_file_says_what_it_holds() -> None:
    """Each module begins with one sentence: that is where its reader looks for it."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            assert sentence_of(file), file


def sentence_of(file: Path) -> str:
    """The first line of a module's docstring; empty where it has none."""
    said = ast.get_docstring(ast.parse(file.read_text())) if file.exists() else ""
    return (said or "").split("\n")[0]


def test_every_table_is_told_of() -> None:
    """docs/architecture.md names the tables of the store, and no others."""
    told = sections((DOCS / "architecture.md").read_text(), "##")["Data"].split("Files of the archive")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", told, flags=re.MULTILINE)) == set(metadata.tables)


# ---- monitoring ----


def codes_without_section() -> set[str]:
    """Kinds of signals that docs/monitoring.md does not explain, and sections without a kind."""
    told = set(sections((DOCS / "monitoring.md").read_text(), "###"))
    return told ^ {kind.heading for kind in catalogue.CATALOGUE}


def test_every_kind_of_signal_has_its_section_and_its_row() -> None:
    """docs/monitoring.md explains each kind of the catalogue, and no other; its table has their titles."""
    assert not codes_without_section()
    text = (DOCS / "monitoring.md").read_text()
    rows = re.findall(r"^\| \[`((?:DRF|PRF|DQ)-[^`]+)`\]\(.+?\) \| (.+?) \|", text, flags=re.MULTILINE)
    assert dict(rows) == {kind.heading: kind.title for kind in catalogue.CATALOGUE}


def test_every_code_that_a_check_can_hold_is_in_the_catalogue() -> None:
    """A check of a stream with all that can be measured holds each kind, and nothing beside."""
    rows = made_records(400, np.random.default_rng(1))
    signals, _ = measure(made_stream(slices=("kind",)), compared(*halves(rows, 300)))
    assert {catalogue.kind_of(signal.code) for signal in signals} == set(catalogue.CATALOGUE)


def gate_codes() -> set[str]:
    """The codes of the gate's tests: of the guardrails as they are listed, of the others as they are written."""
    code = re.compile(r"(?:GATE|DATA)-[A-Z]+")
    written = {c for file in (ROOT / "training").rglob("*.py") for c in code.findall(file.read_text())}
    return written | {guardrail.code for guardrail in guardrails.GUARDRAILS}


def gate_codes_in_the_docs() -> set[str]:
    """The codes that have a row in docs/gate.md."""
    return set(re.findall(r"^\| `((?:GATE|DATA)-[A-Z]+)", (DOCS / "gate.md").read_text(), flags=re.MULTILINE))


def test_every_test_of_the_gate_stands_in_its_page() -> None:
    """docs/gate.md has a row for each code of the gate's tests, and for no other."""
    assert gate_codes_in_the_docs() == gate_codes()


# ---- commands, links, version ----


def commands_in(text: str) -> set[str]:
    """What a reader would paste: code spans and lines of code blocks that begin with trueup."""
    blocks = re.findall(r"^```.*?$(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return {line for line in (*lines, *spans) if line.startswith("trueup ")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_can_be_pasted(page: Path) -> None:
    """Each command that a page shows exists, with every option that it is shown with."""
    for line in commands_in(page.read_text()):
        command: Any = typer.main.get_command(cli)
        for word in shlex.split(line, comments=True)[1:]:
            if hasattr(command, "commands"):
                assert word in command.commands, f"{line}: no command '{word}'"
                command = command.commands[word]
            elif word.startswith("-") and word != "-":
                options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
                assert word.split("=")[0] in options | {"--help"}, f"{line}: no option '{word}'"


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", html.unescape(page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    """Every relative link leads to a file of the project, and every anchor to a heading."""
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text()):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_the_version_stands_in_the_changelog() -> None:
    """What is released is told of."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
