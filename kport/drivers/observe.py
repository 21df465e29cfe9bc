# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A running port as its viewers see it: what kport.trace.server asks for.

Schedulers and entities become known by their first job, through a probe that sees what is passed to
the trace event, and the other rings of the same device through the driver. They are forgotten when
they are freed, or another kernel is booted. `observe()` only reads (see observe_sched); commands
call the kernel as any thread may, and may sleep.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from itertools import count
from typing import Any

from kport.arch.api import Halted
from kport.drivers import observe_amdgpu as _registered  # noqa: F401 - registers the driver
from kport.drivers import compat
from kport.drivers.compat import (
    drm_sched_entity_kill,
    drm_sched_entity_set_priority,
    drm_sched_fault,
    drm_sched_wqueue_start,
    drm_sched_wqueue_stop,
)
from kport.drivers.compat_trace import told_as_of_7_2
from kport.drivers.observe_sched import (
    PRIORITIES,
    TORN,
    attached,
    entity_of,
    fences_of,
    is_stopped,
    job_of,
    key_of,
    pending,
    places,
    policy_of,
    ring_of,
    steadily,
)
from kport.drivers.observe_system import threads, works
from kport.linux import printk
from kport.linux.init import Kernel, current_kernel
from kport.linux.tracepoint import (
    raw_probe,
    tracepoint,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.trace.registry import Note, Pace, driver_of
from kport.trace.snapshot import Entity, Fence, Job, Port, Ring

COMMANDS = (
    "hang", "lose", "strike", "kill", "timeout", "stop", "start", "priority", "credits", "pause",
    "resume",
)  # fmt: skip
CREDITS_MAX = 1 << 20


class PortObserver:
    """Observes whichever kernel is booted in this process.

    Commands, with their arguments (`ring` and, of several devices, `dev`; `context` of an entity):

        hang      ring, [us]          the engine stands still before its next batch, for ever or us
        lose      ring                the next interrupt does not arrive
        strike    ring, kind, [us]    any fault of the hardware (kport.hw.faults)
        kill      context             the entity takes no more jobs, those queued end with -ESRCH
        timeout   ring                run the timeout handler now
        stop      ring                the scheduler hands out no jobs until `start`
        start     ring
        priority  context, priority   kernel, high, normal or low
        credits   ring, credits       the limit, 1 or more
        pause                         stop all schedulers that run; what is on the hardware goes on
        resume                        start those again
    """

    def __init__(self) -> None:
        self._kernel: Kernel | None = None
        self._entities: dict[Any, Any] = {}  # entity -> the scheduler of its last job
        self._schedulers: dict[Any, None] = {}
        self._probes: list[tuple[tracepoint, Any]] = []
        self._paused: list[Any] = []
        self._stopped: list[Any] = []
        self._numbers = count()
        self._log: deque[tuple[int, printk.record]] = deque(maxlen=printk.LOG_LINES)

    # -- what the server calls -------------------------------------------------------------------

    def start(self, note: Note) -> None:
        """Begin to look; events of the older schedulers go to `note`."""
        for name in compat.SCHEDULERS:
            compat.package(name)  # each has events of its own
        for record in list(printk.log_buf):
            self._logged(record)
        printk.listeners.append(self._logged)
        probe = raw_probe(self._queued)
        names = ("drm_sched_job_queue", "drm_sched_job")
        self._probes = [(tracepoints[n], probe) for n in names if n in tracepoints]
        self._probes += told_as_of_7_2(note)
        for tp, wanted in self._probes:
            tracepoint_probe_register(tp, wanted)

    def stop(self) -> None:
        """Look no more."""
        printk.listeners.remove(self._logged)
        for tp, probe in self._probes:
            tracepoint_probe_unregister(tp, probe)
        self._probes.clear()

    def release(self) -> None:
        """Nobody looks any more: what viewers have stopped goes on."""
        stopped, self._stopped, self._paused = [*self._stopped, *self._paused], [], []
        with suppress(Halted, *TORN):
            for sched in stopped:
                drm_sched_wqueue_start(sched)

    def _queued(self, tp: Any, ti: Any, ts: int, args: tuple[Any, ...]) -> None:
        """Probe: a job is queued."""
        if current_kernel() is not self._kernel:
            self._booted()
        job, entity = args
        self._entities[entity] = job.sched

    def clock(self) -> int:
        """The port's time in ns, 0 while no kernel is booted."""
        kernel = self._booted()
        return kernel.machine.clock() if kernel is not None else 0

    def observe(self, since: int, pace: Pace) -> tuple[Port | None, int]:
        """What the kernel says of itself, and the log from line `since` on."""
        kernel = self._booted()
        if kernel is None or kernel.machine.dead:
            return None, since
        try:
            return self._observe(kernel, since, pace)
        except (Halted, *TORN):
            return None, since  # it is going down

    def _booted(self) -> Kernel | None:
        try:
            kernel = current_kernel()
        except RuntimeError:
            return None
        if kernel is not self._kernel:
            self._kernel = kernel
            self._entities.clear()
            self._schedulers.clear()
            self._paused.clear()
            self._stopped.clear()
        return kernel

    # -- reading ---------------------------------------------------------------------------------

    def _find(self) -> list[Any]:
        """The schedulers that are known and not freed."""
        for entity, sched in list(self._entities.items()):
            if not hasattr(entity, "rq"):  # freed
                del self._entities[entity]
                continue
            if sched not in self._schedulers:
                driver = driver_of(sched._container)
                around = driver.schedulers(sched._container) if driver is not None else ()
                self._schedulers.update(dict.fromkeys([*around, sched]))
        for sched in list(self._schedulers):
            if not hasattr(sched, "ops"):
                del self._schedulers[sched]
        return list(self._schedulers)

    def _observe(self, kernel: Kernel, since: int, pace: Pace) -> tuple[Port, int]:
        now = kernel.machine.clock()
        rings: list[Ring] = []
        entities: list[Entity] = []
        jobs: list[Job] = []
        fences: list[Fence] = []
        locks: list[tuple[str, Any]] = []
        scheds = self._find()
        order: dict[Any, tuple[Any, int]] = {}
        for sched in scheds:
            ring = steadily(None, ring_of, sched, now)
            if ring is None:
                continue
            rings.append(ring)
            name = sched.name
            locks.append((f"{name} job_list_lock", sched.job_list_lock))
            locks += [(f"{name} rq {i} lock", rq.lock) for i, rq in enumerate(sched.sched_rq) if rq]
            order.update((e, (sched, place)) for e, place in places(sched).items())
            for entity in attached(sched):
                self._entities.setdefault(entity, sched)
            pace.step()
            for job in pending(sched):
                found = steadily(None, job_of, job, ring.key)
                if found is not None:
                    jobs.append(found)
                    fences += steadily([], fences_of, job)
                pace.step()
        for entity, last in list(self._entities.items()):
            sched, place = order.get(entity, (last, None))
            lock = getattr(entity, "lock", None)
            if lock is not None:
                locks.append((f"entity {entity.fence_context + 1} lock", lock))
            shown = steadily(None, entity_of, entity, sched, place)
            if shown is not None:
                entities.append(shown)
            pace.step()
        lines, end = self._lines(since)
        port = Port(
            ts=now,
            arch=kernel.machine.name,
            policy=policy_of(scheds[0]) if scheds else "",
            paused=bool(self._paused),
            rings=tuple(rings),
            entities=tuple(entities),
            jobs=tuple(jobs),
            fences=tuple(fences),
            threads=threads(locks, pace),
            works=works([sched.work_tdr for sched in scheds], now),
            dmesg=lines,
            warnings=tuple(kernel.warnings()),
            commands=COMMANDS,
        )
        return port, end

    def _logged(self, record: printk.record) -> None:
        """Listener: a line of the log."""
        self._log.append((next(self._numbers), record))

    def _lines(self, since: int) -> tuple[tuple[str, ...], int]:
        """The lines of the log from number `since` on, the oldest of which may be gone.

        A thread takes its number before it stores its line: what stands behind a line that is not
        there yet waits for the next look.
        """
        held = dict(steadily([], list, self._log))
        first = max(since, min(held)) if len(held) == printk.LOG_LINES else since
        end = first
        while end in held:
            end += 1
        return tuple(held[n].line() for n in range(first, end)), end

    # -- commands --------------------------------------------------------------------------------

    def command(self, name: str, args: dict[str, Any]) -> str:
        """Carry out a command; returns one line. Raises ValueError with one line."""
        if name not in COMMANDS:
            raise ValueError(f"there is no command {name!r}; commands: {', '.join(COMMANDS)}")
        if self._booted() is None:
            raise ValueError("no kernel is booted")
        try:
            text: str = getattr(self, f"_do_{name}")(**args)
        except TypeError as error:
            reason = str(error).partition("() ")[2] or str(error)
            raise ValueError(f"{name}: {reason}") from None
        except (AttributeError, LookupError):
            raise ValueError(f"{name}: it has just gone") from None
        except Halted:
            raise ValueError(f"{name}: the kernel is going down") from None
        return text

    def _sched(self, ring: str, dev: str | None) -> Any:
        known = self._find()
        found = [s for s in known if s.name == ring and dev in (None, key_of(s).dev)]
        if not found:
            names = ", ".join(dict.fromkeys(s.name for s in known)) or "none so far"
            raise ValueError(f"there is no ring {ring!r}; rings: {names}")
        if len(found) > 1:
            raise ValueError(f"there are {len(found)} rings {ring!r}; name the device too")
        return found[0]

    def _entity(self, context: int) -> Any:
        self._find()
        for entity in list(self._entities):
            if getattr(entity, "fence_context", None) in (context, context - 1):
                return entity
        raise ValueError(f"there is no entity with fence context {context}")

    def _do_strike(
        self, ring: str, kind: str, us: float | None = None, dev: str | None = None
    ) -> str:
        sched = self._sched(ring, dev)
        driver = driver_of(sched._container)
        if driver is None:
            raise ValueError(f"the driver of {ring} has no faults")
        if us is not None and (type(us) not in (int, float) or not 0 < us < 1e12):
            raise ValueError(f"{us!r} is no number of us")
        driver.strike(sched._container, kind, None if us is None else int(us * 1000))
        return f"{ring}: {kind} is to strike next"

    def _do_hang(self, ring: str, us: float | None = None, dev: str | None = None) -> str:
        return self._do_strike(ring, "hang", us, dev)

    def _do_lose(self, ring: str, dev: str | None = None) -> str:
        return self._do_strike(ring, "lost", None, dev)

    def _do_kill(self, context: int) -> str:
        entity = self._entity(context)
        drm_sched_entity_kill(entity)
        return f"entity {entity.fence_context + 1} is killed"

    def _do_timeout(self, ring: str, dev: str | None = None) -> str:
        sched = self._sched(ring, dev)
        drm_sched_fault(sched)
        return f"{ring}: the timeout handler runs"

    def _do_stop(self, ring: str, dev: str | None = None) -> str:
        sched = self._sched(ring, dev)
        drm_sched_wqueue_stop(sched)
        self._stopped.append(sched)
        return f"{ring}: stopped"

    def _do_start(self, ring: str, dev: str | None = None) -> str:
        sched = self._sched(ring, dev)
        drm_sched_wqueue_start(sched)
        self._stopped = [other for other in self._stopped if other is not sched]
        return f"{ring}: started"

    def _do_priority(self, context: int, priority: str) -> str:
        if priority not in PRIORITIES:
            raise ValueError(f"there is no priority {priority!r}; it is {', '.join(PRIORITIES)}")
        entity = self._entity(context)
        drm_sched_entity_set_priority(entity, PRIORITIES.index(priority))
        return f"entity {entity.fence_context + 1}: priority {priority} from its next idle moment"

    def _do_credits(self, ring: str, credits: int, dev: str | None = None) -> str:
        if type(credits) is not int or not 1 <= credits < CREDITS_MAX:
            raise ValueError(f"{credits!r} is no number of credits; 1 or more")
        sched = self._sched(ring, dev)
        name = "credit_limit" if hasattr(sched, "credit_limit") else "hw_submission_limit"
        setattr(sched, name, credits)
        return f"{ring}: {credits} credits"

    def _do_pause(self) -> str:
        for sched in self._find():
            if not is_stopped(sched):
                drm_sched_wqueue_stop(sched)
                self._paused.append(sched)
        return f"{len(self._paused)} schedulers are stopped"

    def _do_resume(self) -> str:
        paused, self._paused = self._paused, []
        for sched in paused:
            if hasattr(sched, "ops"):
                drm_sched_wqueue_start(sched)
        return f"{len(paused)} schedulers go on"
