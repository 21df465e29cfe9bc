# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Whole frames of a known trace at three sizes, as text, against files.

After a change that is meant, remake them with KPORT_FRAMES=write and look at the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kport.trace.events import Event
from kport.trace.model import Model
from kport.trace.snapshot import Port, Ring, RingKey
from tests.tui.app import recording_view
from tests.tui.load import DMA, GFX, MS, START, Trace, live_model, model, port
from tui.frame import frame
from tui.glyphs import ASCII, UNICODE
from tui.scene import Source, scene_of
from tui.text import line_width, plain_text
from tui.view import SCREENS, View

FRAMES = Path(__file__).parent / "frames"
SIZES = [(80, 24), (120, 40), (200, 60)]


def lines_of(made, view, size, **more):
    scene = scene_of(made, view, **more)
    scene.cache["patient"] = True
    return frame(scene, *size)


def same_as_file(name, lines):
    text = "".join(plain_text(line).rstrip() + "\n" for line in lines)
    file = FRAMES / f"{name}.txt"
    if os.environ.get("KPORT_FRAMES") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_recording(screen, size):
    made = model()
    view = recording_view(made)
    view.screen = screen
    lines = lines_of(made, view, size, source=Source("by hand"))
    assert [line_width(line) for line in lines] == [size[0]] * size[1]
    same_as_file(f"recording-{screen}-{size[0]}x{size[1]}", lines)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("screen", ["rings", "queues", "why", "dmesg", "threads"])
def test_a_port(screen, size):
    view = View(screen=screen, span=20 * MS)
    source = Source("a port", "LIVE", live=True, badge="observer 1.5%")
    lines = lines_of(live_model(), view, size, source=source, dmesg=port().dmesg)
    assert [line_width(line) for line in lines] == [size[0]] * size[1]
    same_as_file(f"port-{screen}-{size[0]}x{size[1]}", lines)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=lambda g: g.name)
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("size", [(20, 5), (40, 12), (79, 23), (81, 9), (300, 100)], ids=str)
def test_any_size_is_filled_exactly(screen, size, glyphs):
    for made, view in ((model(), View(at=300)), (live_model(), View(span=20 * MS))):
        view.screen = screen
        lines = lines_of(made, view, size, glyphs=glyphs)
        assert [line_width(line) for line in lines] == [size[0]] * size[1]
        if glyphs is ASCII:
            assert all(plain_text(line).isascii() for line in lines)


def test_a_name_cannot_move_the_cursor():
    made = model()
    evil = [e._replace(ts=e.ts + 200 * MS, comm="\x1b[2J\n\x07") for e in made.log.slice(0, 40)]
    made.feed(evil)
    made.settle()
    for screen in SCREENS:
        view = recording_view(made)
        view.screen = screen
        for line in lines_of(made, view, (200, 60)):
            assert plain_text(line).isprintable()


@pytest.mark.parametrize(
    ("devices", "names"),
    [
        (["a-0", "b-1"], ["gfx@0", "gfx@1"]),
        (["0000:03:00.0", "0000:04:00.0"], ["gfx@03:00.0", "gfx@04:00.0"]),
        (["t1.mock-7", "t2.mock-8", "t3.mock-9"], ["gfx@7", "gfx@8", "gfx@9"]),
        (["0000:03:00.0"], ["gfx"]),
    ],
)
def test_rings_of_the_same_name_are_told_apart(devices, names):
    trace = Trace()
    for number, dev in enumerate(devices):
        trace.job(RingKey(dev, "gfx"), (11 + 2 * number, 1), 1, number, number + 1, number + 2)
    made = Model()
    made.feed(sorted(trace.events, key=lambda event: event.ts))
    made.settle()
    scene = scene_of(made, recording_view(made))
    assert [scene.ring_name(RingKey(dev, "gfx")) for dev in devices] == names


def test_the_log_ends_at_the_moment():
    made = live_model()
    view = View(screen="dmesg", at=len(made.log) - 1)
    before = lines_of(made, view, (120, 40), dmesg=port().dmesg)
    assert "ring gfx timeout" not in "".join(map(plain_text, before))  # it comes 1 ms later
    view.at = None
    after = lines_of(made, view, (120, 40), dmesg=port().dmesg)
    assert "ring gfx timeout" in "".join(map(plain_text, after))


def test_a_port_of_an_old_kernel_has_each_ring_once():
    """Its events do not tell the device, the port does."""
    made = Model()
    made.feed(
        [
            Event(START, "game", 7, 0, ".....", "drm_sched_job", ("1fe6", 17, "9e37", "gfx", 0, 0)),
            Event(START + MS, "w", 8, 0, ".....", "drm_run_job", ("1fe6", 17, "9e37", "gfx", 0, 1)),
        ]
    )
    made.settle()
    told = Ring(GFX, "running", credits=1, credit_limit=4)
    made.add_port(Port(ts=START + 2 * MS, rings=(told, Ring(DMA, "stopped"))))
    assert made.rings() == (RingKey("", "gfx"), DMA)
    shown = {ring.key.ring: ring for ring in made.snapshot().rings}
    assert (shown["gfx"].credit_limit, shown["gfx"].running) == (4, 1)
    text = "".join(map(plain_text, lines_of(made, View(span=4 * MS), (120, 40))))
    assert "head #17" in text
    assert text.count("gfx ") == 2  # its lane and its entity
