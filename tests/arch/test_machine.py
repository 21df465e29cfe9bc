# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The slow half of a machine: threads, block and wake, the clock, the timer event, lines.

These tests drive a bare machine. No kernel is above it, only hooks that write down what comes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kport.arch import asm
from kport.arch.api import Halted, KernelBug, Line, Machine
from kport.arch.types import spinlock_t, thread_info
from kport.linux.init import ARCHES
from tests.support import spin_until

MS = 1_000_000


class Recorder:
    """Hooks that remember: `ticks` as (clock, interrupts off), `served` lines, `errors`."""

    def __init__(self) -> None:
        self.machine: Machine
        self.ticks: list[tuple[int, int]] = []
        self.served: list[str] = []
        self.errors: list[tuple[BaseException, str]] = []
        self.adopted: list[thread_info] = []
        self.on_tick: Callable[[], None] = lambda: None

    def adopt(self, ti: thread_info) -> None:
        ti.task = object()
        self.adopted.append(ti)

    def tick(self) -> None:
        self.ticks.append((self.machine.clock(), asm.irqs_disabled()))
        self.on_tick()

    def interrupt(self, line: Line) -> None:
        self.served.append(f"{line.name}{asm.irqs_disabled()}")
        line.action(line)

    def oops(self, error: BaseException, ti: thread_info) -> None:
        self.errors.append((error, ti.name))


@pytest.fixture
def hooks() -> Recorder:
    return Recorder()


@pytest.fixture
def machine(arch: str, machine_options: dict[str, Any], hooks: Recorder) -> Iterator[Machine]:
    made = ARCHES[arch](**machine_options)
    hooks.machine = made
    made.power_on(hooks)
    made.booted()
    yield made
    assert made.power_off(5.0) == []


def until(machine: Machine, condition: Callable[[], object], msecs: int = 3000) -> None:
    """Wait on the machine's own clock until the condition holds."""
    end = machine.clock() + msecs * MS
    while not condition():
        assert machine.clock() < end, "not in time"
        machine.block(machine.clock() + MS // 5)


def start(machine: Machine, function: Callable[[], None], name: str = "t") -> thread_info:
    ti = thread_info(name)
    ti.task = object()
    machine.start(ti, function)
    return ti


def test_the_clock_starts_at_0_and_never_goes_back(machine):
    reads = [machine.clock() for _ in range(1000)]
    assert 0 <= reads[0] < 10_000 * MS
    assert reads == sorted(reads)


def test_ktime_get_is_the_machines_clock(machine):
    before, now, after = machine.clock(), asm.ktime_get(), machine.clock()
    assert before <= now <= after


def test_a_block_without_wake_ends_at_its_deadline_and_not_before(machine):
    for wait in (0, MS // 10, 3 * MS):
        deadline = machine.clock() + wait
        assert machine.block(deadline) is False
        assert machine.clock() >= deadline


def test_a_wake_before_the_block_is_not_lost(machine):
    machine.wake(asm.current_thread_info())
    assert machine.block(machine.clock() + 10_000 * MS) is True


def test_a_wake_that_came_beats_a_deadline_that_has_passed(machine):
    machine.wake(asm.current_thread_info())
    assert machine.block(machine.clock() - 1) is True
    assert machine.block(machine.clock() - 1) is False


def test_two_wakes_before_a_block_count_once(machine):
    me = asm.current_thread_info()
    machine.wake(me)
    machine.wake(me)
    assert machine.block(machine.clock() + 10_000 * MS) is True
    assert machine.block(machine.clock() + MS) is False


def test_a_wake_ends_a_block(machine):
    passed: list[bool] = []
    ti = start(machine, lambda: passed.append(machine.block()))
    machine.block(machine.clock() + 5 * MS)
    assert passed == []
    machine.wake(ti)
    until(machine, lambda: passed)
    assert passed == [True]


def test_a_thread_knows_itself_from_its_first_instruction_on(machine):
    seen: list[object] = []
    ti = start(machine, lambda: seen.append((asm.current_thread_info(), asm.current())))
    until(machine, lambda: seen)
    assert seen == [(ti, ti.task)]


def test_a_strange_thread_is_adopted_once(machine, hooks):
    me = asm.current_thread_info()
    assert me is asm.current_thread_info()
    assert me.name == "MainThread"
    assert [ti for ti in hooks.adopted if ti.name == "MainThread"] == [me]
    assert me.task is asm.current()


def test_halt_reaches_every_blocked_thread(machine):
    ended: list[str] = []

    def sleeper(how: Callable[[], object]) -> None:
        try:
            how()
        except Halted:
            ended.append("halted")
            raise

    lock = spinlock_t()
    asm.spin_lock_init(lock, "lock")
    asm.spin_lock(lock)
    for how in (
        machine.block,
        lambda: machine.block(machine.clock() + 100_000 * MS),
        lambda: asm.spin_lock(lock),
        lambda: [asm.cpu_relax() for _ in iter(int, 1)],
    ):
        start(machine, lambda how=how: sleeper(how))
    machine.block(machine.clock() + 5 * MS)
    assert ended == []
    machine.halt()
    assert machine.power_off(5.0) == []
    assert ended == ["halted"] * 4


def test_nothing_starts_or_blocks_on_a_halted_machine(machine):
    machine.halt()
    with pytest.raises(Halted):
        machine.block()
    with pytest.raises(Halted):
        machine.start(thread_info("late"), lambda: None)
    with pytest.raises(Halted):
        asm.cpu_relax()


@pytest.mark.threads_only("only an OS thread can be where the machine does not reach it")
def test_power_off_names_a_thread_that_does_not_end(arch, hooks):
    made = ARCHES[arch]()
    hooks.machine = made
    made.power_on(hooks)
    made.booted()
    gate = threading.Event()
    start(made, lambda: gate.wait(20) and None, "stubborn")
    assert made.power_off(0.05) == ["stubborn"]
    gate.set()


def test_an_error_goes_to_the_hook_once_and_halts(machine, hooks):
    def crash() -> None:
        raise KernelBug("BUG: on purpose")

    with pytest.raises(Halted):
        start(machine, crash, "crasher")
        machine.block(machine.clock() + 5000 * MS)
    assert machine.dead
    assert [(str(error), name) for error, name in hooks.errors] == [("BUG: on purpose", "crasher")]


@pytest.mark.parametrize(
    "name", ["current", "local_irq_save", "preempt_disable", "preempt_count", "rcu_read_lock"]
)
def test_instructions_without_a_machine_say_so(arch, hooks, name):
    made = hooks.machine = ARCHES[arch]()
    made.power_on(hooks)
    made.booted()
    assert made.power_off(5.0) == []
    with pytest.raises(RuntimeError, match="no kernel is booted"):
        getattr(asm, name)()


# -- the timer event -------------------------------------------------------------------------------


def test_an_event_comes_once_with_interrupts_off_and_never_early(machine, hooks):
    for wait in (0, MS // 20, MS, 4 * MS):
        hooks.ticks.clear()
        deadline = machine.clock() + wait
        machine.set_event(deadline)
        until(machine, lambda: hooks.ticks)
        machine.block(machine.clock() + 2 * MS)
        assert len(hooks.ticks) == 1
        when, irqs_off = hooks.ticks[0]
        assert when >= deadline
        assert irqs_off == 1


def test_an_event_can_be_moved_earlier_and_later_and_cancelled(machine, hooks):
    machine.set_event(machine.clock() + 100_000 * MS)
    soon = machine.clock() + 2 * MS
    machine.set_event(soon)
    until(machine, lambda: hooks.ticks)
    assert hooks.ticks[0][0] >= soon

    hooks.ticks.clear()
    machine.set_event(machine.clock() + 3 * MS)
    late = machine.clock() + 8 * MS
    machine.set_event(late)
    until(machine, lambda: hooks.ticks)
    assert hooks.ticks[0][0] >= late

    hooks.ticks.clear()
    machine.set_event(machine.clock() + 2 * MS)
    machine.set_event(None)
    machine.block(machine.clock() + 6 * MS)
    assert hooks.ticks == []


def test_a_tick_may_program_the_next_one(machine, hooks):
    hooks.on_tick = lambda: (
        machine.set_event(machine.clock() + MS // 2) if len(hooks.ticks) < 5 else None
    )
    machine.set_event(machine.clock())
    until(machine, lambda: len(hooks.ticks) == 5)


# -- interrupt lines -------------------------------------------------------------------------------


def test_a_line_serves_what_is_raised_with_interrupts_off(machine, hooks):
    line = machine.line("dev", lambda line: None)
    machine.raise_line(line)
    until(machine, lambda: hooks.served)
    assert hooks.served == ["dev1"]
    assert not line.pending
    assert line.raised == 1


def test_lines_have_numbers_of_their_own(machine):
    lines = [machine.line(f"dev{i}", lambda line: None) for i in range(3)]
    assert len({line.number for line in lines}) == 3


def test_raising_a_pending_line_changes_nothing(machine, hooks):
    pending: list[bool] = []

    def action(line: Line) -> None:
        # The handler has begun, so the line is not pending: one more raise is one more interrupt,
        # further ones are lost in it.
        pending.append(line.pending)
        if len(pending) == 1:
            for _ in range(5):
                machine.raise_line(line)
                pending.append(line.pending)

    line = machine.line("dev", action)
    machine.raise_line(line)
    until(machine, lambda: len(hooks.served) == 2)
    machine.block(machine.clock() + 3 * MS)
    assert len(hooks.served) == 2
    assert pending == [False, True, True, True, True, True, False]
    assert line.raised == 6


def test_no_raise_after_a_handler_is_lost(machine, hooks):
    line = machine.line("dev", lambda line: None)
    for number in range(200):
        machine.raise_line(line)
        until(machine, lambda n=number: len(hooks.served) == n + 1)


def test_after_free_line_the_action_does_not_run(machine, hooks):
    entered, freeing, leave, ran, freed = [], [], [], [], []

    def action(line: Line) -> None:
        entered.append(1)
        spin_until(lambda: leave)
        ran.append(1)

    def free() -> None:
        until(machine, lambda: entered)
        freeing.append(1)
        machine.free_line(line)
        freed.append(len(ran))

    def let_go() -> None:
        until(machine, lambda: freeing)
        machine.block(machine.clock() + 20 * MS)
        assert not freed
        leave.append(1)

    line = machine.line("dev", action)
    start(machine, free)
    start(machine, let_go)
    machine.raise_line(line)
    until(machine, lambda: freed)
    assert freed == [1], "free_line() waits for an action that runs"
    machine.raise_line(line)
    machine.block(machine.clock() + 3 * MS)
    assert ran == [1]
    machine.free_line(line)


# -- the machine of threads ------------------------------------------------------------------------


def test_tasks_are_named_daemon_threads():
    hooks = Recorder()
    made = ARCHES["threads"]()
    hooks.machine = made
    made.power_on(hooks)
    made.booted()
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        thread = threading.current_thread()
        seen.append((thread.name, thread.daemon))

    start(made, look, "kworker/0:1")
    until(made, lambda: seen)
    assert seen == [("kworker/0:1", True)]
    assert made.power_off(5.0) == []


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_the_scale_stretches_the_clock_and_the_sleeps(scale):
    hooks = Recorder()
    made = ARCHES["threads"](scale=scale)
    hooks.machine = made
    made.power_on(hooks)
    made.booted()
    wall, began = time.monotonic(), made.clock()
    made.block(began + 10 * MS)
    elapsed, spent = time.monotonic() - wall, made.clock() - began
    assert spent >= 10 * MS
    assert elapsed >= 0.010 * scale
    assert elapsed == pytest.approx(spent * 1e-9 * scale, rel=0.05, abs=0.001)
    deadline = made.clock() + 5 * MS
    made.set_event(deadline)
    until(made, lambda: hooks.ticks)
    assert hooks.ticks[0][0] >= deadline
    assert made.power_off(5.0) == []


@pytest.mark.parametrize("scale", [0, -1.0, float("nan")])
def test_a_scale_that_is_not_positive_is_refused(scale):
    with pytest.raises(ValueError, match="scale must be positive"):
        ARCHES["threads"](scale=scale)
