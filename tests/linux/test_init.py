# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Booting and leaving: one kernel at a time, nothing survives, an oops comes out, nothing hangs."""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import time
import weakref
from collections import Counter
from typing import ClassVar

import pytest

import kport
from kport.arch.api import Halted
from kport.linux import sched, workqueue
from kport.linux.bug import BUG_ON, WARN_ON
from kport.linux.completion import DECLARE_COMPLETION_ONSTACK, wait_for_completion
from kport.linux.delay import msleep
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.interrupt import free_irq, request_irq
from kport.linux.irq_work import init_irq_work, irq_work, irq_work_queue
from kport.linux.jiffies import INITIAL_JIFFIES, jiffies
from kport.linux.kthread import kthread_run
from kport.linux.ktime import ktime_get
from kport.linux.list import list_head
from kport.linux.module import parameters
from kport.linux.mutex import mutex, mutex_init, mutex_lock
from kport.linux.printk import pr_err
from kport.linux.rcupdate import call_rcu, rcu_head
from kport.linux.sched import current
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_lock_init, spinlock_t
from kport.linux.struct import struct
from kport.linux.timer import mod_timer, timer_list, timer_setup
from kport.linux.wait import init_waitqueue_head, wait_event, wait_queue_head
from kport.linux.workqueue import (
    INIT_WORK,
    flush_work,
    queue_work,
    schedule_work,
    system_percpu_wq,
    work_struct,
)
from tests.support import Gate, Thread, eventually, spin_until


class thing(struct):
    """Something to leak."""

    number: int
    list: list_head


def exercise() -> None:
    """Use a bit of everything that has threads or statics."""
    obj = kzalloc_obj(thing)
    work = work_struct()
    ran = []
    INIT_WORK(work, lambda w: ran.append(current()))
    schedule_work(work)
    flush_work(work)
    assert Thread(lambda: 5).join() == 5
    call_rcu(rcu_head(), lambda head: ran.append(head))
    timer = timer_list()
    timer_setup(timer, lambda t: ran.append(t), 0)
    mod_timer(timer, jiffies() + 1)
    msleep(5)
    eventually(lambda: len(ran) == 3)
    kfree(obj)


def test_leaving_a_clean_kernel_reports_nothing(boot):
    with boot() as kernel:
        exercise()
    assert not kernel.leaks
    assert len(kernel.leaks) == 0
    assert kernel.leaks.lines() == []
    assert kernel.oopses == []
    assert kernel.warnings() == []


@pytest.mark.parametrize("boots", [80, pytest.param(1000, marks=pytest.mark.long)])
def test_many_boots_leak_nothing(boot, boots):
    def census() -> Counter[str]:
        gc.collect()
        return Counter(type(obj).__name__ for obj in gc.get_objects())

    for _ in range(20):
        with boot():
            exercise()
    threads, before = threading.enumerate(), census()
    for number in range(boots):
        with boot() as kernel:
            if number % (boots // 40) == 0:
                exercise()
        assert not kernel.leaks
        del kernel  # the last one is not counted either
    grown = {kind: n for kind, n in (census() - before).items() if n >= 40}
    assert grown == {}
    assert threading.enumerate() == threads


def test_each_kernel_begins_anew(boot):
    with boot() as kernel:
        exercise()
        WARN_ON(True)
        pr_err("hello\n")
        assert kernel.warnings()
    with boot() as kernel:
        assert kernel.warnings() == []
        assert kernel.dmesg() == []
        assert ktime_get() < 1_000_000_000
        assert INITIAL_JIFFIES <= jiffies() < INITIAL_JIFFIES + 250
        assert current().pid == 1
        assert workqueue.system_percpu_wq.pwq.pool.nr_workers == 0


def test_two_boots_at_once_are_refused(boot):
    with boot(), pytest.raises(RuntimeError, match="already booted"), boot():
        pass
    with boot():
        pass


def test_of_many_threads_that_boot_at_once_one_wins(arch):
    start, stop = threading.Barrier(8), threading.Event()
    booted, refused = [], []

    def contend() -> None:
        start.wait(10)
        try:
            with kport.boot(arch) as kernel:
                booted.append(kernel)
                assert stop.wait(10)
        except RuntimeError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 10
    while len(booted) + len(refused) < 8 and time.monotonic() < end:
        time.sleep(0.001)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert len(booted) == 1
    assert len(refused) == 7
    assert all("already booted" in text for text in refused)


def test_the_current_kernel(boot):
    with pytest.raises(RuntimeError, match="no kernel is booted"):
        kport.current_kernel()
    with boot() as kernel:
        assert kport.current_kernel() is kernel
    with pytest.raises(RuntimeError, match="no kernel is booted"):
        kport.current_kernel()


def test_bad_arguments_are_refused_and_leave_no_kernel(boot):
    with (
        pytest.raises(ValueError, match="unknown arch 'vax'; there is: threads, virt"),
        kport.boot("vax"),
    ):
        pass
    with (
        pytest.raises(ValueError, match="no module has the parameter nosuch"),
        boot(params={"nosuch": 1}),
    ):
        pass
    with pytest.raises(ValueError, match="1 CPU or more"), boot(cpus=0):
        pass
    with boot():
        pass


def test_a_machine_that_does_not_power_on_leaves_no_kernel(boot, arch):
    class Broken:
        name = "broken"
        table: ClassVar[dict[str, object]] = {}
        cpus = 1
        dead = False

        def power_on(self, hooks: object) -> None:
            raise OSError("no power")

        def power_off(self, timeout: float) -> list[str]:
            return []

    with pytest.raises(OSError, match="no power"), kport.boot(Broken()):
        pass
    with boot():
        pass


def test_parameters_go_back_to_their_defaults(boot, baseline):
    assert "sched_policy" in parameters
    for value in (0, 2):
        with boot(params={"sched_policy": value}):
            assert baseline.sched_main.drm_sched_policy == value
    with boot():
        assert baseline.sched_main.drm_sched_policy == 1


# -- leaks -----------------------------------------------------------------------------------------


def test_objects_left_behind_are_named_and_counted(boot):
    with boot(check="") as kernel:
        for _ in range(3):
            kzalloc_obj(thing)
        kzalloc_obj(work_struct)
    assert kernel.leaks.objects == {"thing": 3, "work_struct": 1}
    assert len(kernel.leaks) == 4
    assert kernel.leaks.lines() == [
        "leak: 3 x struct thing",
        "leak: 1 x struct work_struct",
    ]


def test_a_thread_left_behind_is_named(boot):
    with boot() as kernel:
        done = DECLARE_COMPLETION_ONSTACK()
        kthread_run(lambda data: wait_for_completion(done) or 0, None, "forgotten/%d", 7)
    assert kernel.leaks.threads == ["forgotten/7"]
    assert kernel.leaks.lines() == ["leak: thread forgotten/7"]


def test_work_left_behind_is_named(boot):
    gate_holder = []

    def slow(work: work_struct) -> None:
        gate_holder[0].enter()

    def never_run(work: work_struct) -> None:
        raise AssertionError

    with boot(cpus=1) as kernel:
        gate_holder.append(Gate())
        wq = workqueue.alloc_ordered_workqueue("mine", 0)
        running, waiting = work_struct(), work_struct()
        INIT_WORK(running, slow)
        INIT_WORK(waiting, never_run)
        queue_work(wq, running)
        queue_work(wq, waiting)
        gate_holder[0].arrived()
    assert kernel.leaks.works == {"slow": 1, "never_run": 1}
    assert kernel.leaks.objects["workqueue_struct"] == 1
    assert "leak: 1 x work item slow" in kernel.leaks.lines()


def test_what_ends_a_little_later_is_not_left_behind(boot):
    """Nobody waits for what frees a job, and on a busy machine it waits itself, for a CPU."""
    with boot() as kernel:
        work = work_struct()
        INIT_WORK(work, lambda work: msleep(30))
        schedule_work(work)
        kthread_run(lambda data: msleep(30) or 0, None, "late")
    assert not kernel.leaks


def test_callbacks_of_rcu_run_before_the_leaks_are_counted(boot):
    with boot() as kernel:
        obj = kzalloc_obj(rcu_head)
        call_rcu(obj, kfree)
    assert not kernel.leaks


@pytest.mark.threads_only("only an OS thread can be where the machine does not reach it")
def test_a_thread_that_does_not_end_is_reported_as_stuck(boot, monkeypatch):
    monkeypatch.setattr("kport.linux.init.OFF_TIMEOUT", 0.1)
    outside = threading.Event()
    with boot() as kernel:
        kthread_run(lambda data: outside.wait(20) and 0, None, "in-a-system-call")
        msleep(5)
    assert kernel.leaks.stuck == ["in-a-system-call"]
    assert "leak: thread in-a-system-call did not end" in kernel.leaks.lines()
    outside.set()


# -- oopses ----------------------------------------------------------------------------------------


crashed: list[str] = []  # the thread that was current in null_pointer()


def null_pointer(*args: object) -> int:
    crashed[:] = [current().comm]
    nothing: work_struct = None
    nothing.func = None
    return 0


def in_a_kthread() -> None:
    kthread_run(null_pointer, None, "oopser")


def in_a_work_item() -> None:
    work = work_struct()
    INIT_WORK(work, null_pointer)
    queue_work(system_percpu_wq, work)


def in_a_timer() -> None:
    timer = timer_list()
    timer_setup(timer, null_pointer, 0)
    mod_timer(timer, jiffies() + 1)


def in_an_hrtimer() -> None:
    timer = hrtimer()
    hrtimer_setup(timer, null_pointer, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    hrtimer_start(timer, 1000, HRTIMER_MODE_REL)


def in_an_irq_handler() -> None:
    line = request_irq(null_pointer, "dev", None)
    sched.machine.raise_line(line)


def in_irq_work() -> None:
    work = irq_work()
    init_irq_work(work, null_pointer)
    irq_work_queue(work)


def in_an_rcu_callback() -> None:
    call_rcu(rcu_head(), null_pointer)


@pytest.mark.parametrize(
    ("where", "comm", "context"),
    [
        (in_a_kthread, "oopser", "task"),
        (in_a_work_item, r"kworker/0:\d", "task"),
        (in_a_timer, ".*", "task"),
        (in_an_hrtimer, ".*", "irq"),
        (in_an_irq_handler, ".*", "irq"),
        (in_irq_work, ".*", "irq"),
        (in_an_rcu_callback, "rcu_preempt", "task"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_oops_comes_out_with_both_reports_and_ends_every_wait(boot, where, comm, context):
    """An interrupt has the name of the thread it interrupts, or its own where it has a thread."""
    with pytest.raises(kport.KernelOops) as caught, boot() as kernel:
        where()
        wait_for_completion(DECLARE_COMPLETION_ONSTACK())
    report = caught.value.report.splitlines()
    assert report[0].startswith("Oops: AttributeError(\"'NoneType' object has no attribute 'func'")
    assert re.fullmatch(comm, crashed[0])
    assert report[1].endswith(f"Comm: {crashed[0]} Context: {context}")
    assert report[2] == "Call Trace (innermost last):"
    assert any("in null_pointer" in line for line in report)
    assert any("thing.func = None" in line for line in report)
    assert report[-1] == "Kernel panic - not syncing: Fatal exception"
    assert str(caught.value) == caught.value.report
    assert kernel.oopses == [caught.value.report]
    assert kernel.leaks.stuck == []


def wait_in_a_completion() -> None:
    wait_for_completion(DECLARE_COMPLETION_ONSTACK())


def wait_in_a_wait_queue() -> None:
    wq = wait_queue_head()
    init_waitqueue_head(wq)
    wait_event(wq, lambda: False)


def wait_in_a_sleep() -> None:
    msleep(1_000_000)


def wait_for_a_mutex() -> None:
    lock = mutex()
    mutex_init(lock)
    Thread(mutex_lock, lock)
    eventually(lambda: lock.owner)
    mutex_lock(lock)


def wait_for_a_spin_lock() -> None:
    lock = spinlock_t()
    spin_lock_init(lock, "lock")
    Thread(spin_lock, lock)
    eventually(lambda: lock.owner)
    spin_lock(lock)


@pytest.mark.parametrize(
    "wait",
    [
        wait_in_a_completion,
        wait_in_a_wait_queue,
        wait_in_a_sleep,
        wait_for_a_mutex,
        wait_for_a_spin_lock,
    ],
)
def test_an_oops_elsewhere_ends_the_main_thread_and_others_that_wait(boot, wait):
    with pytest.raises(kport.KernelOops, match="NoneType"), boot() as kernel:
        threads = [Thread(wait_in_a_completion) for _ in range(3)]
        timer = timer_list()
        timer_setup(timer, null_pointer, 0)
        mod_timer(timer, jiffies() + 4)
        wait()
    assert kernel.leaks.stuck == []
    assert not any(thread.done for thread in threads)


def test_a_bug_in_the_main_thread_is_an_oops(boot):
    with pytest.raises(kport.KernelOops) as caught, boot() as kernel:
        BUG_ON(True)
    assert caught.value.report.startswith("kernel BUG at tests/linux/test_init.py:")
    assert "Comm: MainThread Context: task" in caught.value.report
    assert kernel.oopses == [caught.value.report]


def test_kernel_code_that_raises_in_the_main_thread_is_an_oops(boot):
    with pytest.raises(kport.KernelOops) as caught, boot():
        queue_work(None, work_struct())
    assert "'NoneType' object has no attribute" in caught.value.report
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.parametrize("error", [AssertionError, ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_of_the_block_itself_is_no_oops(boot, error):
    with pytest.raises(error, match="mine"), boot() as kernel:
        raise error("mine")
    assert kernel.oopses == []


def test_an_oops_while_the_block_raises_something_else_comes_first(boot):
    with pytest.raises(kport.KernelOops, match="NoneType"), boot() as kernel:
        in_a_kthread()
        with pytest.raises(Halted):
            msleep(10_000)
        assert kernel.oopses
        raise LookupError("a consequence")


def test_an_oops_nobody_waits_for_comes_out_at_the_end(boot):
    with pytest.raises(kport.KernelOops), boot() as kernel:
        in_a_kthread()
        with contextlib.suppress(Halted):
            spin_until(lambda: kernel.oopses)


def test_several_oopses_at_once_are_one(boot):
    with pytest.raises(kport.KernelOops), boot() as kernel:
        for _ in range(8):
            kthread_run(null_pointer, None, "oopser")
        wait_for_completion(DECLARE_COMPLETION_ONSTACK())
    assert 1 <= len(kernel.oopses) <= 8


def test_after_an_oops_the_next_kernel_is_healthy(boot):
    for _ in range(5):
        with pytest.raises(kport.KernelOops), boot():
            in_a_work_item()
            wait_in_a_completion()
        with boot() as kernel:
            exercise()
        assert not kernel.leaks


def test_hrtimer_that_restarts_forever_does_not_keep_a_kernel_alive(boot):
    count = []

    def again(timer: hrtimer) -> int:
        count.append(1)
        return HRTIMER_NORESTART

    with boot() as kernel:
        timer = hrtimer()
        hrtimer_setup(timer, again, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
        hrtimer_start(timer, 10_000_000_000, HRTIMER_MODE_REL)
        line = request_irq(lambda irq, dev: 1, "dev", None)
        free_irq(line)
    assert count == []
    assert kernel.leaks.stuck == []


def test_what_kernels_leave_is_collected():
    """Ten thousand kernels in one process must not fill its memory."""
    gc.collect()
    kernels = []
    for _ in range(600):
        with kport.boot("virt") as kernel:
            kernels.append(weakref.ref(kernel))
        del kernel
    assert sum(ref() is not None for ref in kernels) <= 300
