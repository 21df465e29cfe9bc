# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Why a wait never ends: the cause of each sleep in the report of a deadlock.

Of an object that is waited for, the last event is known and when the wait began, so it can be told
apart whether nobody ever woke, whether the wake-up came before the waiter, whether it came and the
condition was still false, or whether somebody else took it. Of a work item: where it is. Of a fence
of the scheduler: where its job is.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from kport.check.waits_report import cause, place
from kport.check.waits_state import TABLE, Event, Record, Unit
from kport.dma_buf.dma_fence import DMA_FENCE_FLAG_SIGNALED_BIT
from kport.linux.field import raw_get

_QUEUES = ("___wait_event", "wait_event")
_COMPLETIONS = ("wait_for_common", "__wait_for_common")
_FENCES = ("dma_fence_default_wait", "dma_fence_wait_timeout")


def explain(name: str, obj: Any, frame: FrameType) -> list[str]:
    """Lines on the cause of a wait in the function `name` for `obj`; none if nothing is known."""
    if obj is None:
        return []
    record = TABLE.records.get(obj)
    unit = _waiter(obj, frame)
    if name in _QUEUES:
        lines = _queue(record, unit)
    elif name in _COMPLETIONS:
        lines = _completion(obj, record, unit)
    elif name in _FENCES:
        lines = _fence(obj, record, unit)
    elif name == "__flush_work":
        lines = _work(obj)
    elif name == "flush_workqueue":
        lines = _workqueue(obj)
    elif name in ("__mutex_lock_common", "_down"):
        lines = _lock(record)
    else:
        return []
    return [f"cause: {lines[0]}", *(f"       {line}" for line in lines[1:])] if lines else []


def _waiter(obj: Any, frame: FrameType | None) -> Unit | None:
    """Who waits: the thread on whose stack the frame is, if it can be told."""
    waiting = [u for u in list(TABLE.units) if u.wait is not None and u.wait.obj is obj]
    if len(waiting) < 2:
        return waiting[0] if waiting else None
    while frame is not None:
        if frame.f_code.co_name == "_ret_from_fork":
            who = frame.f_locals.get("p")
            name = f"{peek(who, 'comm')}/{peek(who, 'pid')}"
            return next((u for u in waiting if u.who == name), None)
        frame = frame.f_back
    return next((u for u in waiting if u.who.endswith("/1")), waiting[0])


def _in_step(step: int) -> str:
    """Where in the execution, on a machine that counts steps."""
    return f" (step {step})" if step else ""


def _enqueued(unit: Unit | None) -> str:
    if unit is None or unit.wait is None:
        return "the waiter enqueued later"
    return f"{unit.who} enqueued at {cause(unit.wait.stack)}{_in_step(unit.wait.step)}"


def _at(event: Event) -> str:
    return f"at {cause(event.stack)} by {event.who}{_in_step(event.step)}"


def _before(event: Event, unit: Unit | None) -> bool:
    return unit is None or unit.wait is None or event.generation <= unit.wait.generation


def _queue(record: Record | None, unit: Unit | None) -> list[str]:
    event = record.last if record is not None else None
    if event is None:
        return [f"{_enqueued(unit)}; nobody has ever called wake_up() on this queue"]
    if _before(event, unit) or not event.woke:
        had = "had no waiter" if not event.woke else "was for those who waited then"
        return [f"wake_up {_at(event)} {had}; {_enqueued(unit)}; nobody wakes it again"]
    if unit is not None and unit.woken > event.generation:
        found = "woke it, and it found its condition false"
    else:
        found = "woke others or nobody"
    return [f"{_enqueued(unit)}; wake_up {_at(event)} {found}; nobody wakes it again"]


def _born(record: Record | None) -> str:
    if record is None or record.born is None:
        return ""
    return f", initialised at {place(record.born)}"


def _completion(x: Any, record: Record | None, unit: Unit | None) -> list[str]:
    event = record.last if record is not None else None
    if record is None or event is None:
        return [f"{_enqueued(unit)}; complete() was never called on it{_born(record)}"]
    if left := peek(x, "done"):
        passed = f"left {left} to pass and woke nobody"
    elif record.taken is not None:
        stack, who, step = record.taken
        passed = f"let {who} pass, which waited at {cause(stack)}{_in_step(step)}"
    else:
        passed = "was taken back by reinit_completion()"
    return [f"complete() {_at(event)} {passed}; {_enqueued(unit)}; nobody completes it again"]


def peek(obj: Any, path: str) -> Any:
    """A member of a member, past whoever watches accesses; None where the path ends early."""
    for name in path.split("."):
        if obj is None:
            return None
        obj = raw_get(obj, name)
    return obj


def _number(fence: Any) -> str:
    return f"{peek(fence, 'context')}:{peek(fence, 'seqno')}"


def _fence(fence: Any, record: Record | None, unit: Unit | None) -> list[str]:
    lines = [f"{_enqueued(unit)}; fence {_number(fence)} is never signalled{_born(record)}"]
    kind = record.cls if record is not None else ""
    for other in reversed(list(TABLE.records.values())):
        if other.cls == kind and other.last is not None and other is not record:
            lines.append(f"another {kind} was signalled {_at(other.last)}")
            break
    return lines + _job(fence)


def _job(fence: Any) -> list[str]:
    """Where the job of a scheduler's fence is."""
    holder = fence._container
    if type(holder).__name__ != "drm_sched_fence":
        return []
    sched = peek(holder, "sched")
    if sched is None:
        return ["its job was never armed or never pushed"]
    name = peek(sched, "name")
    parent = peek(holder, "parent")
    if parent is not None:
        which = f"{_number(parent)} ({TABLE.get(parent).cls})"
        if peek(parent, "flags").cells[DMA_FENCE_FLAG_SIGNALED_BIT]:
            state = "has signalled; its callback did not end the job"
        else:
            state = f"is never signalled{_born(TABLE.records.get(parent))}"
        return [f"its job runs on {name}; the hardware fence {which} {state}"]
    lines = [f"its job was not run on {name}"]
    if hasattr(sched, "credit_limit"):
        used = peek(sched, "credit_count").counter
        lines[0] += f"; credits in use: {used} of {peek(sched, 'credit_limit')}"
        if peek(sched, "pause_submit"):
            lines.append("the scheduler is stopped (pause_submit)")
    return lines


def _running(work: Any) -> str:
    pool = peek(work, "pwq.pool") or peek(work, "pool")
    worker = peek(pool, "busy").get(work) if pool is not None else None
    if worker is None:
        return ""
    return f"runs in {peek(worker, 'task.comm')}/{peek(worker, 'task.pid')}"


def _name(work: Any) -> str:
    return getattr(peek(work, "func"), "__name__", "(null)")


def _busy(pwq: Any) -> list[Any]:
    """The items of a workqueue that run."""
    busy = peek(pwq, "pool.busy")
    return [work for work, at in busy.items() if peek(at, "current_pwq") is pwq]


def _work(work: Any) -> list[str]:
    if running := _running(work):
        return [f"{_name(work)} {running} and does not return"]
    pwq = peek(work, "pwq")
    if pwq is None:
        return [f"{_name(work)} has run; nothing told the one who flushes"]
    where = "is held back by max_active of" if peek(work, "inactive") else "waits on"
    names = ", ".join(_name(other) for other in _busy(pwq))
    return [f"{_name(work)} {where} workqueue {peek(pwq, 'wq.name')}, which runs {names or 'none'}"]


def _workqueue(wq: Any) -> list[str]:
    pwq = peek(wq, "pwq")
    lines = [f"{_name(work)} {_running(work)} and does not return" for work in _busy(pwq)]
    queued = (*peek(pwq, "pool.worklist"), *peek(pwq, "inactive_works"))
    names = [_name(work) for work in queued if peek(work, "pwq") is pwq]
    return [*lines, f"not begun: {', '.join(names)}"] if names else lines


def _lock(record: Record | None) -> list[str]:
    if record is None or record.taken is None:
        return []
    stack, who, step = record.taken
    return [f"taken by {who} at {cause(stack)}{_in_step(step)}"]
