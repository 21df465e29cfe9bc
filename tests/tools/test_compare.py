# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is equal, what needs a tag, what must be accepted, and what is a finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.cdiff.compare import Comparison, added, compare
from tools.cdiff.facts import FunctionFact, StatementFact
from tools.cdiff.pysource import PyFunction
from tools.cdiff.translate import Translation

Read = Callable[[str], PyFunction]
Translate = Callable[..., Translation]
Compare = Callable[..., Comparison]


def fact_of(made: Translation) -> FunctionFact:
    """A translation as a baseline has it."""
    function = made.function
    return FunctionFact(
        function.name,
        function.kind,
        function.line,
        function.end,
        made.parameters,
        made.locals,
        tuple(StatementFact(s.line, s.depth, s.hash, s.rules) for s in made.statements),
    )


@pytest.fixture
def both(translate: Translate, python: Read) -> Compare:
    """Compare a C and a Python snippet."""

    def run(c: str, code: str, pins: tuple[str, ...] = ()) -> Comparison:
        return compare(fact_of(translate(c)), python(code), pins)

    return run


def states(made: Comparison) -> list[str]:
    return [row.state for row in made.rows]


C = "void f(struct job *job) { g(job); if (job->done) h(job, 1); k(); }"
PYTHON = "def f(job):\n    g(job)\n    if job.done:\n        h(job, 1)\n    k()\n"


def test_equal(both: Compare) -> None:
    made = both(C, PYTHON)
    assert states(made) == ["equal"] * 4
    assert made.clean


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    g(job)\n", ""),
        ("job.done", "not job.done"),
        ("h(job, 1)", "h(1, job)"),
        ("h(job, 1)", "h(job, 2)"),
        ("job.done", "job.list"),
        ("        h(job, 1)\n    k()", "        h(job, 1)\n        k()"),
        ("    g(job)\n", "    g(job)\n    g(job)\n"),
        ("g(job)", "k(job)"),
    ],
)
def test_any_change_is_found(both: Compare, old: str, new: str) -> None:
    assert old in PYTHON
    made = both(C, PYTHON.replace(old, new))
    assert not made.clean
    assert [row.problem for row in made.rows if row.state == "different"] == ["differs"]


def test_a_rule_needs_its_tag_and_no_other(both: Compare) -> None:
    c = "void f(struct job *job, int n) { g(n++); }"
    body = "def f(job, n):\n    g(n)\n    n += 1"
    assert both(c, f"{body}  # kport: side-effect").clean
    assert states(both(c, f"{body}  # kport: side-effect")) == ["equal", "rule"]
    missing = both(c, body).rows[1]
    assert (missing.state, missing.problem) == ("different", "needs the tag 'side-effect'")
    wrong = both(c, f"{body}  # kport: walrus").rows[1]
    assert wrong.problem == "needs the tag 'side-effect'"


def test_a_tag_that_is_not_needed_is_a_finding(both: Compare) -> None:
    row = both(C, PYTHON.replace("g(job)", "g(job)  # kport: cursor")).rows[0]
    assert row.problem == "does not need the tag 'cursor'"


def test_a_deviation_must_be_tagged_known_and_accepted(both: Compare) -> None:
    untagged = both(C, PYTHON.replace("k()", "m()"))
    assert untagged.rows[-1].problem == "differs"
    unknown = both(C, PYTHON.replace("k()", "m()  # kport: because"))
    assert unknown.rows[-1].problem == "'because' is no known reason"
    code = PYTHON.replace("k()", "m()  # kport: model")
    fresh = both(C, code).rows[-1]
    assert (fresh.problem, fresh.pinnable) == ("not accepted", True)
    made = both(C, code, (fresh.pin,))
    assert states(made) == ["equal", "equal", "equal", "pinned"]
    assert made.clean


def test_an_accepted_deviation_is_pinned_on_both_sides(both: Compare) -> None:
    code = PYTHON.replace("k()", "m()  # kport: model")
    pin = both(C, code).rows[-1].pin
    assert not both(C, code.replace("m()", "n()"), (pin,)).clean
    assert not both(C.replace("k()", "l()"), code, (pin,)).clean
    assert not both(C, code.replace("model", "config"), (pin,)).clean
    gone = both(C, PYTHON, (pin,))
    assert gone.problems == ("an accepted difference is gone; see 'cdiff accept'",)


def test_an_accepted_deviation_is_pinned_to_its_place(both: Compare) -> None:
    code = PYTHON.replace("    g(job)\n", "    m()  # kport: model\n    g(job)\n")
    pin = both(C, code).rows[0].pin
    assert both(C, code, (pin,)).clean
    moved = PYTHON.replace("    k()\n", "    m()  # kport: model\n    k()\n")
    assert not both(C, moved, (pin,)).clean


def test_statements_that_are_left_out_need_a_tag_on_a_line_of_its_own(both: Compare) -> None:
    assert not both(C, PYTHON.replace("    g(job)\n", "")).clean
    code = PYTHON.replace("    g(job)\n", "    # kport: left-out\n")
    row = both(C, code).rows[0]
    assert row.problem == "not accepted"
    assert both(C, code, (row.pin,)).clean


def test_parameters(both: Compare) -> None:
    made = both(C, PYTHON.replace("f(job)", "f(job, more)"))
    assert made.rows[0].problem == "has other parameters than C: (job)"
    code = PYTHON.replace("f(job):", "f(job, more):  # kport: variadic")
    row = both(C, code).rows[0]
    assert row.problem == "not accepted"
    assert both(C, code, (row.pin,)).clean


def test_a_lost_local(both: Compare) -> None:
    c = "void f(struct job *job) { int x = 1; g(job); }"
    made = both(c, "def f(job):\n    g(job)\n")
    assert "the local 'x' of C is lost" in made.problems


def test_a_macro_returns_what_a_function_only_does(translate: Translate, python: Read) -> None:
    fact = fact_of(translate("#define f(x) g(x)", "f"))
    assert compare(fact, python("def f(x):\n    g(x)")).clean
    assert compare(fact, python("def f(x):\n    return g(x)")).clean
    assert not compare(fact, python("def f(x):\n    return h(x)")).clean


def test_a_function_of_the_port_alone_is_pinned(python: Read) -> None:
    function = python("def f(x):\n    g(x)")
    fresh = added(function, [])
    assert fresh.problem == "not accepted"
    assert added(function, [fresh.pin]).state == "pinned"
    assert added(python("def f(x):\n    h(x)"), [fresh.pin]).state == "different"
