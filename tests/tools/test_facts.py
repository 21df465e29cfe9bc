# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A baseline holds facts: names, lines, hashes. It survives writing and reading."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tools.cdiff import accepted, facts
from tools.cdiff.config import BASELINES
from tools.cdiff.errors import CdiffError
from tools.cdiff.facts import Facts, FileFact, FunctionFact, StatementFact
from tools.cdiff.project import Project

_STATEMENT = re.compile(r"\d+ \d+ [0-9a-f]{12}( [a-z-]+)*")
_NAME = re.compile(r"(event |<)?[A-Za-z_]\w*>?( \d+>)?")


def _example() -> Facts:
    made = Facts("v7_2", "7.2.13", "linux-source-7.2 1", {"CONFIG_SMP": 1})
    function = FunctionFact(
        "f",
        "macro",
        3,
        9,
        ("a",),
        ("b", "c"),
        (StatementFact(4, 0, "0123456789ab"), StatementFact(5, 1, "ba9876543210", frozenset("xy"))),
        ("g",),
        (("index", 7, "b"),),
    )
    file = FileFact("lib/x.c", "00" * 32, 12, {"f": function}, [("f", "EXPORT_SYMBOL", 10)])
    file.structs["s"] = ("m", "n")
    file.constants["N"] = (2, -3)
    file.data["t"] = (11, "ffffffffffff")
    made.files["lib/x.c"] = file
    made.files["lib/y.c"] = FileFact("lib/y.c", "11" * 32, 1)
    return made


def test_writing_and_reading() -> None:
    made = _example()
    text = facts.dumps(made)
    assert facts.loads(text, "x.json") == made
    assert facts.dumps(facts.loads(text, "x.json")) == text


def test_one_function_per_line() -> None:
    assert sum('"f": {' in line for line in facts.dumps(_example()).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}'])
def test_a_damaged_baseline(text: str) -> None:
    with pytest.raises(CdiffError, match=r"x\.json: not a baseline"):
        facts.loads(text, "x.json")


def test_another_format() -> None:
    text = facts.dumps(_example()).replace('"format": 1', '"format": 99')
    with pytest.raises(CdiffError, match="format 99, not 1; run 'cdiff baseline'"):
        facts.loads(text, "x.json")


def test_no_text_of_the_c_is_in_a_baseline(project: Project) -> None:
    for file in project.facts("7.2.13").files.values():
        for name, function in file.functions.items():
            assert _NAME.fullmatch(name)
            words = (*function.parameters, *function.locals, *function.uses)
            assert all(_NAME.fullmatch(word) for word in words), (file.path, name)
    table = json.loads((BASELINES / "v7_2.json").read_text(encoding="utf-8"))
    allowed = {"sha256", "lines", "exports", "structs", "constants", "data", "functions"}
    for file in table["files"].values():
        assert set(file) <= allowed
        for function in file["functions"].values():
            assert all(_STATEMENT.fullmatch(item) for item in function["statements"])
        for line, digest in file.get("data", {}).values():
            assert isinstance(line, int)
            assert re.fullmatch("[0-9a-f]{12}", digest)


def test_pins_are_hashes() -> None:
    for functions in accepted.load().values():
        for found in functions.values():
            assert all(re.fullmatch("[0-9a-f]{12}", item) for item in found)


def test_pins_are_written_as_they_are_read(tmp_path: Path, project: Project) -> None:
    path = tmp_path / "accepted.json"
    accepted.save(project.pins, path)
    assert path.read_text(encoding="utf-8") == accepted.PATH.read_text(encoding="utf-8")


def test_damaged_pins(tmp_path: Path) -> None:
    path = tmp_path / "accepted.json"
    assert accepted.load(path) == {}
    path.write_text("{")
    with pytest.raises(CdiffError, match=r"accepted\.json: .*; restore it with git"):
        accepted.load(path)
