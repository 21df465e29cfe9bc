# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's threads and where in the kernel each stands; work items. Only a running port has them.

Threads that tell nothing come last: first those that want a lock, then those that run.
"""

from __future__ import annotations

from kport.trace.snapshot import Port
from tui.scene import Scene
from tui.screens.base import Screen
from tui.table import Column, Row, Table
from tui.text import Line, clean, fit, fit_line, short

_STATES = {"pending": "warn", "running": "good", "delayed": "dim"}


def data(scene: Scene) -> list[Row]:
    """The threads as rows."""
    port = scene.port
    if port is None:
        return []
    rows = [
        {
            "thread": thread.name,
            "pid": thread.pid,
            "kind": thread.kind,
            "state": thread.state,
            "cpu": thread.cpu,
            "function": thread.function,
            "place": thread.place,
            "held": " ".join(thread.held),
            "wanted": thread.wanted,
            "_id": (thread.pid, thread.name),
        }
        for thread in port.threads
    ]
    return sorted(rows, key=lambda row: (not row["wanted"], not row["held"]))


def _file(place: str) -> str:
    """`dma-fence.c:812`: the file without its folders."""
    return place.rsplit("/", 1)[-1]


TABLE = Table(
    "threads",
    (
        Column("thread", 16, grows=True),
        Column("pid", 6, right=True, rank=3),
        Column("kind", 7, rank=5),
        Column("state", 8, rank=1),
        Column("cpu", 3, right=True, rank=6),
        Column("function", 20, grows=True, style=lambda row: "accent"),
        Column("place", 20, _file, rank=2, grows=True),
        Column("held", 14, rank=4, grows=True, style=lambda row: "warn"),
        Column("wanted", 12, rank=1, grows=True, style=lambda row: "bad"),
    ),
    "the port has told of no thread yet",
)


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """Threads above, work items below."""
    port = scene.port
    if port is None:
        text = "threads, locks and work items are known of a running port only"
        head = fit_line([("threads", "head")], width, "head")
        out = [head, fit_line([(text, "dim")], width)]
        return [*out, *([fit_line([], width)] * (height - len(out)))][:height]
    below = _works(port, width)[: max(0, height // 3)] if port.works else []
    return TABLE.lines(scene, data(scene), width, height - len(below)) + below


def _works(port: Port, width: int) -> list[Line]:
    column = max(10, (width - 20) // 3)
    head = fit("work item", column) + fit("queue", column) + fit("state", 10) + "worker"
    out = [fit_line([(head, "head")], width, "head")]
    order = {"running": 0, "pending": 1, "delayed": 2}
    for work in sorted(port.works, key=lambda w: (order.get(w.state, 3), w.left_ns or 0)):
        tail = f"in {short(work.left_ns)}" if work.left_ns is not None else clean(work.worker)
        out.append(
            fit_line(
                [
                    (fit(clean(work.function), column - 1) + " ", "accent"),
                    (fit(clean(work.queue), column - 1) + " ", ""),
                    (fit(work.state, 10), _STATES.get(work.state, "")),
                    (tail, "dim"),
                ],
                width,
            )
        )
    return out


SCREEN = Screen(paint, data, TABLE)
