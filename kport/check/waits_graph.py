# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""From waits and paths to circles: which lock cannot be released until which other is taken.

The nodes of the graph are classes of locks. An edge M -> N says that a thread that holds M does
something that needs N:

- it takes N itself (`direct`, lockdep's edge), or
- it waits for an event, and on the path to that event N has to be taken, by whomever.

The second kind is what lockdep cannot see. A circle with at least one such edge is a deadlock that
some other order of the same run would have had; it is reported, circles of direct edges are left
to lockdep. For waits the graph is exact, not by classes: it follows the very event that ended the
wait, and the events of the waits on *its* path. So ping-pong between two threads and chains of
fences of one class are no circles.

What is on the path counts only if it could still be in the way when the wait began: not what the
waiter knew to be done (vector clocks of the sleeping level), and nothing before the event became
owed (its initialisation, or the begin of the work item for a flush). This is DEPT's rule that the
context of an event begins with the request for it, read on causes instead of on the clock: DEPT
needs a run in which the wait came first, this needs only that it could have.

Locks stand in circles by their class, as in lockdep, but for a circle of one: who holds a lock and
waits for one who needs another of the same class does nothing wrong (ww_mutexes are made for that),
so there it must be the same lock.

A work item is different: what it took once it may take in its next run, so its locks count even if
the waiter knew of the last run. lockdep treats it so.

Whether to wait for a fence is often decided by the state of jobs (drm_sched_stop() waits for those
whose hardware fence is gone), and what changed that state is not seen. So if the fence had
signalled when the wait began, an earlier item of the waiter's own ordered queue is no obstacle.

Limits: an order that is kept by a flag under a spin lock alone is not seen, and such a pair may be
reported; that a fence has signalled is seen by whoever is told so by the fence's functions. Spin
locks are no nodes (who holds one cannot sleep), so timer_delete_sync() and its like are left to
lockdep. Waits that end by a timeout or that an idle kthread does (interruptible, as for the hung
task detector) are no edges, nor is what a server or a shared work item was woken for.
"""

from __future__ import annotations

from _thread import allocate_lock
from typing import Any, NamedTuple

from kport.check.waits_state import SLOT, WAIT, Event, Node, Wait
from kport.dma_buf.dma_fence import dma_fence

_LOOKED_AT = 200  # nodes per wait
_DEEP = 4  # waits behind waits


class Step(NamedTuple):
    """On the way to `event` its thread did `node`: waited for something, or took a lock."""

    event: Event
    node: Node


class Edge(NamedTuple):
    """While `held` was held: `wait` and the steps to the lock, or the lock `taken` itself."""

    held: Node
    wait: Wait | None
    steps: tuple[Step, ...]
    taken: Node

    @property
    def direct(self) -> bool:
        """True for lockdep's kind of edge."""
        return self.wait is None


class Graph:
    """The edges between classes of locks; the first of each kind is kept."""

    def __init__(self) -> None:
        self._edges: dict[str, dict[tuple[str, bool], Edge]] = {}
        self._told: set[tuple[Any, ...]] = set()  # waits that stand in a circle
        self._written: set[str] = set()  # semaphores that have had a writer
        self._lock = allocate_lock()

    def clear(self) -> None:
        """Forget it all."""
        with self._lock:
            self._edges.clear()
            self._told.clear()
            self._written.clear()

    def take(self, held: list[Node], taken: Node) -> list[Edge] | None:
        """A lock was taken under others: the circle this closes, or None."""
        if taken.write:
            self._written.add(taken.cls)
        for hold in held:
            if hold.cls != taken.cls:
                circle = self._add(Edge(hold, None, (), taken))
                if circle is not None:
                    return circle
        return None

    def waited(self, wait: Wait, event: Event) -> list[Edge] | None:
        """A wait under locks was ended by an event: the circle this closes, or None."""
        for hold in wait.held:
            for steps in needs(wait, event):
                circle = self._add(Edge(hold, wait, steps, steps[-1].node))
                if circle is not None:
                    return circle
        return None

    def _add(self, edge: Edge) -> list[Edge] | None:
        here, there = edge.held.cls, edge.taken.cls
        with self._lock:
            if edge.taken.read and edge.held.read and there not in self._written:
                return None  # readers wait for each other only behind a writer
            if here == there and edge.held.obj is not edge.taken.obj:
                return None
            out = self._edges.setdefault(here, {})
            if (there, edge.direct) in out:
                return None
            out[there, edge.direct] = edge
            circle = [edge] if here == there else self._close(edge, there, here)
            if circle is None or all(one.direct for one in circle):
                return None
            waits = {
                (one.held.cls, one.wait.cls, one.wait.stack)
                for one in circle
                if one.wait is not None
            }
            if waits <= self._told:
                return None
            self._told |= waits
            return circle

    def _close(self, edge: Edge, start: str, end: str) -> list[Edge] | None:
        """The shortest way back; with an edge through a wait if the new one is direct."""
        ways: list[list[Edge]] = [[edge]]
        seen = {(start, not edge.direct)}
        while ways:
            longer = []
            for way in ways:
                at = way[-1].taken.cls
                for nxt in self._edges.get(at, {}).values():
                    waits = any(not one.direct for one in (*way, nxt))
                    to = nxt.taken.cls
                    if to == end and waits:
                        return [*way, nxt]
                    if (to, waits) not in seen and to != end:
                        seen.add((to, waits))
                        longer.append([*way, nxt])
            ways = longer
        return None


def needs(wait: Wait, event: Event) -> list[tuple[Step, ...]]:
    """The locks that must be taken before the event that `wait` waits for: the steps to each."""
    found: dict[str, tuple[Step, ...]] = {}
    budget = _LOOKED_AT
    asked = isinstance(wait.obj, dma_fence) and event.generation < wait.generation
    todo: list[tuple[Event, tuple[Step, ...]]] = [(event, ())]
    while todo and budget > 0:
        at, before = todo.pop(0)
        node = at.path
        while node is not None and node.generation > at.begin and budget > 0:
            budget -= 1
            steps = (*before, Step(at, node))
            if node.kind != WAIT:
                done = wait.after(node) if node.kind == SLOT or not at.again else False
                if not done and not (asked and node.kind == SLOT):
                    found.setdefault(node.cls, steps)
            elif node.event is not None and len(steps) < _DEEP:
                if not wait.knows(node.event):
                    todo.append((node.event, steps))
            node = node.prev
    return list(found.values())
