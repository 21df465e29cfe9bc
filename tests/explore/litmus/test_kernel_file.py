# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Litmus tests in the kernel's notation: read, run, or refused in one line."""

from __future__ import annotations

import pytest

from kport.explore.litmus.kernel_file import parse, read_file
from kport.explore.litmus.program import LitmusError
from kport.explore.litmus.search import search

HEAD = "C test\n\n(*\n * Result: Never\n * A comment (with brackets).\n *)\n\n{}\n\n"


def test_a_test_with_everything():
    text = """\
C everything

(* Result: Sometimes *)
{
    int x = 0;
    atomic_t y = ATOMIC_INIT(0);
    p=x;
}

P0(int *x, atomic_t *y, spinlock_t *s) // a comment
{
    int r0 = READ_ONCE(*x);  /* another */
    int r1;
    r1 = atomic_fetch_add_relaxed(2, y);
    spin_lock(s);
    smp_mb__after_spinlock();
    if (r0 == 0 && !r1)
        WRITE_ONCE(*x, 1);
    else {
        atomic_dec(y);
    }
    spin_unlock(s);
    smp_store_mb(*x, 3);
}

P1(int *x, atomic_t *y, int **p, spinlock_t *s)
{
    int *r2;
    int r3;
    rcu_read_lock();
    r2 = rcu_dereference(*p);
    r3 = READ_ONCE(*r2);
    rcu_read_unlock();
    (void)xchg_release(x, 7);
}

locations [0:r0; x; y] (* for the eye *)
filter (0:r1=0)
exists (1:r3=1 /\\ ~(x=9) /\\ (1:r2=x \\/ 1:r2=0))
"""
    text = text.replace(" && !r1", "")
    test = parse(text, "some.litmus")
    assert test.name == "everything"
    assert test.sometimes is True
    assert test.init == {"x": 0, "y": 0, "p": ("addr", "x")}
    result = search(test)
    assert result.sometimes
    assert result.refused == {}


def test_a_file_is_read(tmp_path):
    file = tmp_path / "sb.litmus"
    body = "P0(int *x, int *y)\n{\n\tint r0;\n\tWRITE_ONCE(*x, 1);\n\tr0 = READ_ONCE(*y);\n}\n"
    other = body.replace("P0", "P1").replace("WRITE_ONCE(*x", "WRITE_ONCE(*y").replace(
        "READ_ONCE(*y)", "READ_ONCE(*x)"
    )
    file.write_text(f"{HEAD}{body}\n{other}\nexists (0:r0=0 /\\ 1:r0=0)\n")
    test = read_file(file)
    assert test.sometimes is False
    assert search(test).verdict == "Sometimes"  # store buffering; the file says Never


def test_forall_is_the_contrary_of_exists():
    text = HEAD + "P0(int *x)\n{\n\tWRITE_ONCE(*x, 1);\n}\n\nforall (x=1)\n"
    assert search(parse(text, "f")).verdict == "Never"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f: no litmus test in C: the first line is not 'C NAME'"),
        ("X86 sb\n", "f: no litmus test in C: the first line is not 'C NAME'"),
        ("C a\n{}\nP0(int *x) { WRITE_ONCE(*x, 1); }\n", "f: there is no 'exists' clause"),
        ("C a\n{}\nexists (x=1)", "f: there is no thread P0"),
        ("C a\n{}\nP1(int *x) { }\nexists (x=1)", "f: thread P0 is missing"),
        ("C a\n{ 0:r=1; }\nP0(int *x) { }\nexists (x=1)", "f: cannot read the initial value"),
        ("C a\n{}\nP0(int *x) { do { } while (1); }\nexists (x=1)", "f: P0: 'do': loops cannot be"),
        ("C a\n{}\nP0(int *x) { frob(x); }\nexists (x=1)", "f: P0: frob() is not known"),
        ("C a\n{}\nP0(int *x) { WRITE_ONCE(); }\nexists (x=1)", "f: P0: WRITE_ONCE() with these"),
        ("C a\n{}\nP0(int *x) { WRITE_ONCE(*x, 1) }\nexists (x=1)", "f: P0: ';' expected, not '}'"),
        ("C a\n{}\nP0(int *x) { int r = 1;\nexists (x=1)", "f: P0: "),
        (
            "C a\n{}\nP0(int *x) { *x = 1; }\nP1(int *x) { int r = *x; }\nexists (1:r=1)",
            "f: plain accesses to x, which is shared, cannot be read",
        ),
        (
            "C a\n{}\nP0(int *x) { *x = 1; }\nP1(int *x) { WRITE_ONCE(*x, 2); }\nexists (x=1)",
            "f: plain accesses to x, which is shared, cannot be read",
        ),
    ],
)
def test_what_cannot_be_read_is_named_in_one_line(text, message):
    with pytest.raises(LitmusError) as error:
        parse(text, "f")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text(tmp_path):
    file = tmp_path / "x.litmus"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LitmusError, match=r"x\.litmus: not a text file"):
        read_file(file)
