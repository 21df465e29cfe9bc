# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""dma_fence: init, signal, callbacks, status and errors, release, names, the stub."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kport.arch.asm import irqs_disabled, spin_is_locked
from kport.dma_buf.dma_fence import (
    DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT,
    DMA_FENCE_FLAG_SIGNALED_BIT,
    __dma_fence_is_later,
    dma_fence,
    dma_fence_add_callback,
    dma_fence_allocate_private_stub,
    dma_fence_begin_signalling,
    dma_fence_cb,
    dma_fence_check_and_signal,
    dma_fence_check_and_signal_locked,
    dma_fence_context_alloc,
    dma_fence_describe,
    dma_fence_driver_name,
    dma_fence_enable_sw_signaling,
    dma_fence_end_signalling,
    dma_fence_get,
    dma_fence_get_rcu,
    dma_fence_get_rcu_safe,
    dma_fence_get_status,
    dma_fence_get_status_locked,
    dma_fence_get_stub,
    dma_fence_init,
    dma_fence_is_array,
    dma_fence_is_chain,
    dma_fence_is_container,
    dma_fence_is_later,
    dma_fence_is_later_or_same,
    dma_fence_is_signaled,
    dma_fence_is_signaled_locked,
    dma_fence_later,
    dma_fence_lock_irqsave,
    dma_fence_ops,
    dma_fence_put,
    dma_fence_remove_callback,
    dma_fence_set_deadline,
    dma_fence_set_error,
    dma_fence_signal,
    dma_fence_signal_locked,
    dma_fence_signal_timestamp,
    dma_fence_signal_timestamp_locked,
    dma_fence_spinlock,
    dma_fence_stub,
    dma_fence_test_signaled_flag,
    dma_fence_timeline_name,
    dma_fence_timestamp,
    dma_fence_unlock_irqrestore,
    dma_fence_was_initialized,
)
from kport.linux.bitops import test_bit
from kport.linux.bug import KernelBug
from kport.linux.cleanup import guard
from kport.linux.err import ECANCELED, EDEADLK, EINVAL, ENOENT, MAX_ERRNO
from kport.linux.kref import kref_read
from kport.linux.ktime import ktime_get
from kport.linux.rcupdate import rcu_barrier
from kport.linux.seq_file import seq_file
from kport.linux.slab import fail_nth, kzalloc_obj, live
from kport.linux.spinlock import spin_lock_init, spinlock_t
from kport.linux.struct import struct
from tests.dma_buf.fences import drop, kept_ops, new, ops_with, plain_ops, references
from tests.support import sleep_ms, take_warnings, together

test_bit.__test__ = False

pytestmark = pytest.mark.usefixtures("kernel")


def callback(log: list, name: str = "cb") -> tuple[dma_fence_cb, object]:
    cb = dma_fence_cb()
    return cb, lambda f, c: log.append((name, f, c is cb))


# -- init ------------------------------------------------------------------------------------------


def test_a_new_fence():
    fence = new(context=5, seqno=7)
    assert references(fence) == 1
    assert (fence.context, fence.seqno, fence.error) == (5, 7, 0)
    assert dma_fence_was_initialized(fence)
    assert not dma_fence_is_signaled(fence)
    assert dma_fence_spinlock(fence) is fence.inline_lock
    drop(fence)


def test_zeroed_memory_was_never_initialised():
    assert not dma_fence_was_initialized(None)
    assert not dma_fence_was_initialized(dma_fence())


def test_an_external_lock():
    lock = spinlock_t()
    spin_lock_init(lock)
    fence = kzalloc_obj(dma_fence)
    dma_fence_init(fence, plain_ops, lock, 1, 1)
    assert dma_fence_spinlock(fence) is lock
    flags = dma_fence_lock_irqsave(fence)
    assert spin_is_locked(lock)
    assert irqs_disabled()
    dma_fence_unlock_irqrestore(fence, flags)
    drop(fence)


@pytest.mark.parametrize(
    "ops",
    [
        None,
        dma_fence_ops(get_driver_name=lambda f: ""),
        dma_fence_ops(get_timeline_name=lambda f: ""),
    ],
)
def test_both_names_are_mandatory(ops):
    with pytest.raises(KernelBug, match="kernel BUG at"):
        dma_fence_init(dma_fence(), ops, None, 1, 1)


def test_contexts_are_unique(kernel):
    first = dma_fence_context_alloc(3)
    assert dma_fence_context_alloc(1) == first + 3
    taken = together(*[lambda: [dma_fence_context_alloc(2) for _ in range(50)]] * 4)
    starts = sorted(c for part in taken for c in part)
    assert all(b - a == 2 for a, b in pairwise(starts))
    dma_fence_context_alloc(0)
    assert len(take_warnings(kernel)) == 1


# -- signalling ------------------------------------------------------------------------------------


def test_signalling_is_for_good_and_sets_the_time():
    fence = new()
    before = ktime_get()
    dma_fence_signal(fence)
    after = ktime_get()
    assert dma_fence_is_signaled(fence)
    assert dma_fence_test_signaled_flag(fence)
    when = dma_fence_timestamp(fence)
    assert before <= when <= after
    sleep_ms(1)
    dma_fence_signal(fence)
    assert dma_fence_timestamp(fence) == when, "the second one changes nothing"
    dma_fence_put(fence)


def test_check_and_signal_tells_whether_it_had_signalled():
    fence = new()
    assert not dma_fence_check_and_signal(fence)
    assert dma_fence_check_and_signal(fence)
    flags = dma_fence_lock_irqsave(fence)
    assert dma_fence_check_and_signal_locked(fence)
    dma_fence_unlock_irqrestore(fence, flags)
    dma_fence_put(fence)


def test_signalling_with_a_given_time():
    for locked in (True, False):
        fence = new()
        if locked:
            flags = dma_fence_lock_irqsave(fence)
            dma_fence_signal_timestamp_locked(fence, 12345)
            dma_fence_unlock_irqrestore(fence, flags)
        else:
            dma_fence_signal_timestamp(fence, 12345)
        assert dma_fence_timestamp(fence) == 12345
        dma_fence_put(fence)


def test_one_of_many_signallers_signals():
    for _ in range(20):
        fence, log = new(), []
        cb, func = callback(log)
        dma_fence_add_callback(fence, cb, func)
        was = together(*[lambda f=fence: bool(dma_fence_check_and_signal(f))] * 6)
        assert sorted(was) == [False] + [True] * 5
        assert len(log) == 1
        dma_fence_put(fence)


def test_signalling_nothing_is_a_warning(kernel):
    dma_fence_signal(None)
    dma_fence_signal_timestamp(None, 0)
    assert len(take_warnings(kernel)) == 2


def test_signalling_unlocked_is_reported(kernel):
    fence = new()
    dma_fence_signal_locked(fence)
    assert "lock is not held" in take_warnings(kernel)[0]
    dma_fence_put(fence)


def test_a_timestamp_before_the_signal_is_a_warning_and_now(kernel):
    fence = new()
    before = ktime_get()
    assert before <= dma_fence_timestamp(fence) <= ktime_get()
    assert len(take_warnings(kernel)) == 1
    drop(fence)


def test_the_issuer_may_know_that_a_fence_has_signalled():
    passed = []
    fence = new(ops=ops_with(signaled=lambda f: bool(passed)))
    log = []
    cb, func = callback(log)
    dma_fence_add_callback(fence, cb, func)
    assert not dma_fence_is_signaled(fence)
    assert not dma_fence_test_signaled_flag(fence)
    passed.append(1)
    assert not dma_fence_test_signaled_flag(fence), "the flag asks nobody"
    assert dma_fence_is_signaled(fence)
    assert dma_fence_test_signaled_flag(fence)
    assert len(log) == 1
    dma_fence_put(fence)


def test_asking_with_the_fence_locked():
    passed = []
    fence = new(ops=ops_with(signaled=lambda f: bool(passed)))
    flags = dma_fence_lock_irqsave(fence)
    assert not dma_fence_is_signaled_locked(fence)
    assert dma_fence_get_status_locked(fence) == 0
    passed.append(1)
    assert dma_fence_is_signaled_locked(fence)
    assert dma_fence_get_status_locked(fence) == 1
    dma_fence_unlock_irqrestore(fence, flags)
    dma_fence_put(fence)


# -- callbacks -------------------------------------------------------------------------------------


def test_callbacks_run_once_in_order_under_the_lock_with_interrupts_off():
    fence, log = new(), []

    def func(name: str):
        return lambda f, cb: log.append(
            (name, f is fence, spin_is_locked(f.inline_lock), irqs_disabled())
        )

    cbs = [dma_fence_cb() for _ in range(3)]
    for n, cb in enumerate(cbs):
        assert dma_fence_add_callback(fence, cb, func(f"{n}")) == 0
    assert log == []
    dma_fence_signal(fence)
    dma_fence_signal(fence)
    assert log == [(f"{n}", True, 1, 1) for n in range(3)]
    dma_fence_put(fence)


def test_a_callback_on_a_signalled_fence_is_enoent_and_not_called():
    fence, log = new(), []
    dma_fence_signal(fence)
    cb, func = callback(log)
    assert dma_fence_add_callback(fence, cb, func) == -ENOENT
    assert cb.node.next is cb.node
    assert not dma_fence_remove_callback(fence, cb)
    assert log == []
    dma_fence_put(fence)


def test_a_callback_that_was_taken_back_is_not_called():
    fence, log = new(), []
    cb, func = callback(log)
    dma_fence_add_callback(fence, cb, func)
    assert dma_fence_remove_callback(fence, cb) is True
    assert dma_fence_remove_callback(fence, cb) is False
    dma_fence_signal(fence)
    assert log == []
    dma_fence_put(fence)


def test_a_callback_that_has_been_called_cannot_be_taken_back():
    fence, log = new(), []
    cb, func = callback(log)
    dma_fence_add_callback(fence, cb, func)
    dma_fence_signal(fence)
    assert dma_fence_remove_callback(fence, cb) is False
    assert log == [("cb", fence, True)]
    dma_fence_put(fence)


def test_bad_arguments_are_einval_with_a_warning(kernel):
    fence = new()
    assert dma_fence_add_callback(None, dma_fence_cb(), lambda f, c: None) == -EINVAL
    assert dma_fence_add_callback(fence, dma_fence_cb(), None) == -EINVAL
    assert len(take_warnings(kernel)) == 2
    drop(fence)


@pytest.mark.boot(check="")  # one fence's lock inside another's, of one class
def test_a_callback_may_signal_another_fence_and_drop_references():
    first, second, log = new(), new(), []
    cb, second_cb = dma_fence_cb(), dma_fence_cb()

    def chain(f: dma_fence, c: dma_fence_cb) -> None:
        dma_fence_signal(second)
        dma_fence_put(second)

    dma_fence_add_callback(second, second_cb, lambda f, c: log.append("second"))
    dma_fence_add_callback(first, cb, chain)
    dma_fence_signal(first)
    assert log == ["second"]
    dma_fence_put(first)


def test_adding_taking_back_and_signalling_race():
    """Each callback is called or taken back, exactly one of the two."""
    for _ in range(15):
        fence, called = new(), []
        cbs = [dma_fence_cb() for _ in range(30)]

        def user(part, fence=fence, called=called) -> int:
            back = 0
            for cb in part:
                if dma_fence_add_callback(fence, cb, lambda f, cb: called.append(cb)):
                    back += 1
                elif len(called) % 2 == 0:
                    back += dma_fence_remove_callback(fence, cb)
            return back

        *back, _ = together(
            lambda c=cbs: user(c[:15]),
            lambda c=cbs: user(c[15:]),
            lambda f=fence: dma_fence_signal(f),
        )
        assert len(called) + sum(back) == 30
        assert len({id(c) for c in called}) == len(called)
        dma_fence_put(fence)


# -- enabling --------------------------------------------------------------------------------------


def test_the_issuer_is_asked_once_to_signal_in_software():
    asked = []
    fence = new(ops=ops_with(enable_signaling=lambda f: asked.append(f) or True))
    assert not test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, fence.flags)
    dma_fence_enable_sw_signaling(fence)
    dma_fence_enable_sw_signaling(fence)
    assert dma_fence_add_callback(fence, dma_fence_cb(), lambda f, c: None) == 0
    assert asked == [fence]
    assert test_bit(DMA_FENCE_FLAG_ENABLE_SIGNAL_BIT, fence.flags)
    drop(fence)


def test_an_issuer_that_cannot_means_that_the_fence_has_signalled():
    fence = new(ops=ops_with(enable_signaling=lambda f: False))
    log = []
    cb, func = callback(log)
    assert dma_fence_add_callback(fence, cb, func) == -ENOENT
    assert dma_fence_is_signaled(fence)
    assert log == []
    dma_fence_put(fence)


def test_a_signalled_fence_is_not_enabled():
    asked = []
    fence = new(ops=ops_with(enable_signaling=lambda f: asked.append(f) or True, release=None))
    dma_fence_signal(fence)
    dma_fence_enable_sw_signaling(fence)
    assert asked == []
    dma_fence_put(fence)


# -- status and errors -----------------------------------------------------------------------------


def test_status():
    fence = new()
    assert dma_fence_get_status(fence) == 0
    dma_fence_signal(fence)
    assert dma_fence_get_status(fence) == 1
    dma_fence_put(fence)


@pytest.mark.parametrize("error", [-1, -ECANCELED, -MAX_ERRNO])
def test_an_error_is_the_status_once_it_has_signalled(error):
    fence = new()
    dma_fence_set_error(fence, error)
    assert dma_fence_get_status(fence) == 0
    dma_fence_signal(fence)
    assert dma_fence_get_status(fence) == error
    dma_fence_put(fence)


@pytest.mark.parametrize("error", [0, 1, -MAX_ERRNO - 1])
def test_what_is_no_error_number_is_a_warning(kernel, error):
    fence = new()
    dma_fence_set_error(fence, error)
    assert len(take_warnings(kernel)) == 1
    assert fence.error == error
    fence.error = 0
    drop(fence)


def test_an_error_after_the_signal_is_a_warning(kernel):
    fence = new()
    dma_fence_signal(fence)
    dma_fence_set_error(fence, -ECANCELED)
    assert len(take_warnings(kernel)) == 1
    dma_fence_put(fence)


# -- order -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f1", "f2", "narrow", "wide"),
    [
        (2, 1, True, True),
        (1, 2, False, False),
        (1, 1, False, False),
        (0, 0xFFFFFFFF, True, False),
        (0x80000000, 1, True, True),
        (0x80000001, 1, False, True),
        (0x1_0000_0001, 2, False, True),
        (0x1_0000_0003, 2, True, True),
    ],
)
def test_seqnos_compare_as_32_or_64_bits(f1, f2, narrow, wide):
    fences = new(), new(wide=True)
    assert __dma_fence_is_later(fences[0], f1, f2) is narrow
    assert __dma_fence_is_later(fences[1], f1, f2) is wide
    drop(*fences)


def test_later_of_one_context():
    a, b = new(9, 1), new(9, 2)
    assert dma_fence_is_later(b, a)
    assert not dma_fence_is_later(a, b)
    assert not dma_fence_is_later(a, a)
    assert dma_fence_is_later_or_same(a, a)
    assert dma_fence_is_later_or_same(b, a)
    assert not dma_fence_is_later_or_same(a, b)
    assert dma_fence_later(a, b) is dma_fence_later(b, a) is b
    dma_fence_signal(b)
    assert dma_fence_later(a, b) is None
    drop(a, b)


def test_comparing_fences_of_two_contexts_is_a_warning(kernel):
    a, b = new(), new()
    assert dma_fence_is_later(a, b) is False
    assert dma_fence_later(a, b) is None
    assert len(take_warnings(kernel)) == 2
    drop(a, b)


# -- references and release ------------------------------------------------------------------------


def test_references():
    fence = new()
    assert dma_fence_get(fence) is fence
    assert references(fence) == 2
    assert dma_fence_get_rcu(fence) is fence
    assert references(fence) == 3
    for _ in range(2):
        dma_fence_put(fence)
    assert dma_fence_get(None) is None
    dma_fence_put(None)
    drop(fence)


@pytest.mark.boot(check="")  # it looks at what was freed
def test_the_last_reference_frees_after_a_grace_period():
    fence = new()
    drop(fence)
    assert id(fence) in live
    assert dma_fence_get_rcu(fence) is None, "on its way out"
    rcu_barrier()
    with pytest.raises(AttributeError):
        assert not fence.error


def test_a_release_function_is_called_instead():
    released = []
    fence = new(ops=ops_with(release=lambda f: released.append(f)))
    drop(fence)
    assert released == [fence]
    kept_ops.release(fence)


def test_a_fence_released_with_callbacks_that_wait_is_a_warning_and_edeadlk(kernel):
    fence, seen = new(context=0x15, seqno=0x2A), []
    dma_fence_add_callback(fence, dma_fence_cb(), lambda f, c: seen.append(f.error))
    dma_fence_put(fence)
    (text,) = take_warnings(kernel)
    assert text.endswith("Fence test-driver:test-timeline:15:2a released with pending signals!")
    assert seen == [-EDEADLK]


def test_an_unsignalled_fence_without_callbacks_may_be_released():
    dma_fence_put(new())


class holder(struct):
    """Who publishes a fence under RCU."""

    fence: dma_fence | None


def test_taking_a_reference_to_what_an_rcu_pointer_points_to():
    h = holder()
    with guard("rcu"):
        assert dma_fence_get_rcu_safe((h, "fence")) is None
    h.fence = new()
    with guard("rcu"):
        assert dma_fence_get_rcu_safe((h, "fence")) is h.fence
    assert references(h.fence) == 2
    dma_fence_put(h.fence)
    drop(h.fence)


def test_a_pointer_that_changes_meanwhile_is_read_again():
    h, a, b = holder(), new(), new()

    class turncoat(struct):
        """Reads as `a` first, then as `b`."""

        reads: int

        @property
        def fence(self) -> dma_fence:
            self.reads += 1
            return a if self.reads == 1 else b

    with guard("rcu"):
        assert dma_fence_get_rcu_safe((turncoat(), "fence")) is b
    assert (references(a), references(b)) == (1, 2)
    dma_fence_put(b)
    drop(a, b)
    assert h.fence is None


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ops", [plain_ops, kept_ops])
def test_names_are_detached_once_signalled(ops):
    fence = new(ops=ops)
    with guard("rcu"):
        assert dma_fence_driver_name(fence) == "test-driver"
        assert dma_fence_timeline_name(fence) == "test-timeline"
    dma_fence_signal(fence)
    with guard("rcu"):
        assert dma_fence_driver_name(fence) == "detached-driver"
        assert dma_fence_timeline_name(fence) == "signaled-timeline"
    assert (fence.ops is None) == (ops is plain_ops), "dropped unless it releases or waits itself"
    dma_fence_put(fence)


def test_describe():
    fence, m = new(context=3, seqno=4), seq_file()
    dma_fence_describe(fence, m)
    dma_fence_signal(fence)
    dma_fence_describe(fence, m)
    assert m.text == "3:4 test-timeline test-driver unsignalled\n3:4   signalled\n"
    dma_fence_put(fence)


def test_deadlines_reach_the_issuer_until_it_has_signalled():
    wanted = []
    ops = ops_with(set_deadline=lambda f, t: wanted.append(t), release=kept_ops.release)
    fence = new(ops=ops)
    dma_fence_set_deadline(fence, 77)
    dma_fence_signal(fence)
    dma_fence_set_deadline(fence, 88)
    assert wanted == [77]
    dma_fence_put(fence)
    plain = new()
    dma_fence_set_deadline(plain, 99)
    drop(plain)


def test_a_plain_fence_is_no_container():
    fence = new()
    assert not dma_fence_is_array(fence)
    assert not dma_fence_is_chain(fence)
    assert not dma_fence_is_container(fence)
    drop(fence)


# -- stubs -----------------------------------------------------------------------------------------


def test_there_is_one_stub_signalled_from_the_beginning():
    a, b = dma_fence_get_stub(), dma_fence_get_stub()
    assert a is b is dma_fence_stub
    assert dma_fence_is_signaled(a)
    assert kref_read(a.refcount) == 3
    dma_fence_put(a)
    dma_fence_put(b)


def test_each_kernel_has_a_new_stub():
    assert kref_read(dma_fence_stub.refcount) == 1
    assert test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, dma_fence_stub.flags)


def test_a_private_stub():
    stub = dma_fence_allocate_private_stub(555)
    assert stub is not dma_fence_stub
    assert dma_fence_is_signaled(stub)
    assert dma_fence_timestamp(stub) == 555
    dma_fence_put(stub)
    fail_nth(1)
    assert dma_fence_allocate_private_stub(0) is None


@pytest.mark.boot(check="")  # a fact of a kernel without it
def test_signalling_critical_sections_without_a_validator():
    cookie = dma_fence_begin_signalling()
    assert cookie is True
    dma_fence_end_signalling(cookie)
    dma_fence_end_signalling(False)
