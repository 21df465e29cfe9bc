# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The machine `virt`: one OS thread, virtual CPUs, virtual time, and every choice somebody's.

Tasks are stacks that are left and come back to (`carrier`). Each instruction that synchronises is a
*point*: before it acts it counts a step, and when the steps that the strategy granted are used up,
the strategy says who goes on (`strategy`). Nothing else switches tasks, so an execution is a
function of the strategy's answers.

Time is steps times `step_ns`, plus what was jumped over: when nothing can run, the clock jumps to
the next deadline. A timer or an interrupt line is an *event*. It is taken by a CPU: on top of a
task that has interrupts on, which then cannot go on before the handler returns, or by an idle CPU.
So a lock that a handler takes while its holder has interrupts on really deadlocks here.

There are `cpus` of them. A task with preemption or interrupts off occupies one until it is done
with that; while all are occupied nobody else runs. A spinning task is not run until the lock is
free: it would only spin. A task in cpu_relax() is not run before another one has been.

When nothing can run and no event is to come, that is a deadlock; more steps than `bound` are a
livelock. Both are an oops whose report says of each task what it waits for, who holds it, and where
it stands (`virt_report`).

A stopped machine unwinds its tasks: each gets `Halted` where it was left.
"""

from __future__ import annotations

import threading
from _thread import get_ident
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from kport.arch import link, virt_asm
from kport.arch.api import Halted, Hooks, KernelBug, Line
from kport.arch.carrier import Stack, carrier
from kport.arch.strategy import Candidate, RoundRobin, Strategy
from kport.arch.types import spinlock_t, thread_info
from kport.arch.virt_asm import CPU
from kport.arch.virt_report import deadlock, livelock

STRONG = link.instructions(virt_asm)  # the table of a machine with strong memory
FOREVER = 1 << 62  # steps or nanoseconds that are never reached
LOCKUP_NS = 22_000_000_000  # as the kernel's soft lockup watchdog: 22 s


class Task:
    """A thread of execution.

    `asleep` in block() until woken or until `sleep`, `waits` for the lock it spins on, `relaxed` if
    others must run before it, `takes` the event that comes on top of it before it goes on. `op` is
    for a strategy that notes what the task will do next.
    """

    __slots__ = (
        "asleep",
        "event",
        "function",
        "name",
        "number",
        "op",
        "relaxed",
        "sleep",
        "stack",
        "takes",
        "ti",
        "token",
        "waits",
    )

    def __init__(self, ti: thread_info, number: int, function: Callable[[], None] | None) -> None:
        self.ti = ti
        self.name = ti.name
        self.number = number
        self.function = function
        self.event = False
        self.stack: Stack | None = None
        self.asleep = False
        self.sleep: Event | None = None
        self.token = False
        self.waits: spinlock_t | None = None
        self.relaxed = False
        self.takes: Event | None = None
        self.op: Any = None

    def __repr__(self) -> str:
        return f"<task {self.number} {self.name}>"


class Event:
    """Something to come: a raised line, the timer due at `at`, or the end of a task's sleep."""

    __slots__ = ("at", "event", "line", "name", "number", "task")

    def __init__(
        self, name: str, number: int, at: int, line: Line | None = None, task: Task | None = None
    ) -> None:
        self.name = name
        self.number = number
        self.event = True
        self.at = at
        self.line = line
        self.task = task

    def __lt__(self, other: Event) -> bool:
        return (self.at, self.number) < (other.at, other.number)

    def __repr__(self) -> str:
        return f"<event {self.number} {self.name}>"


class Bare:
    """Hooks of an execution without a kernel: `first` is what went wrong first.

    Places are told as `reports` tells them, if there is a kernel beside it.
    """

    def __init__(self, reports: Hooks | None = None) -> None:
        self.first: BaseException | None = None
        self.reports = reports

    def place(self, frame: FrameType) -> str:
        """File and line of a frame."""
        if self.reports is not None:
            return self.reports.place(frame)
        return f"{frame.f_code.co_filename}:{frame.f_lineno}"

    def waits_for(self, frame: FrameType) -> str:
        """Nothing is known of what a function waits for, unless the kernel beside it knows."""
        return "" if self.reports is None else self.reports.waits_for(frame)

    def begin(self) -> None:
        """Nothing is kept from one execution to the next."""

    def adopt(self, ti: thread_info) -> None:
        """There are no task_structs."""

    def tick(self) -> None:
        """There are no timers."""

    def interrupt(self, line: Line) -> None:
        """A line's own action."""
        line.action(line)

    def oops(self, error: BaseException, ti: thread_info) -> None:
        """Keep the first error."""
        if self.first is None:
            self.first = error


def weaken(machine: Virt, memory: str) -> None:
    """Give a machine that is off a weak memory. Raises ValueError for an unknown one."""
    from kport.arch.virt_weak_asm import attach, memory_of  # nothing of it is loaded otherwise

    attach(machine, memory_of(memory, machine))


class Virt:
    """`Machine` in one OS thread, under a strategy.

    `step_ns` is the time one step takes (0: time only passes while nobody can run), `bound` the
    most steps of an execution, `carrier` what carries the tasks ("greenlet", "thread", None for
    what there is), `log` whether `events` keeps a line for every switch and every event, `memory`
    its memory: "sc" (sequentially consistent), "tso" or "lkmm" (`virt_weak`). Kernel code must not
    be called from other OS threads.
    """

    name = "virt"

    def __init__(
        self,
        strategy: Strategy | None = None,
        *,
        seed: int = 0,
        cpus: int = 4,
        step_ns: int = 50,
        bound: int = 200_000_000,
        carrier: str | None = None,
        log: bool = False,
        memory: str = "sc",
    ) -> None:
        if cpus < 1 or step_ns < 0:
            raise ValueError("a machine has 1 CPU or more, and a step takes no time or some")
        self.strategy: Strategy = strategy if strategy is not None else RoundRobin(seed)
        self.cpus = cpus
        self.step_ns = step_ns
        self.bound = bound
        self.dead = False
        self.events: list[str] | None = [] if log else None
        self.table: Mapping[str, Any] = STRONG
        self._carrier_name = carrier
        self.hooks: Hooks
        self.main: Task
        self.current: Task
        self._fault: BaseException | None = None
        self._joining = False
        self.memory: Any = None  # a weak one (`virt_weak.Memory`)
        self.strengthen: Callable[[], None]
        if memory != "sc":
            weaken(self, memory)

    # -- power -----------------------------------------------------------------------------------

    def power_on(self, hooks: Hooks) -> None:
        link.link(self.table)
        self._carrier = carrier(self._carrier_name)
        self._ident = threading.get_ident()
        self._reset(hooks)
        CPU.left = CPU.mark = FOREVER  # no points: how much is initialised changes no run
        hooks.adopt(self.main.ti)

    def booted(self) -> None:
        CPU.left = CPU.mark = CPU.skew = 0
        self.strategy.begin()

    def _reset(self, hooks: Hooks) -> None:
        """Step 0 of an execution: the calling thread is the only task."""
        self.hooks = hooks
        self.dead = False
        self._numbers = self._lines = 0
        self._rounds = self._relaxed_for = 0
        self._relaxed = False
        self._told = False
        self.tasks: list[Task] = []
        self._runnable: list[Task] = []
        self._spinning: list[Task] = []
        self._swappers: list[Task] = []
        self._sleeps: list[Event] = []
        self._raised: list[Event] = []
        self._timer: Event | None = None
        self._serving: dict[Line | None, Task] = {}  # who runs a line's handler; None: the timer's
        CPU.reset(self, self.step_ns)
        ti = CPU.ti = thread_info(threading.current_thread().name)
        self.main = self.current = self._add(ti, None)
        self.main.stack = self._carrier.main()
        self.strategy.begin()

    def halt(self) -> None:
        self.dead = True
        CPU.cut()

    def power_off(self, timeout: float) -> list[str]:
        stuck = self._unwind()
        self._carrier.close()
        CPU.reset(virt_asm.NoKernel(), 1)
        if self._fault is not None:
            raise self._fault
        return stuck

    def _unwind(self) -> list[str]:
        """Stop and let every task end; returns the names of those that did not."""
        self.dead = self._told = True
        for task in list(self.tasks):
            if task.stack is not None and task is not self.main:
                self._go(task)
        stuck = [t.name for t in self.tasks if t.stack is not None and t is not self.main]
        self.tasks.clear()
        return sorted(stuck)

    def run(self, *functions: Callable[[], None]) -> None:
        """One execution without a kernel: each function a task, from the same moment to the end.

        The machine must be on; it starts from step 0 again, so any number of executions may follow
        each other. Raises what a function raised first, or KernelBug for a deadlock or livelock.
        """
        hooks = self.hooks
        errors = Bare(hooks)
        self._reset(errors)
        hooks.begin()
        for number, function in enumerate(functions):
            self._add(thread_info(f"task/{number}"), function)
        self._runnable.remove(self.main)
        self._joining = True
        try:
            self._elect(None)
        except Halted:
            self._unwind()
        finally:
            self._joining = False
            self.hooks = hooks
        if errors.first is not None:
            raise errors.first

    # -- tasks -----------------------------------------------------------------------------------

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers - 1

    def _add(self, ti: thread_info, function: Callable[[], None] | None) -> Task:
        task = ti.park = Task(ti, self._number(), function)
        self.tasks.append(task)
        self._runnable.append(task)
        return task

    def start(self, ti: thread_info, function: Callable[[], None]) -> None:
        if self.dead:
            raise Halted
        self._add(ti, function)
        self._notice()
        CPU.left = left = CPU.left - 1
        if left < 0:
            virt_asm.point()

    def _life(self, task: Task) -> None:
        """All that happens on a stack for a task: its function, its end, and who comes next."""
        try:
            if task.function is not None and not self.dead:
                task.function()
        except Halted:
            task.function = None
        except BaseException as error:
            if not self.dead:
                if isinstance(error, Exception):
                    self.hooks.oops(error, task.ti)
                else:
                    self._fault = error
                self.halt()
        self.tasks.remove(task)
        for queue in (self._runnable, self._spinning):
            if task in queue:
                queue.remove(task)
        stack, task.stack = task.stack, None
        if stack is not None:
            self._carrier.keep(stack)
        self._go(self.main if self.dead else self._choose(None))

    def _go(self, task: Task) -> None:
        """Leave the running task for another; returns when somebody comes back."""
        if self.events is not None and not self.dead:
            self._note(task, "runs")
        self.current = task
        CPU.ti = task.ti
        stack = task.stack
        if stack is None:
            stack = task.stack = self._carrier.make()
            stack.run = lambda: self._life(task)
        stack.switch()

    def _note(self, task: Task, what: str) -> None:
        assert self.events is not None
        now = virt_asm.ktime_get()
        self.events.append(f"{CPU.mark - CPU.left} {now} {task.name}#{task.number} {what}")

    # -- sleeping and waking ---------------------------------------------------------------------

    def block(self, deadline: int | None = None) -> bool:
        CPU.left = left = CPU.left - 1
        if left < 0:
            virt_asm.point()
        if self.dead:
            raise Halted
        me = self.current
        if me.token:
            me.token = False
            return True
        if deadline is not None:
            if deadline <= virt_asm.ktime_get():
                return False
            me.sleep = Event(f"timeout of {me.name}", self._number(), deadline, task=me)
            insort(self._sleeps, me.sleep)
        me.asleep = True
        self._rounds = 0
        self._runnable.remove(me)
        self._elect(None)
        woken, me.token = me.token, False
        return woken

    def wake(self, ti: thread_info) -> None:
        CPU.left = left = CPU.left - 1
        if left < 0:
            virt_asm.point()
        task: Task = ti.park
        task.token = True
        if task.asleep:
            self._rouse(task)
            self._notice()

    def _rouse(self, task: Task) -> None:
        """A sleeping task may run."""
        self._rounds = 0
        task.asleep = False
        if task.sleep is not None:
            self._sleeps.remove(task.sleep)
            task.sleep = None
        self._runnable.append(task)

    def _notice(self) -> None:
        """A task has become able to run."""
        if self.strategy.asks_on_wake:
            CPU.cut()

    def _expire(self, now: int) -> None:
        """Wake the tasks whose sleep ends at `now` or has ended."""
        while self._sleeps and self._sleeps[0].at <= now:
            task = self._sleeps[0].task
            assert task is not None
            self._rouse(task)

    # -- spinning --------------------------------------------------------------------------------

    def spin(self, lock: spinlock_t) -> None:
        """Return when the lock is free. Raises KernelBug if nobody can ever release it."""
        me = self.current
        while (owner := lock.owner) is not None:
            if not isinstance(owner, thread_info):
                lock.raw.pop()  # raises: the lock was never initialised
            if owner is me.ti:
                raise KernelBug(
                    f"BUG: spinlock recursion on CPU#{me.ti.cpu}, {me.name}, lock: {lock.name}"
                )
            if self.dead:
                raise Halted
            me.waits = lock
            lock.raw.append(me)
            self._runnable.remove(me)
            self._spinning.append(me)
            self._elect(None)

    def refused(self, lock: spinlock_t) -> int:
        """spin_trylock() of a lock that is not free: 0."""
        if not isinstance(lock.owner, thread_info):
            lock.raw.pop()  # raises: the lock was never initialised
        return 0

    def unspin(self, lock: spinlock_t) -> None:
        """The lock is free: whoever spins on it may try again."""
        if not isinstance(lock.raw, list):
            lock.raw.pop()  # raises: the lock was never initialised
        for task in lock.raw:
            self._unwait(task)
        lock.raw.clear()
        self._notice()

    def _unwait(self, task: Task) -> None:
        task.waits = None
        self._spinning.remove(task)
        self._runnable.append(task)

    def relax(self) -> None:
        """A turn of a busy wait: others run first; when they all wait busily, time passes."""
        if self.dead:
            raise Halted
        me = self.current
        self._runnable.remove(me)  # to the back, or two that wait for a third hide it
        self._runnable.append(me)
        me.relaxed = self._relaxed = True
        if all(task.relaxed for task in self._runnable):
            self._unrelax()
            self._rounds += 1
            self._pass_time(me)
        self._elect(me)

    def _unrelax(self) -> None:
        self._relaxed = False
        for task in self._runnable:
            task.relaxed = False

    def _pass_time(self, me: Task) -> None:
        """The clock moves on, by more each time, but not past the next event."""
        now = virt_asm.ktime_get()
        jump = min(1_000 << min(self._rounds >> 4, 12), 4_000_000)
        due = self._next_time(now)
        if due < FOREVER:
            self._relaxed_for = 0
            jump = min(jump, due - now)
        CPU.skew += jump
        self._relaxed_for += jump
        if self._relaxed_for > LOCKUP_NS:
            raise KernelBug(f"BUG: soft lockup - CPU#{me.ti.cpu} stuck for 22s! [{me.name}]")

    # -- time ------------------------------------------------------------------------------------

    def clock(self) -> int:
        return virt_asm.ktime_get()

    @property
    def step(self) -> int:
        """How many steps this execution has taken."""
        return CPU.mark - CPU.left

    def set_event(self, deadline: int | None) -> None:
        self._timer = None
        if deadline is not None:
            self._timer = Event("timer", self._number(), deadline)
            steps = self._steps(deadline - virt_asm.ktime_get())
            if self.strategy.places_events:
                CPU.cut()
            elif steps < CPU.left:
                CPU.mark -= CPU.left - max(0, steps)
                CPU.left = max(0, steps)

    def _steps(self, ns: int) -> int:
        """How many steps until so many nanoseconds have passed; FOREVER if steps take no time."""
        if self.step_ns:
            return -(-ns // self.step_ns)
        return FOREVER if ns > 0 else 0

    def _next_time(self, now: int) -> int:
        """When the next timer or end of a sleep after `now` is due in ns; FOREVER for never."""
        due = self._sleeps[0].at if self._sleeps else FOREVER
        timer = self._timer
        if timer is not None and now < timer.at < due:
            due = timer.at
        return due if due > now else FOREVER

    # -- interrupts ------------------------------------------------------------------------------

    def line(self, name: str, action: Callable[[Line], None]) -> Line:
        self._lines += 1
        line = Line(23 + self._lines, name, action)
        line.private = self
        return line

    def free_line(self, line: Line) -> None:
        line.private = None
        self._raised = [event for event in self._raised if event.line is not line]
        while self._serving.get(line) not in (None, self.current):
            virt_asm.cpu_relax()

    def raise_line(self, line: Line) -> None:
        CPU.left = left = CPU.left - 1
        if left < 0:
            virt_asm.point()
        if line.private is None:
            return
        line.raised += 1
        if not line.pending:
            line.pending = True
            self._raised.append(Event(f"irq/{line.number}-{line.name}", self._number(), 0, line))
            CPU.cut()

    # -- who runs --------------------------------------------------------------------------------

    def decide(self) -> None:
        """The granted steps are used up, or something has changed: ask who goes on."""
        if get_ident() != self._ident and self._carrier.name == "greenlet":
            raise RuntimeError("virt runs in one OS thread; start tasks with kthread_run()")
        if self._relaxed and not self.current.relaxed:
            self._unrelax()
        self._elect(self.current)

    def _elect(self, current: Task | None) -> None:
        """Find out who goes on, and let it; returns when the running task goes on.

        `current` is the running task if it could go on, None if it sleeps or spins.
        """
        me = self.current
        if not self.dead:
            chosen = self._choose(current)
            if chosen is not me:
                self._go(chosen)
        if self.dead:
            self._stopped(me)
        elif me.takes is not None:
            self._takes(me)

    def _stopped(self, me: Task) -> None:
        """The machine has stopped while the running task was away or counted a step."""
        if me is not self.main:
            raise Halted
        if not self._told:
            self._told = True
            fault, self._fault = self._fault, None
            raise fault if fault is not None else Halted

    def _choose(self, current: Task | None) -> Task:
        """Who goes on: ends sleeps, gives events to CPUs, lets time pass, asks the strategy.

        Most questions come while nothing is to come: those must be cheap.
        """
        strategy = self.strategy
        while True:
            step = CPU.mark - CPU.left
            if step > self.bound:
                return self._broken(livelock(self))
            now = CPU.skew + step * CPU.ns
            quiet = not (self._sleeps or self._raised or self._timer is not None)
            if self._sleeps and self._sleeps[0].at <= now:
                self._expire(now)
            candidates: Sequence[Candidate] = self._runnable
            if self._relaxed or len(candidates) + len(self._spinning) > self.cpus:
                candidates = self._ready()
            if not quiet:
                if strategy.places_events:
                    candidates = [*candidates, *self._events(current)]
                elif (given := self._ripe(now, current)) is not None:
                    self._give(*given)
                    return given[1]
            if not candidates:
                due = self._next_time(now)
                if due >= FOREVER:
                    if self._joining and len(self.tasks) == 1:
                        return self.main
                    return self._broken(deadlock(self))
                CPU.skew += due - now
                continue
            chosen: Any  # of candidates
            chosen, steps = strategy.next(
                candidates, current if current in candidates else None, step
            )
            if chosen.event:
                taker = self._placed(chosen, current, now)
                if taker is None:
                    continue
                return taker
            task: Task = chosen
            task.relaxed = False
            if quiet:
                CPU.left = steps
                CPU.mark = step + steps
            else:
                self._grant(steps, now)
            return task

    def _grant(self, steps: int, now: int) -> None:
        """Run on for `steps`, or until the next event that comes by itself.

        With 0 steps the next instruction asks again, and then acts: so an interrupt that is held
        off comes as soon as it can.
        """
        step = CPU.mark - CPU.left
        if not self.strategy.places_events:
            due = 0 if self._raised else self._next_time(-1)
            if due < FOREVER:
                left = self._steps(due - now)
                if left < steps:
                    steps = left if left > 0 else 0
        CPU.left = steps
        CPU.mark = step + steps

    def _ready(self) -> list[Task]:
        """The tasks that can run now."""
        ready = self._runnable
        if len(ready) + len(self._spinning) > self.cpus and self._busy() >= self.cpus:
            ready = [t for t in ready if t.ti.preempt_count or t.ti.irqs_off]
        if self._relaxed:
            ready = [task for task in ready if not task.relaxed] or ready
        return ready

    def _busy(self) -> int:
        """How many CPUs are occupied by tasks that cannot be preempted."""
        busy = 0
        for queue in (self._runnable, self._spinning):
            for task in queue:
                if task.ti.preempt_count or task.ti.irqs_off:
                    busy += 1
        return busy

    def _broken(self, report: str) -> Task:
        """Nothing can go on: an oops, and the booting task unwinds."""
        self.hooks.oops(KernelBug(report), self.current.ti)
        self.halt()
        return self.main

    # -- interrupts: who takes them ----------------------------------------------------------------

    def _ripe(self, now: int, current: Task | None) -> tuple[Event, Task] | None:
        """An event that is due by itself, and who takes it."""
        for event in self._raised:
            if (taker := self._victim(event, current)) is not None:
                return event, taker
        timer = self._timer
        if timer is not None and timer.at <= now:
            taker = self._victim(timer, current)
            if taker is not None:
                return timer, taker
        return None

    def _events(self, current: Task | None) -> list[Event]:
        """All events a strategy may place now."""
        events = list(self._raised)
        if self._timer is not None:
            events.append(self._timer)
        return [e for e in events if self._victim(e, current) is not None] + self._sleeps

    def _placed(self, event: Event, current: Task | None, now: int) -> Task | None:
        """The strategy places an event: who takes it, or None for the end of a sleep."""
        if event.task is not None:
            CPU.skew += max(0, event.at - now)
            self._expire(max(now, event.at))
            return None
        victims = self._victims(event, current)
        idle = event.line not in self._serving and self._has_idle_cpu()
        at = self.strategy.number(len(victims) + idle)
        taker = victims[at] if at < len(victims) else self._swapper()
        self._give(event, taker)
        return taker

    def _victim(self, event: Event, current: Task | None) -> Task | None:
        """Who takes an event that the machine delivers: the running task, else an idle CPU."""
        if event.line not in self._serving:
            if current is not None and not current.ti.irqs_off:
                return current
            if self._has_idle_cpu():
                return self._swapper()
        victims = self._victims(event, current)
        return victims[0] if victims else None

    def _victims(self, event: Event, current: Task | None) -> list[Task]:
        """The tasks on top of which an event can come, the running one first.

        A handler is not run on two CPUs at once. The timer may interrupt the softirq of its last.
        """
        server = self._serving.get(event.line)
        if server is not None:
            on = event.line is None and not server.ti.irqs_off and not server.asleep
            return [server] if on else []
        victims = [
            task
            for task in (*self._runnable, *self._spinning)
            if task.stack is not None and not task.ti.irqs_off and task is not current
        ]
        if current is not None and not current.ti.irqs_off:
            victims.insert(0, current)
        return victims

    def _has_idle_cpu(self) -> bool:
        busy = self._busy()
        return busy + (len(self._runnable) + len(self._spinning) > busy) < self.cpus

    def _swapper(self) -> Task:
        """The task of an idle CPU."""
        for task in self._swappers:
            if task.takes is None and task not in self._runnable and task not in self._spinning:
                return task
        ti = thread_info(f"swapper/{len(self._swappers)}")
        task = ti.park = Task(ti, self._number(), None)
        task.function = lambda: self._idle(task)
        self.tasks.append(task)
        self._swappers.append(task)
        left, mark = CPU.left, CPU.mark
        CPU.left = CPU.mark = FOREVER  # no points: nobody may be asked while this one is asked
        self.hooks.adopt(ti)
        CPU.left, CPU.mark = left, mark
        return task

    def _give(self, event: Event, taker: Task) -> None:
        """The event comes on top of `taker`, which runs next."""
        if event.line is not None:
            self._raised.remove(event)
        else:
            self._timer = None
            CPU.skew += max(0, event.at - virt_asm.ktime_get())
        taker.takes = event
        if taker.waits is not None:
            taker.waits.raw.remove(taker)
            self._unwait(taker)
        elif taker not in self._runnable:
            self._runnable.append(taker)
        self._grant(1, virt_asm.ktime_get())

    def _takes(self, me: Task) -> None:
        """Run the handlers of what came on top of the running task."""
        while (event := me.takes) is not None:
            me.takes = None
            if self.events is not None:
                self._note(me, f"takes {event.name}")
            ti, line = me.ti, event.line
            ti.irqs_off = 1
            nested = line in self._serving
            self._serving[line] = me
            try:
                if line is None:
                    self.hooks.tick()
                else:
                    line.pending = False
                    self.hooks.interrupt(line)
            except Exception as error:  # not an error of what was interrupted
                if not self.dead:
                    self.hooks.oops(error, ti)
                    self.halt()
                self._stopped(me)
            if not nested:
                del self._serving[line]
                CPU.cut()
            ti.irqs_off = 0

    def _idle(self, me: Task) -> None:
        """The life of an idle CPU: one interrupt, and sleep."""
        while True:
            self._takes(me)
            self._runnable.remove(me)
            self._elect(None)
