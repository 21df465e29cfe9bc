# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Deadlocks through waits, seen in a run that passed; and why a run that hangs does.

lockdep knows the order of locks and nothing of a wait for a completion, a fence, a wait queue, a
work item. Here these are recorded as the DEPT patches do: what a thread held when it waited, and
what stood in the way of the event. `waits_graph` says what follows from that, `waits_state` what is
kept, `waits_report` how it is told, `waits_lost` what it says of a wait that never ends.

Hooked is the outermost function of each kind of wait: mutex, ww_mutex, rw_semaphore; completions
(and with them kthread_stop(), kthread_park(), synchronize_rcu()); dma_fence_wait*(); the wait_event
family; wait_var_event(); flush_work(), cancel_*_sync(), flush_workqueue(). An ordered workqueue is
a lock that each of its items holds while it runs.

Every execution begins with an empty graph, so what is reported can be replayed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from kport.arch.asm import current_thread_info
from kport.arch.hook import HOOK, Hook
from kport.check import waits_lost, waits_report
from kport.check.waits_graph import Graph
from kport.check.waits_state import (
    LOCK,
    NAME,
    SLOT,
    TABLE,
    WAIT,
    Event,
    Node,
    Publication,
    Record,
    Unit,
    Wait,
    class_of,
    generation,
    me,
    path_of,
    stack,
    unit_of,
)
from kport.dma_buf import dma_fence
from kport.linux import (
    completion,
    hung_task,
    mutex,
    rwsem,
    sched,
    wait,
    wait_bit,
    workqueue,
)
from kport.linux.err import ENOENT
from kport.linux.facility import Facility, splat
from kport.linux.field import raw_get
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT, PF_KTHREAD, TASK_INTERRUPTIBLE

if TYPE_CHECKING:
    from kport.arch.api import Machine

_IDLE = TASK_INTERRUPTIBLE | 0x0400  # a kthread that sleeps so has nothing to do
_SIGNALED = dma_fence.DMA_FENCE_FLAG_SIGNALED_BIT
_ORDERED = workqueue.__WQ_ORDERED
_INITIALISERS = frozenset(
    ("DECLARE_COMPLETION_ONSTACK", "init_waitqueue_head", "__init_waitqueue_head", "mutex_init")
)

_EVENT_FRAMES = 6
_PLACE_FRAMES = 4  # of an event without a past, which is in no circle: only its place is told

graph = Graph()


def _no_step() -> int:
    return 0


_step: Callable[[], int] = _no_step  # the step of the machine virt


def _frame() -> FrameType:
    """The frame that called the hooked function; this is called by the hook."""
    frame = sys._getframe(3)
    return frame


def _report(circle: list[Any] | None) -> None:
    if circle is not None:
        lines = waits_report.circle(circle)
        splat(NAME, lines[1], lines)


# -- what begins -------------------------------------------------------------------------------


def _born(obj: Any, name: str) -> None:
    """An object is initialised by the function that called the hooked one."""
    frame: FrameType | None = sys._getframe(3)
    while frame is not None and (
        frame.f_code.co_name in _INITIALISERS or frame.f_code.co_filename == HOOK
    ):
        frame = frame.f_back
    assert frame is not None
    site = (frame.f_code, frame.f_lasti)
    cls = class_of(obj, "") if obj._container is not None else _named(name, obj, site)
    TABLE.add(obj, Record(cls, generation(), site))


# The classes of objects that are no member of a struct: site to name, and how often a name is used.
_sites: dict[Any, str] = {}
_names: dict[str, int] = {}


def _named(name: str, obj: Any, site: tuple[CodeType, int]) -> str:
    """The class of an object by where it is initialised: its name if it has one, or the place."""
    key = (name, type(obj), *site)
    cls = _sites.get(key)
    if cls is None:
        cls = name or class_of(obj, waits_report.short(site))
        count = _names[cls] = _names.get(cls, 0) + 1
        if count > 1:
            cls = f"{cls}#{count}"
        _sites[key] = cls
    return cls


def _before_init(obj: Any) -> None:
    _born(obj, "")


def _before_queue_init(obj: Any, name: str) -> None:
    _born(obj, "")


def _before_mutex_init(obj: Any, name: str = "lock") -> None:
    _born(obj, "" if name == "lock" else name)


def _before_reinit(obj: Any) -> None:
    TABLE.get(obj).begin = generation()


def _before_fence_init(fence: Any, ops: Any, lock: Any, context: int, seqno: int) -> None:
    if fence._container is None:
        _born(fence, "")
        return
    frame = sys._getframe(2)
    cls = class_of(fence, "")
    TABLE.add(fence, Record(cls, generation(), (frame.f_code, frame.f_lasti)))


def _after_new_task(p: Any, ti: Any, flags: int, leader: Any) -> None:
    if not flags & PF_KTHREAD:  # one that the machine adopts has no maker
        return
    maker = me()
    child = unit_of(ti)
    child.path = path_of(maker)
    child.join(maker.publish())


# -- events ------------------------------------------------------------------------------------


def _event(record: Record, woke: bool, step: int) -> None:
    """Something happened to the object of the record; called by a hook."""
    unit = me()
    path = path_of(unit)
    at = stack(sys._getframe(3), _EVENT_FRAMES if path is not None else _PLACE_FRAMES)
    record.last = Event(record.cls, unit, path, record.begin, at, step, woke)


def _somebody(head: Any) -> bool:
    """True if there is a waiter on the list."""
    return raw_get(head, "next") is not head


def _before_complete(x: Any, wake_flags: int) -> None:
    _event(TABLE.get(x), _somebody(x.wait.task_list), _step())


def _before_complete_all(x: Any) -> None:
    _event(TABLE.get(x), _somebody(x.wait.task_list), _step())


def _before_wake(wq_head: Any, mode: int, nr: int, flags: int, key: Any) -> None:
    if wq_head is wait_bit._wait_table:
        return
    _event(TABLE.get(wq_head), _somebody(wq_head.head), _step())


def _before_wake_var(var: Any) -> None:
    _event(TABLE.get(var), True, _step())


def _before_signal(fence: Any, timestamp: int) -> None:
    if not fence.flags.cells[_SIGNALED]:
        _event(TABLE.get(fence), True, 0)


def _before_ttwu(p: Any, state: int, flags: int) -> None:
    sleeps = raw_get(p, "_state") & state
    if not sleeps:
        return
    waker = me()
    woken = unit_of(raw_get(p, "thread"))
    if sleeps & _IDLE and raw_get(p, "flags") & PF_KTHREAD:
        woken.path = None  # it was idle, and anybody could have woken it
    woken.inbox.append(waker.publish())
    woken.woken = generation()


# -- waits -------------------------------------------------------------------------------------


def _begin(obj: Any) -> None:
    unit = me()
    unit.depth += 1
    if unit.depth == 1:
        cls = TABLE.get(obj).cls
        unit.wait = Wait(cls, obj, unit, stack(_frame()), _step())
    elif unit.wait is not None and unit.wait.obj is obj:
        unit.wait.held = tuple(unit.held)  # now it is about to sleep


def _end(obj: Any, ended: bool, idle: bool = False) -> None:
    """The wait is over; `ended` by the event, not by a timeout or a signal."""
    unit = me()
    unit.depth -= 1
    began = unit.wait
    if unit.depth or began is None:
        return
    unit.wait = None
    if not ended:
        return
    record = TABLE.get(obj)
    event = record.last
    record.taken = (began.stack, unit.who, began.step)
    if idle:
        unit.path = None
        if event is not None:
            unit.join(event.publication)
        return
    if event is not None:
        if began.held:
            _report(graph.waited(began, event))
        unit.join(event.publication)
    if record.works is not None:
        for done in record.works.values():
            if began.held:
                _report(graph.waited(began, done))
            unit.join(done.publication)
    node = Node(WAIT, began.cls, obj, unit, began.stack)
    node.generation = began.generation
    node.event = event
    unit.push(node)


def _idles(state: int) -> bool:
    """True if the running thread is a kthread that waits for something to do."""
    task = current_thread_info().task
    return task is not None and bool(raw_get(task, "flags") & PF_KTHREAD and state & _IDLE)


def _before_completion(x: Any, action: Any, timeout: int, state: int) -> None:
    _begin(x)


def _after_completion(ret: int, x: Any, action: Any, timeout: int, state: int) -> None:
    _end(x, ret > 0 and timeout == MAX_SCHEDULE_TIMEOUT)


def _after_try_completion(ret: bool, x: Any) -> None:
    if ret and (event := TABLE.get(x).last) is not None:
        me().join(event.publication)


def _before_event(wq_head: Any, condition: Any) -> None:
    _begin(wq_head)


def _after_event(ret: int | None, wq_head: Any, condition: Any) -> None:
    _end(wq_head, not ret)


def _after_event_interruptible(ret: int, wq_head: Any, condition: Any) -> None:
    _end(wq_head, not ret, _idles(TASK_INTERRUPTIBLE))


def _before_event_timeout(wq_head: Any, condition: Any, timeout: int) -> None:
    _begin(wq_head)


def _after_event_timeout(ret: int, wq_head: Any, condition: Any, timeout: int) -> None:
    _end(wq_head, ret > 0 and timeout == MAX_SCHEDULE_TIMEOUT)


def _before_var(var: Any, condition: Any) -> None:
    _begin(var)


def _after_var(ret: None, var: Any, condition: Any) -> None:
    _end(var, True)


def _before_fence_wait(fence: Any, intr: bool, timeout: int) -> None:
    _begin(fence)


def _after_fence_wait(ret: int, fence: Any, intr: bool, timeout: int) -> None:
    _end(fence, ret > 0 and timeout == MAX_SCHEDULE_TIMEOUT)


def _after_fence_signaled(ret: Any, fence: Any) -> None:
    if ret and (record := TABLE.records.get(fence)) is not None and record.last is not None:
        me().join(record.last.publication)


def _after_add_callback(ret: int, fence: Any, cb: Any, func: Any) -> None:
    _after_fence_signaled(ret == -ENOENT, fence)


def _after_remove_callback(ret: bool, fence: Any, cb: Any) -> None:
    _after_fence_signaled(not ret, fence)


# -- locks that sleep --------------------------------------------------------------------------


def _took(lock: Any, node: Node | None, unit: Unit) -> None:
    """The thread has the lock; `node` if it may have had to wait for it."""
    if node is None:
        node = Node(LOCK, TABLE.get(lock).cls, lock, unit, stack(sys._getframe(3)))
    else:
        node.count = unit.count
        if unit.held or node.write:
            _report(graph.take(unit.held, node))
        unit.push(node)
    unit.held.append(node)
    TABLE.get(lock).taken = (node.stack, unit.who, _step())


def _before_lock(lock: Any, state: int, ww_ctx: Any, use_ww_ctx: bool) -> None:
    me().depth += 1


def _after_lock(ret: int, lock: Any, state: int, ww_ctx: Any, use_ww_ctx: bool) -> None:
    unit = me()
    unit.depth -= 1
    if not ret:
        node = Node(LOCK, TABLE.get(lock).cls, lock, unit, stack(sys._getframe(2)))
        _took(lock, node, unit)


def _after_trylock(ret: bool, lock: Any) -> None:
    if ret:
        _took(lock, None, me())


def _before_unlock(lock: Any) -> None:
    held = me().held
    for at in range(len(held) - 1, -1, -1):
        if held[at].obj is lock:
            del held[at]
            return


def _before_down(sem: Any, write: bool, state: int) -> None:
    me().depth += 1


def _after_down(ret: int, sem: Any, write: bool, state: int) -> None:
    unit = me()
    unit.depth -= 1
    if not ret:
        node = Node(LOCK, TABLE.get(sem).cls, sem, unit, stack(sys._getframe(2)))
        node.write, node.read = write, not write
        _took(sem, node, unit)


def _before_up(sem: Any, write: bool) -> None:
    _before_unlock(sem)


# -- work items --------------------------------------------------------------------------------


def _before_queue(cpu: int, wq: Any, work: Any) -> None:
    unit = me()
    record = TABLE.get(work)
    if record.armed:  # its timer queues it, for the one who started the timer
        record.armed = False
    else:
        _queued(record, unit)
    record.publication = unit.publish()


def _queued(record: Record, unit: Unit) -> None:
    """Whether the item depends on who queues it now."""
    if record.publication is not None:
        record.shared = True
    record.path = None if record.shared else path_of(unit)


def _after_queue_work(ret: bool, cpu: int, wq: Any, work: Any) -> None:
    if not ret:  # another has queued it, but this one would have
        record = TABLE.get(work)
        record.shared = True
        record.path = None


def _before_delay(cpu: int, wq: Any, dwork: Any, delay: int) -> None:
    unit = me()
    record = TABLE.get(dwork.work)
    _queued(record, unit)
    record.publication = unit.publish()
    record.armed = True


# Of the item an ordered queue ran last: what was known when it was queued, and when it ended.
_ordered: dict[Any, tuple[Publication, Publication]] = {}
_slots: dict[Any, str] = {}  # the class of an ordered queue's lock, "" of one that is not ordered


def _before_process(worker: Any, work: Any) -> None:
    func = raw_get(work, "func")
    if func is workqueue.wq_barrier_func:
        return
    unit = me()
    unit.func = func
    unit.start = generation()
    record = TABLE.get(work)
    unit.path = record.path
    unit.known = -1
    queued = unit.origin = record.publication
    if queued is not None:
        unit.join(queued)
    wq = raw_get(raw_get(work, "pwq"), "wq")
    slot_class = _slots.get(wq)
    if slot_class is None:
        ordered = raw_get(wq, "flags") & _ORDERED
        slot_class = f"ordered workqueue {raw_get(wq, 'name')}" if ordered else ""
        _slots[wq] = slot_class
    if slot_class:
        last = _ordered.get(wq)
        if last is not None and queued is not None:
            tid, count, _ = last[0]
            if queued[2].get(tid, -1) >= count or (queued[0] == tid and queued[1] > count):
                unit.join(last[1])
        slot = Node(SLOT, slot_class, wq, unit, _work_stack(func))
        unit.push(slot)
        unit.held.append(slot)
    unit.base = unit.path
    unit.queue = wq


def _work_stack(func: Any) -> Any:
    """Where a work item stands that begins or ends: its function."""
    code = getattr(func, "__code__", None)
    return ((code, 0),) if code is not None else ()


def _after_process(ret: None, worker: Any, work: Any) -> None:
    unit = me()
    record = TABLE.records.get(work)
    if record is None or unit.origin is None:
        return
    start, unit.start = unit.start, 0
    if not start:
        return
    func, path = unit.func, unit.path
    done = Event(record.cls, unit, path, start, _work_stack(func), 0, True, True)
    record.last = done
    wq, unit.queue = unit.queue, None
    if path is not unit.base:
        for of in (record, TABLE.get(wq)):
            if of.works is None:
                of.works = {}
            of.works[func] = done
    if _slots.get(wq):
        _ordered[wq] = (unit.origin, done.publication)
    unit.held.clear()
    unit.path = None
    unit.origin = None


def _before_flush(work: Any, from_cancel: bool) -> None:
    _begin(work)


def _after_flush(ret: bool, work: Any, from_cancel: bool) -> None:
    _end(work, True)


def _before_flush_wq(wq: Any) -> None:
    _begin(wq)


def _after_flush_wq(ret: None, wq: Any) -> None:
    _end(wq, True)


# -- the facility ------------------------------------------------------------------------------


def _hooks() -> dict[Any, Hook]:
    init = Hook(_before_init)
    event = Hook(_before_event, _after_event)
    idle = Hook(_before_event, _after_event_interruptible)
    timed = Hook(_before_event_timeout, _after_event_timeout)
    fence_init = Hook(_before_fence_init)
    return {
        completion.init_completion: init,
        completion.reinit_completion: Hook(_before_reinit),
        completion.complete_with_flags: Hook(_before_complete),
        completion.complete_all: Hook(_before_complete_all),
        completion.__wait_for_common: Hook(_before_completion, _after_completion),
        completion.try_wait_for_completion: Hook(None, _after_try_completion),
        wait.__init_waitqueue_head: Hook(_before_queue_init),
        wait.__wake_up_common: Hook(_before_wake),
        wait.wait_event: event,
        wait.wait_event_killable: event,
        wait.wait_event_interruptible: idle,
        wait.wait_event_interruptible_exclusive: idle,
        wait.wait_event_timeout: timed,
        wait.wait_event_interruptible_timeout: timed,
        wait_bit.wait_var_event: Hook(_before_var, _after_var),
        wait_bit.wake_up_var: Hook(_before_wake_var),
        mutex.mutex_init: Hook(_before_mutex_init),
        mutex.__mutex_lock_common: Hook(_before_lock, _after_lock),
        mutex.mutex_trylock: Hook(None, _after_trylock),
        mutex.mutex_unlock: Hook(_before_unlock),
        rwsem.init_rwsem: init,
        rwsem._down: Hook(_before_down, _after_down),
        rwsem._up: Hook(_before_up),
        workqueue.__queue_work: Hook(_before_queue),
        workqueue.queue_work_on: Hook(None, _after_queue_work),
        workqueue.__queue_delayed_work: Hook(_before_delay),
        workqueue.process_one_work: Hook(_before_process, _after_process),
        workqueue.__flush_work: Hook(_before_flush, _after_flush),
        workqueue.flush_workqueue: Hook(_before_flush_wq, _after_flush_wq),
        sched.try_to_wake_up: Hook(_before_ttwu),
        sched.new_task: Hook(None, _after_new_task),
        dma_fence.dma_fence_init: fence_init,
        dma_fence.dma_fence_init64: fence_init,
        dma_fence.dma_fence_signal_timestamp_locked: Hook(_before_signal),
        dma_fence.dma_fence_wait_timeout: Hook(_before_fence_wait, _after_fence_wait),
        dma_fence.dma_fence_default_wait: Hook(_before_fence_wait, _after_fence_wait),
        dma_fence.dma_fence_is_signaled: Hook(None, _after_fence_signaled),
        dma_fence.dma_fence_add_callback: Hook(None, _after_add_callback),
        dma_fence.dma_fence_remove_callback: Hook(None, _after_remove_callback),
    }


class waits(Facility):
    """Waits and events."""

    name = NAME

    def hooks(self, machine: Machine) -> dict[Any, Hook]:
        return _hooks()

    def start(self, machine: Machine) -> None:
        global _step
        _step = (lambda: int(machine.step)) if hasattr(machine, "step") else _no_step
        hung_task.explainers.append(waits_lost.explain)
        self.begin()

    def begin(self) -> None:
        TABLE.clear()
        graph.clear()
        _ordered.clear()
        _slots.clear()
        _sites.clear()
        _names.clear()

    def stop(self) -> None:
        hung_task.explainers.remove(waits_lost.explain)
        self.begin()


def facilities() -> Sequence[Facility]:
    """The one facility."""
    return [waits()]
