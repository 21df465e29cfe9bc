# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the monitor's screen costs: `python -m tools.bench.screen`.

    live    40 busy lanes with some 4,000 bars in sight at 200x45: frames per second and CPU
    keys    the same standing still: from a key to the last byte of what it paints
    zoom    a million events: painting any window of any screen, without a terminal

The first two run the application on a pseudo terminal that is read as fast as it writes.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import os
import pty
import random
import select
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from time import perf_counter, perf_counter_ns, process_time, sleep
from typing import Any

from kport.trace.bulk import Block, parsed_of
from kport.trace.events import Event
from kport.trace.model import Model
from tui.app import MonitorApp
from tui.feed import RecordingFeed
from tui.frame import frame
from tui.scene import Source, scene_of
from tui.view import SCREENS, View

LANES, PERIOD_MS = 40, 100
SIZE = 200, 45
WINDOW = 10_000_000_000
START = 1_000_000_000
WARM, TIMED = 3.0, 10.0  # s
KEYS = b"adwsad,.,."
_QUIET = 0.08  # s without a byte: the frame is done


def load(seconds: int) -> list[Event]:
    """Events of 40 rings with ten jobs a second each."""
    out: list[Event] = []
    for n in range(seconds * 1000 // PERIOD_MS):
        for lane in range(LANES):
            at = START + (n * PERIOD_MS + lane * 7 % PERIOD_MS) * 1_000_000
            _job(out, at, lane, n)
    out.sort(key=lambda event: event.ts)
    return out


def _job(out: list[Event], at: int, lane: int, n: int) -> None:
    context, seqno, client = 1000 + 2 * lane + 2 * LANES * (n % 2), n // 2 + 1, n % 2 + 1
    ring = f"ring{lane}"
    length = int(PERIOD_MS * 1e6 * (0.4 + 0.5 * ((n * 13 + lane) % 7) / 7))

    def say(after: int, name: str, *values: int | str) -> None:
        out.append(Event(at + after, "task", 1, 0, ".....", name, values))

    say(0, "dma_fence_init", "drm_sched", ring, context - 1, seqno)
    say(1, "dma_fence_init", "drm_sched", ring, context, seqno)
    say(2, "drm_sched_job_queue", "0000:03:00.0", context, seqno, ring, 0, 0, client)
    say(2000, "drm_sched_job_run", "0000:03:00.0", context, seqno, ring, 0, 0, client)
    say(3000, "dma_fence_signaled", "drm_sched", ring, context - 1, seqno)
    say(length, "drm_sched_job_done", context, seqno)
    say(length + 1000, "dma_fence_signaled", "drm_sched", ring, context, seqno)
    say(length + 3000, "dma_fence_destroy", "drm_sched", ring, context - 1, seqno)
    say(length + 3000, "dma_fence_destroy", "drm_sched", ring, context, seqno)


# -- on a pseudo terminal ------------------------------------------------------------------------


class _Live(RecordingFeed):
    """A feed that lets the load happen in time."""

    def __init__(self) -> None:
        super().__init__(Model(), "load")
        self._source = Source("load", "LIVE", live=True)
        self._events = load(int(WINDOW / 1e9 + WARM + TIMED) + 10)
        self._next = 0
        self._zero = perf_counter_ns() - WINDOW - START

    def poll(self, budget: int) -> bool:
        now = perf_counter_ns() - self._zero
        end = self._next
        while end < len(self._events) and self._events[end].ts <= now:
            end += 1
        self.model.feed(self._events[self._next : end], now)
        self._next = end
        return True


class _Timed(MonitorApp):
    """The application, which measures itself after a while and leaves."""

    figures: dict[str, Any]

    def on_ready(self) -> None:
        self.set_timer(WARM, self._begin)

    def _begin(self) -> None:
        self._from = perf_counter(), process_time(), self.frames
        self.set_timer(TIMED, self._end)

    def _end(self) -> None:
        wall, cpu, frames = self._from
        seconds = perf_counter() - wall
        self.figures = {
            "fps": round((self.frames - frames) / seconds, 1),
            "cpu_pct": round(100 * (process_time() - cpu) / seconds, 1),
            "bars": sum(len(self.feed.model.order(self.feed.model.ended - WINDOW,
                                                  self.feed.model.ended, ring))
                        for ring in self.feed.model.rings()),
        }  # fmt: skip
        self.exit()


def _child(what: str, result: str) -> None:
    figures: dict[str, Any] = {}
    if what == "live":
        app = _Timed(_Live(), View(span=WINDOW), remember=False)
        app.run()
        figures = app.figures
    else:
        model = Model()
        model.feed(load(14))
        model.settle()
        view = View(at=model.log.end - 1, span=WINDOW, right=model.ended)
        gc.collect()
        gc.freeze()
        MonitorApp(RecordingFeed(model, "load"), view, remember=False).run()
    with open(result, "w", encoding="utf-8") as out:
        json.dump(figures, out)


def _terminal(what: str, result: str) -> tuple[subprocess.Popen[bytes], int]:
    master, slave = pty.openpty()
    columns, rows = SIZE
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child = subprocess.Popen(
        [sys.executable, "-m", "tools.bench.screen", "--child", what, result],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, **terminal, "COLUMNS": str(columns), "LINES": str(rows)},
    )  # fmt: skip
    os.close(slave)
    return child, master


def _result_file() -> str:
    handle, path = tempfile.mkstemp(prefix="kport-")
    os.close(handle)
    return path


def live() -> dict[str, Any]:
    """Frames per second and CPU of a live screen, and what it wrote to the terminal."""
    result = _result_file()
    child, master = _terminal("live", result)
    total = [0]

    def drain() -> None:
        try:
            while data := os.read(master, 1 << 16):
                total[0] += len(data)
        except OSError:
            return

    reader = threading.Thread(target=drain, daemon=True)
    reader.start()
    child.wait(WARM + TIMED + 60)
    os.close(master)
    with open(result, encoding="utf-8") as file:
        figures: dict[str, Any] = json.load(file)
    os.unlink(result)
    return figures | {"kB_per_s": round(total[0] / (WARM + TIMED) / 1000)}


def keys(presses: int = 60) -> dict[str, Any]:
    """Milliseconds from a key to the end of what it paints."""
    result = _result_file()
    child, master = _terminal("still", result)
    sleep(3.0)
    _drain(master)
    costs = []
    for number in range(presses):
        key = KEYS[number % len(KEYS) : number % len(KEYS) + 1]
        start = perf_counter()
        os.write(master, key)
        select.select([master], [], [], 2.0)
        costs.append((_drain(master) - start) * 1e3)
    os.write(master, b"q")
    child.wait(30)
    os.close(master)
    os.unlink(result)
    costs.sort()
    return {
        f"p{percent}_ms": round(costs[presses * percent // 100], 1) for percent in (50, 95)
    } | {"max_ms": round(costs[-1], 1)}


def _drain(master: int) -> float:
    """Read until nothing comes any more; returns when the last byte came."""
    last = perf_counter()
    while select.select([master], [], [], _QUIET)[0]:
        os.read(master, 1 << 16)
        last = perf_counter()
    return last


# -- a million events ----------------------------------------------------------------------------


def zoom(paints: int = 60) -> dict[str, Any]:
    """Milliseconds to paint a screen at random moments and zooms of a million events."""
    events, model = load(280), Model()
    gc.disable()
    for i in range(0, len(events), 4096):
        part = events[i : i + 4096]
        model.add(Block([parsed_of(event) for event in part], events=part))
    model.prepare_lanes()  # as for a recording that is opened
    gc.freeze()
    figures: dict[str, Any] = {"number_of_events": len(model.log)}
    chance = random.Random(1)
    start = perf_counter()
    view = View()
    view.show_all(model)
    frame(scene_of(model, view), *SIZE)
    figures["first_ms"] = round((perf_counter() - start) * 1e3, 1)
    for screen in SCREENS:
        costs = []
        for _ in range(paints):
            at = chance.randrange(len(model.log))
            span = int(10 ** chance.uniform(5, 11.4))
            view = View(screen=screen, at=at, span=span, right=model.time_of(at) + span // 2)
            start = perf_counter()
            frame(scene_of(model, view), *SIZE)
            costs.append((perf_counter() - start) * 1e3)
        costs.sort()
        figures[screen] = {"p50_ms": round(costs[paints // 2], 1), "max_ms": round(costs[-1], 1)}
    return figures


def main() -> int:
    """Measure and print one object."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.screen", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["live", "keys", "zoom", []], default=[])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        _child(*args.child)
        return 0
    measures = {"live": live, "keys": keys, "zoom": zoom}
    print(json.dumps({name: measures[name]() for name in args.what or measures}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
