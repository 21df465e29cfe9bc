# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Waits that never end: the report of the deadlock names the cause of each.

Most faults are a statement taken out of the port: a wake-up, a complete(), a signal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import kport
from kport.arch.patch import Edit, applied
from kport.dma_buf.dma_fence import dma_fence_signal, dma_fence_wait
from kport.drivers.compat import package
from kport.drm.scheduler.v7_2 import sched_entity, sched_main
from kport.linux import fork, kthread, swait, wait, workqueue
from kport.linux.completion import (
    complete,
    completion,
    init_completion,
    reinit_completion,
    wait_for_completion,
)
from kport.linux.kthread import (
    kthread_park,
    kthread_parkme,
    kthread_run,
    kthread_should_stop,
    kthread_stop,
)
from kport.linux.mutex import mutex, mutex_init, mutex_lock
from kport.linux.wait import init_waitqueue_head, wait_event, wait_queue_head, wake_up
from kport.linux.workqueue import (
    INIT_WORK,
    alloc_ordered_workqueue,
    flush_work,
    flush_workqueue,
    queue_work,
    schedule_work,
    work_struct,
)
from tests.drm.scheduler.driver import Driver, instant, manual
from tests.support import Thread, sleep_ms

pytestmark = pytest.mark.virt_only("only there it is known that nothing can come any more")


def queue() -> wait_queue_head:
    q = wait_queue_head()
    init_waitqueue_head(q)
    return q


def done() -> completion:
    x = completion()
    init_completion(x)
    return x


def sleeper(function: Callable[..., Any], *args: Any, name: str = "sleeper") -> None:
    """The function in a kernel thread."""

    def run(data: Any) -> int:
        function(*args)
        return 0

    kthread_run(run, None, name)


def hang(function: Callable[..., Any], *args: Any) -> None:
    """The function in a thread, and nothing else to come."""
    sleeper(function, *args)
    wait_for_completion(done())


# -- cases: each hangs for the cause that stands beside it ----------------------------------------


def a_wake_up_before_the_waiter():
    q = queue()
    wake_up(q)
    hang(wait_event, q, lambda: False)


def a_condition_that_stays_false():
    q = queue()
    sleeper(wait_event, q, lambda: False)
    sleep_ms(1)
    wake_up(q)
    wait_for_completion(done())


def nobody_wakes():
    hang(wait_event, queue(), lambda: False)


def nobody_completes():
    hang(wait_for_completion, done())


def another_took_the_completion():
    x = done()
    complete(x)
    Thread(wait_for_completion, x, name="thief").join()
    hang(wait_for_completion, x)


def the_completion_was_taken_back():
    x = done()
    complete(x)
    reinit_completion(x)
    hang(wait_for_completion, x)


def a_mutex_nobody_releases():
    m = mutex()
    mutex_init(m, "m")
    Thread(mutex_lock, m, name="leaver").join()
    hang(mutex_lock, m)


def an_item_that_does_not_return():
    work = work_struct()
    x = done()
    INIT_WORK(work, lambda w: wait_for_completion(x))
    schedule_work(work)
    sleep_ms(1)
    hang(flush_work, work)


def an_item_behind_one_that_does_not_return():
    wq = alloc_ordered_workqueue("ordered", 0)
    stuck, behind, x = work_struct(), work_struct(), done()
    INIT_WORK(stuck, stuck_function(x))
    INIT_WORK(behind, lambda w: None)
    queue_work(wq, stuck)
    queue_work(wq, behind)
    sleep_ms(1)
    hang(flush_work, behind)


def stuck_function(x: completion) -> Callable[[work_struct], None]:
    def stuck(work: work_struct) -> None:
        wait_for_completion(x)

    return stuck


def a_queue_with_an_item_that_does_not_return():
    wq = alloc_ordered_workqueue("ordered", 0)
    stuck, behind = work_struct(), work_struct()
    INIT_WORK(stuck, stuck_function(done()))
    INIT_WORK(behind, stuck_function(done()))
    queue_work(wq, stuck)
    queue_work(wq, behind)
    sleep_ms(1)
    hang(flush_workqueue, wq)


def submit(run: Callable[[Any], Any], count: int = 1) -> Any:
    """The last of so many jobs on one scheduler with one credit."""
    driver = Driver(package("v7_2"))
    entity = driver.entity(driver.scheduler())
    jobs = [driver.submit(entity, run=run) for _ in range(count)]
    sleep_ms(1)
    return jobs[-1]


def hardware_that_never_ends():
    dma_fence_wait(submit(manual).finished, False)


def a_job_without_credits():
    dma_fence_wait(submit(manual, 2).finished, False)


def a_scheduler_that_stands_still():
    driver = Driver(package("v7_2"))
    sched = driver.scheduler()
    sched_main.drm_sched_wqueue_stop(sched)
    dma_fence_wait(driver.submit(driver.entity(sched), run=instant).finished, False)


def a_push_that_wakes_nobody():
    with applied(Edit(sched_entity.drm_sched_entity_push_job, "drm_sched_wakeup(sched)", "pass")):
        dma_fence_wait(submit(instant).finished, False)


def a_hardware_fence_nobody_listens_to():
    with applied(Edit(sched_main.drm_sched_job_done, "drm_sched_fence_finished(s_fence, result)")):
        dma_fence_wait(submit(instant).finished, False)


def an_entity_nobody_reports_idle():
    driver = Driver(package("v7_2"))
    entity = driver.entity(driver.scheduler())
    with applied(Edit(sched_main.drm_sched_run_job_work, "wake_up(sched.job_scheduled)")):
        gate = done()

        def run(job: Any) -> Any:
            wait_for_completion(gate)
            return instant(job)

        driver.submit(entity, run=run)
        driver.submit(entity, run=instant)
        sleeper(sched_entity.drm_sched_entity_flush, entity, 0, name="flusher")
        sleep_ms(1)
        complete(gate)
        wait_for_completion(done())


def a_parked_thread_that_does_not_say_so():
    def work(data: Any) -> int:
        while not kthread_should_stop():
            kthread_parkme()
            sleep_ms(1)
        return 0

    complete_parked = Edit(kthread.__kthread_parkme, "complete(self.parked)")
    with applied(complete_parked):
        # The thread wakes every ms until it is parked, and then nothing is to come.
        kthread_park(kthread_run(work, None, "parked"))


def a_thread_whose_end_nobody_hears_of():
    def work(data: Any) -> int:
        while not kthread_should_stop():
            sleep_ms(1)
        return 0

    thread = kthread_run(work, None, "ended")
    with applied(Edit(fork._exit, "complete(done)", "pass")):
        kthread_stop(thread)


def a_barrier_that_does_not_complete():
    work = work_struct()
    INIT_WORK(work, lambda w: sleep_ms(1))
    schedule_work(work)
    with applied(Edit(workqueue.wq_barrier_func, "complete(barr.done)", "pass")):
        flush_work(work)


def a_completion_that_wakes_nobody():
    x = done()
    woken = "try_to_wake_up(curr.task, TASK_NORMAL, wake_flags)"
    sleeper(wait_for_completion, x)
    sleep_ms(1)
    with applied(Edit(swait.swake_up_locked, woken)):
        complete(x)
        wait_for_completion(done())


def a_wait_queue_that_wakes_nobody():
    q, true = queue(), []
    sleeper(wait_event, q, lambda: true)
    sleep_ms(1)
    true.append(1)
    mutant = "return 0"
    found = "return try_to_wake_up(curr.private, mode, wake_flags)"
    with applied(Edit(wait.default_wake_function, found, mutant)):
        wake_up(q)
        wait_for_completion(done())


def a_fence_that_signals_without_callbacks():
    found = "cur.func(fence, cur)"
    job = submit(manual)
    sleeper(dma_fence_wait, job.finished, False)
    sleep_ms(1)
    from kport.dma_buf import dma_fence

    with applied(Edit(dma_fence.dma_fence_signal_timestamp_locked, found, "pass")):
        dma_fence_signal(job.hw)
        wait_for_completion(done())


CASES = {
    a_wake_up_before_the_waiter: (
        r"wake_up at a_wake_up_before_the_waiter\+.* by MainThread/1 \(step \d+\) had no waiter; "
        r"sleeper/\d+ enqueued at .* \(step \d+\); nobody wakes it again"
    ),
    a_condition_that_stays_false: r"wake_up at .* woke it, and it found its condition false",
    nobody_wakes: r"nobody has ever called wake_up\(\) on this queue",
    nobody_completes: r"complete\(\) was never called on it, initialised at done\+",
    another_took_the_completion: r"let thief/\d+ pass, which waited at .*nobody completes it again",
    the_completion_was_taken_back: r"was taken back by reinit_completion\(\)",
    a_mutex_nobody_releases: r"taken by leaver/\d+ at ",
    an_item_that_does_not_return: r"<lambda> runs in kworker/\S+ and does not return",
    an_item_behind_one_that_does_not_return: (
        r"<lambda> is held back by max_active of workqueue ordered, which runs stuck"
    ),
    a_queue_with_an_item_that_does_not_return: r"stuck runs in kworker/\S+ and does not return",
    hardware_that_never_ends: (
        r"its job runs on ring0; the hardware fence \d+:0 \(dma_fence of hardware_fence:\d+\) "
        r"is never signalled, initialised at hardware_fence\+"
    ),
    a_job_without_credits: r"its job was not run on ring0; credits in use: 1 of 1",
    a_scheduler_that_stands_still: r"the scheduler is stopped \(pause_submit\)",
    a_push_that_wakes_nobody: r"its job was not run on ring0; credits in use: 0 of 1",
    a_hardware_fence_nobody_listens_to: r"the hardware fence \d+:0 .* has signalled; its callback "
    "did not end the job",
    an_entity_nobody_reports_idle: r"flusher/\d+ enqueued at drm_sched_entity_flush\+.*"
    r"nobody has ever called wake_up\(\)",
    a_parked_thread_that_does_not_say_so: (
        r"enqueued at kthread_park\+.*complete\(\) was never called on it"
    ),
    a_thread_whose_end_nobody_hears_of: (
        r"enqueued at kthread_stop\+.*complete\(\) was never called on it"
    ),
    a_barrier_that_does_not_complete: r"<lambda> has run; nothing told the one who flushes",
    a_completion_that_wakes_nobody: r"complete\(\) at .* left 1 to pass and woke nobody",
    a_wait_queue_that_wakes_nobody: r"wake_up at .* woke others or nobody",
    a_fence_that_signals_without_callbacks: r"fence \d+:\d+ is never signalled",
}


def oops(boot: Any, case: Callable[[], None]) -> str:
    with pytest.raises(kport.KernelOops) as caught, boot(check="waits"):
        case()
    return caught.value.report


@pytest.mark.parametrize("case", CASES)
def test_the_report_of_a_hang_names_its_cause(boot, case):
    report = oops(boot, case)
    assert report.startswith("BUG: deadlock: no task can run")
    causes = re.findall(r"^ {2}(?:cause: | {7})(.*)$", report, re.MULTILINE)
    assert any(re.search(CASES[case], cause) for cause in causes), report


def test_the_same_hang_is_told_in_the_same_words(boot):
    first, second = (oops(boot, a_wake_up_before_the_waiter) for _ in range(2))
    assert first == second


def test_without_the_facility_there_is_no_cause(boot):
    with pytest.raises(kport.KernelOops) as caught, boot():
        nobody_wakes()
    assert "cause:" not in caught.value.report
