# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""The words of lockdep: names, held locks, stacks, and the tables of unsafe scenarios.

Every function gives lines, as the kernel prints them, without the final line break. An address is
the number of the lock in the order in which this kernel printed them. A place is the function, then
the line of the port with the C line it was made of (`kport.linux.bug`); code has no addresses here,
so the kernel's `[<address>]` in front of a place is not there.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET
from kport.arch.asm import current_thread_info
from kport.arch.hook import HOOK
from kport.arch.types import thread_info
from kport.linux import bug
from kport.linux.lockdep_class import address, key_site
from kport.linux.lockdep_graph import get_lock_depth, hlock_class, path
from kport.linux.lockdep_state import call_text
from kport.linux.lockdep_types import (
    LOCK_USAGE_STATES,
    held_lock,
    ip,
    lock_class,
    lock_list,
    lock_trace,
    lockdep_task,
)

KERNEL_IDENT = "7.2.13 #1 Not tainted"
TRACE_ENTRIES = 48

usage_str = (
    "IN-HARDIRQ-W",
    "IN-HARDIRQ-R",
    "HARDIRQ-ON-W",
    "HARDIRQ-ON-R",
    "IN-SOFTIRQ-W",
    "IN-SOFTIRQ-R",
    "SOFTIRQ-ON-W",
    "SOFTIRQ-ON-R",
    "INITIAL USE",
    "INITIAL READ USE",
    "IN-NMI",
)
state_names = ("HARDIRQ", "SOFTIRQ")


def state_name(bit: int) -> str:
    """The interrupt that a usage is about, -READ for readers.

    kernel/locking/lockdep.c:2663-2669, Linux 7.2.13
    """
    return state_names[bit >> 2] + ("-READ" if bit & 1 else "")


# -- places ----------------------------------------------------------------------------------------


_saved: lock_trace | None = None


def forget_trace() -> None:
    """Another operation is checked: its stack is another."""
    global _saved
    _saved = None


def save_trace() -> lock_trace:
    """The stack of the code that is checked, without the checker's own frames on top.

    Taken once per operation; `graph_lock` is held.

    kernel/locking/lockdep.c:562-602, Linux 7.2.13
    """
    global _saved
    if _saved is not None:
        return _saved
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(OWN):
        frame = frame.f_back
    trace: list[ip] = []
    while frame is not None and len(trace) < TRACE_ENTRIES:
        trace.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    _saved = tuple(trace)
    return _saved


OWN = ("kport.linux.lockdep", "kport.check.lockdep")


def line_of(code: CodeType, lasti: int) -> int:
    """The line of an offset in a function."""
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= lasti < end and number is not None:
            line = number
    return line


def c_place(frame: FrameType) -> str:
    """Where a frame stands: file and line, with the C position."""
    return bug.place(frame)


def call_argument(frame: FrameType, number: int) -> str:
    """The text of an argument of the call that a frame is in; "" if Python does not know."""
    text = call_text(frame.f_code, frame.f_lasti)
    arguments = text.partition("(")[2].removesuffix(")").split(",")
    return arguments[number].strip() if number < len(arguments) else ""


def symbol(at: ip | None) -> str:
    """A place: function and line; %pS."""
    if at is None:
        return "0x0"
    code, lasti = at
    return f"{code.co_name}+{bug.place_of(code.co_filename, line_of(code, lasti))}"


def print_lock_trace(trace: lock_trace | None, spaces: int) -> list[str]:
    """A stack, indented.

    kernel/locking/lockdep.c:1893-1898, Linux 7.2.13
    """
    return [" " * (spaces + 1) + symbol(at) for at in trace or () if at[0].co_filename != HOOK]


def dump_stack() -> list[str]:
    """The CPU, the task and the stack of the code that is checked."""
    ti = current_thread_info()
    trace = print_lock_trace(save_trace(), 0)
    head = f"CPU: {ti.cpu} UID: 0 PID: {pid_of(ti)} Comm: {ti.name} {_taint()} {_version()}"
    return [head, "Call Trace:", " <TASK>", *trace, " </TASK>"]


def _taint() -> str:
    return KERNEL_IDENT.split(" ", 2)[2]


def _version() -> str:
    return " ".join(KERNEL_IDENT.split(" ", 2)[:2])


def pid_of(ti: thread_info) -> int:
    """The number of a thread's task, 0 for a thread that has none."""
    return ti.task.pid if ti.task is not None else 0


def task_name(ti: thread_info) -> str:
    """`comm/pid` of a thread."""
    return f"{ti.name}/{pid_of(ti)}"


# -- locks -----------------------------------------------------------------------------------------


def get_usage_chars(klass: lock_class) -> str:
    """How locks of the class were used: per interrupt, as writer and as reader.

    kernel/locking/lockdep.c:678-715, Linux 7.2.13
    """
    chars = ""
    for bit in (0, 1, 4, 5):
        used = klass.usage_mask >> bit & 1
        enabled = klass.usage_mask >> bit + 2 & 1
        chars += (".-", "+?")[enabled][used]
    return chars


def lock_name(klass: lock_class | None, hlock: held_lock | None = None) -> str:
    """The name of a class, with its number among its namesakes and its subclass.

    kernel/locking/lockdep.c:717-735, Linux 7.2.13
    """
    if klass is None:
        return "(null)"
    name = klass.name
    if klass.name_version > 1:
        name += f"#{klass.name_version}"
    if klass.subclass:
        name += f"/{klass.subclass}"
    if hlock is not None and klass.print_fn is not None:
        name += klass.print_fn(hlock.instance)
    return name


def lock_and_usage(klass: lock_class | None, hlock: held_lock | None = None) -> str:
    """Name, usage and wait types of a class.

    kernel/locking/lockdep.c:737-748, Linux 7.2.13
    """
    if klass is None:
        return " (null)"
    outer = klass.wait_type_outer or klass.wait_type_inner
    usage = get_usage_chars(klass)
    return f" ({lock_name(klass, hlock)}){{{usage}}}-{{{outer}:{klass.wait_type_inner}}}"


def print_lock(hlock: held_lock) -> str:
    """A held lock, and where it was taken.

    kernel/locking/lockdep.c:762-784, Linux 7.2.13
    """
    klass = hlock_class(hlock)
    at = symbol((hlock.code, hlock.lasti)) if hlock.code is not None else "0x0"
    return f"{address(hlock.instance)}{lock_and_usage(klass, hlock)}, at: {at}"


def print_held_locks(ti: thread_info, curr: lockdep_task) -> list[str]:
    """All locks that a task holds.

    kernel/locking/lockdep.c:786-805, Linux 7.2.13
    """
    depth = curr.depth
    if not depth:
        return [f"no locks held by {task_name(ti)}."]
    plural = "" if depth == 1 else "s"
    lines = [f"{depth} lock{plural} held by {task_name(ti)}:"]
    held = curr.held_locks[:depth]
    return lines + [f" #{i}: {print_lock(hlock)}" for i, hlock in enumerate(held)]


def irq_state(ti: thread_info) -> str:
    """Which interrupts the thread serves and which are enabled."""
    count = ti.preempt_count
    hard = (count & HARDIRQ_MASK) >> 16
    soft = (count & SOFTIRQ_MASK) >> 8
    serving = int(bool(count & SOFTIRQ_OFFSET))
    off = int(bool(ti.irqs_off))
    return f"[HC{int(bool(hard))}[{hard}]:SC{serving}[{soft}]:HE{1 - off}:SE{int(not soft)}]"


def print_irqtrace_events(curr: lockdep_task) -> list[str]:
    """When the task last changed its interrupts.

    kernel/locking/lockdep.c:4228-4246, Linux 7.2.13
    """
    lines = [f"irq event stamp: {curr.irq_events}"]
    for what, number, at in (
        ("hardirqs last  enabled", curr.hardirq_enable_event, curr.hardirq_enable),
        ("hardirqs last disabled", curr.hardirq_disable_event, curr.hardirq_disable),
        ("softirqs last  enabled", curr.softirq_enable_event, curr.softirq_enable),
        ("softirqs last disabled", curr.softirq_disable_event, curr.softirq_disable),
    ):
        lines.append(f"{what} at ({number}): {symbol(at)}")
    return lines


# -- dependencies ----------------------------------------------------------------------------------


def print_lock_class_header(klass: Any, depth: int) -> list[str]:
    """A class with where it was first used in each way.

    kernel/locking/lockdep.c:2359-2387, Linux 7.2.13
    """
    pad = " " * depth
    lines = [f"{pad}->{lock_and_usage(klass)} {{"]
    for bit in range(LOCK_USAGE_STATES):
        if klass.usage_mask & 1 << bit:
            lines.append(f"{pad}   {usage_str[bit]} at:")
            lines += print_lock_trace(klass.usage_traces.get(bit), len(lines[-1]))
    return [*lines, f"{pad} }}", f"{pad} ... key      at: {symbol(key_site(klass))}"]


def print_shortest_lock_dependencies(leaf: lock_list) -> list[str]:
    """The path of a search, from what was found to the root.

    kernel/locking/lockdep.c:2437-2461, Linux 7.2.13
    """
    lines = []
    depth = get_lock_depth(leaf)
    for entry in path(leaf):
        lines += print_lock_class_header(entry.class_, depth)
        lines.append(f"{' ' * depth} ... acquired at:")
        lines += [*print_lock_trace(entry.trace, 2), ""]
        depth -= 1
    return lines


def print_shortest_lock_dependencies_backwards(leaf: lock_list) -> list[str]:
    """The same of a search backwards, where a dependency belongs to the class behind it.

    kernel/locking/lockdep.c:2484-2516, Linux 7.2.13
    """
    lines = []
    trace = None
    depth = get_lock_depth(leaf)
    for entry in path(leaf):
        lines += print_lock_class_header(entry.class_, depth)
        if trace:
            lines.append(f"{' ' * depth} ... acquired at:")
            lines += [*print_lock_trace(trace, 2), ""]
        trace = entry.trace
        depth -= 1
    return lines


# -- scenarios -------------------------------------------------------------------------------------

_CPU1 = "                               "
_HEAD = ["       CPU0                    CPU1", "       ----                    ----"]
_END = ["", " *** DEADLOCK ***", ""]


def print_circular_lock_scenario(src: held_lock, tgt: held_lock, prt: lock_list) -> list[str]:
    """How two CPUs can block each other.

    kernel/locking/lockdep.c:1914-1976, Linux 7.2.13
    """
    source, target, parent = hlock_class(src), hlock_class(tgt), prt.class_
    lines = []
    if parent is not source:
        chain = " --> ".join((lock_name(source, src), lock_name(parent), lock_name(target, tgt)))
        lines += ["Chain exists of:", f"  {chain}", ""]
    first = "rlock" if tgt.chain.read else "lock"
    last = "rlock" if src.chain.read else "sync" if src.chain.sync else "lock"
    return [
        *lines,
        " Possible unsafe locking scenario:",
        "",
        *_HEAD,
        f"  {first}({lock_name(target, tgt)});",
        f"{_CPU1}lock({lock_name(parent)});",
        f"{_CPU1}lock({lock_name(target, tgt)});",
        f"  {last}({lock_name(source, src)});",
        *_END,
    ]


def print_deadlock_scenario(nxt: held_lock, prv: held_lock) -> list[str]:
    """How a CPU blocks itself.

    kernel/locking/lockdep.c:3018-3034, Linux 7.2.13
    """
    return [
        " Possible unsafe locking scenario:",
        "",
        "       CPU0",
        "       ----",
        f"  lock({lock_name(hlock_class(prv), prv)});",
        f"  lock({lock_name(hlock_class(nxt), nxt)});",
        *_END,
        " May be due to missing lock nesting notation",
        "",
    ]


def print_usage_bug_scenario(hlock: held_lock) -> list[str]:
    """How an interrupt blocks the CPU.

    kernel/locking/lockdep.c:4017-4031, Linux 7.2.13
    """
    name = lock_name(hlock_class(hlock), hlock)
    return [
        " Possible unsafe locking scenario:",
        "",
        "       CPU0",
        "       ----",
        f"  lock({name});",
        "  <Interrupt>",
        f"    lock({name});",
        *_END,
    ]


def print_irq_lock_scenario(
    safe_entry: lock_list, unsafe_entry: lock_list, prev_class: Any, next_class: Any
) -> list[str]:
    """How two CPUs block each other with the help of an interrupt.

    kernel/locking/lockdep.c:2518-2572, Linux 7.2.13
    """
    safe, unsafe, middle = safe_entry.class_, unsafe_entry.class_, prev_class
    if middle is safe:
        middle = next_class
    lines = []
    if middle is not unsafe:
        chain = " --> ".join((lock_name(safe), lock_name(middle), lock_name(unsafe)))
        lines += ["Chain exists of:", f"  {chain}", ""]
    return [
        *lines,
        " Possible interrupt unsafe locking scenario:",
        "",
        *_HEAD,
        f"  lock({lock_name(unsafe)});",
        f"{_CPU1}local_irq_disable();",
        f"{_CPU1}lock({lock_name(safe)});",
        f"{_CPU1}lock({lock_name(middle)});",
        "  <Interrupt>",
        f"    lock({lock_name(safe)});",
        *_END,
    ]
