# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's trace events under the names of the record.

Probes on the tracepoints of gpu_scheduler and dma_fence; the callbacks of the backend add theirs.
A fence is known by its context and number, as in any trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kport.kunit.conform.things import World
from kport.linux.tracepoint import (
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)

Event = list[Any]


class Observer:
    """Gathers the events of an operation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events: list[Event] = []
        self._probes: dict[str, Callable[[tuple[Any, ...]], None]] = {
            "drm_sched_job_queue": lambda values: self._job("queue", values),
            "drm_sched_job_run": lambda values: self._job("run", values),
            "drm_sched_job_done": self._done,
            "drm_sched_job_add_dep": lambda values: self._dependency("add_dep", values),
            "drm_sched_job_unschedulable": lambda values: self._dependency("unschedulable", values),
            "dma_fence_signaled": self._signaled,
            "dma_fence_destroy": self._destroyed,
        }

    def emit(self, *event: Any) -> None:
        """Something has happened."""
        self._events.append(list(event))

    def returned(self, value: int) -> None:
        """The operation's own result, which comes first wherever it arose."""
        self._events.insert(0, ["ret", value])

    def take(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the booted kernel while the block runs."""
        registered = []
        try:
            for name, translate in self._probes.items():
                registered.append((name, _probe(translate)))
                tracepoint_probe_register(tracepoints[name], registered[-1][1])
            yield
        finally:
            for name, probe in registered:
                tracepoint_probe_unregister(tracepoints[name], probe)

    def _fence(self, context: int, seqno: int) -> str:
        return self._world.fence_name(context, seqno)

    def _of_job(self, context: int, seqno: int) -> str:
        """The job whose finished fence that is."""
        return self._fence(context, seqno).removesuffix(".finished")

    def _job(self, what: str, values: tuple[Any, ...]) -> None:
        _, context, seqno, ring, job_count, hw_job_count, _ = values
        self.emit(what, self._of_job(context, seqno), ring, job_count, hw_job_count)

    def _done(self, values: tuple[Any, ...]) -> None:
        self.emit("done", self._of_job(*values))

    def _dependency(self, what: str, values: tuple[Any, ...]) -> None:
        context, seqno, on_context, on_seqno = values
        self.emit(what, self._of_job(context, seqno), self._fence(on_context, on_seqno))

    def _signaled(self, values: tuple[Any, ...]) -> None:
        name = self._fence(*values[2:])
        job, _, which = name.partition(".")
        if which in ("scheduled", "finished"):
            self._world.jobs[job].look()
        if which == "finished":
            self.emit("signaled", name, self._world.jobs[job].error)
        else:
            self.emit("signaled", name)

    def _destroyed(self, values: tuple[Any, ...]) -> None:
        name = self._fence(*values[2:])
        job, _, which = name.partition(".")
        if which in ("scheduled", "finished"):
            del self._world.jobs[job].fences[which]
        self.emit("destroy", name)


def _probe(translate: Callable[[tuple[Any, ...]], None]) -> Callable[..., None]:
    """A probe that is new each time, so that it can be unregistered."""
    return lambda tracepoint, thread, time, values: translate(values)
