# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Allocation: zeroed, accounted by name, poisoned when freed, failing on demand."""

from __future__ import annotations

import gc

import pytest

import kport
from kport.linux.bug import KernelBug
from kport.linux.list import INIT_LIST_HEAD, list_head
from kport.linux.rbtree import RB_CLEAR_NODE, rb_node
from kport.linux.rcupdate import rcu_read_lock, rcu_read_unlock
from kport.linux.slab import (
    GFP_KERNEL,
    KMEM_CACHE,
    SLAB_HWCACHE_ALIGN,
    SLAB_TYPESAFE_BY_RCU,
    fail_nth,
    kfree,
    kmem_cache_alloc,
    kmem_cache_create,
    kmem_cache_destroy,
    kmem_cache_free,
    kmem_cache_zalloc,
    krealloc_array,
    kvfree,
    kzalloc_flex,
    kzalloc_obj,
    kzalloc_objs,
    leaks,
    live,
    no_failures,
    pointer,
)
from kport.linux.struct import struct
from tests.support import Gate, Thread, sleep_ms, take_warnings, together


class inner(struct):
    """The first member of a thing."""

    a: int


class thing(struct):
    """Something to allocate."""

    first: inner
    second: inner
    n: int
    p: thing | None
    link: list_head
    node: rb_node
    array: list[inner] | None


def test_memory_is_zeroed_and_accounted(kernel):
    before = dict(leaks())
    obj = kzalloc_obj(thing)
    assert (obj.first.a, obj.n, obj.p, obj.link.next, obj.array) == (0, 0, None, None, None)
    assert leaks()["thing"] == before.get("thing", 0) + 1
    kfree(obj)
    assert dict(leaks()) == before


def test_freeing_null_is_fine(kernel):
    kfree(None)
    kvfree(None)
    kmem_cache_destroy(None)


@pytest.mark.boot(check="")  # wrong on purpose
def test_using_freed_memory_is_a_fault(kernel):
    obj = kzalloc_obj(thing)
    kfree(obj)
    for field in ("n", "p", "link", "first"):
        with pytest.raises(AttributeError):
            getattr(obj, field)


@pytest.mark.boot(check="")  # wrong on purpose
def test_freeing_twice_is_a_bug(kernel):
    obj = kzalloc_obj(thing)
    kfree(obj)
    with pytest.raises(KernelBug, match="invalid or double free of thing"):
        kfree(obj)


@pytest.mark.boot(check="")  # wrong on purpose
def test_freeing_what_was_never_allocated_is_a_bug(kernel):
    with pytest.raises(KernelBug, match="invalid or double free of thing"):
        kfree(thing())
    obj = kzalloc_obj(thing)
    with pytest.raises(KernelBug, match="invalid or double free of inner"):
        kfree(obj.second)
    kfree(obj)


@pytest.mark.boot(check="")  # wrong on purpose
def test_the_first_member_has_the_address_of_its_struct(kernel):
    obj = kzalloc_obj(thing)
    kfree(obj.first)
    with pytest.raises(AttributeError):
        obj.n += 1
    assert "thing" not in leaks()


def test_a_double_free_in_a_thread_is_an_oops(boot):
    with pytest.raises(kport.KernelOops, match="double free of thing"), boot(check=""):
        obj = kzalloc_obj(thing)
        kfree(obj)
        Thread(kfree, obj).join()


def test_freed_objects_leave_no_cycles(kernel):
    """An empty list head points to itself; kfree() unties it, the collector has nothing to do."""

    def alive() -> int:
        return sum(type(o) is thing for o in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        for _ in range(10):
            obj = kzalloc_obj(thing)
            INIT_LIST_HEAD(obj.link)
            RB_CLEAR_NODE(obj.node)
            obj.p = obj
            kfree(obj)
        del obj
        assert alive() == before
    finally:
        gc.enable()


@pytest.mark.boot(check="")  # wrong on purpose
def test_arrays(kernel):
    structs = kzalloc_objs(inner, 3)
    pointers = kzalloc_objs(pointer, 2)
    assert [i.a for i in structs] == [0, 0, 0]
    assert pointers == [None, None]
    assert leaks()["inner[]"] == 1
    assert leaks()["pointer[]"] == 1
    first = structs[0]
    kfree(structs)
    kfree(pointers)
    with pytest.raises(AttributeError):
        first.a += 1
    with pytest.raises(IndexError):
        structs[0].a = 1
    with pytest.raises(KernelBug):
        kfree(pointers)


def test_an_array_of_nothing_is_not_null(kernel):
    """C returns ZERO_SIZE_PTR, which is true and may be freed."""
    nothing = kzalloc_objs(pointer, 0)
    assert nothing is not None
    assert nothing
    kfree(nothing)


def test_a_flexible_array(kernel):
    obj = kzalloc_flex(thing, "array", inner, 4)
    assert [i.a for i in obj.array] == [0, 0, 0, 0]
    kfree(obj)


@pytest.mark.boot(check="")  # wrong on purpose
def test_an_array_that_grows_moves(kernel):
    small = krealloc_array(None, 2)
    small[0] = "x"
    large = krealloc_array(small, 3)
    assert large == ["x", None, None]
    with pytest.raises(IndexError):
        small[0] = 1
    with pytest.raises(KernelBug):
        kfree(small)
    assert krealloc_array(large, 2) is large, "one that is large enough stays"
    kfree(large)


def test_growing_an_array_keeps_what_is_in_it(kernel):
    array = krealloc_array(None, 2)
    array[1] = "x"
    array = krealloc_array(array, 4)
    assert array == [None, "x", None, None]
    fail_nth(1)
    assert krealloc_array(array, 6) is None
    assert array == [None, "x", None, None], "on failure the old one stays"
    kfree(array)


# -- failures --------------------------------------------------------------------------------------


def test_the_nth_allocation_fails_once(kernel):
    fail_nth(3)
    objs = [kzalloc_obj(thing) for _ in range(5)]
    assert [obj is None for obj in objs] == [False, False, True, False, False]
    for obj in objs:
        kfree(obj)


def test_every_kind_of_allocation_can_fail(kernel):
    cache = KMEM_CACHE(thing, 0)
    for allocate in (
        lambda: kzalloc_obj(thing),
        lambda: kzalloc_objs(inner, 2),
        lambda: kzalloc_flex(thing, "array", inner, 2),
        lambda: krealloc_array(None, 2),
        lambda: KMEM_CACHE(thing, 0),
        lambda: kmem_cache_zalloc(cache, GFP_KERNEL),
        lambda: kmem_cache_alloc(cache, GFP_KERNEL),
    ):
        fail_nth(1)
        assert allocate() is None
    kmem_cache_destroy(cache)
    assert not live


def test_a_failure_can_be_taken_back_and_suspended(kernel):
    fail_nth(1)
    fail_nth(0)
    kfree(kzalloc_obj(thing))
    fail_nth(2)
    with no_failures():
        kept = [kzalloc_obj(thing) for _ in range(4)]
    assert None not in kept
    kept.append(kzalloc_obj(thing))
    assert kzalloc_obj(thing) is None
    for obj in kept:
        kfree(obj)


def test_failures_are_for_one_thread(kernel):
    gate = Gate()
    other = Thread(lambda: (gate.enter(), kfree(kzalloc_obj(thing))))
    gate.arrived()
    fail_nth(1)
    gate.open()
    other.join()
    assert kzalloc_obj(thing) is None


# -- caches ----------------------------------------------------------------------------------------


@pytest.mark.boot(check="")  # wrong on purpose
def test_a_cache(kernel):
    made = []
    cache = kmem_cache_create("things", thing, SLAB_HWCACHE_ALIGN, made.append)
    assert (cache.name, cache.flags) == ("things", SLAB_HWCACHE_ALIGN)
    a, b = kmem_cache_alloc(cache, GFP_KERNEL), kmem_cache_zalloc(cache, GFP_KERNEL)
    assert made == [a, b]
    assert leaks()["thing"] == 2
    kmem_cache_free(cache, a)
    with pytest.raises(AttributeError):
        a.n += 1
    with pytest.raises(KernelBug, match="double free into cache things"):
        kmem_cache_free(cache, a)
    kmem_cache_free(cache, b)
    kmem_cache_destroy(cache)
    assert KMEM_CACHE(thing, 0).name == "thing"


@pytest.mark.boot(check="")  # wrong on purpose
def test_objects_that_are_typesafe_by_rcu_live_for_a_grace_period(kernel):
    cache = KMEM_CACHE(thing, SLAB_TYPESAFE_BY_RCU)
    obj = kmem_cache_alloc(cache, GFP_KERNEL)
    obj.n = 5
    rcu_read_lock()
    kmem_cache_free(cache, obj)
    assert leaks()["thing"] == 0
    with pytest.raises(KernelBug, match="double free into cache thing"):
        kmem_cache_free(cache, obj)
    sleep_ms(20)
    assert obj.n == 5
    rcu_read_unlock()
    kmem_cache_destroy(cache)
    with pytest.raises(AttributeError):
        obj.n += 1


def test_a_cache_is_not_destroyed_with_objects_in_it(kernel):
    cache = KMEM_CACHE(thing, 0)
    obj = kmem_cache_alloc(cache, GFP_KERNEL)
    kmem_cache_destroy(cache)
    (text,) = take_warnings(kernel)
    assert "kmem_cache_destroy thing: Slab cache still has objects when called" in text
    obj.n = 5
    kmem_cache_free(cache, obj)
    kmem_cache_destroy(cache)
    assert kernel.warnings() == []


@pytest.mark.boot(check="")  # wrong on purpose
def test_freeing_into_the_wrong_cache_is_a_bug(kernel):
    one, other = KMEM_CACHE(thing, 0), KMEM_CACHE(inner, 0)
    obj = kmem_cache_alloc(one, GFP_KERNEL)
    with pytest.raises(KernelBug, match="into cache inner"):
        kmem_cache_free(other, obj)
    kmem_cache_free(one, obj)


def test_many_threads_allocate_and_free(kernel):
    cache = KMEM_CACHE(thing, 0)

    def use() -> None:
        for _ in range(150):
            objs = [kzalloc_obj(thing), kmem_cache_alloc(cache, GFP_KERNEL)]
            kfree(objs[0])
            kmem_cache_free(cache, objs[1])

    together(*[use] * 5)
    assert "thing" not in leaks()
    kmem_cache_destroy(cache)
