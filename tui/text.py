# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Lines of a terminal as runs of equally styled text.

A screen is a list of lines, a line a list of spans: (text, name of its style). Screens are made by
plain functions of what the model says, so the widget, the export and the tests share them; only
`tui.theme` knows what a style looks like. Names of styles join with "+": "bad+select".

What comes from a trace may hold anything. `clean()` makes each control character a question mark,
so that a name cannot move the cursor of the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
Line = list[Span]


def clean(text: str) -> str:
    """The text without characters that a terminal would act on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)


def width_of(text: str) -> int:
    """How many columns the text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, align: str = "<", ellipsis: str = "~") -> str:
    """The text in exactly `width` columns, cut with an ellipsis or padded."""
    if width <= 0:
        return ""
    if not text.isascii():
        if cell_len(text) > width:
            return set_cell_size(text, width - 1) + ellipsis
        pad = " " * (width - cell_len(text))
    elif len(text) > width:
        return text[: width - 1] + ellipsis
    else:
        pad = " " * (width - len(text))
    return pad + text if align == ">" else text + pad


def line_width(line: Iterable[Span]) -> int:
    """How many columns the line takes."""
    return sum(width_of(text) for text, _ in line)


def fit_line(line: Line, width: int, style: str = "") -> Line:
    """The line in exactly `width` columns, cut or padded with `style`."""
    out: Line = []
    left = width
    for text, name in line:
        size = width_of(text)
        if size > left:
            if left:
                out.append((fit(text, left), name))
            return out
        out.append((text, name))
        left -= size
    if left:
        out.append((" " * left, style))
    return out


def cut(line: Line, width: int) -> Line:
    """The first `width` columns of a line, however they fall."""
    out: Line = []
    for text, name in line:
        size = width_of(text)
        if size >= width:
            if width:
                out.append((text[:width] if text.isascii() else set_cell_size(text, width), name))
            return out
        out.append((text, name))
        width -= size
    return out


def fit_tail(text: str, width: int, ellipsis: str = "~") -> str:
    """Like `fit()`, but of a long text the end stays: `drm-moc~@7`. Names differ at their ends."""
    if width < 8 or width_of(text) <= width:
        return fit(text, width, "<", ellipsis)
    base, at, device = text.rpartition("@")
    if not at or not text.isascii():
        return fit(text, width - 4, "<", ellipsis) + fit(text[-4:], 4)
    device = device[: width - 1 - min(3, len(base))]
    return fit(base, width - 1 - len(device), "<", ellipsis) + at + device


def styled(line: Line, style: str) -> Line:
    """The line with another style joined to each of its spans."""
    return [(text, f"{name}+{style}" if name else style) for text, name in line]


def plain_text(line: Line) -> str:
    """The line without styles."""
    return "".join(text for text, _ in line)


def seconds(ns: int) -> str:
    """A moment, in seconds since boot: `12.482913`."""
    return f"{ns / 1e9:.6f}"


def short(ns: float | None) -> str:
    """A length of time in at most seven columns: `812ns`, `3.4us`, `12.1ms`, `2.35s`; "-"."""
    if ns is None:
        return "-"
    value = abs(ns)
    sign = "-" if ns < 0 else ""
    if value < 999.5:
        return f"{sign}{value:.0f}ns"
    for limit, size, unit in ((999.95e3, 1e3, "us"), (999.95e6, 1e6, "ms"), (1e14, 1e9, "s")):
        if value < limit:
            digits = 2 if value < 10 * size else 1 if value < 1000 * size else 0
            return f"{sign}{value / size:.{digits}f}{unit}"
    return f"{sign}{value / 1e9:.0f}s"
