# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The check `memory` as a whole: counters, lists, the union of a fence, several executions."""

from __future__ import annotations

import pytest

from kport.arch.api import KernelBug
from kport.arch.asm import set_bit
from kport.check import memory
from kport.dma_buf import dma_fence as fences
from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_SIGNALED_BIT,
    dma_fence,
    dma_fence_cb,
    dma_fence_get,
    dma_fence_put,
    dma_fence_signal,
    dma_fence_timestamp,
)
from kport.linux import kasan
from kport.linux.facility import select
from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add,
    list_add_tail,
    list_del,
    list_empty,
    list_head,
)
from kport.linux.poison import LIST_POISON2
from kport.linux.rcupdate import rcu_barrier, rcu_read_lock, rcu_read_unlock
from kport.linux.refcount import (
    REFCOUNT_INIT,
    REFCOUNT_MAX,
    REFCOUNT_SATURATED,
    refcount_add_not_zero,
    refcount_dec,
    refcount_dec_and_test,
    refcount_dec_not_one,
    refcount_inc,
    refcount_read,
    refcount_warn_saturate,
)
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.types import u32
from tests.dma_buf.fences import new, plain_ops
from tests.support import take_warnings


@pytest.fixture
def watched(boot):
    """A kernel with the check, and without the option `debug`: the check must do by itself."""
    with boot(check=("memory",), debug=False) as kernel:
        yield kernel


def found(kernel, facility: str) -> list[str]:
    """The headlines of a facility; the warnings they are made of are expected."""
    take_warnings(kernel)
    return [r.headline for r in kernel.reports() if r.facility == facility]


def test_the_name_stands_for_five_facilities():
    names = [facility.name for facility in select("memory")]
    assert names == ["debugobjects", "kasan", "kmemleak", "warnings", "dma_fence_union"]
    assert [type(f) for f in select("memory")] == [type(f) for f in memory.facilities()]


# -- reference counters ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "do", "message"),
    [
        (REFCOUNT_MAX, lambda r: refcount_add_not_zero(1, r), "saturated; leaking memory."),
        (REFCOUNT_MAX, refcount_inc, "saturated; leaking memory."),
        (0, refcount_inc, "addition on 0; use-after-free."),
        (0, refcount_dec_and_test, "underflow; use-after-free."),
        (0, refcount_dec_not_one, "underflow; use-after-free."),
        (1, refcount_dec, "decrement hit 0; leaking memory."),
        (1, lambda r: refcount_warn_saturate(r, 99), "unknown saturation event!?."),
    ],
)
def test_a_reference_counter_reports(watched, value, do, message):
    r = REFCOUNT_INIT(value)
    do(r)
    assert found(watched, "refcount_t") == [f"refcount_t: {message}"]
    (report,) = watched.reports()
    assert report.lines[0] == "------------[ cut here ]------------"
    assert any("tests/check/test_memory.py" in line for line in report.lines)
    if "unknown" not in message and do is not refcount_dec_not_one:
        assert refcount_read(r) == u32(REFCOUNT_SATURATED)


# -- lists: the eleven messages ------------------------------------------------------------------


def entries() -> tuple[list_head, list_head, list_head]:
    """A list of two: its head and the entries."""
    head, a, b = LIST_HEAD(), list_head(), list_head()
    for entry in (a, b):
        INIT_LIST_HEAD(entry)
        list_add_tail(entry, head)
    return head, a, b


P = "<struct list_head>"
LISTS = {
    "add: prev is NULL": (
        lambda h, a, b: (setattr(h, "prev", None), list_add_tail(list_head(), h)),
        "list_add corruption. prev is NULL.",
    ),
    "add: next is NULL": (
        lambda h, a, b: (setattr(h, "next", None), list_add(list_head(), h)),
        "list_add corruption. next is NULL.",
    ),
    "add: next->prev": (
        lambda h, a, b: (setattr(a, "prev", b), list_add(list_head(), h)),
        f"list_add corruption. next->prev should be prev ({P}), but was {P}. (next={P}).",
    ),
    "add: prev->next": (
        lambda h, a, b: (setattr(b, "next", a), list_add_tail(list_head(), h)),
        f"list_add corruption. prev->next should be next ({P}), but was {P}. (prev={P}).",
    ),
    "add: double": (
        lambda h, a, b: list_add(a, h),
        f"list_add double add: new={P}, prev={P}, next={P}.",
    ),
    "del: next is NULL": (
        lambda h, a, b: (setattr(a, "next", None), list_del(a)),
        f"list_del corruption, {P}->next is NULL",
    ),
    "del: prev is NULL": (
        lambda h, a, b: (setattr(a, "prev", None), list_del(a)),
        f"list_del corruption, {P}->prev is NULL",
    ),
    "del: POISON1": (
        lambda h, a, b: (list_del(a), list_del(a)),
        f"list_del corruption, {P}->next is LIST_POISON1 (LIST_POISON1)",
    ),
    "del: POISON2": (
        lambda h, a, b: (setattr(a, "prev", LIST_POISON2), list_del(a)),
        f"list_del corruption, {P}->prev is LIST_POISON2 (LIST_POISON2)",
    ),
    "del: prev->next": (
        lambda h, a, b: (setattr(h, "next", b), list_del(a)),
        f"list_del corruption. prev->next should be {P}, but was {P}. (prev={P})",
    ),
    "del: next->prev": (
        lambda h, a, b: (setattr(b, "prev", h), list_del(a)),
        f"list_del corruption. next->prev should be {P}, but was {P}. (next={P})",
    ),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_damaged_list_reports(watched, what):
    damage, message = LISTS[what]
    damage(*entries())
    assert found(watched, "list") == [message]


def test_a_damaged_list_is_left_alone(watched):
    head, a, _b = entries()
    list_add(a, head)
    assert head.next is a
    assert a.next is not a


# -- the union in a fence --------------------------------------------------------------------------


def test_the_life_of_a_fence_uses_the_right_arms(watched):
    fence = new()
    assert list_empty(fence.cb_list)
    dma_fence_signal(fence)
    assert dma_fence_timestamp(fence) >= 0
    assert fence.timestamp >= 0
    dma_fence_put(fence)
    rcu_barrier()
    assert watched.reports() == []


def test_the_timestamp_is_read_too_early(watched):
    fence = new()
    assert fence.timestamp > 1 << 63, "half of a list"
    dma_fence_signal(fence)
    dma_fence_put(fence)
    (text,) = found(watched, "dma_fence_union")
    assert text.startswith("BUG: dma_fence: read of timestamp while the union holds cb_list in ")


def test_a_reader_between_the_signal_and_the_timestamp(watched):
    """drm_sched_get_finished_job() once did not wait for the timestamp."""
    fence = new()
    set_bit(DMA_FENCE_FLAG_SIGNALED_BIT, fence.flags)
    kept = fence.timestamp
    assert kept != 0
    dma_fence_put(fence)
    (text,) = found(watched, "dma_fence_union")
    assert "read of timestamp while the union holds cb_list" in text


def test_the_list_is_used_too_late(watched):
    fence, cb = new(), dma_fence_cb()
    dma_fence_signal(fence)
    list_add_tail(cb.node, fence.cb_list)
    dma_fence_put(fence)
    (text,) = found(watched, "dma_fence_union")
    assert "read of cb_list while the union holds timestamp" in text


@pytest.mark.parametrize("write", [False, True])
def test_the_timestamp_of_a_fence_that_waits_for_readers(watched, write):
    fence = new()
    dma_fence_signal(fence)
    rcu_read_lock()
    dma_fence_put(fence)
    if write:
        fence.timestamp = 1
    else:
        _ = fence.timestamp
    rcu_read_unlock()
    (text,) = found(watched, "dma_fence_union")
    kind = "write" if write else "read"
    assert f"{kind} of timestamp while the union holds rcu" in text


def test_each_place_is_reported_once(watched):
    fence = new()
    for _ in range(3):
        _ = fence.timestamp
    _ = fence.timestamp
    dma_fence_signal(fence)
    dma_fence_put(fence)
    assert len(found(watched, "dma_fence_union")) == 2


def test_zeroing_and_reinitialising_a_fence_begins_anew(watched):
    fence = dma_fence()
    fences.dma_fence_init(fence, plain_ops, None, 1, 1)
    dma_fence_signal(fence)
    fence._zero()
    fences.dma_fence_init(fence, plain_ops, None, 1, 2)
    assert list_empty(fence.cb_list)
    assert watched.reports() == []


def test_the_class_is_as_before_without_the_check(boot):
    members = {name: dma_fence.__dict__[name] for name in ("timestamp", "cb_list")}
    with boot(check=("memory",)):
        assert dma_fence.__dict__["timestamp"] is not members["timestamp"]
    for name, member in members.items():
        assert dma_fence.__dict__[name] is member


# -- several executions in one kernel --------------------------------------------------------------


@pytest.mark.virt_only("a kernel with several executions")
def test_every_execution_reports(boot):
    """What is said once in a kernel is said once in each of its executions."""
    with boot(check=("memory",)) as kernel:

        def body() -> None:
            refcount_inc(REFCOUNT_INIT(0))
            fence = kzalloc_obj(dma_fence)
            kfree(fence)
            dma_fence_get(fence)

        for number in range(1, 4):
            with pytest.raises(KernelBug, match="slab-use-after-free in dma_fence_get"):
                kernel.machine.run(body)
            assert [r.facility for r in kernel.reports()] == ["refcount_t", "kasan"] * number
        take_warnings(kernel)


def test_all_facilities_find_their_share_in_one_kernel(watched):
    before = kasan.kasan_save_multi_shot()
    fence = new()
    _ = fence.timestamp
    list_add(fence.cb_list, fence.cb_list)
    kfree(fence)
    with pytest.raises(KernelBug):
        dma_fence_put(fence)
    kasan.kasan_restore_multi_shot(before)
    assert found(watched, "list")
    assert [r.facility for r in watched.reports()] == ["dma_fence_union", "list", "kasan"]
