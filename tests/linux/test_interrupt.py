# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Interrupt lines and softirqs."""

from __future__ import annotations

import pytest

from kport.arch.asm import cpu_relax, current, irqs_disabled, smp_mb
from kport.linux import interrupt, sched
from kport.linux.interrupt import (
    IRQ_HANDLED,
    TIMER_SOFTIRQ,
    free_irq,
    open_softirq,
    raise_softirq_irqoff,
    request_irq,
)
from kport.linux.preempt import in_hardirq, in_serving_softirq
from tests.support import Thread, eventually, never, spin_until

pytestmark = pytest.mark.usefixtures("kernel")


def test_a_handler_gets_its_number_and_its_device():
    seen = []
    device = object()

    def handler(irq: int, dev: object) -> int:
        seen.append((irq, dev, bool(in_hardirq()), irqs_disabled()))
        return IRQ_HANDLED

    line = request_irq(handler, "ring0", device)
    sched.machine.raise_line(line)
    eventually(lambda: seen)
    assert seen == [(line.number, device, True, 1)]
    free_irq(line)


@pytest.mark.threads_only("on virt an interrupt comes on top of the thread that runs")
def test_a_line_has_a_thread_of_its_name():
    seen = []
    line = request_irq(lambda irq, dev: seen.append(current().comm) or IRQ_HANDLED, "ring0", None)
    sched.machine.raise_line(line)
    eventually(lambda: seen)
    assert seen == [f"irq/{line.number}-ring0"]
    free_irq(line)


@pytest.mark.virt_only("on threads an interrupt has a thread of its own")
def test_an_interrupt_comes_on_top_of_the_thread_that_runs():
    seen = []
    line = request_irq(lambda irq, dev: seen.append(current()) or IRQ_HANDLED, "ring0", None)
    raised = Thread(lambda: (sched.machine.raise_line(line), smp_mb()))
    task = raised.task
    raised.join()
    assert seen == [task]
    free_irq(line)


def test_each_request_is_a_line_of_its_own():
    seen = []
    lines = [
        request_irq(lambda irq, dev: seen.append(dev) or IRQ_HANDLED, "ring", number)
        for number in range(3)
    ]
    for number in (2, 0, 1):
        sched.machine.raise_line(lines[number])
        eventually(lambda number=number: number in seen)
    assert seen == [2, 0, 1]
    for line in lines:
        free_irq(line)


def test_the_handler_does_not_run_after_free_irq():
    seen = []
    line = request_irq(lambda irq, dev: seen.append(1) or IRQ_HANDLED, "ring", None)
    sched.machine.raise_line(line)
    eventually(lambda: seen)
    free_irq(line)
    sched.machine.raise_line(line)
    never(lambda: len(seen) > 1)
    assert line.number not in interrupt.irq_desc


def test_free_irq_waits_for_a_running_handler():
    entered, leave, left = [], [], []

    def handler(irq: int, dev: object) -> int:
        entered.append(1)
        spin_until(lambda: leave)
        left.append(1)
        return IRQ_HANDLED

    line = request_irq(handler, "ring", None)
    raiser = Thread(lambda: sched.machine.raise_line(line))  # it may come on top of who raised it
    eventually(lambda: entered)
    freer = Thread(lambda: (free_irq(line), list(left)))
    never(lambda: freer.done)
    leave.append(1)
    assert freer.join() == (None, [1])
    raiser.join()


def test_a_line_raised_in_its_handler_is_served_again_when_that_has_ended():
    inside, most = [], []
    line = request_irq(lambda irq, dev: handler(), "ring", None)

    def handler() -> int:
        inside.append(1)
        most.append(len(inside))
        if len(most) < 20:
            sched.machine.raise_line(line)
        for _ in range(50):
            cpu_relax()
        inside.pop()
        return IRQ_HANDLED

    sched.machine.raise_line(line)
    eventually(lambda: len(most) == 20)
    assert set(most) == {1}, "a handler does not run on two CPUs at once"
    free_irq(line)


def test_a_softirq_runs_when_the_interrupt_is_left_with_interrupts_on():
    order = []

    def softirq() -> None:
        order.append(("softirq", bool(in_serving_softirq()), bool(in_hardirq()), irqs_disabled()))

    def handler(irq: int, dev: object) -> int:
        raise_softirq_irqoff(9)
        raise_softirq_irqoff(9)
        order.append(("hardirq", bool(in_serving_softirq()), bool(in_hardirq()), irqs_disabled()))
        return IRQ_HANDLED

    before = interrupt.softirq_vec[9]
    open_softirq(9, softirq)
    line = request_irq(handler, "ring", None)
    sched.machine.raise_line(line)
    eventually(lambda: len(order) == 2)
    free_irq(line)
    interrupt.softirq_vec[9] = before
    assert order == [("hardirq", False, True, 1), ("softirq", True, False, 0)]


def test_a_softirq_that_raises_another_has_it_run_before_the_interrupt_ends():
    order = []

    def first() -> None:
        order.append("first")
        if order.count("first") == 1:
            raise_softirq_irqoff(8)
            raise_softirq_irqoff(9)

    line = request_irq(lambda irq, dev: raise_softirq_irqoff(8) or IRQ_HANDLED, "ring", None)
    before = interrupt.softirq_vec[8:10]
    open_softirq(8, first)
    open_softirq(9, lambda: order.append("second"))
    sched.machine.raise_line(line)
    eventually(lambda: len(order) == 3)
    free_irq(line)
    interrupt.softirq_vec[8:10] = before
    assert order == ["first", "first", "second"]
    assert interrupt.softirq_vec[TIMER_SOFTIRQ] is not None
