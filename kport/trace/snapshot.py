# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a monitor shows at one moment: frozen values, made by the model, read by widgets.

A Snapshot has two sources. The trace events tell of jobs, fences, rings and clients; they are all
there is for a recording of a real kernel. A running port tells more (`Port`): credits, the timeout
that is ticking, run queues with their keys, threads, locks, work items, the log. The model lays the
latest Port that is not younger than the moment over what the events say; a field that nobody knows
is None (a number) or empty (a text or tuple), never a guess.

Times are ns on the kernel's clock (since boot) unless a name says otherwise; `*_ns` are lengths of
time. A job is named by its finished fence, (context, seqno). Recordings of kernels before 6.17
print no fence numbers: their jobs are (hashed entity pointer, id), and `Job.old` is set.

Everything here survives JSON (`plain()`, and `port_from()` for what a port sends).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

JobKey = tuple[int, int]  # context and seqno of the finished fence
FenceKey = tuple[int, int]  # context and seqno, both modulo 2^32


class RingKey(NamedTuple):
    """A ring: two devices may have rings of the same name. `dev` is "" in old recordings."""

    dev: str
    ring: str


JobState = Literal["queued", "running", "over"]
RingState = Literal["running", "stopped", "parked", "resetting", "gone", ""]
LinkKind = Literal[
    "dependency", "head-of-line", "credits", "policy", "stopped", "hardware", "over", "unknown"
]


@dataclass(frozen=True, slots=True)
class Job:
    """A job at the moment. Times are None while the thing has not happened.

    `depends` are fences it was given to wait for, `blocked_on` the one the scheduler looked at last
    and found unsignalled. `queue_depth` is the length of its entity's queue before it, `slot` its
    row among the jobs that ran beside it on the ring (0 and up; -1 before it runs). `hw_done` is
    when the hardware's fence signalled, `signalled` when the finished fence did, `freed` when that
    was destroyed. `cut`: the trace began when it was queued already, and `queued` is where it was
    first seen. Only a port knows `credits` and `karma`.
    """

    key: JobKey
    ring: RingKey
    client: int
    state: JobState
    queued: int
    ready: int | None = None
    run: int | None = None
    scheduled: int | None = None
    hw_done: int | None = None
    done: int | None = None
    signalled: int | None = None
    freed: int | None = None
    depends: tuple[FenceKey, ...] = ()
    blocked_on: FenceKey | None = None
    parent: FenceKey | None = None
    submitter: str = ""
    queue_depth: int = 0
    slot: int = -1
    old: bool = False
    cut: bool = False
    credits: int | None = None
    karma: int | None = None

    @property
    def name(self) -> str:
        """`401:17`, or `#17` for a job of an old recording."""
        return f"#{self.key[1]}" if self.old else f"{self.key[0]}:{self.key[1]}"


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence at the moment. `role` says what it is to a job: "scheduled", "finished", "parent",
    or "" for others; `job` is that job. `waiters` are the threads in dma_fence_wait() on it.
    Only a port knows `refcount`, `callbacks` and `error` (a negative errno).
    """

    key: FenceKey
    driver: str = ""
    timeline: str = ""
    role: Literal["scheduled", "finished", "parent", ""] = ""
    job: JobKey | None = None
    init: int | None = None
    emitted: int | None = None
    armed: int | None = None
    signalled: int | None = None
    freed: int | None = None
    waiters: tuple[str, ...] = ()
    refcount: int | None = None
    callbacks: int | None = None
    error: int | None = None

    @property
    def name(self) -> str:
        """`context:seqno`."""
        return f"{self.key[0]}:{self.key[1]}"

    @property
    def state(self) -> str:
        """The last thing that happened to it: init, armed, signalled or freed."""
        if self.freed is not None:
            return "freed"
        if self.signalled is not None:
            return "signalled"
        return "init" if self.armed is None else "armed"


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity at the moment; `context` is that of its finished fences.

    `waiting` counts its queued jobs, `running` those on the hardware; `oldest_ns` is how long the
    head of its queue has waited. From a port only: `place` is where in the run queue it stands (0
    is picked first; None when it is in none, that is has nothing to run), `key` and `key_kind` what
    it is sorted by ("submit", "rr" or "vruntime", in ns), `wants` the credits of its head.
    """

    context: int
    ring: RingKey
    client: int
    waiting: int = 0
    running: int = 0
    finished: int = 0
    oldest_ns: int = 0
    head: JobKey | None = None
    name: str = ""
    priority: str = ""
    place: int | None = None
    key: int | None = None
    key_kind: str = ""
    wants: int | None = None
    guilty: bool | None = None
    stopped: bool | None = None
    blocked_on: FenceKey | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """A ring and its scheduler at the moment.

    `head` is the job that has been on the hardware longest, `tail` the last one that was queued.
    `busy_pct` is the part of the last second (or of the trace, if shorter) that any job was on the
    hardware. `credits` and `credit_limit` come from a port; in a recording `credits` is what the
    events print ("hw job count") and the limit is None. `tdr_left_ns` is None while no timeout
    runs. `rptr` and `wptr` count words of the hardware ring, `hardware` says what the engine does.
    """

    key: RingKey
    state: RingState = ""
    running: int = 0
    waiting: int = 0
    finished: int = 0
    busy_pct: float = 0.0
    head: JobKey | None = None
    tail: JobKey | None = None
    credits: int | None = None
    credit_limit: int | None = None
    timeout_ns: int | None = None
    tdr_left_ns: int | None = None
    policy: str = ""
    score: int | None = None
    hang_limit: int | None = None
    rptr: int | None = None
    wptr: int | None = None
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of the port: `kind` is "kthread", "worker", "irq" or "user".

    `function` is the innermost function of the kernel it is in and `place` that line in C, as
    "drivers/gpu/drm/scheduler/sched_main.c:1190" (or the Python file where there is no C).
    """

    name: str
    pid: int
    kind: str
    state: str = ""
    cpu: int | None = None
    function: str = ""
    place: str = ""
    held: tuple[str, ...] = ()
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A work item: `state` is "pending" (in a queue), "delayed" (its timer runs) or "running"."""

    function: str
    queue: str
    state: str
    worker: str = ""
    left_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """Sums since the port was served. `dropped` events never reached this viewer, `snapshot_ns`
    is what making the last Port cost the port, `period_ns` how far two of them are apart,
    `observer_pct` the part of a CPU that serving takes.
    """

    events: int = 0
    dropped: int = 0
    snapshots: int = 0
    snapshot_ns: int = 0
    period_ns: int = 0
    observer_pct: float = 0.0
    viewers: int = 0


@dataclass(frozen=True, slots=True)
class Port:
    """What a running port says of itself beyond its trace, at `ts`.

    `fences` are those with something to say that no event tells. `dmesg` are the lines since the
    last Port (all of them in the first one a viewer gets). `commands` are what it can be told.
    """

    ts: int
    arch: str = ""
    policy: str = ""
    paused: bool = False
    rings: tuple[Ring, ...] = ()
    entities: tuple[Entity, ...] = ()
    jobs: tuple[Job, ...] = ()
    fences: tuple[Fence, ...] = ()
    threads: tuple[Thread, ...] = ()
    works: tuple[Work, ...] = ()
    dmesg: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    counters: Counters = Counters()


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain from a job to what it waits for; `depth` 0 is the job itself.

    `kind` says why the thing above waits for this one:

        dependency    `fence` has not signalled; `job` is whose fence that is, if anybody's
        head-of-line  `job` is before it in the queue of its entity
        credits       `job` holds credits of the ring that it needs
        policy        `job`, of another entity, was picked first, or is to be
        stopped       the scheduler of `ring` takes no jobs
        hardware      `job` is on the hardware of `ring`
        over          it waits no more
        unknown       nothing in the trace says why

    `since` is when that began to hold, `text` one line to print.
    """

    depth: int
    kind: LinkKind
    text: str
    job: JobKey | None = None
    fence: FenceKey | None = None
    ring: RingKey | None = None
    since: int | None = None


class Segment(NamedTuple):
    """A run of equal cells of a lane, from `start` up to `end` in eighths of a column.

    `job` is set where the segment is one job's bar; else it stands for `count` jobs too narrow to
    be told apart, of which `client` had most of the time. `busy` is the part of the segment the
    ring worked (1.0 for a bar). `error` is set where a job hung or was never finished.
    """

    start: int
    end: int
    client: int
    job: JobKey | None = None
    count: int = 1  # type: ignore[assignment]  # hides tuple.count()
    busy: float = 1.0
    error: bool = False


@dataclass(frozen=True, slots=True)
class Stats:
    """Percentiles of one measure in ns; all 0 where `count` is 0. Ranks are nearest ranks."""

    count: int = 0
    mean: float = 0.0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    max: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it at one moment, directly after event number `event` (-1: before the first).

    `port` is the Port that was laid over, or None. `jobs` are those queued or on the hardware, in
    order of queueing; `fences` those that live, in order of init, the youngest `limit` of them
    (`fences_total` says how many there are). Entities are by ring and in order of the run queue
    where it is known, else of the submission of their oldest job.
    """

    ts: int
    event: int
    rings: tuple[Ring, ...] = ()
    entities: tuple[Entity, ...] = ()
    jobs: tuple[Job, ...] = ()
    fences: tuple[Fence, ...] = ()
    fences_total: int = 0
    finished: int = 0
    port: Port | None = None


def plain(value: Any) -> Any:
    """The value as JSON knows it: dataclasses become objects, tuples lists, a RingKey a list."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


_hints: dict[type, dict[str, Any]] = {}


def port_from(value: Any) -> Port:
    """The Port that `plain()` made `value` of. Raises ValueError for anything else.

    Fields that are not known here are passed over, those that are missing have their defaults.
    """
    port = _build(Port, value)
    assert isinstance(port, Port)
    return port


def _build(kind: Any, value: Any) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, value)
    origin = get_origin(kind)
    if origin is UnionType:
        if value is None and type(None) in get_args(kind):
            return None
        return _build(next(k for k in get_args(kind) if k is not type(None)), value)
    if origin is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{value!r} is none of {get_args(kind)}")
        return value
    if kind is RingKey:
        return RingKey(*_build(tuple[str, str], value))
    if origin is tuple:
        return _tuple(get_args(kind), value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def _tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_build(kinds[0], item) for item in value)
    if len(value) != len(kinds):
        raise ValueError(f"{value!r} has not {len(kinds)} items")
    return tuple(_build(kind, item) for kind, item in zip(kinds, value, strict=True))


def _object(kind: type, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    hints = _hints.get(kind)
    if hints is None:
        hints = _hints[kind] = get_type_hints(kind)
    given = {name: _build(hints[name], item) for name, item in value.items() if name in hints}
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(str(error)) from None
