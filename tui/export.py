# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The visible window as a file: SVG, text, JSON. They show the same, as they share the lines.

The SVG names no font that would have to be fetched; each span says how long it is, so that columns
stay columns in any monospaced font.
"""

from __future__ import annotations

import json
import os
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from kport.trace.snapshot import plain
from tui.frame import frame
from tui.scene import Scene
from tui.screens import SCREENS
from tui.text import Line, plain_text, width_of
from tui.theme import Theme, theme_of

CELL_WIDTH, CELL_HEIGHT, FONT = 8.4, 18, 14

# Characters that are drawn: left, top, width and height in cells, opacity.
_BLOCKS: dict[str, tuple[float, float, float, float, float]] = {
    **{char: (0, 0, eighths / 8, 1, 1) for eighths, char in enumerate("▏▎▍▌▋▊▉█", 1)},
    **{char: (0, 1 - eighths / 8, 1, eighths / 8, 1) for eighths, char in enumerate("▁▂▃▄▅▆▇", 1)},
    **dict(zip("░▒▓", [(0, 0, 1, 1, dense) for dense in (0.3, 0.55, 0.8)], strict=True)),
    "│": (0.42, 0, 0.16, 1, 1),
}


def text_of(lines: list[Line]) -> str:
    """The lines without colours, and without blanks at their ends."""
    return "".join(plain_text(line).rstrip() + "\n" for line in lines)


def svg_of(lines: list[Line], theme: Theme) -> str:
    """The lines as an SVG image."""
    columns = max((sum(width_of(text) for text, _ in line) for line in lines), default=1)
    width, height = columns * CELL_WIDTH, len(lines) * CELL_HEIGHT
    out = [
        (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height}" '
        f'width="{width:.1f}" height="{height}" font-size="{FONT}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" xml:space="preserve">'),
        f'<rect width="100%" height="100%" fill="{theme.ground}"/>',
    ]
    for y, line in enumerate(lines):
        out += _row(line, y, theme)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def _row(line: Line, y: int, theme: Theme) -> list[str]:
    grounds, texts = [], []
    x = 0.0
    for text, name in line:
        size = width_of(text) * CELL_WIDTH
        style = theme.style(name)
        ground = style.bgcolor.get_truecolor().hex if style.bgcolor is not None else theme.ground
        if ground != theme.ground:
            grounds.append(
                f'<rect x="{x:.1f}" y="{y * CELL_HEIGHT}" width="{size + 0.2:.1f}" '
                f'height="{CELL_HEIGHT}" fill="{ground}"/>'
            )
        ink = style.color.get_truecolor().hex if style.color is not None else theme.ink
        for blocks, part in groupby(text, _BLOCKS.__contains__):
            run = "".join(part)
            wide = width_of(run) * CELL_WIDTH
            if blocks:
                grounds += _blocks(run, x, y, ink)
            elif run.strip():
                bold = ' font-weight="bold"' if style.bold else ""
                texts.append(
                    f'<text x="{x:.1f}" y="{y * CELL_HEIGHT + FONT}" fill="{ink}"{bold} '
                    f'textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs">{escape(run)}</text>'
                )
            x += wide
    return grounds + texts


def _blocks(text: str, x: float, y: int, ink: str) -> list[str]:
    """Block characters as rectangles: fonts draw them with seams."""
    out = []
    for char, part in groupby(text):
        count = len(list(part))
        left, top, wide, high, dense = _BLOCKS[char]
        each = [(x, count)] if wide == 1 else [(x + n * CELL_WIDTH, 1) for n in range(count)]
        for start, cells in each:
            out.append(
                f'<rect x="{start + left * CELL_WIDTH:.2f}" y="{(y + top) * CELL_HEIGHT:.2f}" '
                f'width="{cells * wide * CELL_WIDTH:.2f}" height="{high * CELL_HEIGHT:.2f}" '
                f'fill="{ink}"' + (f' fill-opacity="{dense}"/>' if dense < 1 else "/>")
            )
        x += count * CELL_WIDTH
    return out


def json_of(scene: Scene) -> dict[str, Any]:
    """The moment and the rows of the screen: stable keys, times in ns."""
    view = scene.view
    begin, end = view.window(scene.model, 1000)
    screen = SCREENS[view.screen]
    rows = screen.data(scene)
    if screen.table is not None:
        rows, _ = screen.table.arrange(scene, rows)
    return {
        "source": scene.source.name,
        "state": scene.source.state,
        "screen": view.screen,
        "ts": scene.now,
        "event": scene.snapshot.event,
        "window": [begin, end],
        "markers": view.marks,
        "rows": [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows],
        "rings": plain(scene.snapshot.rings),
        "jobs": plain(scene.snapshot.jobs),
        "why": plain(scene.model.why(scene.job, view.at)) if scene.job is not None else [],
    }


def save_all(scene: Scene, width: int, height: int) -> str:
    """Write kport-TIME.svg, .txt and .json; returns what to say of it."""
    name = f"kport-{scene.view.screen}-{scene.now / 1e9:.6f}"
    lines = frame(scene, width, height)
    files = {
        ".svg": svg_of(lines, theme_of(scene.view.theme)),
        ".txt": text_of(lines),
        ".json": json.dumps(json_of(scene), indent=2) + "\n",
    }
    try:
        for suffix, text in files.items():
            with open(name + suffix, "w", encoding="utf-8") as out:
                out.write(text)
    except OSError as error:
        return f"not written: {error}"
    return f"written: {name}.svg .txt .json in {os.getcwd()}"
