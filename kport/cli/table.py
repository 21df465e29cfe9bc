# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Plain text tables: a title, a line of headers, aligned columns, two blanks between them.

The first column holds names and is aligned to the left; it gives way when the table is too wide.
"""

from __future__ import annotations

from collections.abc import Sequence

from kport.cli.terminal import Style

Cell = str | tuple[str, str]  # text, or text and a colour
GAP = "  "


def shorten(text: str, size: int, tail: int | None = None) -> str:
    """The text cut to `size` characters, of which `tail` are its end, by default two fifths."""
    if len(text) <= size:
        return text
    if tail is None:
        tail = size - 2 - max(1, (size - 2) * 3 // 5)
    tail = max(0, min(tail, size - 3))
    return text[: size - 2 - tail] + ".." + text[len(text) - tail :]


def shorten_all(texts: Sequence[str], size: int) -> list[str]:
    """The texts cut so that they can be told apart, if they can, with as short an end as does."""
    shortened: list[str] = []
    for tail in range(3, size // 2 + 1):
        shortened = [shorten(text, size, tail) for text in texts]
        if len(set(shortened)) == len(set(texts)):
            return shortened
    return [shorten(text, size) for text in texts]


def table(
    title: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int,
    style: Style,
) -> list[str]:
    """The lines of a table of at most `width` columns, as far as its numbers allow."""
    texts = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in rows]
    sizes = [
        max(len(header), *(len(row[column]) for row in texts)) if texts else len(header)
        for column, header in enumerate(headers)
    ]
    sizes[0] = max(8, min(sizes[0], width - sum(sizes[1:]) - len(GAP) * (len(sizes) - 1)))
    lines = [style(title, "bold"), style(_line(headers, sizes), "dim")]
    names = shorten_all([text[0] for text in texts], sizes[0])
    for row, text, name in zip(rows, texts, names, strict=True):
        text[0] = name
        cells = [text[0].ljust(sizes[0])]
        cells += [value.rjust(size) for value, size in zip(text[1:], sizes[1:], strict=True)]
        for column, cell in enumerate(row):
            if not isinstance(cell, str):
                cells[column] = style(cells[column], cell[1])
        lines.append(GAP.join(cells).rstrip())
    return lines


def _line(values: Sequence[str], sizes: Sequence[int]) -> str:
    cells = [values[0].ljust(sizes[0])]
    cells += [value.rjust(size) for value, size in zip(values[1:], sizes[1:], strict=True)]
    return GAP.join(cells).rstrip()


def number(value: float) -> str:
    """A number with three digits that count, never in powers of ten."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
