# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine `virt`: choices, time, interrupts on CPUs, and what it says when nothing goes on."""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

import kport
from kport.arch.asm import (
    READ_ONCE,
    WRITE_ONCE,
    cpu_relax,
    current,
    local_irq_restore,
    local_irq_save,
    spin_lock,
    spin_lock_init,
    spin_lock_irqsave,
    spin_unlock,
    spin_unlock_irqrestore,
)
from kport.arch.carrier import Greenlets, carrier
from kport.arch.strategy import Random, RoundRobin
from kport.arch.types import spinlock_t
from kport.arch.virt import Bare, Virt
from kport.kunit.drm.tests_basic import drm_sched_basic
from kport.kunit.test import kunit_init_suite, kunit_run_tests
from kport.linux import module
from kport.linux.completion import (
    complete,
    complete_all,
    completion,
    init_completion,
    wait_for_completion,
)
from kport.linux.delay import msleep
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_restart,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.init import KernelOops
from kport.linux.interrupt import free_irq, request_irq
from kport.linux.jiffies import jiffies
from kport.linux.kthread import kthread_run
from kport.linux.ktime import ktime_get
from kport.linux.module import boot_data
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.struct import struct
from kport.linux.timer import mod_timer, timer_list, timer_setup

ROOT = Path(__file__).parent.parent.parent
CARRIERS = ["thread", "greenlet"]


class counter(struct):
    value: int


class Scripted:
    """A strategy that plays back indices into the candidates, one step each, then the first."""

    places_events = True
    asks_on_wake = True

    def __init__(self, script=(), numbers=()):
        self.script, self.numbers = list(script), list(numbers)
        self.seen: list[list[str]] = []

    def begin(self):
        self.seen.clear()

    def next(self, candidates, current, step):
        self.seen.append([c.name for c in candidates])
        at = self.script.pop(0) if self.script else 0
        return candidates[min(at, len(candidates) - 1)], 1

    def number(self, n):
        return min(self.numbers.pop(0), n - 1) if self.numbers else 0


class Walk:
    """A uniform random walk that also places events."""

    places_events = True
    asks_on_wake = True

    def __init__(self, seed):
        self.seed = seed

    def begin(self):
        self.random = Random(self.seed)

    def next(self, candidates, current, step):
        return candidates[self.random.below(len(candidates))], 1

    def number(self, n):
        return self.random.below(n)


def together(**functions) -> None:
    """Run functions in kernel threads of these names, all from the same moment on, to their end."""
    start, done = completion(), completion()
    init_completion(start)
    init_completion(done)

    def run(function) -> int:
        wait_for_completion(start)
        function()
        complete(done)
        return 0

    for name, function in functions.items():
        kthread_run(run, function, "%s", name)
    complete_all(start)
    for _ in functions:
        wait_for_completion(done)


def lost_update(strategy) -> int:
    """Two threads add 1 without a lock; returns the sum."""
    shared = counter()

    def add() -> None:
        value = READ_ONCE(shared, "value")
        WRITE_ONCE(shared, "value", value + 1)

    with kport.boot("virt", strategy=strategy):
        together(one=add, other=add)
    return shared.value


# -- choices ---------------------------------------------------------------------------------------


def test_a_strategy_finds_the_lost_update_and_the_other_end():
    assert {lost_update(Walk(seed)) for seed in range(400)} == {1, 2}


def test_the_same_answers_give_the_same_run():
    assert len({lost_update(Walk(7)) for _ in range(20)}) == 1


def test_round_robin_takes_turns_and_slices_have_a_size():
    with pytest.raises(ValueError, match="1 step or more"):
        RoundRobin(slice=0)
    order: list[str] = []

    def work() -> None:
        for _ in range(50):
            READ_ONCE(shared, "value")
            order.append(current().comm)

    shared = counter()
    with kport.boot("virt", strategy=RoundRobin(seed=1, slice=5)):
        together(a=work, b=work)
    changes = sum(1 for x, y in itertools.pairwise(order) if x != y)
    assert sorted(set(order)) == ["a", "b"]
    assert changes > 10


def test_random_numbers_are_the_same_everywhere():
    random = Random(42)
    assert [random.below(1000) for _ in range(6)] == [413, 291, 858, 764, 250, 62]


def test_a_machine_needs_a_cpu_and_time_that_does_not_go_back():
    for wrong in ({"cpus": 0}, {"step_ns": -1}):
        with pytest.raises(ValueError, match="a machine has 1 CPU or more"):
            Virt(**wrong)


# -- determinism -----------------------------------------------------------------------------------

PROGRAM = """
import hashlib, sys
import kport
from kport.kunit.drm.tests_basic import drm_sched_basic
from kport.kunit.test import kunit_init_suite, kunit_run_tests
with kport.boot("virt", seed=int(sys.argv[1]), carrier=sys.argv[2] or None, log=True) as kernel:
    kunit_init_suite(drm_sched_basic)
    kunit_run_tests(drm_sched_basic)
    log = kernel.machine.events + kernel.dmesg()
print(hashlib.sha256("\\n".join(log).encode()).hexdigest(), len(log))
"""


def log_of(seed: int, carried: str | None = None) -> str:
    with kport.boot("virt", seed=seed, carrier=carried, log=True) as kernel:
        kunit_init_suite(drm_sched_basic)
        kunit_run_tests(drm_sched_basic)
        log = kernel.machine.events + kernel.dmesg()
    return f"{hashlib.sha256(chr(10).join(log).encode()).hexdigest()} {len(log)}"


def test_both_carriers_give_the_same_run():
    assert log_of(3, "thread") == log_of(3, "greenlet")


def test_seeds_differ_and_each_is_the_same_again():
    logs = {seed: log_of(seed) for seed in (1, 2)}
    assert logs[1] != logs[2]
    assert all(log_of(seed) == log for seed, log in logs.items() for _ in range(2))


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_a_run_is_the_same_in_another_process(hash_seed):
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "3", "greenlet"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert done.stdout.strip() == log_of(3)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_run_is_the_same_a_hundred_times():
    assert len({log_of(5) for _ in range(100)}) == 1


# -- time ------------------------------------------------------------------------------------------


def test_time_jumps_to_the_next_deadline_and_no_further():
    with kport.boot("virt") as kernel:
        began = ktime_get()
        msleep(100)
        took = ktime_get() - began
        assert 100_000_000 <= took < 109_000_000
        assert kernel.machine.step < 1000


def test_a_step_takes_its_time():
    with kport.boot("virt", step_ns=1000) as kernel:
        shared = counter()
        began, step = ktime_get(), kernel.machine.step
        for _ in range(100):
            READ_ONCE(shared, "value")
        assert kernel.machine.step - step == 100
        assert ktime_get() - began == 100_000


def test_steps_may_take_no_time_and_sleeps_still_end():
    with kport.boot("virt", step_ns=0):
        shared = counter()
        armed = hrtimer()
        fired: list[int] = []

        def note(timer: hrtimer) -> hrtimer_restart:
            fired.append(ktime_get())
            return HRTIMER_NORESTART

        hrtimer_setup(armed, note, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
        began = ktime_get()
        hrtimer_start(armed, 1000, HRTIMER_MODE_REL)
        for _ in range(10_000):
            READ_ONCE(shared, "value")
        assert (ktime_get(), fired) == (began, [])
        msleep(1)
        assert fired == [began + 1000]
        assert ktime_get() >= began + 1_000_000


# -- CPUs ------------------------------------------------------------------------------------------


def most_at_once(cpus: int) -> int:
    """How many threads were inside a section with interrupts off at the same time."""
    inside, most = [0], [0]
    shared = counter()

    def work() -> None:
        for _ in range(10):
            flags = local_irq_save()
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            for _ in range(20):
                READ_ONCE(shared, "value")
            inside[0] -= 1
            local_irq_restore(flags)

    with kport.boot("virt", strategy=Walk(1), cpus=cpus):
        together(a=work, b=work, c=work, d=work)
    return most[0]


def test_a_section_that_cannot_be_preempted_occupies_a_cpu():
    assert [most_at_once(cpus) for cpus in (1, 2, 4)] == [1, 2, 4]


# -- interrupts ------------------------------------------------------------------------------------


def test_a_run_does_not_depend_on_what_is_initialised():
    before = log_of(4)
    loaded = []

    @boot_data
    def more() -> None:
        loaded.append(1)
        for _ in range(500):
            READ_ONCE(counter(), "value")

    try:
        assert log_of(4) == before
    finally:
        module._resets.remove(more)
    assert loaded


@pytest.mark.parametrize("seed", range(30))
def test_timers_expire_one_after_the_other_on_whatever_cpu(seed):
    """One wheel, so one CPU serves it at a time; interrupts come while it does."""
    inside, most, fired = [], [], []

    def expire(timer: timer_list) -> None:
        inside.append(1)
        most.append(len(inside))
        fired.append(timer)
        for _ in range(20):
            READ_ONCE(shared, "value")
        inside.pop()

    def arm() -> None:
        for _ in range(3):
            timer = timer_list()
            timer_setup(timer, expire, 0)
            mod_timer(timer, jiffies() + 1)
            for _ in range(10):
                READ_ONCE(shared, "value")

    shared = counter()
    with kport.boot("virt", strategy=Walk(seed)):
        together(a=arm, b=arm, c=arm)
        while len(fired) < 9:
            msleep(1)
    assert set(most) == {1}


def test_an_error_of_a_handler_is_not_one_of_the_thread_it_interrupts():
    def handler(irq, dev) -> int:
        raise LookupError("of the handler")

    with pytest.raises(KernelOops, match="of the handler") as caught:
        with kport.boot("virt") as kernel:
            line = request_irq(handler, "dev", None)
            try:
                kernel.machine.raise_line(line)
                msleep(1)
            except LookupError:
                raise AssertionError("it came to the thread") from None
    assert "Comm: MainThread Context: irq" in caught.value.report


def interrupted(irq_safe: bool, strategy) -> int:
    """A thread and an interrupt handler share a lock; returns how often the handler ran."""
    lock = spinlock_t()
    served = []

    def handler(irq, dev) -> int:
        spin_lock(lock)
        served.append(current().comm)
        spin_unlock(lock)
        return 1

    with kport.boot("virt", strategy=strategy) as kernel:
        spin_lock_init(lock, "&dev->lock")
        line = request_irq(handler, "dev", None)
        for _ in range(3):
            kernel.machine.raise_line(line)
            if irq_safe:
                flags = spin_lock_irqsave(lock)
                spin_unlock_irqrestore(lock, flags)
            else:
                spin_lock(lock)
                spin_unlock(lock)
        msleep(1)
        free_irq(line)
    return len(served)


def test_a_lock_that_is_not_irq_safe_deadlocks_on_its_cpu():
    reports = []
    for seed in range(60):
        try:
            interrupted(False, Walk(seed))
        except KernelOops as oops:
            reports.append(str(oops))
    assert 0 < len(reports) < 60
    assert all("spinlock recursion" in report for report in reports)
    assert all("lock: &dev->lock" in report for report in reports)


def test_an_irq_safe_lock_does_not():
    assert sum(interrupted(True, Walk(seed)) for seed in range(60)) > 60


def test_an_interrupt_waits_while_the_only_cpu_has_them_off():
    order = []
    with kport.boot("virt", cpus=1) as kernel:
        line = request_irq(lambda irq, dev: order.append("irq") or 1, "dev", None)
        flags = local_irq_save()
        kernel.machine.raise_line(line)
        shared = counter()
        for _ in range(500):
            READ_ONCE(shared, "value")
        order.append("on again")
        local_irq_restore(flags)
        READ_ONCE(shared, "value")
        order.append("later")
        free_irq(line)
    assert order == ["on again", "irq", "later"]


def test_an_idle_cpu_takes_an_interrupt_while_all_sleep():
    who = []
    with kport.boot("virt"):
        line = request_irq(lambda irq, dev: who.append(current().comm) or 1, "dev", None)

        def device(data) -> int:
            msleep(10)
            line.private.raise_line(line)
            msleep(10)
            return 0

        kthread_run(device, None, "device")
        msleep(50)
        free_irq(line)
    assert len(who) == 1


# -- when nothing goes on --------------------------------------------------------------------------


def deadlocks(lock, unlock, init, kind) -> list[str]:
    """The reports of runs in which two threads take two locks in opposite orders."""
    reports = []
    for seed in range(400):
        try:
            with kport.boot("virt", strategy=Walk(seed)):
                a, b = kind(), kind()
                init(a, "lock_a")
                init(b, "lock_b")

                def both(first, second) -> None:
                    lock(first)
                    lock(second)
                    unlock(second)
                    unlock(first)

                together(forth=partial(both, a, b), back=partial(both, b, a))
        except KernelOops as oops:
            reports.append(str(oops))
    assert 0 < len(reports) < 400
    return reports


def test_the_report_of_spinning_tasks_names_the_locks_and_their_holders():
    for report in deadlocks(spin_lock, spin_unlock, spin_lock_init, spinlock_t):
        assert "spins on the lock lock_b, held by back/" in report
        assert "spins on the lock lock_a, held by forth/" in report
        assert "  both+tests/arch/test_virt.py:" in report


def test_the_report_of_sleeping_tasks_names_the_mutexes_and_their_holders():
    for report in deadlocks(mutex_lock, mutex_unlock, mutex_init, mutex):
        assert "sleeps, waits for __mutex_lock_common(" in report
        assert "held by back/" in report
        assert "held by forth/" in report


@pytest.mark.parametrize("carried", CARRIERS)
def test_a_deadlock_of_all_is_an_oops_and_no_hang(carried):
    with pytest.raises(KernelOops) as oops, kport.boot("virt", carrier=carried):
        never = completion()
        init_completion(never)
        kthread_run(lambda data: wait_for_completion(never) or 0, None, "waiter")
        wait_for_completion(never)
    report = str(oops.value)
    assert report.startswith("BUG: deadlock: no task can run and no event is to come")
    assert "waiter/" in report
    assert report.count("sleeps, waits for wait_for_common(completion)") == 2


@pytest.mark.parametrize("carried", CARRIERS)
def test_hundreds_of_tasks_may_begin_in_one_another(carried):
    """Each begins where the one before it went to sleep, which must not use up Python's limit."""
    ended = []

    def sleeper():
        machine.block(machine.clock() + 1_000_000_000)
        ended.append(machine.clock())

    machine = Virt(carrier=carried)
    machine.power_on(Bare())
    machine.run(*[sleeper] * 600)
    assert machine.power_off(1) == []
    assert len(ended) == 600


def test_too_many_steps_are_a_livelock():
    shared = counter()
    with pytest.raises(KernelOops, match="BUG: livelock: 10000 steps"):
        with kport.boot("virt", bound=10_000):
            while True:
                READ_ONCE(shared, "value")


def test_busy_waiting_for_ever_is_a_soft_lockup():
    with pytest.raises(KernelOops, match=r"soft lockup - CPU#\d+ stuck for 22s"):
        with kport.boot("virt"):
            while True:
                cpu_relax()


def test_busy_waiters_let_each_other_run():
    turn = [0]

    def wait_for(number) -> int:
        while turn[0] != number:
            cpu_relax()
        turn[0] += 1
        return 0

    with kport.boot("virt"):
        for number in (2, 1, 0):
            kthread_run(wait_for, number, "w%d", number)
        while turn[0] < 3:
            cpu_relax()


def test_two_that_wait_busily_do_not_hide_a_third():
    """One of the two relaxes, the other only asks: the third must come to its end all the same."""
    state = SimpleNamespace(steps=0)

    def asks(data) -> int:
        while READ_ONCE(state, "steps") < 500:
            pass
        return 0

    def relaxes(data) -> int:
        while READ_ONCE(state, "steps") < 500:
            cpu_relax()
        return 0

    def works(data) -> int:
        for step in range(501):
            WRITE_ONCE(state, "steps", step)
        return 0

    with kport.boot("virt", bound=1_000_000):
        for fn in (asks, relaxes, works):
            kthread_run(fn, None, fn.__name__)
        while READ_ONCE(state, "steps") < 500:
            msleep(1)


@pytest.mark.parametrize("carried", CARRIERS)
def test_an_oops_in_a_task_comes_out_and_the_others_unwind(carried):
    unwound = []

    def sleeps(data) -> int:
        try:
            msleep(10_000)
        finally:
            unwound.append(data)
        return 0

    def breaks(data) -> int:
        raise KeyError("broken")

    with pytest.raises(KernelOops, match="broken"), kport.boot("virt", carrier=carried):
        kthread_run(sleeps, 1, "sleeps")
        msleep(1)
        kthread_run(breaks, None, "breaks")
        msleep(10)
    assert unwound == [1]


def test_a_break_in_a_task_reaches_the_booting_thread():
    def interrupted(data) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), kport.boot("virt"):
        kthread_run(interrupted, None, "task")
        msleep(10)


def test_kernel_code_of_another_os_thread_is_refused():
    errors = []
    with kport.boot("virt", carrier="greenlet"):

        def stranger() -> None:
            try:
                for _ in range(1000):
                    READ_ONCE(shared, "value")
            except RuntimeError as error:
                errors.append(str(error))

        shared = counter()
        thread = threading.Thread(target=stranger)
        thread.start()
        thread.join(5)
    assert errors == ["virt runs in one OS thread; start tasks with kthread_run()"]


# -- carriers --------------------------------------------------------------------------------------


def test_an_unknown_carrier_is_refused():
    with pytest.raises(ValueError, match="unknown carrier 'mule'; there is: greenlet, thread"):
        carrier("mule")


def test_greenlets_are_used_again():
    pool = Greenlets()._pool()

    def one_run() -> None:
        with kport.boot("virt", carrier="greenlet"):
            for n in range(5):
                kthread_run(lambda data: 0, None, "t%d", n)
            msleep(5)

    one_run()
    size = len(pool)
    for _ in range(20):
        one_run()
    assert len(pool) == size


def test_os_threads_end_with_the_kernel():
    before = threading.active_count()
    with kport.boot("virt", carrier="thread"):
        kthread_run(lambda data: msleep(1000) or 0, None, "t")
        msleep(5)
    assert threading.active_count() == before
