# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the monitor costs, and what it manages.

cost    A port in a process of its own: RINGS rings, one client each, a job of no length every
        10 ms. The time from a job's queueing to its run, with nobody looking, with the socket
        served and no viewer, and with a viewer in this process that follows everything and makes a
        snapshot and all lanes FPS times a second.
follow  The same with a job every 4 ms, that is 25,000 events per second: how many the viewer
        missed.
open    A recording of a million events, of the kind such a port makes: the time to open it, to draw
        a lane of 200 columns (the slowest of many windows), and to show a moment of it.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from kport.trace.client import KEEP, AttachError, Attachment, attach, step_back
from kport.trace.model import Model, open_recording
from kport.trace.stats import percentile
from tools.bench.monitor_port import RINGS

FPS = 15
SLOW, FAST = 10_000, 4_000  # us between two jobs of a ring
MODES = ("alone", "served", "watched")


# -- the viewer ------------------------------------------------------------------------------------


def cost(seconds: float, mode: str, period: int = SLOW) -> dict[str, Any]:
    """The port's figures in a mode; with a viewer also the viewer's."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "port") if mode != "alone" else ""
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.monitor_port", str(seconds), str(period), path],
            stdout=subprocess.PIPE,
        )
        # The viewer is a process of its own: it steps back, which what it starts would inherit.
        watched: dict[str, Any] = {}
        if mode == "watched":
            with ProcessPoolExecutor(1, get_context("spawn")) as viewer:
                watched = viewer.submit(_watch, path, time.time() + 30).result()
        out, _ = process.communicate(timeout=seconds * 10 + 60)
    figures: dict[str, Any] = json.loads(out)
    return figures | watched


def _watch(path: str, until: float) -> dict[str, Any]:
    step_back()
    viewer = _attached(path, until)
    model = Model(keep=KEEP)
    frames, spent, next_frame = 0, 0.0, time.monotonic()
    began = time.process_time()
    with viewer:
        while viewer.poll(model):
            if time.monotonic() >= next_frame:
                next_frame += 1 / FPS
                start = time.process_time()
                model.snapshot(limit=100)
                for ring in model.rings():
                    model.lane(ring, model.ended - 2_000_000_000, model.ended, 200)
                frames += 1
                spent += time.process_time() - start
            time.sleep(0.005)
    span = (model.ended - model.began) / 1e9
    return {
        "events": viewer.events,
        "dropped": viewer.dropped,
        "events_per_s": round(viewer.events / span),
        "observer_pct": viewer.counters.observer_pct,
        "snapshot_us": viewer.counters.snapshot_ns / 1e3,
        "viewer_cpu_pct": round(100 * (time.process_time() - began) / span, 1),
        "frame_ms": round(1e3 * spent / max(1, frames), 2),
        "frames": frames,
    }


def _attached(path: str, until: float) -> Attachment:
    while True:
        try:
            return attach(path)
        except AttachError:
            if time.time() > until:
                raise
            time.sleep(0.01)


# -- a recording -----------------------------------------------------------------------------------


def _lines(events: int) -> Iterator[str]:
    """Trace text: jobs of RINGS rings, twelve events each, 250 a second on each ring."""
    fence = "dma_fence_{}: driver={} timeline={} context={} seqno={}"
    line = "    kworker/u8:{}-1{}      [{:03d}] ..... {:12.6f}: {}\n"
    job = "dev=0000:03:00.0, fence={}:{}, ring=ring{}, job count:0, hw job count:{}, client_id:{}"
    made = seqno = 0
    while made < events:
        seqno += 1
        for ring in range(RINGS):
            base = 1 + 3 * ring
            name, own = f"ring{ring}", (base + 1, seqno)
            told = job.format(*own, ring, 1, ring % 5)
            at = 10.0 + seqno * FAST / 1e6 + ring * FAST / RINGS / 1e6
            for step, text in enumerate((
                fence.format("init", "drm_sched", name, base, seqno),
                fence.format("init", "drm_sched", name, *own),
                f"drm_sched_job_queue: {told}",
                f"drm_sched_job_run: {told}",
                fence.format("init", "amdgpu", name, 900 + ring, seqno),
                fence.format("signaled", "drm_sched", name, base, seqno),
                fence.format("signaled", "amdgpu", name, 900 + ring, seqno),
                f"drm_sched_job_done: fence={own[0]}:{seqno} signaled",
                fence.format("signaled", "drm_sched", name, *own),
                *(
                    fence.format("destroy", "detached-driver", "signaled-timeline", c, seqno)
                    for c in (base, own[0], 900 + ring)
                ),
            )):  # fmt: skip
                yield line.format(ring, ring, ring % 4, at + step * 20e-6, text)
                made += 1


def opening(events: int) -> dict[str, Any]:
    """Open a recording of so many events and look at it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(_lines(events))
        start = time.perf_counter()
        model = open_recording(path)
        opened = time.perf_counter() - start
    try:
        return {"events": len(model.log), "open_s": opened, **_look(model)}
    finally:
        gc.unfreeze()


def _look(model: Model) -> dict[str, Any]:
    first: list[float] = []
    again: list[float] = []
    moments: list[float] = []
    span = model.ended - model.began
    for ring in model.rings():
        for part in (1, 2, 7, 50, 400, 10_000):
            for into in range(5):
                begin = model.began + (span - span // part) * into // 5
                start = time.perf_counter()
                model.lane(ring, begin, begin + span // part, 200)
                (again if (part, into) != (1, 0) else first).append(time.perf_counter() - start)
    for i in range(200):
        start = time.perf_counter()
        model.snapshot(len(model.log) * i // 200)
        moments.append(time.perf_counter() - start)
    return {
        "first_lane_ms": 1e3 * max(first),
        "lane_ms": 1e3 * max(again),
        "lane_p50_ms": percentile(sorted(round(t * 1e9) for t in again), 50) / 1e6,
        "moment_ms": 1e3 * max(moments),
    }
