# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Booting and leaving a kernel (init/main.c, as far as there is something to start).

`boot()` powers the machine on, resets the statics of every loaded file, sets module parameters and
runs the initcalls. Leaving waits for RCU, runs the module exits, looks for what was left behind,
and powers the machine off. A kernel that met an oops is powered off at once, and the oops comes out
as KernelOops. Nothing is shared between two kernels but the loaded code.
"""

from __future__ import annotations

import gc
import re
import traceback
from _thread import allocate_lock
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from kport.arch.api import Halted, KernelBug, Line, Machine
from kport.arch.asm import current_thread_info
from kport.arch.link import defaults, link, watch
from kport.arch.threads import Threads
from kport.arch.virt import Virt
from kport.arch.types import thread_info
from kport.linux import bug, facility, field as fields, module, printk, sched, slab, tick, workqueue
from kport.linux.facility import Facility, Report
from kport.linux.fork import PF_SERVICE
from kport.linux.hung_task import waits_for
from kport.linux.interrupt import do_IRQ
from kport.linux.irq_work import irq_work_drain
from kport.linux.list import DEBUG_LIST
from kport.linux.struct import DEBUG_STRUCT
from kport.linux.lockdep import DEBUG_LOCKS
from kport.linux.rcupdate import rcu_barrier, rcu_pending
from kport.linux.sched import PF_KTHREAD, new_task

# kfree() unties the cycles of what it frees, so there is little for the collector to find.
GC_THRESHOLDS = (5_000, 1000, 20)
SETTLE_NS = 100_000_000  # kernel time in which work items and threads may still end
WRECKS = 256  # kernels before their remains are collected
BAD_END = 8  # so many of them count a kernel that did not end well
OFF_TIMEOUT = 10.0  # wall seconds that threads get to end


class KernelOops(RuntimeError):
    """Kernel code raised. `report` is the kernel-style report with the Python traceback."""

    def __init__(self, report: str) -> None:
        super().__init__(report.splitlines()[0] if report else "oops")
        self.report = report

    def __str__(self) -> str:
        return self.report


@dataclass
class Leaks:
    """What a kernel left behind, by kind and name.

    `traces` are lines that say who allocated the objects of a kind, if the check `memory` is on.
    """

    objects: Counter[str] = field(default_factory=Counter)
    works: Counter[str] = field(default_factory=Counter)
    threads: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    traces: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return (
            sum(self.objects.values())
            + sum(self.works.values())
            + len(self.threads)
            + len(self.stuck)
        )

    def lines(self) -> list[str]:
        """One line for each kind of leak, and behind those of objects their traces."""
        objects = []
        for name, n in sorted(self.objects.items()):
            objects += [f"leak: {n} x struct {name}", *self.traces.get(name, ())]
        return [
            *objects,
            *(f"leak: {n} x work item {name}" for name, n in sorted(self.works.items())),
            *(f"leak: thread {name}" for name in self.threads),
            *(f"leak: thread {name} did not end" for name in self.stuck),
        ]


class Kernel:
    """A booted kernel: its machine, and after it was left, what it left behind."""

    def __init__(self, machine: Machine, facilities: Iterable[Facility] = ()) -> None:
        self.machine = machine
        self.facilities = list(facilities)
        self.oopses: list[str] = []
        self.leaks = Leaks()

    # -- hooks the machine calls -------------------------------------------------------------

    def begin(self) -> None:
        for watcher in self.facilities:
            watcher.begin()

    def adopt(self, ti: thread_info) -> None:
        if ti.task is None:
            new_task(ti, 0, None)

    def tick(self) -> None:
        tick.tick_handle()

    def interrupt(self, line: Line) -> None:
        do_IRQ(line)

    def oops(self, error: BaseException, ti: thread_info) -> None:
        self.oopses.append(oops_report(error, ti))

    def place(self, frame: FrameType) -> str:
        return bug.place(frame)

    def waits_for(self, frame: FrameType) -> str:
        return waits_for(frame)

    # -- what a user asks ----------------------------------------------------------------------

    def warnings(self) -> list[str]:
        """One line for each WARN of this kernel so far."""
        return list(bug.warnings)

    def reports(self) -> list[Report]:
        """What the facilities of `check` have reported so far, in order."""
        return list(facility.reports)

    def dmesg(self) -> list[str]:
        """The kernel log as lines."""
        return printk.dmesg()


_FRAME = re.compile(r'^  File "(.+)", line (\d+), in .+$', re.MULTILINE)


def _with_c_position(frame: re.Match[str]) -> str:
    """A line of a traceback, with where it stands in C."""
    c = bug.positions(frame.group(1), int(frame.group(2)))
    return f"{frame.group()} ({c})" if c else frame.group()


def oops_report(error: BaseException, ti: thread_info) -> str:
    """The kernel's report of an error that left kernel code, with the traceback in it."""
    pid = ti.task.pid if ti.task is not None else 0
    text = bug.said(error)
    what = repr(error) if text == str(error) else f"{type(error).__name__}({text!r})"
    head = text if text.startswith(("BUG", "kernel BUG")) else f"Oops: {what}"
    context = "irq" if ti.preempt_count >= 0x10000 else "task"
    trace = "".join(traceback.format_tb(error.__traceback__))
    trace = _FRAME.sub(_with_c_position, trace)
    return (
        f"{head}\n"
        f"CPU: {ti.cpu} PID: {pid} Comm: {ti.name} Context: {context}\n"
        f"Call Trace (innermost last):\n{trace}"
        f"---[ end trace 0000000000000000 ]---\n"
        f"Kernel panic - not syncing: Fatal exception"
    )


_booted: Kernel | None = None
_wrecks = 0
_boot_lock = allocate_lock()  # of two threads that boot at once, one is refused

# What C would run into as a fault. Raised by kernel code in the main thread it is an oops, as it
# is in every thread of the kernel's own; any other error there is the block's.
_FAULTS = (AttributeError, IndexError, TypeError, ZeroDivisionError)
_KERNEL = ("kport.arch.", "kport.linux.", "kport.dma_buf.", "kport.drm.", "kport.drivers.")


def _is_oops(error: Exception) -> bool:
    """True if an error that left the block arose in kernel code."""
    if isinstance(error, KernelBug):
        return True
    if not isinstance(error, _FAULTS) or error.__traceback__ is None:
        return False
    frame = [f for f, _ in traceback.walk_tb(error.__traceback__)][-1]
    return str(frame.f_globals.get("__name__", "kport.linux.struct")).startswith(_KERNEL)


def current_kernel() -> Kernel:
    """The kernel that runs now. Raises RuntimeError if there is none."""
    if _booted is None:
        raise RuntimeError("no kernel is booted; use `with kport.boot():`")
    return _booted


DEBUG = DEBUG_LOCKS | DEBUG_LIST | DEBUG_STRUCT
ARCHES: dict[str, Callable[..., Machine]] = {"threads": Threads, "virt": Virt}


@contextmanager
def boot(
    arch: str | Machine = "threads",
    *,
    params: dict[str, Any] | None = None,
    debug: bool = False,
    check: str | Iterable[str | Facility] | None = None,
    **options: Any,
) -> Iterator[Kernel]:
    """Make one kernel and run the block in it.

    `arch` names a machine or is one; `options` go to the machine (threads: `scale`, wall seconds
    per kernel second, and `cpus`). `params` are module parameters by name. `debug` turns on
    lock assertions and the checks of lists and container_of(). `check` names the debug
    facilities that watch this kernel (`kport.check`; "all", "lockdep,races"), None what
    `facility.standing()` says; what they find is in `Kernel.reports()`. Raises KernelOops when
    kernel code raised anywhere, ValueError for an unknown arch, parameter or check,
    RuntimeError if a kernel is booted already.
    """
    global _booted
    if isinstance(arch, str):
        if arch not in ARCHES:
            raise ValueError(f"unknown arch {arch!r}; there is: {', '.join(ARCHES)}")
        machine = ARCHES[arch](**options)
    else:
        machine = arch
    watched = facility.Standing.checks if check is None else check
    kernel = Kernel(machine, facility.select(watched))
    instructions = machine.table
    with _boot_lock:
        if _booted is not None:
            raise RuntimeError("a kernel is already booted; C files have one set of statics")
        _booted = kernel
    try:
        module.set_parameters(params or {})
        sched.machine = machine
        sched.reset_tasks()
        table = defaults() | (DEBUG if debug else {})
        for watcher in kernel.facilities:
            table |= watcher.variants()
        if kernel.facilities:
            if any(f.fields(machine) for f in kernel.facilities):
                machine.table = fields.marked(machine.table)
            hooks = [f.hooks(machine) for f in kernel.facilities]
            table = machine.table = watch(machine.table, table, hooks)
        machine.power_on(kernel)
        with _powered(kernel, table):
            yield kernel
    finally:
        _booted = None
        machine.table = instructions
        if check is None:
            facility.left()
    if kernel.oopses:
        raise KernelOops(kernel.oopses[0])


@contextmanager
def _powered(kernel: Kernel, table: dict[str, Any]) -> Iterator[None]:
    """Initialise a kernel whose machine is on, run the block in it, and switch the machine off."""
    machine = kernel.machine
    healthy = False
    before = fields.present()
    frozen = gc.isenabled()
    thresholds = gc.get_threshold()
    if frozen:
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
    try:
        link(table)
        fields.bind([*before, *(w for f in kernel.facilities for w in f.fields(machine))])
        for watcher in kernel.facilities:
            watcher.start(machine)
        module.load()
        machine.booted()
        yield
        if not machine.dead:
            _leave(kernel)
            healthy = True
    except Halted:
        if not kernel.oopses:
            raise
    except Exception as error:
        if not kernel.oopses and _is_oops(error):
            kernel.oops(error, current_thread_info())
        if kernel.oopses:
            raise KernelOops(kernel.oopses[0]) from error
        raise
    finally:
        if not healthy:
            for watcher in kernel.facilities:
                watcher.fail()
        kernel.leaks.stuck = machine.power_off(OFF_TIMEOUT)
        module.unloaded()
        fields.bind(before)
        for watcher in kernel.facilities:
            watcher.stop()
        if frozen:
            gc.set_threshold(*thresholds)
            gc.unfreeze()
            _collect(1 if healthy and not kernel.leaks else BAD_END)


def _collect(remains: int) -> None:
    """Collect what kernels leave, now and then; those that did not end well leave more.

    What was frozen is old when it is thawed, and the collector looks at the old only when there is
    much that is new: nobody would collect what ten thousand kernels leave.
    """
    global _wrecks
    _wrecks += remains
    if _wrecks >= WRECKS:
        _wrecks = 0
        gc.collect()


def _user_threads() -> list[str]:
    """The kernel threads that somebody started and that have not ended."""
    tasks = list(sched.tasks.values())
    return sorted(t.comm for t in tasks if t.flags & PF_KTHREAD and not t.flags & PF_SERVICE)


def _settle(machine: Machine) -> None:
    """Let work items and threads come to their end that have told somebody that they are done.

    On a busy machine a thread may wait long for its CPU; the more has passed, the rarer the looks.
    """
    begin = now = machine.clock()
    while (workqueue.pending_works() or _user_threads()) and now < begin + SETTLE_NS:
        machine.block(now + max(100_000, (now - begin) // 4))
        now = machine.clock()


def _leave(kernel: Kernel) -> None:
    """Take a healthy kernel down and note what it leaves behind."""
    irq_work_drain()
    if rcu_pending():
        rcu_barrier()
    module.unload()
    _settle(kernel.machine)
    leaks = kernel.leaks
    leaks.works = Counter(_work_name(work) for work in workqueue.pending_works())
    leaks.threads = _user_threads()
    leaks.objects = slab.leaks()
    del leaks.objects["struct_kthread"]
    for watcher in kernel.facilities:
        watcher.finish()


def _work_name(work: workqueue.work_struct) -> str:
    return getattr(work.func, "__name__", "(null)")
