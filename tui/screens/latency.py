# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""How long the stages of a job's life take: percentiles and plots, of all, a ring or a client.

Counted are the stages that ended within the lanes' window, up to the moment; of a window with more
than 50,000 events the last of these (the head of the stages says so). The plots have one
column for each of the same logarithmic steps from 1 us to 10 s, so that they can be compared at a
glance. Working the figures out takes time on a large window: each frame spends a few ms on it, the
groups and the stages in turn, and a row whose figures are still of an earlier window is marked with
"~".
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from time import perf_counter_ns
from typing import NamedTuple

from kport.trace.snapshot import RingKey, Stats
from kport.trace.stats import STAGES, stats
from tui.scene import Scene
from tui.screens.base import Screen
from tui.table import Column, Row, Table
from tui.text import Line, fit, fit_line, short

BUDGET = 2_000_000  # ns of a frame, and what the last figure that was begun takes longer
STEP = 500_000_000
EVENTS = 50_000  # that figures are made of at most, the latest of the window
LOW, HIGH = 3.0, 10.0  # log10 of the plots' ends in ns
MEANING = {
    "wait": "queued to run",
    "depend": "queued to dependencies clear",
    "pick": "dependencies clear to run",
    "run": "run to done",
    "hw": "run to hardware done",
    "signal": "done to signalled",
    "free": "signalled to freed",
    "latency": "queued to signalled",
    "pass": "run to signalled",
}


class _Figures(NamedTuple):
    window: tuple[int, int]
    lengths: list[int]
    stats: Stats


class _Group(NamedTuple):
    name: str
    ring: RingKey | None
    client: int | None


def _groups(scene: Scene) -> list[_Group]:
    rings = [_Group(scene.ring_name(ring), ring, None) for ring in scene.lanes]
    clients = [_Group(f"client {number}", None, number) for number in scene.model.clients()]
    return [_Group("everything", None, None), *rings, *clients]


def figures(scene: Scene, group: _Group, stage: str, budget: list[int]) -> _Figures:
    """The figures of a stage, made anew while the budget lasts."""
    cache = scene.cache.setdefault("latency", {})
    begin = window_begin(scene)
    window = _window(scene)
    known: _Figures | None = cache.get((group, stage))
    if known is not None and (known.window == window or budget[0] <= 0):
        return known
    if known is None and budget[0] <= 0:
        return _Figures((0, 0), [], Stats())
    start = perf_counter_ns()
    lengths = scene.model.lengths(
        stage, ring=group.ring, client=group.client, begin=begin, end=scene.now
    )
    known = cache[group, stage] = _Figures(window, lengths, stats(lengths))
    budget[0] -= perf_counter_ns() - start
    return known


def _window(scene: Scene) -> tuple[int, int]:
    """What figures are of, or should be: while it moves in steps of half a second."""
    begin, end = window_begin(scene), scene.now
    return (begin, end) if scene.view.at is not None else (begin // STEP, end // STEP)


def window_begin(scene: Scene) -> int:
    """Where the window begins in ns; later, if more than EVENTS would have to be looked at."""
    begin, _ = scene.view.window(scene.model, 10)
    if scene.cache.get("patient"):
        return begin
    log, view = scene.model.log, scene.view
    at = log.end - 1 if view.at is None else view.at
    first = max(log.first, at - EVENTS)
    return max(begin, scene.model.time_of(first)) if first > log.first else begin


def _budget(scene: Scene) -> list[int]:
    return [10**12 if scene.cache.get("patient") else BUDGET]


def data(scene: Scene) -> list[Row]:
    """What the percentiles are of, with those of the wait and the whole latency."""
    return _rows(scene, _budget(scene))


def _rows(scene: Scene, budget: list[int]) -> list[Row]:
    now = _window(scene)
    out = []
    for group in _groups(scene):
        waits = figures(scene, group, "wait", budget)
        wait, whole = waits.stats, figures(scene, group, "latency", budget).stats
        out.append(
            {
                "of": group.name + ("" if waits.window == now else " ~"),
                "jobs": wait.count,
                "wait_p50": wait.p50 if wait.count else None,
                "wait_p99": wait.p99 if wait.count else None,
                "wait_max": wait.max if wait.count else None,
                "latency_p50": whole.p50 if whole.count else None,
                "latency_p99": whole.p99 if whole.count else None,
                "latency_max": whole.max if whole.count else None,
                "_group": group,
                "_id": group,
            }
        )
    return out


TABLE = Table(
    "latency",
    (
        Column("of", 14, grows=True),
        Column("jobs", 7, right=True),
        *(
            Column(f"{stage}_{what}", 8, short, right=True, rank=rank, title=f"{short_name} {what}")
            for stage, short_name in (("wait", "wait"), ("latency", "lat"))
            for rank, what in ((1, "p50"), (0, "p99"), (2, "max"))
        ),
    ),
    "no job has run yet",
)


def plot(scene: Scene, lengths: list[int], columns: int) -> str:
    """How often each length was, over logarithmic steps: a column's height is its share."""
    if columns < 1:
        return ""
    edges = [10 ** (LOW + (HIGH - LOW) * x / columns) for x in range(1, columns)]
    cuts = [0, *(bisect_left(lengths, edge) for edge in edges), len(lengths)]
    counts = [high - low for low, high in itertools.pairwise(cuts)]
    most = max(counts, default=0)
    levels = scene.glyphs.levels
    if not most:
        return scene.glyphs.dot * columns
    return "".join(levels[math.ceil(c * (len(levels) - 1) / most)] for c in counts)


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """Groups above, the stages of the selected group with their plots below."""
    budget = _budget(scene)
    behind = scene.cache.get("latency-turn", False)  # the stages have their turn
    rows = _rows(scene, [0] if behind else budget)
    spent = budget[0] <= 0
    selected = TABLE.selected(scene, rows)
    below = _stages(scene, selected["_group"], width, budget) if selected is not None else []
    scene.cache["latency-turn"] = spent
    scene.cache["latency-behind"] = spent or behind or budget[0] <= 0
    room = max(3, min(len(rows) + 1, height - len(below)))
    out = TABLE.lines(scene, rows, width, min(room, height)) + below
    return [*out, *([fit_line([], width)] * (height - len(out)))][:height]


def lags(scene: Scene) -> bool:
    """True while the figures that were painted last are not all of the window."""
    return bool(scene.cache.get("latency-behind"))


def _stages(scene: Scene, group: _Group, width: int, budget: list[int]) -> list[Line]:
    now = _window(scene)
    meaning = 29 if width >= 130 else 0
    columns = max(0, width - 9 - 7 - 8 * 5 - meaning - 2)
    begin, _ = scene.view.window(scene.model, 10)
    title = "stage" if window_begin(scene) == begin else f"last {EVENTS // 1000}k"
    text = fit(title, 9) + fit("from-to", meaning) + fit("jobs", 7, ">")
    text += "".join(fit(what, 8, ">") for what in ("mean", "p50", "p90", "p99", "max"))
    out = [fit_line([(f"{text}  {_scale(columns)}", "head")], width, "head")]
    for stage in STAGES:
        window, lengths, of = figures(scene, group, stage, budget)
        name = fit(stage + ("" if window == now else " ~"), 9) + fit(MEANING[stage], meaning)
        line: Line = [(name, "accent"), (fit(str(of.count), 7, ">"), "" if of.count else "dim")]
        values = (int(of.mean), of.p50, of.p90, of.p99, of.max)
        for value in values:
            line.append((fit(short(value) if of.count else "-", 8, ">"), ""))
        line += [("  ", ""), (plot(scene, lengths, columns), "gauge")]
        out.append(fit_line(line, width))
    return out


def _scale(columns: int) -> str:
    """The plots' axis: a label at each power of ten that has room."""
    line = [" "] * columns
    for power in range(int(LOW), int(HIGH)):
        x = int((power - LOW) * columns / (HIGH - LOW))
        text = short(10**power).replace(".00", "").replace(".0", "")
        if x + len(text) < columns and all(c == " " for c in line[max(0, x - 1) : x + len(text)]):
            line[x : x + len(text)] = text
    return "".join(line)


SCREEN = Screen(paint, data, TABLE)
