# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""KASAN: who uses what is freed is told so, and by whom it was freed; the report's text."""

from __future__ import annotations

import gc
import operator
import subprocess
import sys
import textwrap

import pytest

import kport
from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    atomic_inc,
    atomic_read,
    set_bit,
    spin_lock,
    spin_lock_init,
    xchg,
)
from kport.arch.types import atomic64_t, atomic_long_t, atomic_t, bitmap, spinlock_t
from kport.linux import bitops, kasan
from kport.linux.bug import KernelBug
from kport.linux.kasan_layout import kmalloc_cache, members, size_of
from kport.linux.kasan_poison import is_dead
from kport.linux.kref import kref, kref_get, kref_init
from kport.linux.list import INIT_LIST_HEAD, LIST_HEAD, list_add, list_del, list_head
from kport.linux.rcupdate import (
    call_rcu,
    kfree_rcu,
    rcu_barrier,
    rcu_head,
    rcu_read_lock,
    rcu_read_unlock,
)
from kport.linux.slab import (
    GFP_KERNEL,
    KMEM_CACHE,
    SLAB_TYPESAFE_BY_RCU,
    kfree,
    kmem_cache_alloc,
    kmem_cache_destroy,
    kmem_cache_free,
    krealloc_array,
    kzalloc_flex,
    kzalloc_obj,
    kzalloc_objs,
    pointer,
)
from kport.linux.struct import array, container_of, struct
from kport.linux.types import u32, u64
from kport.linux.vsprintf import pointer as hashed
from kport.linux.workqueue import INIT_WORK, cancel_work_sync, schedule_work, work_struct

MEMORY = ("memory",)


class point_t(struct):
    """Two numbers."""

    x: u32
    y: u64


class points(array[point_t], of=point_t, size=3):
    """Three of them."""


class thing(struct):
    """One of everything that can be embedded."""

    first: point_t
    number: u32
    flag: bool
    lock: spinlock_t
    count: atomic_t
    wide: atomic64_t
    word: atomic_long_t
    bits: bitmap
    ref: kref
    link: list_head
    rcu: rcu_head
    three: points
    other: thing | None
    more: list[point_t] | None


@pytest.fixture
def watched(boot):
    """A kernel with KASAN that reports every access."""
    with boot(check=MEMORY) as kernel:
        before = kasan.kasan_save_multi_shot()
        yield kernel
        kasan.kasan_restore_multi_shot(before)


def dead() -> thing:
    """A thing that was in use and is freed."""
    obj = kzalloc_obj(thing)
    spin_lock_init(obj.lock)
    INIT_LIST_HEAD(obj.link)
    kref_init(obj.ref)
    parts = (obj, obj.first, obj.lock, obj.count, obj.wide, obj.word, obj.bits, obj.ref)
    more = (obj.link, obj.rcu, obj.three, obj.three[1])
    kfree(obj)
    return (*parts, *more)


OBJ, FIRST, LOCK, COUNT, WIDE, WORD, BITS, REF, LINK, RCU, THREE, ELEMENT = range(12)

ACCESSES = {
    "load": (OBJ, lambda o: o.number, "Read of size 4", 16),
    "store": (OBJ, lambda o: setattr(o, "flag", True), "Write of size 1", 20),
    "delete": (OBJ, lambda o: delattr(o, "number"), "Write of size 4", 16),
    "marked load": (OBJ, lambda o: READ_ONCE(o, "other"), "Read of size 8", 144),
    "marked store": (OBJ, lambda o: WRITE_ONCE(o, "other", None), "Write of size 8", 144),
    "exchange": (OBJ, lambda o: xchg(o, "other", None), "Write of size 8", 144),
    "clear all": (OBJ, lambda o: o._zero(), "Write of size 160", 0),
    "a member's member": (FIRST, lambda o: o.y, "Read of size 8", 8),
    "container": (FIRST, lambda o: container_of(o, thing, "first"), "Read of size 8", 0),
    "spin lock": (LOCK, lambda o: spin_lock(o), "Write of size 4", 24),
    "atomic load": (COUNT, lambda o: atomic_read(o), "Read of size 4", 28),
    "atomic store": (COUNT, lambda o: atomic_inc(o), "Write of size 4", 28),
    "wide atomic": (WIDE, lambda o: atomic_read(o), "Read of size 8", 32),
    "word": (WORD, lambda o: atomic_read(o), "Read of size 8", 40),
    "bit": (BITS, lambda o: bitops.test_bit(2, o), "Read of size 8", 48),
    "set bit": (BITS, lambda o: set_bit(2, o), "Write of size 8", 48),
    "bits as a number": (BITS, lambda o: int(o), "Read of size 8", 48),
    "reference": (REF, lambda o: kref_get(o), "size 4", 56),
    "list": (LINK, lambda o: list_add(list_head(), o), "Read of size 8", 64),
    "rcu": (RCU, lambda o: call_rcu(o, lambda h: None), "Write of size 8", 88),
    "element": (ELEMENT, lambda o: o.x, "Read of size 4", 96 + 16),
    "element of an array": (THREE, lambda o: o[2], "Read of size 16", 96 + 32),
    "length of an array": (THREE, lambda o: len(o), "Read of size", 96),
}


@pytest.mark.parametrize("what", ACCESSES)
def test_every_kind_of_access_is_reported(watched, what):
    at, access, text, offset = ACCESSES[what]
    obj = dead()[at]
    assert is_dead(obj)
    with pytest.raises(KernelBug, match="BUG: KASAN: slab-use-after-free in "):
        access(obj)
    (report,) = watched.reports()
    assert report.facility == "kasan"
    assert text in report.text
    assert f"located {offset} bytes inside of\n freed 160-byte region" in report.text
    assert "struct thing" in next(x for x in report.lines if x.startswith("The member is"))


def test_what_is_no_access_is_not_reported(watched):
    obj, first, *_, three, _element = dead()
    assert obj is not first
    assert obj != first
    assert obj
    assert three
    assert repr(obj) == "<struct thing>"
    assert isinstance(obj, thing)
    assert obj in {obj: 1}
    assert hashed(obj) == hashed(obj)
    assert watched.reports() == []


def test_a_live_object_costs_nothing(watched):
    obj = kzalloc_obj(thing)
    assert type(obj) is thing
    assert type(obj.lock) is spinlock_t
    kfree(obj)


def test_only_the_first_access_is_reported_and_all_fault(boot):
    with boot(check=MEMORY) as kernel:
        obj, first, *_ = dead()
        for _ in range(3):
            with pytest.raises(KernelBug):
                _ = first.x
        assert len(kernel.reports()) == 1
        kasan.kasan_rearm()
        with pytest.raises(KernelBug):
            _ = obj.number
        assert len(kernel.reports()) == 2


REPORT = """
==================================================================
BUG: KASAN: slab-use-after-free in use+PLACE
Read of size 4 at addr ffff888000010010 by task NAME/1

CPU: 1 PID: 1 Comm: NAME
Call Trace:
 use+PLACE

Allocated by task 1:
 make+PLACE

Freed by task 1:
 kfree+PLACE
 drop+PLACE

Last potentially related work creation:
 queue+PLACE

The buggy address belongs to the object at ffff888000010000
 which belongs to the cache kmalloc-192 of size 192
The buggy address is located 16 bytes inside of
 freed 160-byte region [ffff888000010000, ffff8880000100a0)
The member is struct thing.number

Memory state around the buggy address:
 ffff88800000ff00: fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
 ffff88800000ff80: fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
>ffff888000010000: fa fb fb fb fb fb fb fb fb fb fb fb fb fb fb fb
                         ^
 ffff888000010080: fb fb fb fb fc fc fc fc fc fc fc fc fc fc fc fc
 ffff888000010100: fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
==================================================================
"""


def make() -> thing:
    return kzalloc_obj(thing)


def queue(obj: thing) -> None:
    call_rcu(obj.rcu, lambda head: None)


def drop(obj: thing) -> None:
    kfree(obj)


def use(obj: thing) -> None:
    _ = obj.number


def test_the_whole_report(boot):
    with boot(check=MEMORY) as kernel:
        obj = make()
        queue(obj)
        rcu_barrier()
        drop(obj)
        with pytest.raises(KernelBug):
            use(obj)
    (report,) = kernel.reports()
    lines = []
    for line in report.lines:
        function, plus, _ = line.partition("+")
        if plus:
            known = ("use", "make", "drop", "kfree", "queue")
            if function.split(" ")[-1] not in known:
                continue  # who called the test
            line = f"{function}+PLACE"
        lines.append(line.replace("MainThread", "NAME"))
    assert "\n".join(lines) == REPORT.strip()


def test_the_report_is_in_the_log(boot):
    with boot(check=MEMORY) as kernel:
        obj = dead()[OBJ]
        with pytest.raises(KernelBug):
            _ = obj.flag
    (report,) = kernel.reports()
    log = [line.split("] ", 1)[1] for line in kernel.dmesg()]
    at = log.index(report.lines[0])
    assert tuple(log[at : at + len(report.lines)]) == report.lines


def test_in_a_thread_it_is_an_oops(boot):
    with pytest.raises(kport.KernelOops, match="KASAN: slab-use-after-free"):
        with boot(check=MEMORY):
            obj = dead()[OBJ]
            _ = obj.number


# -- free ------------------------------------------------------------------------------------------


def test_freeing_twice(watched):
    obj = dead()[OBJ]
    with pytest.raises(KernelBug, match=r"BUG: KASAN: double-free in kfree\+"):
        kfree(obj)
    (report,) = watched.reports()
    assert "Free of addr ffff888000010000 by task " in report.text
    assert "Allocated by task" in report.text


def test_freeing_what_was_never_allocated(watched):
    with pytest.raises(KernelBug, match=r"BUG: KASAN: invalid-free in kfree\+"):
        kfree(thing())
    obj = kzalloc_obj(thing)
    with pytest.raises(KernelBug, match=r"BUG: KASAN: invalid-free in kfree\+"):
        kfree(obj.link)
    one, two = watched.reports()
    assert "Allocated by task" not in one.text
    assert "Allocated by task" in two.text
    assert "located 64 bytes inside of\n 160-byte region" in two.text
    kfree(obj)


def test_the_first_member_may_be_freed(watched):
    obj = kzalloc_obj(thing)
    kfree(obj.first)
    with pytest.raises(KernelBug, match="slab-use-after-free"):
        _ = obj.number


def test_a_cache(watched):
    cache, other = KMEM_CACHE(thing, 0), KMEM_CACHE(thing, 0)
    obj = kmem_cache_alloc(cache, GFP_KERNEL)
    with pytest.raises(KernelBug, match=r"KASAN: invalid-free in kmem_cache_free\+"):
        kmem_cache_free(other, obj)
    kmem_cache_free(cache, obj)
    with pytest.raises(KernelBug, match=r"KASAN: double-free in kmem_cache_free\+"):
        kmem_cache_free(cache, obj)
    assert "which belongs to the cache thing of size 160" in watched.reports()[0].text


def test_objects_that_are_typesafe_by_rcu_live_for_a_grace_period(watched):
    cache = KMEM_CACHE(thing, SLAB_TYPESAFE_BY_RCU)
    obj = kmem_cache_alloc(cache, GFP_KERNEL)
    obj.number = 7
    rcu_read_lock()
    kmem_cache_free(cache, obj)
    assert obj.number == 7
    rcu_read_unlock()
    rcu_barrier()
    with pytest.raises(KernelBug, match="slab-use-after-free"):
        _ = obj.number
    assert "Last potentially related work creation:" in watched.reports()[0].text
    kmem_cache_destroy(cache)


def test_kfree_rcu(watched):
    obj = kzalloc_obj(thing)
    kfree_rcu(obj, "rcu")
    rcu_barrier()
    with pytest.raises(KernelBug, match="slab-use-after-free"):
        _ = obj.number
    (report,) = watched.reports()
    assert "test_kfree_rcu" in report.text.split("Last potentially related")[1]


def test_a_queued_work_item_is_remembered(watched):
    class holder(struct):
        item: work_struct

    obj = kzalloc_obj(holder)
    INIT_WORK(obj.item, lambda w: None)
    schedule_work(obj.item)
    cancel_work_sync(obj.item)
    kfree(obj)
    with pytest.raises(KernelBug):
        _ = obj.item.func
    assert "Last potentially related work creation:\n queue_work_on+" in watched.reports()[0].text


# -- arrays ----------------------------------------------------------------------------------------


def test_arrays(watched):
    structs, pointers = kzalloc_objs(point_t, 3), kzalloc_objs(pointer, 4)
    pointers[1] = keep = kzalloc_obj(point_t)
    inner = structs[2]
    kfree(structs)
    kfree(pointers)
    for access, text in (
        (lambda: inner.x, "struct point_t[3][2].x"),
        (lambda: structs[1], "struct point_t[3][1]"),
        (lambda: pointers[3], "struct pointer[4][3]"),
        (lambda: pointers.append(1), "struct pointer[4]"),
        (lambda: list(pointers), "struct pointer[4]"),
        (lambda: operator.setitem(pointers, 0, None), "struct pointer[4][0]"),
    ):
        with pytest.raises(KernelBug, match="slab-use-after-free"):
            access()
        assert f"The member is {text}" in watched.reports()[-1].lines
    assert keep.x == 0, "what an array points to does not go with it"
    kfree(keep)


def test_an_array_that_grows_moves(watched):
    small = kzalloc_objs(pointer, 2)
    large = krealloc_array(small, 4)
    assert large is not small
    with pytest.raises(KernelBug, match="slab-use-after-free"):
        _ = small[0]
    kfree(large)


def test_a_flexible_array_goes_with_its_struct(watched):
    obj = kzalloc_flex(thing, "more", point_t, 3)
    items, item = obj.more, obj.more[1]
    kfree(obj)
    with pytest.raises(KernelBug):
        _ = item.y
    with pytest.raises(KernelBug):
        _ = items[0]


def test_a_neighbour_on_a_list_is_freed(watched):
    head = LIST_HEAD()
    one, two = kzalloc_obj(thing), kzalloc_obj(thing)
    list_add(one.link, head)
    list_add(two.link, head)
    kfree(one)
    with pytest.raises(KernelBug, match=r"slab-use-after-free in (__list_del|list_del)"):
        list_del(two.link)
    kfree(two)


# -- declared dead ---------------------------------------------------------------------------------


def test_an_object_can_be_declared_dead_and_called_back(watched):
    owner = thing()
    spin_lock_init(owner.lock)
    owner.number, owner.bits = 5, owner.bits
    set_bit(3, owner.bits)
    kasan.poison(owner)
    for access in (lambda: owner.number, lambda: spin_lock(owner.lock), lambda: owner.first):
        with pytest.raises(KernelBug, match="BUG: KASAN: use-after-poison in "):
            access()
    assert "Poisoned by task" in watched.reports()[0].text
    with pytest.raises(ValueError, match="is dead already"):
        kasan.poison(owner)
    kasan.unpoison(owner)
    assert owner.number == 5
    assert bitops.test_bit(3, owner.bits)
    assert owner.lock.owner is None
    assert owner.three[1]._container is owner.three
    with pytest.raises(ValueError, match="was not declared dead"):
        kasan.unpoison(owner)


def test_a_member_can_be_declared_dead_and_its_owner_freed(watched):
    owner = kzalloc_obj(thing)
    kasan.poison(owner.first)
    assert owner.number == 0
    first = owner.first
    with pytest.raises(KernelBug, match="use-after-poison"):
        _ = first.x
    kasan.unpoison(first)
    assert container_of(first, thing, "first") is owner
    kasan.poison(first)
    kfree(owner)
    with pytest.raises(KernelBug, match="slab-use-after-free"):
        _ = first.x


def test_what_was_declared_dead_may_be_freed(watched):
    obj = kzalloc_obj(thing)
    kasan.poison(obj)
    kfree(obj)
    with pytest.raises(KernelBug, match="slab-use-after-free"):
        _ = obj.number


def test_without_the_check_nobody_can_declare(boot):
    with boot(check=""), pytest.raises(RuntimeError, match='booted with check="memory"'):
        kasan.poison(thing())


# -- how it is built -------------------------------------------------------------------------------


def test_the_dead_keep_nobody_alive(watched):
    class marked(thing):
        """A type of its own to count."""

    def alive() -> int:
        return sum(isinstance(o, point_t) and o.x == 77 for o in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            obj = kzalloc_obj(thing)
            INIT_LIST_HEAD(obj.link)
            obj.first.x = 77
            obj.other = obj
            kfree(obj)
        del obj
        gc_alive = [o for o in gc.get_objects() if type(o).__name__ == "thing" and is_dead(o)]
        assert gc_alive == [], "freed objects are not garbage in cycles"
    finally:
        gc.enable()


def test_layout_is_that_of_a_compiler():
    assert members(point_t) == [("x", 0, 4), ("y", 8, 8)]
    assert size_of(point_t) == 16
    assert {name: at for name, at, _ in members(thing)}["more"] == 152
    assert size_of(thing) == 160
    assert kmalloc_cache(200) == ("kmalloc-256", 256)
    assert kmalloc_cache(96) == ("kmalloc-96", 96)
    assert kmalloc_cache(1025) == ("kmalloc-2k", 2048)
    assert kmalloc_cache(9000) == ("kmalloc-large", 12288)


def test_another_kernel_is_not_watched(boot):
    with boot(check=MEMORY):
        pass
    with boot(check=""):
        obj = kzalloc_obj(thing)
        array = kzalloc_objs(pointer, 2)
        assert type(array) is list
        kfree(array)
        kfree(obj)
        assert not is_dead(obj)


PROGRAM = """
    import kport
    from kport.linux.slab import kfree, kzalloc_obj
    from kport.dma_buf.dma_fence import dma_fence
    with kport.boot("virt", check="memory") as kernel:
        one, two = kzalloc_obj(dma_fence), kzalloc_obj(dma_fence)
        kfree(two)
        try:
            two.context
        except Exception:
            pass
    for report in kernel.reports():
        print(report.text)
"""


def test_two_processes_print_the_same():
    texts = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    }
    (text,) = texts
    assert "slab-use-after-free" in text
    assert "unreferenced object 0x" in text
