# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Contexts: what counts as atomic, and the reports of sleeping there."""

from __future__ import annotations

import pytest

from kport.arch.asm import local_irq_restore, local_irq_save, rcu_read_lock, rcu_read_unlock
from kport.linux.completion import DECLARE_COMPLETION_ONSTACK, complete, wait_for_completion
from kport.linux.hrtimer import (
    CLOCK_MONOTONIC,
    HRTIMER_MODE_REL,
    HRTIMER_NORESTART,
    hrtimer,
    hrtimer_setup,
    hrtimer_start,
)
from kport.linux.jiffies import jiffies
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.preempt import (
    in_atomic,
    in_hardirq,
    in_interrupt,
    in_serving_softirq,
    irqs_disabled,
    local_irq_disable,
    local_irq_enable,
    preempt_count,
    preempt_disable,
    preempt_enable,
)
from kport.linux.sched import (
    TASK_UNINTERRUPTIBLE,
    cond_resched,
    might_sleep,
    schedule,
    schedule_timeout,
    set_current_state,
)
from kport.linux.spinlock import spin_lock, spin_lock_init, spin_unlock, spinlock_t
from kport.linux.timer import mod_timer, timer_list, timer_setup
from kport.linux.wait import init_waitqueue_head, wait_event, wait_queue_head
from kport.linux.workqueue import INIT_WORK, flush_work, schedule_work, work_struct
from tests.support import Thread, eventually, messages, take_warnings


def contexts() -> tuple[bool, bool, bool, bool, bool]:
    return (
        bool(in_hardirq()),
        bool(in_serving_softirq()),
        bool(in_interrupt()),
        bool(in_atomic()),
        bool(irqs_disabled()),
    )


def test_a_task_is_in_no_interrupt(kernel):
    assert contexts() == (False, False, False, False, False)
    assert Thread(contexts).join() == (False, False, False, False, False)


def test_a_work_item_is_in_process_context(kernel):
    seen = []
    work = work_struct()
    INIT_WORK(work, lambda w: seen.append(contexts()))
    schedule_work(work)
    flush_work(work)
    assert seen == [(False, False, False, False, False)]


def test_an_hrtimer_is_a_hard_interrupt_with_interrupts_off(kernel):
    seen = []

    def fire(t: hrtimer) -> int:
        seen.append(contexts())
        return HRTIMER_NORESTART

    timer = hrtimer()
    hrtimer_setup(timer, fire, CLOCK_MONOTONIC, HRTIMER_MODE_REL)
    hrtimer_start(timer, 0, HRTIMER_MODE_REL)
    eventually(lambda: seen)
    assert seen == [(True, False, True, True, True)]


def test_a_timer_is_a_softirq_with_interrupts_on(kernel):
    seen = []
    timer = timer_list()
    timer_setup(timer, lambda t: seen.append(contexts()), 0)
    mod_timer(timer, jiffies())
    eventually(lambda: seen)
    assert seen == [(False, True, True, True, False)]


def test_preempt_disable_nests(kernel):
    preempt_disable()
    preempt_disable()
    assert preempt_count() == 2
    assert in_atomic()
    preempt_enable()
    assert in_atomic()
    preempt_enable()
    assert not in_atomic()


def test_local_irq_save_nests_and_disable_does_not(kernel):
    first = local_irq_save()
    second = local_irq_save()
    assert (first, second) == (0, 1)
    local_irq_restore(second)
    assert irqs_disabled()
    local_irq_restore(first)
    assert not irqs_disabled()
    local_irq_disable()
    local_irq_disable()
    local_irq_enable()
    assert not irqs_disabled()


def holding_a_spin_lock(then):
    lock = spinlock_t()
    spin_lock_init(lock)
    spin_lock(lock)
    then()
    spin_unlock(lock)


def with_preemption_off(then):
    preempt_disable()
    then()
    preempt_enable()


def with_interrupts_off(then):
    flags = local_irq_save()
    then()
    local_irq_restore(flags)


def a_finished_completion():
    x = DECLARE_COMPLETION_ONSTACK()
    complete(x)
    return x


def take_a_free_mutex():
    lock = mutex()
    mutex_init(lock)
    mutex_lock(lock)
    mutex_unlock(lock)


def wait_for_a_true_condition():
    wq = wait_queue_head()
    init_waitqueue_head(wq)
    wait_event(wq, lambda: True)


@pytest.mark.parametrize("where", [holding_a_spin_lock, with_preemption_off, with_interrupts_off])
@pytest.mark.parametrize(
    "what",
    [
        might_sleep,
        lambda: wait_for_completion(a_finished_completion()),
        take_a_free_mutex,
        wait_for_a_true_condition,
    ],
)
@pytest.mark.boot(check="")  # wrong on purpose
def test_what_may_sleep_complains_in_atomic_context_even_if_it_does_not_sleep(kernel, where, what):
    what()
    assert take_warnings(kernel) == []
    where(what)
    (text,) = take_warnings(kernel)
    assert "sleeping function called from invalid context" in text
    log = messages(kernel)
    head = "BUG: sleeping function called from invalid context at "
    assert [line for line in log if line.startswith(head)]
    atomic, off = (0, 1) if where is with_interrupts_off else (1, 0)
    assert any(
        line.startswith(f"in_atomic(): {atomic}, irqs_disabled(): {off}, non_block: 0, pid: 1")
        for line in log
    )


@pytest.mark.boot(check="")  # DEBUG_ATOMIC_SLEEP forbids it
def test_a_read_side_section_alone_does_not_forbid_to_sleep_in_a_preemptible_kernel(kernel):
    rcu_read_lock()
    might_sleep()
    rcu_read_unlock()


@pytest.mark.boot(check="")  # wrong on purpose
def test_scheduling_while_atomic_is_reported(kernel):
    preempt_disable()
    set_current_state(TASK_UNINTERRUPTIBLE)
    schedule_timeout(1)
    preempt_enable()
    (text,) = take_warnings(kernel)
    assert "scheduling while atomic" in text
    assert "at schedule_timeout" in text
    assert "BUG: scheduling while atomic: MainThread/1/0x00000001" in messages(kernel)


@pytest.mark.boot(check="")  # wrong on purpose
def test_so_is_giving_up_the_cpu(kernel):
    preempt_disable()
    schedule()
    preempt_enable()
    (text,) = take_warnings(kernel)
    assert "scheduling while atomic" in text


def test_cond_resched_does_nothing_here(kernel):
    assert cond_resched() == 0
