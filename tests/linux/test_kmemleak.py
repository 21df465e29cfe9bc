# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""kmemleak: what is allocated and cannot be reached from static data."""

from __future__ import annotations

from collections import deque

import pytest

from kport.arch.asm import atomic_set
from kport.arch.types import atomic_long_t
from kport.linux import kmemleak, kunit
from kport.linux.jiffies import HZ, jiffies
from kport.linux.list import INIT_LIST_HEAD, list_add_tail, list_head
from kport.linux.slab import kfree, kzalloc_obj, kzalloc_objs, pointer
from kport.linux.struct import struct
from kport.linux.timer import mod_timer, timer_delete_sync, timer_list, timer_setup
from tests.support import Thread, sleep_ms


class node(struct):
    """Something to allocate."""

    link: list_head
    word: atomic_long_t
    timer: timer_list
    other: node | None
    things: list[node] | None


# The scan looks at the statics of kernel files; this one lends itself to the tests.
STATICS = vars(kunit)


@pytest.fixture
def root():
    """A static variable."""

    box = deque([None], 1)
    STATICS["_test_root"] = box
    yield box.append
    del STATICS["_test_root"]


@pytest.fixture
def watched(boot):
    """A kernel whose leaks the test takes."""
    with boot(check=("memory",)) as kernel:
        yield kernel


def white() -> list[str]:
    """What would be reported now."""
    return [type(obj).__name__ for obj in kmemleak.scan()]


WAYS = {
    "pointer": lambda a, b: setattr(a, "other", b),
    "array": lambda a, b: setattr(a, "things", [b]),
    "list": lambda a, b: (INIT_LIST_HEAD(a.link), list_add_tail(b.link, a.link)),
    "word": lambda a, b: atomic_set(a.word, b),
    "member": lambda a, b: setattr(a, "other", b.link),
    "closure": lambda a, b: setattr(a, "things", [lambda: b]),
    "method": lambda a, b: setattr(a, "things", [b._zero]),
    "dict": lambda a, b: setattr(a, "things", {b: 1}),
    "queue": lambda a, b: setattr(a, "things", deque([(b,)])),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_can_be_reached_is_no_leak(watched, root, way):
    a, b = kzalloc_obj(node), kzalloc_obj(node)
    root(a)
    assert white() == ["node"]
    WAYS[way](a, b)
    assert white() == []
    root(None)
    assert white() == ["node", "node"]
    kfree(b)
    kfree(a)


def test_an_armed_timer_is_reached(watched):
    obj = kzalloc_obj(node)
    timer_setup(obj.timer, lambda t: None, 0)
    mod_timer(obj.timer, jiffies() + 1000 * HZ)
    assert white() == []
    timer_delete_sync(obj.timer)
    assert white() == ["node"]
    kfree(obj)


def test_two_that_point_to_each_other_are_leaked(watched):
    a, b = kzalloc_obj(node), kzalloc_obj(node)
    a.other, b.other = b, a
    assert white() == ["node", "node"]
    kfree(a)
    kfree(b)


def test_a_pointer_to_what_is_freed_is_none(watched, root):
    a, b = kzalloc_obj(node), kzalloc_obj(node)
    c = kzalloc_obj(node)
    root(a)
    a.other, b.other = b, c
    assert white() == []
    kfree(b)
    assert white() == ["node"]
    kfree(c)
    kfree(a)


def test_the_report_of_a_kernel_that_leaks(boot):
    with boot(check=("memory",)) as kernel:

        def forget() -> None:
            kzalloc_obj(node)
            sleep_ms(4)
            kzalloc_objs(pointer, 3)
            kzalloc_objs(node, 2)

        Thread(forget, name="forgetful").join()
    (report,) = kernel.reports()
    assert report.headline == "kmemleak: 3 new suspected memory leaks"
    lines = list(report.lines)
    starts = [i for i, line in enumerate(lines) if line.startswith("unreferenced object 0x")]
    assert [lines[i].partition("(")[2] for i in starts] == ["size 80):", "size 24):", "size 160):"]
    for i, kind in zip(starts, ("node", "pointer[]", "node[]"), strict=True):
        assert lines[i + 1].startswith('  comm "forgetful", pid ')
        assert lines[i + 2] == f"  struct {kind}"
        assert lines[i + 3] == "  backtrace:"
        assert lines[i + 4].startswith("    forget+tests/linux/test_kmemleak.py:")
    first, second = (int(lines[i + 1].rpartition(" ")[2]) for i in starts[:2])
    assert second > first
    assert kernel.leaks.objects == {"node": 1, "pointer[]": 1, "node[]": 1}
    text = kernel.leaks.lines()
    at = text.index("leak: 1 x struct node")
    assert text[at + 1].startswith("  1 x allocated by task forgetful/")
    assert text[at + 2].startswith("    forget+tests/linux/test_kmemleak.py:")


def test_a_clean_kernel_has_no_report(boot):
    with boot(check=("memory",)) as kernel:
        kfree(kzalloc_obj(node))
    assert kernel.reports() == []
    assert kernel.leaks.lines() == []


def test_without_the_check_there_are_no_traces(boot):
    with boot(check="") as kernel:
        kzalloc_obj(node)
    assert kernel.leaks.lines() == ["leak: 1 x struct node"]
