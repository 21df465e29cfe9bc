# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Kernel trees: what they are taken for, what is read in them, and how two of them differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tools.cdiff import tree as trees
from tools.cdiff.config import PortList
from tools.cdiff.drift import as_json, drift, lines
from tools.cdiff.errors import CdiffError
from tools.cdiff.project import Project
from tools.cdiff.tree import Tree, cached, facts_of, version

Make = Callable[..., Path]

SCHED = "drivers/gpu/drm/scheduler/sched_main.c"

OLD = """
struct job { struct job *next; int n; };
static int same(struct job *job) { return job->n; }
int moved_in_text(struct job *job)
{
	if (job)
		return 1;
	return 0;
}
int changed(struct job *job) { return job->n > 1; }
int gone(struct job *job) { return 0; }
int renamed(struct job *job) { return 0; }
"""

NEW = """
struct job { struct job *next; int n; };
/* A comment. */
int moved_in_text(struct job *job) { if (job) return 1; return 0; }
int changed(struct job *job) { return job->n >= 1; }
int renamed(struct job *task) { return 0; }
int fresh(void) { return 3; }
static int same(struct job *job)
{
	return job->n; /* as before */
}
"""


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A tree with a Makefile and one file."""

    def run(name: str, sublevel: int, text: str, path: str = SCHED) -> Path:
        root = tmp_path / name
        (root / "include/linux").mkdir(parents=True)
        makefile = f"VERSION = 7\nPATCHLEVEL = 2\nSUBLEVEL = {sublevel}\nNAME = x\n"
        (root / "Makefile").write_text(makefile)
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text)
        return root

    return run


def test_version(make: Make, tmp_path: Path) -> None:
    assert version(make("a", 13, "")) == "7.2.13"
    with pytest.raises(CdiffError, match="not a kernel tree"):
        version(tmp_path)
    (tmp_path / "Makefile").write_text("VERSION = 7\n")
    with pytest.raises(CdiffError, match="not a kernel tree"):
        version(tmp_path)


def test_a_tree_in_the_cache(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "CACHE", tmp_path)
    assert cached("7.2.13") is None
    root = make("linux-source-7.2", 13, "")
    (tmp_path / "linux-source-broken").mkdir()
    assert cached("7.2.13") == root
    assert cached("7.2.14") is None


def test_drift(make: Make, project: Project) -> None:
    a, b = make("a", 12, OLD), make("b", 13, NEW)
    made = drift(project, str(a), str(b), [SCHED])
    assert sorted(made.identical) == ["moved_in_text", "same"]
    assert [item.name for item in made.changed] == ["changed", "renamed"]
    assert made.gone == ["gone"]
    assert made.added == ["fresh"]
    assert next(lines(project, made, "scheduler")) == (
        "scheduler: 5 functions in 7.2.12, 5 in 7.2.13: 4 common, of these 2 identical and "
        "2 changed; 1 gone, 1 new"
    )
    table = as_json(project, made)
    assert (table["common"], table["gone"], table["ported_and_changed"]) == (4, ["gone"], [])


def test_drift_names_the_ported_functions_it_touches(make: Make, project: Project) -> None:
    a = make("a", 12, "void drm_sched_wakeup(struct s *sched) { f(sched); }")
    b = make("b", 13, "void drm_sched_wakeup(struct s *sched) { g(sched); }")
    made = drift(project, str(a), str(b), [SCHED])
    assert as_json(project, made)["ported_and_changed"] == ["drm_sched_wakeup"]
    marked = [line for line in lines(project, made, "x") if "drm_sched_wakeup" in line]
    assert len(marked) == 1
    assert "[ported: kport/drm/scheduler/v7_2/sched_main.py:" in marked[0]


def test_drift_of_what_is_no_kernel(make: Make, project: Project, tmp_path: Path) -> None:
    a = make("a", 12, OLD)
    known = "neither a kernel tree nor a baseline; there is: v6_1, v7_2"
    with pytest.raises(CdiffError, match=known):
        drift(project, str(a), "v5_0", [SCHED])
    with pytest.raises(CdiffError, match="not a kernel tree"):
        drift(project, str(a), str(tmp_path), [SCHED])
    with pytest.raises(CdiffError, match=r"no file fits nothing/\*\.c"):
        drift(project, str(a), str(a), ["nothing/*.c"])


def test_drift_says_what_it_could_not_parse(make: Make, project: Project) -> None:
    a = make("a", 12, OLD)
    b = make("b", 13, NEW.replace("return 3;", "return 3 3 (;"))
    made = drift(project, str(a), str(b), [SCHED])
    assert made.new.broken == [f"{SCHED}:7: fresh"]
    assert f"not parsed in 7.2.13: {SCHED}:7: fresh" in list(lines(project, made, "x"))


def test_drift_between_a_baseline_and_its_tree(project: Project) -> None:
    root = cached("7.2.13")
    if root is None:
        pytest.skip("no kernel tree here")
    made = drift(project, "v7_2", str(root), project.port.drift["scheduler"])
    assert (made.changed, made.gone, made.added) == ([], [], [])
    assert len(made.identical) == 106


def test_drift_between_the_two_kernels_of_the_port(project: Project) -> None:
    old, new = cached("6.1.192"), cached("7.2.13")
    if old is None or new is None:
        pytest.skip("no kernel trees here")
    made = drift(project, str(old), str(new), project.port.drift["scheduler"])
    counts = [len(made.identical), len(made.changed), len(made.gone), len(made.added)]
    assert counts == [23, 38, 9, 45]
    assert {"drm_sched_main", "drm_sched_blocked", "drm_sched_ready"} <= set(made.gone)


@pytest.mark.parametrize("linux", ["7.2.13", "6.1.192"])
def test_the_baseline_is_what_the_tree_says(project: Project, linux: str) -> None:
    root = cached(linux)
    if root is None:
        pytest.skip("no kernel tree here")
    known = project.facts(linux)
    headers = project.port.baselines[known.name].headers
    tree = Tree(root, project.port, list(known.files), headers)
    files = [file for file in project.files.values() if file.version == linux]
    ported = frozenset(name for file in files for name in file.functions)
    assert facts_of(tree, known.name, known.package, ported) == known


def test_facts_of_a_file(make: Make, port: PortList) -> None:
    text = (
        "#define LIMIT (1 << 4)\n#define SUM(a, b) ((a) + (b))\n"
        "enum e { A, B = 5, C };\nstruct s { int x, *y; struct { long z; }; };\n"
        "static const int table[] = { LIMIT, C };\n"
        "static const struct s one = { .x = A };\n"
        "int f(struct s *s)\n{\n\treturn s->x;\n}\nEXPORT_SYMBOL_GPL(f);\n"
    )
    tree = Tree(make("a", 13, text, "lib/x.c"), port, ["lib/x.c"])
    made = facts_of(tree, "v", "p", frozenset()).files["lib/x.c"]
    assert made.lines == 11
    assert made.exports == [("f", "EXPORT_SYMBOL_GPL", 11)]
    assert {name: value for name, (_, value) in made.constants.items()} == {
        "LIMIT": 16,
        "A": 0,
        "B": 5,
        "C": 6,
    }
    assert made.structs["s"] == ("x", "y", "z")
    assert set(made.data) == {"table", "one"}
    assert (made.functions["f"].line, made.functions["f"].end) == (7, 10)
    assert made.functions["SUM"].kind == "macro"


def test_a_function_that_does_not_parse(make: Make, port: PortList) -> None:
    text = "int f(void)\n{\n\treturn 3 3 (;\n}\n"
    tree = Tree(make("a", 13, text, "lib/x.c"), port, ["lib/x.c"])
    with pytest.raises(CdiffError, match=r"lib/x\.c:3: cannot parse f\(\)"):
        facts_of(tree, "v", "p", frozenset(("f",)))
    listed = replace(port, left_out={"lib/x.c": {"unused": ("f",)}})
    tree = Tree(tree.root, listed, ["lib/x.c"])
    made = facts_of(tree, "v", "p", frozenset()).files["lib/x.c"]
    assert len(made.functions["f"].statements) == 1


def test_a_comparison_of_unknown_types(make: Make, port: PortList) -> None:
    text = "int f(void)\n{\n\treturn a == b;\n}\n"
    tree = Tree(make("a", 13, text, "lib/x.c"), port, ["lib/x.c"])
    with pytest.raises(CdiffError, match=r"lib/x\.c:3: cannot tell whether a and b are pointers"):
        facts_of(tree, "v", "p", frozenset())


def test_a_file_that_is_not_there(make: Make, port: PortList) -> None:
    with pytest.raises(CdiffError, match=r"lib/y\.c: No such file or directory; is this a kernel"):
        Tree(make("a", 13, "", "lib/x.c"), port, ["lib/y.c"])
