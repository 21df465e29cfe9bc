# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Structs: zeroed, slotted, embedded members that know where they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kport.arch.types import atomic_t, bitmap, spinlock_t
from kport.linux.list import INIT_LIST_HEAD, list_head
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import array, cas, container_of, memset, sizeof, struct
from kport.linux.types import u32

pytestmark = pytest.mark.usefixtures("kernel")


class inner(struct):
    """Embedded in middle."""

    n: int


class middle(struct):
    """Embedded in outer, twice."""

    a: inner
    b: inner


class outer(struct):
    """One field of each kind."""

    number: int
    word: u32
    flag: bool
    text: str
    real: float
    pointer: outer | None
    callback: Callable[[int], int] | None
    array: list[int] | None
    first: middle
    second: middle
    link: list_head
    lock: spinlock_t
    count: atomic_t
    bits: bitmap
    shared: cas[outer | None]


class table(struct, table=True):
    """Callbacks."""

    run: Callable[[], int] | None
    stop: Callable[[], int] | None


def test_a_new_struct_is_zero():
    o = outer()
    assert (o.number, o.word, o.flag, o.text, o.real) == (0, 0, False, "", 0)
    assert o.flag is False
    assert (o.pointer, o.callback, o.array, o.shared) == (None, None, None, None)
    assert (o.first.a.n, o.count.counter, int(o.bits)) == (0, 0, 0)


def test_structs_have_slots_only():
    o = outer()
    with pytest.raises(AttributeError):
        o.nummber = 1
    assert not hasattr(o, "__dict__")


def test_pointers_compare_by_identity_and_are_true():
    assert inner() != inner()
    assert bool(inner())
    assert repr(inner()) == "<struct inner>"


def test_embedded_structs_know_their_container_and_member():
    o = outer()
    assert container_of(o.first, outer, "first") is o
    assert container_of(o.first.b, middle, "b") is o.first
    assert container_of(o.second.a, outer, "second.a") is o
    assert container_of(o.link, outer, "link") is o


@pytest.mark.parametrize(
    ("pick", "kind", "member"),
    [
        (lambda o: o.first, outer, "second"),
        (lambda o: o.first, inner, "first"),
        (lambda o: o.first.a, outer, "second.a"),
        (lambda o: o.first.a, middle, "b"),
        (lambda o: o.link, outer, "first"),
        (lambda o: inner(), outer, "first"),
    ],
)
def test_a_wrong_member_or_class_is_refused_by_a_debug_kernel(pick, kind, member):
    with pytest.raises(TypeError, match="container_of"):
        container_of(pick(outer()), kind, member)


def test_memset_zeroes_in_place_and_keeps_identities():
    o = outer()
    first, lock, bits = o.first, o.lock, o.bits
    o.number, o.flag, o.text, o.pointer, o.array = 5, True, "x", o, [1]
    o.first.a.n, o.count.counter, o.shared = 7, 3, o
    o.bits |= 9
    INIT_LIST_HEAD(o.link)
    memset(o, 0, sizeof(o))
    assert (o.number, o.flag, o.text) == (0, False, "")
    assert (o.pointer, o.array, o.shared) == (None, None, None)
    assert (o.first.a.n, o.count.counter, int(o.bits), o.link.next) == (0, 0, 0, None)
    assert o.first is first
    assert o.lock is lock
    assert o.bits is bits
    assert container_of(o.first, outer, "first") is o


def test_memset_of_something_else_than_a_whole_struct_is_refused():
    o = outer()
    with pytest.raises(TypeError, match="whole struct"):
        memset(o, 1, sizeof(o))
    with pytest.raises(TypeError, match="whole struct"):
        memset(o, 0, sizeof(o) - 8)


def test_sizeof_is_the_same_for_class_and_object():
    assert sizeof(outer) == sizeof(outer()) == 8 * 15


def test_a_table_takes_designated_initialisers():
    def f() -> int:
        return 1

    ops = table(run=f)
    assert ops.run is f
    assert ops.stop is None
    with pytest.raises(AttributeError):
        table(rnu=f)


def test_members_that_are_exchanged_are_ordinary_members_otherwise():
    o = outer()
    o.shared = o
    assert o.shared is o
    o.shared = None
    assert o.shared is None


def test_a_freed_struct_is_empty():
    o = outer()
    o._free()
    for field in ("number", "first", "lock", "shared", "pointer"):
        with pytest.raises(AttributeError):
            getattr(o, field)


def test_the_container_of_a_struct_on_its_own_is_null():
    assert outer()._container is None


class rq(struct):
    """An element of an array."""

    n: int
    link: list_head


class rqs(array[rq], of=rq, size=3):
    """Three of them."""


class owner(struct):
    """Has an array of structs in it."""

    before: int
    rqs: rqs


def test_an_array_of_structs_is_made_with_its_container_and_zeroed_in_place():
    o = owner()
    elements = list(o.rqs)
    assert [element.n for element in o.rqs] == [0, 0, 0]
    o.rqs[1].n = 7
    memset(o, 0, sizeof(o))
    assert all(now is before for now, before in zip(o.rqs, elements, strict=True))
    assert o.rqs[1].n == 0
    assert container_of(o.rqs[2].link, rq, "link") is o.rqs[2]


@pytest.mark.boot(check="")  # it looks at what it has freed
def test_an_array_goes_with_its_container():
    o = kzalloc_obj(owner)
    element, elements = o.rqs[0], o.rqs
    INIT_LIST_HEAD(element.link)
    kfree(o)
    with pytest.raises(AttributeError):
        element.n  # noqa: B018
    assert elements == []
