# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Sleeping where it is forbidden, locks misused, tasks and workqueues that stand still.

Planted faults are a statement of the port or a function of a driver that runs in the wrong place;
each is caught by the facility that should, with the kernel's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kport
from kport.arch.asm import (
    local_irq_restore,
    local_irq_save,
    preempt_disable,
    preempt_enable,
    rcu_read_lock,
    rcu_read_unlock,
    spin_lock,
    spin_lock_init,
    spin_lock_irqsave,
    spin_trylock,
    spin_unlock,
    spin_unlock_irqrestore,
)
from kport.arch.patch import Edit, applied
from kport.arch.types import spinlock_t
from kport.dma_buf.dma_fence import dma_fence_signal_timestamp_locked, dma_fence_wait
from kport.drivers.compat import package
from kport.drm.scheduler.v7_2 import sched_main
from kport.linux import wq_watchdog
from kport.linux.completion import complete, completion, init_completion, wait_for_completion
from kport.linux.delay import usleep_range
from kport.linux.kthread import kthread_run
from kport.linux.ktime import ktime_get
from kport.linux.mutex import mutex, mutex_destroy, mutex_init, mutex_lock, mutex_unlock
from kport.linux.rwsem import down_read, down_write, init_rwsem, rw_semaphore, up_read
from kport.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    TASK_UNINTERRUPTIBLE,
    __set_current_state,
    might_sleep,
    non_block_end,
    non_block_start,
    schedule_timeout,
    set_current_state,
)
from kport.linux.workqueue import (
    INIT_WORK,
    alloc_workqueue,
    destroy_workqueue,
    queue_work,
    schedule_work,
    system_percpu_wq,
    work_struct,
)
from tests.drm.scheduler.driver import Driver, instant, manual
from tests.support import MS, Thread, eventually, sleep_ms

SLEEPING = "BUG: sleeping function called from invalid context at "


def a_spin_lock() -> spinlock_t:
    lock = spinlock_t()
    spin_lock_init(lock, "planted")
    return lock


def a_mutex() -> mutex:
    m = mutex()
    mutex_init(m, "m")
    return m


def a_completion(done: bool = False) -> completion:
    x = completion()
    init_completion(x)
    if done:
        complete(x)
    return x


# -- sleeping in atomic context -------------------------------------------------------------------


def mutex_under_a_spin_lock():
    lock, m = a_spin_lock(), a_mutex()
    spin_lock(lock)
    mutex_lock(m)
    mutex_unlock(m)
    spin_unlock(lock)


def wait_with_interrupts_off():
    x = a_completion(done=True)
    flags = local_irq_save()
    wait_for_completion(x)
    local_irq_restore(flags)


def semaphore_in_a_reader_of_rcu():
    sem = rw_semaphore()
    init_rwsem(sem)
    rcu_read_lock()
    down_read(sem)
    up_read(sem)
    rcu_read_unlock()


def a_call_that_may_sleep_in_a_non_block_section():
    non_block_start()
    might_sleep()
    non_block_end()


def run_a_job(run: Callable[[Any], Any] = instant) -> None:
    driver = Driver(package("v7_2"))
    driver.submit(driver.entity(driver.scheduler()), run=run).wait()
    driver.close()


def the_port_waits_with_the_job_list_locked():
    found = "sched.ops.free_job(job)"
    names = {"x": a_completion(True), "wait_for_completion": wait_for_completion}
    spin = {"spin_lock": spin_lock, "spin_unlock": spin_unlock}
    wait = "wait_for_completion(x)"
    lock = f"spin_lock(sched.job_list_lock)\n{wait}\nspin_unlock(sched.job_list_lock)\n{found}"
    with applied(Edit(sched_main.drm_sched_free_job_work, found, lock, names=names | spin)):
        run_a_job()


def the_port_takes_a_mutex_in_a_fence_callback():
    m = a_mutex()
    names = {"m": m, "mutex_lock": mutex_lock, "mutex_unlock": mutex_unlock}
    found = "cur.func(fence, cur)"
    after = f"mutex_lock(m)\n{found}\nmutex_unlock(m)"
    with applied(Edit(dma_fence_signal_timestamp_locked, found, after, names=names)):
        driver = Driver(package("v7_2"))
        job = driver.submit(driver.entity(driver.scheduler()), run=manual)
        eventually(lambda: driver.ran(job))
        sleep_ms(1)
        job.end()
        driver.close()


def the_port_sleeps_in_a_read_side_section():
    m = a_mutex()
    names = {"m": m, "mutex_lock": mutex_lock, "mutex_unlock": mutex_unlock}
    read = {"rcu_read_lock": rcu_read_lock, "rcu_read_unlock": rcu_read_unlock}
    found = "sched.ops.free_job(job)"
    after = f"rcu_read_lock()\nmutex_lock(m)\nmutex_unlock(m)\nrcu_read_unlock()\n{found}"
    edit = Edit(sched_main.drm_sched_free_job_work, found, after, names={**names, **read})
    with applied(edit):
        run_a_job()


def a_driver_waits_for_a_fence_under_its_lock():
    lock = a_spin_lock()

    def run(job: Any) -> Any:
        fence = instant(job)
        flags = spin_lock_irqsave(lock)
        dma_fence_wait(fence, False)
        spin_unlock_irqrestore(lock, flags)
        return fence

    run_a_job(run)


IN_ATOMIC = {
    mutex_under_a_spin_lock: ("1, irqs_disabled(): 0", 1, 0, "mutex_under_a_spin_lock"),
    wait_with_interrupts_off: ("0, irqs_disabled(): 1", 0, 0, ""),
    semaphore_in_a_reader_of_rcu: ("0, irqs_disabled(): 0", 0, 1, ""),
    a_call_that_may_sleep_in_a_non_block_section: ("0, irqs_disabled(): 0", 0, 0, ""),
    the_port_waits_with_the_job_list_locked: (
        "1, irqs_disabled(): 0",
        1,
        0,
        "drm_sched_free_job_work",
    ),
    the_port_takes_a_mutex_in_a_fence_callback: (
        "1, irqs_disabled(): 1",
        1,
        0,
        "dma_fence_lock_irqsave",
    ),
    the_port_sleeps_in_a_read_side_section: ("0, irqs_disabled(): 0", 0, 1, ""),
    a_driver_waits_for_a_fence_under_its_lock: ("1, irqs_disabled(): 1", 1, 0, "run"),
}


@pytest.mark.parametrize("case", IN_ATOMIC)
def test_sleeping_in_atomic_context_is_reported_in_full(boot, case):
    atomic, count, depth, disabled_at = IN_ATOMIC[case]
    with boot(check="context") as kernel:
        case()
    report = kernel.reports()[0]
    assert report.facility == "atomic_sleep"
    assert report.headline.startswith(SLEEPING)
    lines = report.lines
    non_block = int(case is a_call_that_may_sleep_in_a_non_block_section)
    assert lines[1].startswith(f"in_atomic(): {atomic}, non_block: {non_block}, pid: ")
    assert lines[2] == f"preempt_count: {count:x}, expected: 0"
    assert lines[3] == f"RCU nest depth: {depth}, expected: 0"
    if disabled_at:
        at = lines.index("Preemption disabled at:")
        assert lines[at + 1].startswith(f" {disabled_at}+")
    assert "Call Trace:" in lines


def test_the_held_locks_are_listed(boot):
    with boot(check="context") as kernel:
        m = a_mutex()
        lock = a_spin_lock()
        mutex_lock(m)
        spin_lock(lock)
        might_sleep()
        spin_unlock(lock)
        mutex_unlock(m)
    (report,) = kernel.reports()
    held = next(i for i, line in enumerate(report.lines) if line.startswith("1 lock held by "))
    assert report.lines[held + 1] == " #0: mutex"


def test_a_place_is_reported_once_per_execution(boot):
    with boot(check="context") as kernel:
        for _ in range(3):
            wait_with_interrupts_off()
    assert len(kernel.reports()) == 1


@pytest.mark.parametrize("state", [TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE])
def test_blocking_with_a_task_state_set_is_reported(boot, state):
    with boot(check="context") as kernel:
        m = a_mutex()
        set_current_state(state)
        mutex_lock(m)
        mutex_unlock(m)
        __set_current_state(TASK_RUNNING)
    (report,) = kernel.reports()
    here = r"test_blocking_with_a_task_state_set_is_reported\+tests/check/test_context.py:\d+"
    pattern = (
        rf"do not call blocking ops when !TASK_RUNNING; state={state:x} set at \[<{here}>\]"
    )
    assert re.fullmatch(pattern, report.headline), report.headline


def test_scheduling_while_atomic_is_reported(boot):
    with boot(check="context") as kernel:
        lock = a_spin_lock()
        assert spin_trylock(lock)
        set_current_state(TASK_UNINTERRUPTIBLE)
        schedule_timeout(1)
        spin_unlock(lock)
    (report,) = kernel.reports()
    assert re.fullmatch(r"BUG: scheduling while atomic: MainThread/1/0x00000001", report.headline)
    at = report.lines.index("Preemption disabled at:")
    assert report.lines[at + 1].startswith(" test_scheduling_while_atomic_is_reported+")


def test_who_disabled_preemption_is_the_outermost(boot):
    with boot(check="context") as kernel:
        lock = a_spin_lock()
        preempt_disable()
        spin_lock(lock)
        spin_unlock(lock)
        might_sleep()
        preempt_enable()
    (report,) = kernel.reports()
    at = report.lines.index("Preemption disabled at:")
    number = int(report.lines[at + 1].rpartition(":")[2])
    source = Path(__file__).read_text().splitlines()
    assert source[number - 1].strip() == "preempt_disable()"


# -- work items that leave something behind -------------------------------------------------------


def test_a_mutex_that_a_work_item_leaves_locked_is_reported(boot):
    with boot(check="context") as kernel:
        m = a_mutex()
        work = work_struct()

        def leak(w: work_struct) -> None:
            mutex_lock(m)

        INIT_WORK(work, leak)
        schedule_work(work)
        eventually(lambda: kernel.reports())
    (report,) = kernel.reports()
    assert re.fullmatch(
        r"BUG: workqueue leaked atomic, lock or RCU: kworker/\S+\[\d+\]", report.headline
    )
    assert report.lines[1] == "     preempt=0x00000000 lock=0->1 RCU=0->0 workfn=leak"
    assert report.lines[3] == " #0: mutex"


def test_with_the_validator_its_locks_are_listed(boot):
    with boot(check="context,lockdep") as kernel:
        m, lock = a_mutex(), a_spin_lock()
        mutex_lock(m)
        spin_lock(lock)
        might_sleep()
        spin_unlock(lock)
        mutex_unlock(m)
    report = next(r for r in kernel.reports() if r.facility == "atomic_sleep")
    held = next(i for i, line in enumerate(report.lines) if line.startswith("2 locks held by "))
    assert "(planted)" in report.lines[held + 2]


def test_a_spin_lock_that_a_work_item_leaves_locked_ends_the_kernel(boot):
    with pytest.raises(kport.KernelOops), boot(check="context") as kernel:
        lock = a_spin_lock()
        work = work_struct()

        def leak(w: work_struct) -> None:
            spin_lock(lock)

        INIT_WORK(work, leak)
        schedule_work(work)
        eventually(lambda: False)
    (report,) = kernel.reports()
    assert report.lines[1] == "     preempt=0x00000001 lock=0->0 RCU=0->0 workfn=leak"


# -- locks misused --------------------------------------------------------------------------------


def released_by_another():
    lock = a_spin_lock()
    spin_lock(lock)
    Thread(spin_unlock, lock).join()


def released_with_irqrestore_by_another():
    lock = a_spin_lock()
    flags = spin_lock_irqsave(lock)
    Thread(spin_unlock_irqrestore, lock, 0).join()
    local_irq_restore(flags)


def destroyed_while_locked():
    m = a_mutex()
    mutex_lock(m)
    mutex_destroy(m)
    mutex_unlock(m)


def unlocked_by_another():
    m = a_mutex()
    mutex_lock(m)
    Thread(mutex_unlock, m).join()
    mutex_unlock(m)


MISUSE = {
    released_by_another: r"BUG: spinlock wrong owner on CPU#\d+, test/\d+",
    released_with_irqrestore_by_another: r"BUG: spinlock wrong owner on CPU#\d+, test/\d+",
    destroyed_while_locked: r"DEBUG_LOCKS_WARN_ON\(mutex_is_locked\(lock\)\)",
    unlocked_by_another: r"DEBUG_LOCKS_WARN_ON\(__owner_task\(owner\) != current\)",
}


@pytest.mark.parametrize("case", MISUSE)
def test_a_misused_lock_is_reported(boot, case):
    with boot(check="context") as kernel:
        case()
    reports = [r for r in kernel.reports() if r.facility == "debug_locks"]
    assert re.fullmatch(MISUSE[case], reports[0].headline)


def test_the_report_of_a_spin_lock_says_whose_it_is(boot):
    with boot(check="context") as kernel:
        released_by_another()
    line = next(r.lines[1] for r in kernel.reports() if r.facility == "debug_locks")
    assert re.fullmatch(
        r" lock: planted, \.magic: dead4ead, \.owner: MainThread/1, \.owner_cpu: \d+", line
    )


def unlocked_twice():
    lock = a_spin_lock()
    spin_lock(lock)
    spin_unlock(lock)
    spin_unlock(lock)


def never_initialised():
    spin_unlock(spinlock_t())


def mutex_never_initialised():
    mutex_lock(mutex())
    mutex_unlock(mutex())


FATAL = {
    unlocked_twice: r"BUG: spinlock already unlocked on CPU#\d+, MainThread/1",
    never_initialised: r"BUG: spinlock bad magic on CPU#\d+, MainThread/1",
    mutex_never_initialised: r"DEBUG_LOCKS_WARN_ON\(lock->magic != lock\)",
}


@pytest.mark.parametrize("case", FATAL)
def test_what_cannot_go_on_is_reported_before_the_oops(boot, case):
    with pytest.raises(kport.KernelOops), boot(check="context") as kernel:
        case()
    assert re.fullmatch(FATAL[case], kernel.reports()[0].headline)


def taken_again():
    lock = a_spin_lock()
    spin_lock(lock)
    spin_lock(lock)


def used_before_its_initialisation():
    spin_lock(spinlock_t())


@pytest.mark.parametrize(
    ("case", "text"),
    [(taken_again, "spinlock recursion on CPU#"), (used_before_its_initialisation, "bad magic")],
)
def test_the_machine_itself_knows_the_rest(boot, case, text):
    with pytest.raises(kport.KernelOops, match=f"BUG: .*{text}"), boot(check="context"):
        case()


# -- tasks that do not come back -------------------------------------------------------------------

HUNG = {"hung_task_timeout_secs": 2}


def blocked_for(function: Callable[..., Any], *args: Any) -> Any:
    """A thread that blocks, and time that passes."""

    def run(data: Any) -> int:
        function(*args)
        return 0

    return kthread_run(run, None, "victim")


def pass_time(kernel: Any, seconds: int) -> None:
    """Sleep in steps, as a machine does that has something else to do."""
    for _ in range(seconds * 4):
        if kernel.reports():
            return
        sleep_ms(250)


def hung_on_a_mutex(kernel: Any) -> Callable[[], None]:
    m = a_mutex()
    mutex_lock(m)
    blocked_for(lambda: (mutex_lock(m), mutex_unlock(m)))
    return lambda: mutex_unlock(m)


def hung_on_a_semaphore(kernel: Any) -> Callable[[], None]:
    sem = rw_semaphore()
    init_rwsem(sem)
    down_read(sem)
    blocked_for(down_write, sem)
    return lambda: up_read(sem)


def hung_on_a_completion(kernel: Any) -> Callable[[], None]:
    x = a_completion()
    blocked_for(wait_for_completion, x)
    return lambda: complete(x)


BLOCKERS = {
    hung_on_a_mutex: (
        r"INFO: task victim:\d+ is blocked on a mutex likely owned by task MainThread:1\."
    ),
    hung_on_a_semaphore: (
        r"INFO: task victim:\d+ <writer> blocked on an rw-semaphore likely owned by task "
        r"MainThread:1 <reader>"
    ),
    hung_on_a_completion: r"INFO: task victim:\d+ waits for wait_for_common\(completion\)",
}


@pytest.mark.parametrize("case", BLOCKERS)
def test_a_hung_task_is_reported_with_its_blocker(boot, case):
    with boot(check="context", params=HUNG, scale=0.05) as kernel:
        release = case(kernel)
        pass_time(kernel, 10)
        release()
        sleep_ms(5)
    report = kernel.reports()[0]
    assert report.facility == "hung_task"
    found = re.fullmatch(
        r"INFO: task victim:\d+ blocked for more than (\d+) seconds\.", report.headline
    )
    assert found
    assert 2 <= int(found.group(1)) <= 6
    assert report.lines[1] == "      Not tainted 7.2.13"
    assert re.match(r"task:victim {10}state:D stack:0     pid:\d+ +tgid:\d+ ", report.lines[3])
    assert any(re.fullmatch(BLOCKERS[case], line) for line in report.lines), report.text


def test_hung_task_warnings_run_out(boot):
    with boot(check="context", params={"hung_task_timeout_secs": 1}, scale=0.01) as kernel:
        x = a_completion()
        blocked_for(wait_for_completion, x)
        for _ in range(60):
            sleep_ms(500)
        complete(x)
        sleep_ms(5)
    texts = [report.lines[-1] for report in kernel.reports()]
    assert len(texts) == 10
    assert texts[-1].startswith("Future hung task reports are suppressed")


def test_who_sleeps_interruptibly_is_not_hung(boot):
    with boot(check="context", params=HUNG, scale=0.01) as kernel:
        ended = []

        def idle(data: Any) -> int:
            set_current_state(TASK_INTERRUPTIBLE)
            schedule_timeout(10 * 250)
            ended.append(True)
            return 0

        kthread_run(idle, None, "idle")
        pass_time(kernel, 8)
        eventually(lambda: ended, msecs=20_000)
    assert kernel.reports() == []


# -- workqueues that stand still -------------------------------------------------------------------


def test_a_workqueue_lockup_is_reported_with_all_workqueues(boot):
    with boot(
        check="context", params={"workqueue.watchdog_thresh": 2}, scale=0.05, cpus=1
    ) as kernel:
        stop: list[int] = []

        def hogs(work: work_struct) -> None:
            from kport.arch.asm import cpu_relax

            while not stop:
                cpu_relax()

        hog, behind, behind2 = work_struct(), work_struct(), work_struct()
        INIT_WORK(hog, hogs)
        INIT_WORK(behind, stands)
        INIT_WORK(behind2, stands)
        for work in (hog, behind, behind2):
            queue_work(system_percpu_wq, work)
        pass_time(kernel, 10)
        stop.append(1)
        sleep_ms(5)
    report = kernel.reports()[0]
    assert report.facility == "wq_watchdog"
    assert re.fullmatch(
        r"BUG: workqueue lockup - pool cpus=0 flags=0x0 nice=0 stuck for [2-6]s!", report.headline
    )
    lines = report.lines
    at = lines.index("Showing busy workqueues and worker pools:")
    assert lines[at + 1] == "workqueue events: flags=0x100"
    assert lines[at + 2] == "  pwq 0: cpus=0 flags=0x0 nice=0 active=3 refcnt=4"
    assert re.fullmatch(r"    in-flight: \d+:hogs for [2-6]s", lines[at + 3])
    assert lines[at + 4] == "    pending: 2*stands"
    pool = r"pool 0: cpus=0 flags=0x0 nice=0 hung=[2-6]s workers=\d"
    assert any(re.match(pool, line) for line in lines)
    assert "Showing backtraces of busy workers in stalled worker pools:" in lines


def stands(work: work_struct) -> None:
    """Runs at last."""


def test_a_busy_workqueue_that_gets_on_is_no_lockup(boot):
    """200 ms: on a busy machine an item may wait for its CPU longer than some 10."""
    with boot(check="context", params={"workqueue.watchdog_thresh": 2}, scale=0.1) as kernel:
        wq = alloc_workqueue("busy", 0, 0)
        x = a_completion()
        work = work_struct()
        INIT_WORK(work, lambda w: wait_for_completion(x))
        queue_work(wq, work)
        pass_time(kernel, 5)
        complete(x)
        destroy_workqueue(wq)
    assert kernel.reports() == []


@pytest.mark.threads_only("on virt nobody runs while the watchdog looks")
def test_the_watchdog_looks_at_what_comes_and_goes(kernel):
    stop: list[int] = []

    def work_on() -> None:
        while not stop:
            wq = alloc_workqueue("fleeting", 0, 2)
            items = [work_struct() for _ in range(6)]
            for item in items:
                INIT_WORK(item, stands)
                queue_work(wq, item)
            destroy_workqueue(wq)

    threads = [Thread(work_on) for _ in range(2)]
    end = ktime_get() + 300 * MS
    seen = 0
    while ktime_get() < end:
        lines = wq_watchdog.show_all_workqueues() + wq_watchdog.show_cpu_pools_busy_workers(
            wq_watchdog.pools()
        )
        seen += any(line.startswith("workqueue fleeting") for line in lines)
        usleep_range(100, 200)
    stop.append(1)
    for thread in threads:
        thread.join()
    assert seen


# -- clean -----------------------------------------------------------------------------------------


def test_a_clean_scheduler_has_no_report(boot):
    with boot(check="context") as kernel:
        driver = Driver(package("v7_2"))
        entity = driver.entity(driver.scheduler(credit_limit=2))
        jobs = [driver.submit(entity, run=run) for run in (instant, manual, instant)]
        sleep_ms(1)
        jobs[1].end()
        for job in jobs:
            job.wait()
        driver.close()
    assert [report.text for report in kernel.reports()] == []
