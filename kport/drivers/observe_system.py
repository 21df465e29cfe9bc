# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Threads and work items of the running kernel, read from outside, without a lock.

Where a thread stands is read from its Python stack: the innermost function of the kernel that is no
part of going to sleep, and the line in C that belongs to it. What it waits for is read from the
same stack, as the kernel's report of a hung task does it. Who holds a spin lock stands in the lock;
only the locks of schedulers and run queues are looked at.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

from kport.drivers.observe_sched import left_of, steadily
from kport.linux import hung_task, linemap, sched, workqueue
from kport.linux.workqueue import worker_pool
from kport.trace.registry import Pace
from kport.trace.snapshot import Thread, Work

_SLEEP = ("schedule", "schedule_timeout", "schedule_hrtimeout", "_schedule_until")
_DEPTH = 40
_STATES = {0x00: "running", 0x01: "sleeping", 0x02: "blocked", 0x40: "parked", 0x80: "dead"}
PF_KTHREAD, PF_WQ_WORKER = sched.PF_KTHREAD, sched.PF_WQ_WORKER


# -- threads ---------------------------------------------------------------------------------------


def frames() -> dict[str, list[FrameType]]:
    """The innermost frames of the threads of this process, by the thread's name."""
    running = sys._current_frames()
    out: dict[str, list[FrameType]] = defaultdict(list)
    for thread in threading.enumerate():
        frame = running.get(thread.ident or 0)
        if frame is not None:
            out[thread.name].append(frame)
    return out


def threads(locks: Iterable[tuple[str, Any]], pace: Pace) -> tuple[Thread, ...]:
    """The tasks of the kernel that runs; `locks` are spin locks by name, to look for holders."""
    held: dict[Any, list[str]] = defaultdict(list)
    for name, lock in locks:
        owner = getattr(lock, "owner", None)
        if owner is not None:
            held[owner].append(name)
    at = frames()
    tasks = steadily([], list, sched.tasks.values())
    out = []
    for task in tasks:
        pace.step()
        ti = task.thread
        if ti is None:
            continue
        stack = at.get(ti.name)
        frame = stack.pop(0) if stack else None
        function, place = where(frame)
        state = getattr(task, "_state", 0)
        out.append(
            Thread(
                name=task.comm,
                pid=task.pid,
                kind=_kind(task, ti),
                state=_STATES.get(state & 0xC3, "idle" if state else "running"),
                cpu=ti.cpu,
                function=function,
                place=place,
                held=tuple(held.get(ti, ())),
                wanted=wanted(frame),
            )
        )
    return tuple(out)


def _kind(task: Any, ti: Any) -> str:
    if ti.preempt_count & 0xF0000 or ti.name.startswith(("irq/", "clockevent/")):
        return "irq"
    if task.flags & PF_WQ_WORKER:
        return "worker"
    return "kthread" if task.flags & PF_KTHREAD else "user"


def _kernel(frame: FrameType) -> bool:
    name: str = frame.f_globals.get("__name__", "")
    return name.startswith("kport.") and not name.startswith("kport.arch.")


def where(frame: FrameType | None) -> tuple[str, str]:
    """The function that a thread is in, and the line in C, or in Python where C has none."""
    found = None
    for _ in range(_DEPTH):
        if frame is None:
            break
        if _kernel(frame) and frame.f_code.co_name not in _SLEEP:
            code = frame.f_code
            c = linemap.position(code.co_filename, frame.f_lineno)
            if c:
                return code.co_name, c
            if found is None:
                inside = code.co_filename.rpartition("kport/")[2]
                found = code.co_name, f"kport/{inside}:{frame.f_lineno}"
        frame = frame.f_back
    return found or ("", "")


def wanted(frame: FrameType | None) -> str:
    """What a thread waits for: a spin lock it spins on, or what it sleeps for; "" if nothing."""
    if frame is None:
        return ""
    at: FrameType | None = frame
    for _ in range(3):
        if at is not None and at.f_code.co_name == "spin_slow":
            lock = at.f_locals.get("lock")
            return f"spin lock {getattr(lock, 'name', '').lstrip('&')}"
        at = at.f_back if at is not None else None
    text: str = steadily("", hung_task.waits_for, frame)
    return text


# -- work items ------------------------------------------------------------------------------------


def pools() -> Iterator[worker_pool]:
    """The worker pools, each once."""
    seen = set()
    for wq in steadily([], list, workqueue.workqueues.values()):
        pool = getattr(getattr(wq, "pwq", None), "pool", None)
        if pool is not None and id(pool) not in seen:
            seen.add(id(pool))
            yield pool


def works(delayed: Iterable[Any], now: int) -> tuple[Work, ...]:
    """The work items that run and that are queued, and of `delayed` those whose timer runs."""
    out: list[Work] = []
    for pool in pools():
        out += steadily([], _of_pool, pool)
    for item in delayed:
        left = steadily(None, left_of, item, now)
        if left is not None:
            queue = getattr(getattr(item, "wq", None), "name", "")
            out.append(Work(_function(item.work), queue, "delayed", left_ns=left))
    return tuple(out)


def _of_pool(pool: worker_pool) -> list[Work]:
    out = [
        Work(_function(work), _queue(worker.current_pwq), "running", worker.task.comm)
        for work, worker in list((pool.busy or {}).items())
        if worker.task is not None
    ]
    for work in list(pool.worklist or ()):
        out.append(Work(_function(work), _queue(work.pwq), "pending"))
    return out


def _queue(pwq: Any) -> str:
    return getattr(getattr(pwq, "wq", None), "name", "") or ""


def _function(work: Any) -> str:
    return getattr(work.func, "__name__", "") or ""
