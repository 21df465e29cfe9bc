# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's side: what is Python's own way of writing disappears, what matters stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.cdiff import pysource
from tools.cdiff.errors import CdiffError
from tools.cdiff.pysource import PyFunction

Read = Callable[[str], PyFunction]

SAME = {
    "annotations": ("def f(x):\n    y: int = x", "def f(x: int) -> None:\n    y = x"),
    "declarations": ("def f(x):\n    y: int\n    g(x)", "def f(x):\n    g(x)"),
    "docstring": ('def f(x):\n    """Text."""\n    g(x)', "def f(x):\n    g(x)"),
    "global": ("def f(x):\n    global y\n    y = x", "def f(x):\n    y = x"),
    "bool in a return": ("def f(x):\n    return bool(x and y)", "def f(x):\n    return x and y"),
    "nested and": ("def f(x):\n    return x and (y and z)", "def f(x):\n    return x and y and z"),
    "double negation": (
        "def f(x):\n    if not (not x):\n        g()",
        "def f(x):\n    if x:\n        g()",
    ),
    "line breaks": ("def f(x):\n    g(\n        x,\n        1,\n    )", "def f(x):\n    g(x, 1)"),
    "else if": (
        "def f(x):\n    if x:\n        g()\n    else:\n        if y:\n            h()",
        "def f(x):\n    if x:\n        g()\n    elif y:\n        h()",
    ),
    "the last label": (
        'def f(x):\n    with labels("out"):\n        raise goto("out")\n    g(x)',
        (
            'def f(x):\n    with labels("out") as label:\n        raise goto("out")\n'
            '    if label("out"):\n        g(x)'
        ),
    ),
}

DIFFERENT = {
    "a comparison": ("def f(x):\n    return x == 1", "def f(x):\n    return x is 1"),
    "True and 1": ("def f(x):\n    return True", "def f(x):\n    return 1"),
    "nesting": (
        "def f(x):\n    if x:\n        g()\n        h()",
        "def f(x):\n    if x:\n        g()\n    h()",
    ),
    "a keyword": ("def f(x):\n    g(a=x)", "def f(x):\n    g(b=x)"),
    "a statement before a label": (
        (
            'def f(x):\n    with labels("a", "b") as label:\n        raise goto("a")\n    g(x)\n'
            '    if label("a"):\n        h()\n    if label("b"):\n        k()'
        ),
        (
            'def f(x):\n    with labels("a", "b") as label:\n        raise goto("a")\n'
            "        g(x)\n"
            '    if label("a"):\n        h()\n    if label("b"):\n        k()'
        ),
    ),
    "a jump to a label of no block": (
        'def f(x):\n    raise goto("out")\n    with labels("out"):\n        g(x)\n    h()',
        'def f(x):\n    with labels("out"):\n        raise goto("out")\n        g(x)\n    h()',
    ),
}


def _hashes(function: PyFunction) -> list[str]:
    return [item.hash for item in function.statements]


@pytest.mark.parametrize("name", SAME)
def test_forms_that_mean_the_same(python: Read, name: str) -> None:
    one, other = SAME[name]
    assert _hashes(python(one)) == _hashes(python(other))


@pytest.mark.parametrize("name", DIFFERENT)
def test_forms_that_do_not(python: Read, name: str) -> None:
    one, other = DIFFERENT[name]
    assert _hashes(python(one)) != _hashes(python(other))


def test_a_module_in_front_of_a_name_disappears_but_not_a_local(python: Read) -> None:
    head = "from kport.linux import sched\n\n\n"
    outer = python(f"{head}def f(x):\n    return sched.current(x)")
    assert [item.text for item in outer.statements] == ["return current(x)"]
    inner = python(f"{head}def f(sched):\n    return sched.current(sched)")
    assert [item.text for item in inner.statements] == ["return sched.current(sched)"]


def test_tags_belong_to_their_statements(python: Read) -> None:
    made = python(
        """
        def f(x):
            a = g(x)  # kport: out-param
            if (
                x
            ):  # kport: cursor
                h(  # kport: walrus, model
                    1,
                )
            # kport: config
            k("# kport: none")
        """
    )
    assert [(item.text, sorted(item.rules)) for item in made.statements] == [
        ("a = g(x)", ["out-param"]),
        ("if x:", ["cursor"]),
        ("h(1)", ["model", "walrus"]),
        ("# kport: config", ["config"]),
        ("k('# kport: none')", []),
    ]


def test_a_tag_on_the_first_line_belongs_to_the_parameters(python: Read) -> None:
    made = python("def f(x):  # kport: string\n    return x")
    assert made.tags == {"string"}
    assert not made.statements[0].rules


def test_out_parameters_that_are_not_set_yet(python: Read) -> None:
    made = python(
        """
        def xa_alloc(xa):
            id = None  # kport: out-param
            if not xa:
                return -1, None
            id = 3
            return 0, None
        """
    )
    texts = [item.text for item in made.statements]
    assert texts[2] == "return (-1, id)"
    assert texts[4] == "return (0, None)"


def test_the_header_names_the_c_files() -> None:
    text = (
        # REUSE-IgnoreStart
        "# SPDX-License-Identifier: MIT\n#\n"
        # REUSE-IgnoreEnd
        "# Translated to Python from a/b.c, c/d.h and\n# e/f.h, Linux 7.2.13, on 2026-11-20.\n"
    )
    assert pysource.header(text) == (("a/b.c", "c/d.h", "e/f.h"), "7.2.13")
    assert pysource.header("# Modelled on a/b.c\n") == ((), "")


def test_what_a_file_has() -> None:
    text = (
        "# Translated to Python from a.c, Linux 7.2.13, on 2026-11-20.\n"
        "from x import y\n"
        "LIMIT = 3\n"
        "table = [LIMIT, 4]\n"
        "class job(struct):  # kport: union\n    a: int\n    b: int\n"
        "def f():\n    return 1\n"
        "EXPORT_SYMBOL(f)\n"
        "def f():\n    return 2\n"
    )
    file = pysource.parse("kport/x.py", text)
    assert file.exports == [("f", "EXPORT_SYMBOL", 10)]
    assert file.classes["job"].members == ("a", "b")
    assert file.classes["job"].tags == {"union"}
    assert file.data["table"].text == "table = (LIMIT, 4)"
    assert file.twice == [("f", 11)]
    assert {"y", "LIMIT", "table", "job", "f"} <= file.defined


def test_no_python_is_one_line() -> None:
    with pytest.raises(CdiffError, match=r"kport/x\.py:1: not Python"):
        pysource.parse("kport/x.py", "def f(:\n")


def test_a_condition_with_a_name_is_the_lambda_it_stands_for(python: Read):
    named = python(
        """
        def f(q):
            x = None

            def condition():
                nonlocal x
                return (x := g()) or h()

            wait_event(q, condition)
        """
    )
    plain = python(
        """
        def f(q):
            x = None
            wait_event(q, lambda: (x := g()) or h())
        """
    )
    assert [item.hash for item in named.statements] == [item.hash for item in plain.statements]


def test_only_a_condition_of_the_next_statement_is_folded(python: Read):
    made = python(
        """
        def f(q):
            def condition():
                return g()

            h()
            wait_event(q, condition)
        """
    )
    assert made.statements[0].text == "def condition:"
