# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The lanes of the rings: what ran when, with the state of each ring beside it.

A ring has one row, or more where there is room: the time at the ring's head first, then a row for
each slot, that is for each job that was on the hardware beside others. While the view stands at a
moment before the end, what comes after it is drawn as shades.
"""

from __future__ import annotations

from collections.abc import Sequence

from kport.trace.snapshot import Ring, RingKey, Segment
from tui.lanes import LanePainter
from tui.scene import Scene
from tui.screens.base import Screen, choose_job
from tui.scroll import LaneStore
from tui.table import Row
from tui.text import Line, fit, fit_line, fit_tail, short, styled
from tui.theme import CLIENT_COLOURS

_STATES = {
    "running": ("run", "good"),
    "stopped": ("STOP", "bad"),
    "parked": ("park", "warn"),
    "resetting": ("RSET", "bad"),
    "gone": ("gone", "dim"),
}


def label_width(width: int) -> int:
    """How much of the panel's width the labels take."""
    return 54 if width >= 160 else 40 if width >= 104 else 28


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """Ruler and lanes. Notes in the scene's cache where the rings are, for clicks."""
    lanes, view = scene.lanes, scene.view
    label = min(label_width(width), max(0, width - 10))
    columns = max(1, width - label)
    begin, end = view.window(scene.model, columns)
    out = [_ruler(scene, label, columns, begin, end)]
    rows = _layout(scene, height - 1)
    scene.cache["lanes"] = (rows, label, columns, begin, end)
    if not lanes:
        text = "no ring yet" if not scene.model.rings() else "every lane is hidden: H shows them"
        out.append(fit_line([(text, "dim")], width))
    known = {ring.key: ring for ring in scene.snapshot.rings}
    selected = view.current_ring(scene.model)
    for key, line, slot in rows:
        ring = known.get(key) or Ring(key)
        left = fit_line(_label(scene, ring, label, line), label)
        if key == selected and line == 0:
            left = styled(left, "select")
        out.append(left + _lane(scene, key, slot, columns, begin, end))
    return [*out, *([fit_line([], width)] * (height - len(out)))][:height]


def rows_wanted(scene: Scene) -> int:
    """How many rows show everything there is to see of the rings, with the ruler."""
    slots = [scene.model.slots(ring) for ring in scene.lanes]
    return 1 + sum(1 + (count if count > 1 else 1) for count in slots)


def _layout(scene: Scene, room: int) -> list[tuple[RingKey, int, int | None]]:
    """(ring, number of the row in it, slot or None for the head) of each row there is room for."""
    lanes, view, model = scene.lanes, scene.view, scene.model
    if not lanes or room < 1:
        return []
    each = max(1, room // len(lanes))
    blocks = []
    for ring in lanes:
        slots = model.slots(ring)
        rows: list[tuple[RingKey, int, int | None]] = [(ring, 0, None)]
        if each > 1:
            more = slots if slots > 1 else 0
            rows += [(ring, 1 + slot, slot) for slot in range(min(more, each - 1))]
            if len(rows) == 1:
                rows.append((ring, 1, -1))
        blocks.append(rows)
    current = view.current_ring(model)
    fit_in = max(1, room // max(1, max(len(block) for block in blocks)))
    index = lanes.index(current) if current in lanes else 0
    top = max(0, min(view.lane_top, len(lanes) - fit_in))
    top = max(min(top, index), index - fit_in + 1, 0)
    view.lane_top = top
    return [row for block in blocks[top:] for row in block][:room]


def _ruler(scene: Scene, label: int, columns: int, begin: int, end: int) -> Line:
    """The time axis: a tick every so often, the cursor and the markers."""
    glyphs, view = scene.glyphs, scene.view
    span = max(1, end - begin)
    line: list[tuple[str, str]] = [(glyphs.ruler, "rule")] * columns
    step = 10 ** len(str(max(1, span * 14 // columns)))
    while step // 2 * columns >= span * 14 and step > 2:
        step //= 2
    tick = begin // step * step + step
    digits = max(0, min(6, 9 - len(str(step)) + (1 if str(step)[0] == "1" else 2)))
    while tick < end:
        x = (tick - begin) * columns // span
        text = f"{glyphs.tick}{tick / 1e9:.{digits}f}"
        for offset, char in enumerate(text[: columns - x]):
            line[x + offset] = (char, "rule" if not offset else "dim")
        tick += step
    for at, char, style in [
        *((ns, name, "mark") for name, ns in sorted(view.marks.items())),
        *([(scene.now, glyphs.cursor, "cursor")] if view.at is not None else []),
    ]:
        if begin <= at < end:
            line[(at - begin) * columns // span] = (char, style)
    distance = view.distance()
    if distance is not None:
        text = f"A{glyphs.arrow}B {short(distance)}"
    else:
        text = _span(scene, span, label)
    return fit_line([(fit(text, label), "mark" if distance is not None else "dim")], label) + line


def _span(scene: Scene, span: int, width: int) -> str:
    what = "entities" if scene.by_entity else "clients"
    way = "run to done" if scene.view.convention == "run" else "ring head"
    text = f"{short(span)} {scene.glyphs.dot} {way}"
    return text if width < 40 else f"{text} {scene.glyphs.dot} {what}"


def _lane(scene: Scene, key: RingKey, slot: int | None, columns: int, begin: int, end: int) -> Line:
    if slot is not None and slot < 0:
        return fit_line([], columns)
    model, view = scene.model, scene.view
    painter = LanePainter(scene.glyphs, scene.indexer, view.job, not key.dev)
    convention = view.convention if slot is None else "run"

    def drawn(begin: int, end: int, columns: int) -> tuple[Line, list[Segment]]:
        part = model.lane(key, begin, end, columns, at=view.at, convention=convention, slot=slot)
        return painter.draw(part, columns), part

    if view.at is None and view.right is None:
        store: LaneStore = scene.cache.setdefault("lane-store", LaneStore())
        look = convention, view.job, scene.by_entity, len(scene.numbers), scene.glyphs.name
        settled = model.time_of(model.log.end - 1)
        return store.line((key, slot), look, (begin, end), columns, settled, drawn)
    span = end - begin
    edge = (scene.now - begin) * columns // max(1, span) + 1
    if view.at is None or view.at >= model.log.end - 1 or edge >= columns:
        return drawn(begin, end, columns)[0]
    edge = max(0, edge)
    middle = begin + span * edge // columns
    rest = model.lane(key, middle, end, columns - edge, convention=convention, slot=slot)
    line = drawn(begin, middle, edge)[0] if edge else []
    return line + _future(scene, rest, columns - edge)


def _future(scene: Scene, segments: Sequence[Segment], columns: int) -> Line:
    """What comes after the moment: shades in the colours of the bars."""
    out: Line = []
    append, indexer, shade = out.append, scene.indexer, scene.glyphs.shades[0]
    x = 0
    for segment in segments:
        first, last = segment.start >> 3, (segment.end + 7) >> 3
        if first < x:
            first = x
        if last > columns:
            last = columns
        if last <= first:
            continue
        if first > x:
            append((" " * (first - x), ""))
        append((shade * (last - first), f"c{indexer(segment) % CLIENT_COLOURS}"))
        x = last
    if x < columns:
        append((" " * (columns - x), ""))
    return out


# -- labels --------------------------------------------------------------------------------------


def _label(scene: Scene, ring: Ring, width: int, line: int) -> Line:
    if line == 1:
        tdr = f" TDR {short(ring.tdr_left_ns)}" if ring.tdr_left_ns is not None else ""
        head = scene.job_name(ring.head) or "-"
        if width < 40:
            return [(f"  {head}{tdr} {ring.finished} done", "warn" if tdr else "dim")]
        text = f"  head {head}{tdr} done {ring.finished}"
        return [(text, "warn" if tdr else "dim")]
    if line > 1:
        return [(f"  slot {line - 1}", "dim")]
    if width < 40:
        return _narrow(scene, ring)
    pin = "*" if ring.key in scene.view.pinned else " "
    name = fit_tail(scene.ring_name(ring.key), 18 if width > 45 else 12, scene.glyphs.ellipsis)
    out: Line = [(pin, "warn"), (name, ""), (" ", ""), _state(ring, 5)]
    if width > 45:
        out += _gauge(scene, ring, 5)
    else:
        out.append((fit(_credits(ring), 6), ""))
    busy = f"{ring.busy_pct:3.0f}%"
    out.append((f"{busy} ", "good" if ring.busy_pct >= 1 else "dim"))
    out.append((fit(f"r{ring.running} w{ring.waiting}", 9), ""))
    return out


def _narrow(scene: Scene, ring: Ring) -> Line:
    name = fit_tail(scene.ring_name(ring.key), 9, scene.glyphs.ellipsis)
    return [
        ("*" if ring.key in scene.view.pinned else " ", "warn"),
        (name + " ", ""),
        _state(ring, 4),
        (f"{ring.busy_pct:3.0f}% ", "good" if ring.busy_pct >= 1 else "dim"),
        (fit(f"{ring.running}+{ring.waiting}", 7), ""),
    ]


def _state(ring: Ring, width: int) -> tuple[str, str]:
    word, style = _STATES.get(ring.state, ("busy", "good") if ring.running else ("idle", "dim"))
    return fit(word, width), style


def _credits(ring: Ring) -> str:
    if ring.credits is None:
        return ""
    return f"{ring.credits}/{ring.credit_limit}" if ring.credit_limit else f"{ring.credits}"


def _gauge(scene: Scene, ring: Ring, width: int) -> Line:
    glyphs = scene.glyphs
    text = fit(f"cr {_credits(ring) or '-'}", 9)
    if ring.credits is None or not ring.credit_limit:
        return [(text + " " * (width + 1), "dim")]
    full = min(width, -(-ring.credits * width // ring.credit_limit))
    style = "warn" if ring.credits >= ring.credit_limit else "gauge"
    return [
        (text, ""),
        (glyphs.gauge * full, style),
        (glyphs.empty * (width - full), "rule"),
        (" ", ""),
    ]


def data(scene: Scene) -> list[Row]:
    """The rings as rows."""
    return [
        {
            "ring": scene.ring_name(ring.key),
            "state": ring.state,
            "running": ring.running,
            "waiting": ring.waiting,
            "finished": ring.finished,
            "busy_pct": round(ring.busy_pct, 1),
            "credits": ring.credits,
            "credit_limit": ring.credit_limit,
            "tdr_left_ns": ring.tdr_left_ns,
            "head": scene.job_name(ring.head),
            "tail": scene.job_name(ring.tail),
            "_ring": ring.key,
            "_job": ring.head,
        }
        for ring in scene.snapshot.rings
    ]


SCREEN = Screen(paint, data, choose=choose_job)
