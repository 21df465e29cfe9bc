# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The preprocessor keeps every line where it is, and takes the branches of the configuration."""

from __future__ import annotations

import pytest

from tools.cdiff.errors import CdiffError
from tools.cdiff.text import condition, prepare, preprocess, strip_comments


def test_comments_become_blanks_and_strings_stay() -> None:
    text = 'a /* x\n y */ b // c\n"/* no */" \'"\' /* "z" */ d'
    made = strip_comments(text)
    assert made.count("\n") == text.count("\n")
    assert len(made) == len(text)
    assert made.split() == ["a", "b", '"/*', "no", '*/"', "'\"'", "d"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("IS_ENABLED(CONFIG_A)", True),
        ("IS_ENABLED(CONFIG_B)", False),
        ("defined(CONFIG_A) && !defined(CONFIG_B)", True),
        ("defined CONFIG_B || 0", False),
        ("CONFIG_N > 2 && CONFIG_N <= 4u", True),
        ("!CONFIG_A", False),
        ("UNKNOWN", False),
        ('"text" == 1', False),
    ],
)
def test_conditions(expression: str, value: bool) -> None:
    assert condition(expression, {"CONFIG_A": 1, "CONFIG_N": 4}, "x.c:1") is value


def test_a_condition_that_makes_no_sense_names_its_place() -> None:
    with pytest.raises(CdiffError, match=r"x\.c:3: cannot evaluate"):
        condition("(1 &&", {}, "x.c:3")


def test_branches_are_chosen_and_lines_stay() -> None:
    text = (
        "#ifdef CONFIG_A\none\n#else\ntwo\n#endif\n"
        "#if IS_ENABLED(CONFIG_B)\nthree\n#elif 1\nfour\n#else\nfive\n#endif\n"
        "#ifndef CONFIG_A\n# if 1\nsix\n# endif\n#endif\nseven"
    )
    lines = preprocess("x.c", text, {"CONFIG_A": 1}).code.split("\n")
    assert len(lines) == 18
    found = {line.strip(): number for number, line in enumerate(lines, 1) if line.strip()}
    assert found == {"one": 2, "four": 9, "seven": 18}


def test_macros_are_taken_out_with_their_lines() -> None:
    text = (
        "#define N 3\n#define f(a, b) \\\n\tg(a, \\\n\t  b)\nint x;\n"
        "#undef N\n#if N == 3\ny\n#endif"
    )
    made = preprocess("x.c", text, {})
    plain, call = made.macros
    assert (plain.name, plain.params, plain.line) == ("N", None, 1)
    assert (call.name, call.params, call.line, call.end) == ("f", ("a", "b"), 2, 4)
    assert call.body.split() == ["g(a,", "b)"]
    assert call.body.count("\n") == 2
    assert made.code.split() == ["int", "x;"]


def test_a_define_decides_the_branches_below_it() -> None:
    text = "#define DEBUG\n#ifdef DEBUG\nyes\n#endif"
    assert preprocess("x.c", text, {}).code.split() == ["yes"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("static __always_inline int __must_check f(void);", "static int f(void);"),
        ("struct x __rcu *p;", "struct x *p;"),
        ("void f(void) __must_hold(&a->b[g(1)]) { }", "void f(void) { }"),
        ("container_of(a, struct job, list)", "container_of(a, job, list)"),
        ("list_for_each_entry(a, &b, c) { }", "while (list_for_each_entry(a, &b, c)) { }"),
        ("x = for_each_count(a);", "x = for_each_count(a);"),
        ("} list_for_each(p, h) f(p);", "} while (list_for_each(p, h)) f(p);"),
    ],
)
def test_what_stands_in_the_way_of_a_parser(before: str, after: str) -> None:
    made = prepare(before)
    assert made.split() == after.split()
    assert made.count("\n") == before.count("\n")
