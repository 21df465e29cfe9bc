# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What `kport monitor` calls: the monitor on a terminal, and one picture without a terminal."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TextIO

from kport.trace.client import Attachment, Spawned
from kport.trace.model import Model
from tui import settings
from tui.app import MonitorApp
from tui.export import svg_of, text_of
from tui.feed import Feed, RecordingFeed
from tui.frame import frame
from tui.gate import Gate
from tui.glyphs import UNICODE, for_encoding
from tui.here import HereFeed
from tui.port import LoggedModel, PortFeed
from tui.scene import Source, scene_of
from tui.theme import theme_of
from tui.view import SCREENS, View

LIVE_SPAN = 1_000_000_000  # ns
VIRT_SPAN = 50_000_000
LAST_WORDS = 5.0  # s that a port has to print its figures


def show(
    feed: Feed, *, screen: str | None = None, at: int | None = None, span: int | None = None
) -> None:
    """Run the monitor of a feed until it is left. `at` is the event to begin at."""
    view = View(span=LIVE_SPAN)
    message = settings.load(view)
    view.span = view.span if span is None else span
    if screen is not None:
        view.screen = screen
    if not feed.source().live:
        view.at = feed.model.log.end - 1
        view.show_all(feed.model)
    if at is not None:
        view.go_to(feed.model, at)
    glyphs = for_encoding(getattr(sys.__stderr__, "encoding", None))
    if glyphs is not UNICODE and sys.__stderr__ is not None:
        _forgive(sys.__stderr__)
    with _few_collections():
        MonitorApp(feed, view, glyphs=glyphs, message=message).run()


@contextmanager
def _few_collections() -> Iterator[None]:
    """No garbage collection over the whole history: it takes longer than several frames.

    What is young is collected as ever. The old generation is looked at when the model has forgotten
    a part of its history (see `tui.port`), which is when there is something to be had.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds[:2], 1_000_000)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _forgive(stream: TextIO) -> None:
    """What the terminal cannot show becomes a question mark instead of an error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def show_recording(model: Model, name: str, *, screen: str | None, at: int | None) -> None:
    """Run the monitor on a recording that was read."""
    show(RecordingFeed(model, name), screen=screen, at=at)


def show_port(port: Attachment, name: str, *, screen: str | None) -> str:
    """Run the monitor on a port; returns what a spawned one printed, to be printed now.

    A spawned port that still runs is asked to end, as by Ctrl-C: it prints the figures so far.
    """
    feed = PortFeed(port, name)
    show(feed, screen=screen)
    if not isinstance(port, Spawned):
        return ""
    end = monotonic() + LAST_WORDS
    if port.process.poll() is None and not feed.ended:
        port.process.send_signal(signal.SIGINT)
    while port.process.poll() is None and monotonic() < end:
        port.poll(feed.model, 0.05)
        sleep(0.02)
    return port.output()


def show_here(
    port: Attachment, name: str, *, screen: str | None, gate: Gate | None = None
) -> None:
    """Run the monitor on a port in this process."""
    show(HereFeed(port, name, gate), screen=screen, span=VIRT_SPAN if gate is not None else None)


def picture(
    model: Model,
    name: str,
    *,
    screen: str = "rings",
    at: int | None = None,
    size: tuple[int, int] = (120, 40),
    theme: str = "dark",
    span: int | None = None,
    svg: bool = True,
) -> str:
    """One frame of a model as SVG, or as text. `at` is an event, None for the end.

    The window is `span` ns wide, or holds everything.
    """
    view = View(screen=screen, theme=theme, at=model.log.end - 1 if at is None else at)
    view.show_all(model)
    if span is not None:
        view.span = span
        view.right = view.now(model) + (span // 2 if at is not None else 0)
    dmesg = tuple(model.lines) if isinstance(model, LoggedModel) else ()
    scene = scene_of(model, view, source=Source(name, notes=tuple(model.notes)), dmesg=dmesg)
    scene.cache["patient"] = True
    lines = frame(scene, *size)
    return svg_of(lines, theme_of(theme)) if svg else text_of(lines)


__all__ = ["SCREENS", "picture", "show", "show_here", "show_port", "show_recording"]
