# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A small trace made by hand: three rings, three clients, a dependency, a hang.

All numbers follow from arithmetic, so that frames of it are the same everywhere and always.
"""

from __future__ import annotations

from kport.trace.events import Event
from kport.trace.model import Model
from kport.trace.snapshot import Counters, Entity, Port, Ring, RingKey, Thread, Work

DEV = "0000:03:00.0"
GFX, DMA, OTHER = RingKey(DEV, "gfx"), RingKey(DEV, "sdma0"), RingKey("0000:04:00.0", "gfx")
MS = 1_000_000
START = 1_000 * MS


class Trace:
    """Events to be, by what happens to jobs."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def say(self, ts: int, name: str, *values: int | str, task: str = "game-7") -> None:
        comm, pid = task.rsplit("-", 1)
        self.events.append(Event(ts, comm, int(pid), 0, ".....", name, values))

    def job(
        self,
        ring: RingKey,
        key: tuple[int, int],
        client: int,
        queued: int,
        run: int | None,
        done: int | None,
        on: tuple[int, int] | None = None,
    ) -> None:
        """A job with its three fences; times in us after START."""
        context, seqno = key
        at = START + queued * 1000
        self.say(at - 900, "dma_fence_init", "drm_sched", ring.ring, context - 1, seqno)
        self.say(at - 800, "dma_fence_init", "drm_sched", ring.ring, context, seqno)
        self.say(at, "drm_sched_job_queue", ring.dev, context, seqno, ring.ring, 0, 0, client)
        if on is not None:
            self.say(at + 100, "drm_sched_job_add_dep", context, seqno, *on)
        if run is None:
            return
        at = START + run * 1000
        worker = f"kworker/{ring.ring}-{90 + context % 7}"
        self.say(
            at, "drm_sched_job_run", ring.dev, context, seqno, ring.ring, 0, 1, client, task=worker
        )
        self.say(at + 300, "dma_fence_init", "amdgpu", ring.ring, 900, context * 100 + seqno,
                 task=worker)  # fmt: skip
        self.say(at + 500, "dma_fence_signaled", "drm_sched", ring.ring, context - 1, seqno,
                 task=worker)  # fmt: skip
        if done is None:
            return
        at = START + done * 1000
        self.say(at - 200, "dma_fence_signaled", "amdgpu", ring.ring, 900, context * 100 + seqno)
        self.say(at, "drm_sched_job_done", context, seqno)
        self.say(at + 100, "dma_fence_signaled", "drm_sched", ring.ring, context, seqno)
        for number in (context - 1, context):
            self.say(at + 50_000, "dma_fence_destroy", "drm_sched", ring.ring, number, seqno)


def events() -> list[Event]:
    """Forty jobs in 100 ms; at the end one hangs on gfx, one waits for it, and one is queued."""
    trace = Trace()
    for n in range(30):
        begin = n * 3_000
        trace.job(GFX, (11, n + 1), 1, begin, begin + 400, begin + 2_100)
        if n % 3 == 0:
            trace.job(
                DMA, (21, n // 3 + 1), 2, begin + 100, begin + 2_200, begin + 5_000, (11, n + 1)
            )
    for n in range(8):
        trace.job(OTHER, (31, n + 1), 3, n * 11_000, n * 11_000 + 50, n * 11_000 + 9_000)
    trace.job(GFX, (11, 31), 1, 92_000, 92_100, None)
    trace.job(DMA, (21, 11), 2, 93_000, None, None, (11, 31))
    trace.job(DMA, (21, 12), 2, 94_000, None, None)
    trace.job(GFX, (13, 1), 4, 95_000, None, None)
    return sorted(trace.events, key=lambda event: event.ts)


def model() -> Model:
    """The model of `events()`, as of a recording."""
    made = Model()
    made.feed(events())
    made.settle()
    return made


def port() -> Port:
    """What a port says of itself 1 ms after the last event."""
    return Port(
        ts=START + 96 * MS,
        arch="threads",
        policy="fair",
        rings=(
            Ring(GFX, "running", credits=1, credit_limit=1, tdr_left_ns=9_996 * MS, policy="fair"),
            Ring(DMA, "stopped", credits=0, credit_limit=4, policy="fair"),
            Ring(OTHER, "resetting", credits=0, credit_limit=2, policy="fair"),
        ),
        entities=(
            Entity(13, GFX, 4, waiting=1, name="menu", priority="high", place=0, key=12_400_000,
                   key_kind="vruntime", wants=1),
            Entity(11, GFX, 1, name="game", priority="normal", guilty=True),
            Entity(21, DMA, 2, waiting=2, name="copy", priority="normal", place=0, key=77,
                   key_kind="vruntime", wants=2, stopped=True),
        ),
        threads=(
            Thread("sched:gfx", 90, "kthread", "running", 0, "drm_sched_run_job_work",
                   "drivers/gpu/drm/scheduler/sched_main.c:1190", ("&rq->lock",), ""),
            Thread("game", 7, "user", "blocked", None, "dma_fence_default_wait",
                   "drivers/dma-buf/dma-fence.c:812", (), "fence 11:31"),
        ),
        works=(
            Work("drm_sched_job_timedout", "events", "delayed", left_ns=9_996 * MS),
            Work("drm_sched_free_job_work", "gfx", "running", worker="kworker/u8:0"),
        ),
        dmesg=("[    1.096000] amdgpu 0000:03:00.0: ring gfx timeout, signaled seq=30",),
        commands=("hang", "lose", "timeout", "stop", "start", "credits", "kill", "priority",
                  "pause", "resume"),
        counters=Counters(events=500, observer_pct=1.5),
    )  # fmt: skip


def live_model() -> Model:
    """The model of a port that has said what `port()` says."""
    made = model()
    made.add_port(port())
    return made
