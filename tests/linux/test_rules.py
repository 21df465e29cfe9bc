# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Each rule of the primitives has a test, and each of these tests fails when its rule is broken.

The rules are in the tables of tests/linux/rules; table.py says how to read them.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.linux.rules.proof import RUN_SECONDS, Workplace
from tests.linux.rules.table import FILES, MUTATIONS, ROOT, RULES, SOURCE, Mutation, Rule

# Those for which the kernel has no functional tests of its own.
WHOLE = {
    "completion",
    "hrtimer",
    "kthread",
    "kthread_worker",
    "swait",
    "timer",
    "wait",
    "workqueue",
}
QUICK = [mutation for mutation in MUTATIONS if mutation.quick]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("rules"))


@cache
def functions(path: Path) -> set[str]:
    body = ast.parse(path.read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


# -- the table -------------------------------------------------------------------------------------


def test_the_table_is_whole():
    assert {path.stem for path in FILES} >= WHOLE
    assert len({str(rule) for rule in RULES}) == len(RULES)
    assert len(QUICK) == 8


def test_each_rule_has_its_source_its_tests_and_its_mutation():
    broken = {mutation.rule for mutation in MUTATIONS}
    bad = []
    for rule in RULES:
        if not rule.text.endswith(".") or not rule.tests or rule not in broken:
            bad.append(str(rule))
        bad += [part for part in rule.source.split(", ") if not SOURCE.fullmatch(part)]
        for test in rule.tests:
            file, _, function = test.partition("::")
            if function not in functions(ROOT / file):
                bad.append(test)
    assert bad == []


def test_each_mutation_fits_the_source():
    bad = []
    for mutation in MUTATIONS:
        try:
            ast.parse(mutation.apply((ROOT / mutation.file).read_text()))
        except (ValueError, SyntaxError) as error:
            bad.append(f"{mutation}: {error}")
        if mutation.old == mutation.new:
            bad.append(f"{mutation}: no change")
    assert bad == []


# -- the proof -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mutation", QUICK, ids=str)
def test_a_sample_is_caught(workplace: Workplace, mutation: Mutation):
    outcome = workplace.prove(mutation)
    assert outcome.caught, outcome


@pytest.mark.long
@pytest.mark.timeout(2 * RUN_SECONDS + 10)
@pytest.mark.parametrize("mutation", [m for m in MUTATIONS if not m.quick], ids=str)
def test_every_mutation_is_caught(workplace: Workplace, mutation: Mutation):
    outcome = workplace.prove(mutation)
    assert outcome.caught, outcome


@pytest.mark.long
@pytest.mark.timeout(1300)
def test_the_tests_pass_where_nothing_is_broken(workplace: Workplace):
    """What makes the others fail is the mutation, not the workplace."""
    tests = sorted({test for rule in RULES for test in rule.tests})
    outcome = workplace.run(tests, seconds=1200)
    assert not outcome.broken
    assert outcome.failures == ()
    assert outcome.passed >= len(tests)


# -- the prover ------------------------------------------------------------------------------------


def change(old: str, new: str, test: str) -> Mutation:
    rule = Rule("prover", "sample", "", "", (f"tests/linux/{test}",))
    return Mutation(rule, 1, "kport/linux/swait.py", old, new, False)


def test_a_harmless_change_is_not_caught(workplace: Workplace):
    harmless = change(
        '"""Wake the first waiter.', '"""Wake.', "test_swait.py::test_waking_one_while_locked"
    )
    outcome = workplace.prove(harmless)
    assert not outcome.caught
    assert outcome.passed >= 1


def test_a_change_that_breaks_the_boot_or_names_no_test_is_not_caught(workplace: Workplace):
    test = "test_swait.py::test_waking_one_while_locked"
    for mutation in (
        change("class swait_queue(struct):", "class swait_queue(1 // 0):", test),
        change('"""Wake the first waiter.', '"""Wake.', "test_swait.py::test_nothing_of_the_kind"),
    ):
        outcome = workplace.prove(mutation)
        assert not outcome.caught
        assert outcome.broken


def test_a_text_that_is_not_there_exactly_once_is_refused():
    for old in ("no such text", "list_empty"):
        with pytest.raises(ValueError, match="times in"):
            change(old, "", "").apply((ROOT / "kport/linux/swait.py").read_text())
