# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`cdiff show --html`: the side-by-side view as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tools.cdiff.show import MARKS, MEANING, Band, Numbered, View

_STYLE = """
:root { color-scheme: light dark; --dim: #777; --rule: #dff1f5; --pinned: #fbf0d2;
  --different: #f8d7d7; --line: #ddd; }
@media (prefers-color-scheme: dark) { :root { --dim: #999; --rule: #173a41; --pinned: #41361a;
  --different: #4c2020; --line: #444; } }
body { font: 14px system-ui, sans-serif; margin: 1.5em; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; margin-bottom: 2.5em; }
td { font: 12px/1.45 ui-monospace, monospace; white-space: pre-wrap; vertical-align: top;
  overflow-wrap: anywhere; padding: 0 .5em; }
td.n { color: var(--dim); text-align: right; width: 3.2em; padding: 0 .2em; }
td.m { width: 1.2em; text-align: center; color: var(--dim); }
tbody + tbody { border-top: 1px solid var(--line); }
th { text-align: left; font-weight: 600; padding: .3em .5em; }
.rule { background: var(--rule); }
.pinned { background: var(--pinned); }
.different { background: var(--different); }
.key span { padding: .1em .5em; margin-right: .5em; }
"""


def _cells(item: Numbered | None) -> str:
    if item is None:
        return '<td class="n"></td><td></td>'
    return f'<td class="n">{item[0]}</td><td>{escape(item[1])}</td>'


def _band(band: Band) -> Iterator[str]:
    height = max(len(band.left), len(band.right))
    if not height:
        return
    yield f'<tbody class="{band.state}" title="{escape(band.note, quote=True)}">'
    for number in range(height):
        left = band.left[number] if number < len(band.left) else None
        right = band.right[number] if number < len(band.right) else None
        mark = MARKS.get(band.state, "") if number == 0 else ""
        yield f'<tr>{_cells(left)}<td class="m">{mark}</td>{_cells(right)}</tr>'
    yield "</tbody>"


def _view(made: View) -> Iterator[str]:
    counts = ", ".join(f"{count} {state}" for state, count in made.counts.items() if count)
    yield f'<h2 id="{escape(made.name)}">{escape(made.name)}</h2>'
    yield f"<p>{escape(counts or 'no statements')}</p>"
    yield "<table><thead><tr>"
    yield f'<th class="n" style="width:3.2em"></th><th>{escape(made.left)}</th>'
    yield '<th style="width:1.2em"></th>'
    yield f'<th class="n" style="width:3.2em"></th><th>{escape(made.right)}</th>'
    yield "</tr></thead>"
    for band in made.bands:
        yield from _band(band)
    yield "</table>"


def page(views: Sequence[View]) -> str:
    """The whole page."""
    title = views[0].name if len(views) == 1 else f"{len(views)} functions"
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>cdiff: {escape(title)}</title><style>{_STYLE}</style></head><body>",
        '<p class="key">',
        *(f'<span class="{state}">{MARKS[state]} {MEANING[state]}</span>' for state in MARKS),
        "</p>",
    ]
    if len(views) > 1:
        links = (f'<a href="#{escape(made.name)}">{escape(made.name)}</a>' for made in views)
        parts.append(f"<p>{', '.join(links)}</p>")
    for made in views:
        parts.extend(_view(made))
    parts.append("</body></html>\n")
    return "\n".join(parts)
