# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What `waits` knows: threads, the events they wait for, and the paths that lead to events.

A *path* is a list of `Node`, newest first, that only grows: each sleeping lock a thread took and
each event it waited for. A new thread begins with the path of its maker, a work item that is queued
once in its life with that of who queued it, so the path of an event is all that had to be got past
before it, across threads. It costs one pointer. What is woken or queued by many, a server or a
shared work item, begins with no path: another could have done it.

Order is known by vector clocks of the sleeping level: hand-overs, wake-ups, completions and fences
order things; locks do not, since locks can be taken in another order. A clock is a dict nobody
changes, and a publication is (thread, number, clock): whoever knows the number knows all of it.

An object is known by a `Record`, in a table of the last `RECORDS` objects, or up to twice as many.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType, FrameType
from typing import Any

from kport.arch.api import HARDIRQ_MASK, SOFTIRQ_MASK
from kport.arch.asm import current_thread_info
from kport.arch.hook import HOOK
from kport.arch.types import thread_info
from kport.linux.field import raw_get

NAME = "waits"
RECORDS = 1024
_HANDLER = HARDIRQ_MASK | SOFTIRQ_MASK
_KEEP = 64  # nodes of a path
_FRAMES = 10

LOCK, WAIT, SLOT = "lock", "wait", "slot"

Clock = dict[int, int]
Publication = tuple[int, int, Clock]
Stack = tuple[tuple[CodeType, int], ...]

_EMPTY: Clock = {}
_generations: Iterator[int] = itertools.count(1)
_numbers: Iterator[int] = itertools.count()


class Node:
    """A lock taken (`kind` LOCK) or an event waited for (WAIT), and what came before on the path.

    SLOT is the lock that an item of an ordered workqueue holds.

    `count` is the number of the thread's next publication, so whoever knows that knows the node.
    """

    __slots__ = (
        "cls",
        "count",
        "depth",
        "event",
        "generation",
        "kind",
        "obj",
        "prev",
        "read",
        "stack",
        "tid",
        "who",
        "write",
    )

    def __init__(self, kind: str, cls: str, obj: Any, unit: Unit, stack: Stack) -> None:
        self.kind = kind
        self.cls = cls
        self.obj = obj
        self.generation = next(_generations)
        self.tid = unit.tid
        self.count = unit.count
        self.who = unit.who
        self.stack = stack
        self.event: Event | None = None
        self.prev: Node | None = None
        self.depth = 1
        self.read = self.write = False  # of a semaphore


class Event:
    """Something happened that others wait for: where, by whom, and what had to be got past.

    The path counts back to `begin`, the generation in which the event became owed. `again`: it is
    the end of a work item, which may do the next time what it did this time, whoever knows of it.
    """

    __slots__ = (
        "again",
        "begin",
        "cls",
        "generation",
        "path",
        "publication",
        "stack",
        "step",
        "who",
        "woke",
    )

    def __init__(
        self,
        cls: str,
        unit: Unit,
        path: Node | None,
        begin: int,
        stack: Stack,
        step: int,
        woke: bool,
        again: bool = False,
    ) -> None:
        self.again = again
        self.cls = cls
        self.who = unit.who
        self.path = path
        self.begin = begin
        self.stack = stack
        self.step = step
        self.woke = woke
        self.generation = next(_generations)
        self.publication = unit.publish()


class Wait:
    """A wait that goes on: what for, since when, what the thread holds, what it knew then.

    In a work item `start` is the generation in which it began and `known` how much of what its
    worker had published before, for others, was known to it: the rest it need not have done.
    """

    __slots__ = (
        "clock",
        "cls",
        "generation",
        "held",
        "known",
        "obj",
        "stack",
        "start",
        "step",
        "tid",
        "who",
    )

    def __init__(self, cls: str, obj: Any, unit: Unit, stack: Stack, step: int) -> None:
        self.cls = cls
        self.obj = obj
        self.generation = next(_generations)
        self.tid = unit.tid
        self.who = unit.who
        self.clock = unit.clock
        self.start = unit.start
        self.known = unit.known
        self.held = tuple(unit.held)
        self.stack = stack
        self.step = step

    def knows(self, event: Event) -> bool:
        """True if the event is in the past of this wait."""
        tid, count, _ = event.publication
        return self._after(tid, count, event.generation)

    def after(self, node: Node) -> bool:
        """True if the node is in the past of this wait."""
        return self._after(node.tid, node.count, node.generation)

    def _after(self, tid: int, count: int, generation: int) -> bool:
        if tid != self.tid:
            return self.clock.get(tid, -1) >= count
        if generation >= self.start:
            return generation < self.generation
        return self.known >= count


class Record:
    """An object that is waited for: its class, since when it is owed, its last event.

    What most objects never have is a default of the class: that makes a record cheap.
    """

    last: Event | None = None
    works: dict[Any, Event] | None = None  # of work: last ends that had to get past much
    path: Node | None = None  # of a work item: of who queued it
    armed = False  # of a delayed one: its timer runs
    shared = False  # it was queued before, or would have been
    publication: Publication | None = None
    taken: tuple[Stack, str, int] | None = None  # who took the event, or the lock

    def __init__(self, cls: str, begin: int = 0, born: tuple[CodeType, int] | None = None) -> None:
        self.cls = cls
        self.begin = begin
        self.born = born  # where it was initialised


class Unit:
    """A thread of execution."""

    __slots__ = (
        "base",
        "clock",
        "count",
        "depth",
        "func",
        "held",
        "inbox",
        "known",
        "origin",
        "path",
        "queue",
        "start",
        "tid",
        "wait",
        "who",
        "woken",
    )

    def __init__(self, ti: thread_info) -> None:
        self.tid = next(_numbers)
        self.who = ti.name if ti.task is None else f"{ti.name}/{raw_get(ti.task, 'pid')}"
        self.count = 0
        self.clock = _EMPTY
        self.path: Node | None = None
        self.held: list[Node] = []
        self.inbox: list[Publication] = []
        self.depth = 0  # of waits within waits: the outermost counts
        self.wait: Wait | None = None
        self.func: Any = None  # the function of the work item that runs
        self.queue: Any = None  # the workqueue whose item the thread runs
        self.base: Node | None = None  # of the path, when the work item began
        self.woken = 0  # generation of the last wake-up that found it asleep
        self.start = 0  # generation in which the work item began that runs
        self.known = -1  # its own publication, before the item, that the item knows of
        self.origin: Publication | None = None  # of who queued the item

    def publish(self) -> Publication:
        """Whoever gets this knows what the thread has done so far."""
        count = self.count
        self.count = count + 1
        return self.tid, count, self.clock

    def join(self, publication: Publication) -> None:
        """The thread learns what was published."""
        tid, count, clock = publication
        mine = self.clock
        if self.start:
            known = count if tid == self.tid else clock.get(self.tid, -1)
            if known > self.known:
                self.known = known
        if tid == self.tid or mine.get(tid, -1) >= count:
            return
        joined = dict(mine)
        for other, number in clock.items():
            if joined.get(other, -1) < number:
                joined[other] = number
        joined[tid] = count
        self.clock = joined

    def push(self, node: Node) -> None:
        """Put a node on the path; what is very old is forgotten."""
        before = self.path
        node.prev = before
        if before is not None:
            depth = before.depth + 1
            if depth > 2 * _KEEP:
                at = node
                for _ in range(_KEEP):
                    if at.prev is None:
                        break
                    at = at.prev
                at.prev = None
                depth = _KEEP
            node.depth = depth
        self.path = node


class Table:
    """The records of objects, oldest forgotten first, and all threads met, in order."""

    def __init__(self) -> None:
        self.records: dict[Any, Record] = {}
        self.units: list[Unit] = []

    def clear(self) -> None:
        """A new execution."""
        global _generations, _numbers
        self.records.clear()
        self.units.clear()
        _generations = itertools.count(1)
        _numbers = itertools.count()

    def add(self, obj: Any, record: Record) -> Record:
        """A new record of an object, in place of an older one."""
        records = self.records
        if len(records) >= 2 * RECORDS:
            with suppress(RuntimeError):  # another thread is at it at the same time
                for old in list(itertools.islice(records, RECORDS)):
                    records.pop(old, None)
        records[obj] = record
        return record

    def get(self, obj: Any) -> Record:
        """The record of an object; one that was never seen gets its class from its type."""
        record = self.records.get(obj)
        return record if record is not None else self.add(obj, Record(class_of(obj, "")))


TABLE = Table()


def generation() -> int:
    """The number of now."""
    return next(_generations)


def unit_of(ti: thread_info) -> Unit:
    """The unit of a thread."""
    debug = ti.debug
    if debug is None:
        debug = ti.debug = {}
    unit: Unit | None = debug.get(NAME)
    if unit is None:
        unit = debug[NAME] = Unit(ti)
        TABLE.units.append(unit)
    return unit


def me() -> Unit:
    """The unit of the running thread, which has learnt what its wakers knew."""
    ti = current_thread_info()
    try:
        unit: Unit = ti.debug[NAME]
    except (KeyError, TypeError):
        unit = unit_of(ti)
    while unit.inbox:
        unit.join(unit.inbox.pop())
    return unit


def path_of(unit: Unit) -> Node | None:
    """The path of what the running thread does now; a handler on top of it has none."""
    path = unit.path
    return None if path is None or current_thread_info().preempt_count & _HANDLER else path


def stack(frame: FrameType | None, limit: int = _FRAMES) -> Stack:
    """Where a thread is: (code, offset) of `limit` frames from `frame` outwards."""
    found: list[tuple[CodeType, int]] = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename != HOOK:
            found.append((code, frame.f_lasti))
            limit -= 1
            if not limit:
                break
        frame = frame.f_back
    return tuple(found)


def class_of(obj: Any, site: str) -> str:
    """The class of an object: the structs it is embedded in, else where it was initialised."""
    at = getattr(obj, "_container", None)
    if at is None:
        name = type(obj).__name__
        return f"{name} of {site}" if site else name
    key = (type(at), obj._member)
    found = _classes.get(key)
    if found is not None and at._container is None:
        return found
    parts = [obj._member]
    while at._container is not None:
        parts.append(at._member)
        at = at._container
    found = ".".join([f"({type(at).__name__})", *reversed(parts)])
    if len(parts) == 1:
        _classes[key] = found
    return found


_classes: dict[Any, str] = {}  # of objects that are members of an outermost struct
