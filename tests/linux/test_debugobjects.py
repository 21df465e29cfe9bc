# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""DEBUG_OBJECTS: timers, work items and RCU callbacks in the wrong state."""

from __future__ import annotations

import pytest

from kport.linux.debugobjects import debug_objects_rearm
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_cancel,
    hrtimer_is_queued,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.jiffies import HZ, jiffies
from kport.linux.rcupdate import call_rcu, rcu_barrier, rcu_head, rcu_read_lock, rcu_read_unlock
from kport.linux.slab import kfree, kzalloc_obj, kzalloc_objs
from kport.linux.struct import array, struct
from kport.linux.timer import (
    add_timer,
    destroy_timer_on_stack,
    mod_timer,
    timer_delete,
    timer_delete_sync,
    timer_list,
    timer_pending,
    timer_setup,
    timer_shutdown_sync,
)
from kport.linux.workqueue import (
    INIT_DELAYED_WORK,
    INIT_WORK,
    alloc_ordered_workqueue,
    cancel_delayed_work_sync,
    delayed_work,
    destroy_workqueue,
    flush_work,
    queue_work,
    schedule_delayed_work,
    schedule_work,
    work_struct,
)
from tests.support import Gate, eventually, messages, sleep_ms, take_warnings

FAR = 1000 * HZ


class inner(struct):
    """Deeper down."""

    delayed: delayed_work


class inners(array[inner], of=inner, size=2):
    """And in an array."""


class owner(struct):
    """What has all of them in it."""

    number: int
    timer: timer_list
    high: hrtimer
    work: work_struct
    deep: inner
    several: inners


def expire(t: object) -> None:
    """A timer's callback."""


def ring(t: object) -> int:
    """An hrtimer's callback."""
    return HRTIMER_NORESTART


def toil(work: object) -> None:
    """A work item's function."""


@pytest.fixture
def watched(boot):
    """A kernel with DEBUG_OBJECTS whose reports the test takes."""
    with boot(check=("memory",)) as kernel:
        yield kernel


def headlines(kernel) -> list[str]:
    """The reports so far; the warnings they are made of are expected."""
    take_warnings(kernel)
    return [r.headline for r in kernel.reports() if r.facility == "debugobjects"]


def free_active(kind: str, hint: str) -> str:
    return (
        f"ODEBUG: free active (active state 0) object: <struct {kind}> "
        f"object type: {kind} hint: {hint}"
    )


def made() -> owner:
    """An owner in which everything is initialised."""
    obj = kzalloc_obj(owner)
    timer_setup(obj.timer, expire, 0)
    hrtimer_setup(obj.high, ring, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    INIT_WORK(obj.work, toil)
    for part in (obj.deep, *obj.several):
        INIT_DELAYED_WORK(part.delayed, toil)
    return obj


def test_what_is_quiet_may_be_freed(watched):
    obj = made()
    mod_timer(obj.timer, jiffies() + FAR)
    hrtimer_start(obj.high, 10**12, HRTIMER_MODE_REL)
    schedule_work(obj.work)
    schedule_delayed_work(obj.deep.delayed, FAR)
    timer_delete_sync(obj.timer)
    hrtimer_cancel(obj.high)
    flush_work(obj.work)
    cancel_delayed_work_sync(obj.deep.delayed)
    kfree(obj)
    assert headlines(watched) == []


@pytest.mark.parametrize(
    ("start", "kind", "hint"),
    [
        (lambda o: mod_timer(o.timer, jiffies() + FAR), "timer_list", "expire"),
        (lambda o: hrtimer_start(o.high, 10**12, HRTIMER_MODE_REL), "hrtimer", "ring"),
        (lambda o: schedule_delayed_work(o.deep.delayed, FAR), "timer_list", "toil"),
        (lambda o: schedule_delayed_work(o.several[1].delayed, FAR), "timer_list", "toil"),
    ],
)
def test_freeing_what_is_armed(watched, start, kind, hint):
    obj = made()
    start(obj)
    kfree(obj)
    assert headlines(watched) == [free_active(kind, hint)]


def test_freeing_a_queued_work_item(watched):
    """It is cancelled then, as the kernel does, so it never runs on what is freed."""
    gate, wq = Gate(), alloc_ordered_workqueue("one", 0)
    first = work_struct()
    INIT_WORK(first, lambda w: gate.enter())
    queue_work(wq, first)
    gate.arrived()
    obj = made()
    queue_work(wq, obj.work)
    kfree(obj)
    gate.open()
    destroy_workqueue(wq)
    assert headlines(watched) == [free_active("work_struct", "toil")]


def test_a_work_item_may_free_itself(watched):
    obj = kzalloc_obj(owner)
    INIT_WORK(obj.work, lambda w: kfree(obj))
    schedule_work(obj.work)
    flush_work(obj.work)
    assert headlines(watched) == []


def test_freeing_an_array_of_owners(watched):
    several = kzalloc_objs(owner, 2)
    timer_setup(several[1].timer, expire, 0)
    mod_timer(several[1].timer, jiffies() + FAR)
    kfree(several)
    assert headlines(watched) == [free_active("timer_list", "expire")]


def test_initialising_what_is_active(watched):
    obj = made()
    mod_timer(obj.timer, jiffies() + FAR)
    timer_setup(obj.timer, expire, 0)
    assert not timer_pending(obj.timer), "it was stopped first"
    hrtimer_start(obj.high, 10**12, HRTIMER_MODE_REL)
    hrtimer_setup(obj.high, ring, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    assert not hrtimer_is_queued(obj.high)
    kfree(obj)
    assert [h.partition(" object:")[0] for h in headlines(watched)] == [
        "ODEBUG: init active (active state 0)",
        "ODEBUG: init active (active state 0)",
    ]


def test_initialising_a_queued_work_item(watched):
    gate, wq = Gate(), alloc_ordered_workqueue("one", 0)
    first, second = work_struct(), work_struct()
    INIT_WORK(first, lambda w: gate.enter())
    INIT_WORK(second, toil)
    queue_work(wq, first)
    gate.arrived()
    queue_work(wq, second)
    INIT_WORK(second, toil)
    gate.open()
    destroy_workqueue(wq)
    (text,) = headlines(watched)
    assert text.startswith("ODEBUG: init active (active state 0) object: <struct work_struct>")


@pytest.mark.parametrize("use", [add_timer, timer_delete, lambda t: mod_timer(t, t.expires)])
def test_using_a_timer_that_was_never_initialised(watched, use):
    timer = timer_list()
    timer.expires = jiffies() + FAR
    use(timer)
    timer_delete_sync(timer)
    (text,) = headlines(watched)
    assert text.startswith("ODEBUG: assert_init not available (active state 0) object: <struct ")
    assert text.endswith("object type: timer_list hint: 0x0")


def test_a_timer_that_was_never_initialised_fires(watched):
    timer = timer_list()
    mod_timer(timer, jiffies() + 1)
    eventually(lambda: not timer_pending(timer))
    timer_delete_sync(timer)
    first, second = headlines(watched)
    assert first.startswith("ODEBUG: assert_init not available")
    assert second == "ODEBUG: a timer that was never initialised has fired"


def test_a_timer_that_was_shut_down_was_initialised(watched):
    timer = timer_list()
    timer_setup(timer, expire, 0)
    timer_shutdown_sync(timer)
    assert mod_timer(timer, jiffies() + 1) == 0
    assert timer_delete(timer) == 0
    assert headlines(watched) == []


def test_starting_an_hrtimer_that_was_never_initialised(watched):
    timer = hrtimer()
    hrtimer_start(timer, 10**12, HRTIMER_MODE_REL)
    hrtimer_cancel(timer)
    (text,) = headlines(watched)
    assert "ODEBUG: assert_init not available" in text
    assert "object type: hrtimer hint: 0x0" in text


def test_queueing_a_work_item_that_was_never_initialised(boot):
    with pytest.raises(Exception, match="TypeError"):
        with boot(check=("memory",)) as kernel:
            schedule_work(work_struct())
            sleep_ms(5_000)  # at most: a flush would refuse it, and not wait for the worker's oops
    (text,) = headlines(kernel)
    assert text.startswith("ODEBUG: activate not available (active state 0)")


def test_a_pending_timer_on_the_stack_is_destroyed(watched):
    timer = timer_list()
    timer_setup(timer, expire, 0)
    mod_timer(timer, jiffies() + FAR)
    destroy_timer_on_stack(timer)
    assert not timer_pending(timer)
    assert headlines(watched) == [free_active("timer_list", "expire")]


def test_a_callback_of_rcu_is_queued_twice(watched):
    head, calls = rcu_head(), []
    rcu_read_lock()
    call_rcu(head, calls.append)
    call_rcu(head, calls.append)
    rcu_read_unlock()
    rcu_barrier()
    (text,) = headlines(watched)
    assert text.startswith("ODEBUG: activate active (active state 0) object: <struct rcu_head>")
    call_rcu(head, calls.append)
    rcu_barrier()
    assert len(headlines(watched)) == 1


def test_only_five_are_reported_in_an_execution(watched):
    for _ in range(7):
        timer_delete(timer_list())
    assert len(headlines(watched)) == 5
    debug_objects_rearm()
    timer_delete(timer_list())
    assert len(headlines(watched)) == 6


def test_the_report_is_a_warning_of_the_kernel(watched):
    timer_delete(timer_list())
    log = messages(watched)
    assert "------------[ cut here ]------------" in log
    assert any(line.startswith("ODEBUG: assert_init not available") for line in log)
    (report,) = watched.reports()
    assert any(line.startswith("WARNING: ") for line in report.lines)
    assert report.lines[-1] == "---[ end trace 0000000000000000 ]---"
    assert len(take_warnings(watched)) == 1
