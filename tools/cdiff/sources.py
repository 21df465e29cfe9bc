# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The last line of a ported function's docstring: where its C stands.

drivers/gpu/drm/scheduler/sched_main.c:163-177, Linux 7.2.13
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tools.cdiff.project import Pair, Project
from tools.cdiff.pysource import PyFile

_LINE = re.compile(r"[\w./-]+\.[ch]:\d+(-\d+)?, Linux [\d.]+")


def expected(pair: Pair) -> str:
    """The source line of a function."""
    first, last = pair.fact.line, pair.fact.end
    lines = f"{first}-{last}" if last > first else str(first)
    return f"{pair.source.path}:{lines}, Linux {pair.file.version}"


def wrong(project: Project, file: PyFile) -> Iterator[tuple[Pair, str]]:
    """The functions of a file whose docstring does not end with their source, and what it says."""
    for pair in project.pairs(file):
        lines = pair.function.docstring.strip().splitlines()
        last = lines[-1].strip() if lines else ""
        if last != expected(pair):
            yield pair, last if _LINE.fullmatch(last) else ""


def fix(project: Project, file: PyFile) -> int:
    """Write the source lines of a file; returns how many were wrong."""
    lines = file.text.split("\n")
    found = list(wrong(project, file))
    for pair, old in sorted(found, key=lambda item: -item[0].function.line):
        node = pair.function.node.body[0]
        if isinstance(node, ast.Expr) and pair.function.docstring:
            made = _docstring(pair.function.docstring, old, expected(pair))
            lines[node.lineno - 1 : node.end_lineno] = made
    if found:
        Path(project.root, file.path).write_text("\n".join(lines), encoding="utf-8")
    return len(found)


def _docstring(text: str, old: str, source: str) -> list[str]:
    """The lines of a docstring that ends with its source."""
    body = text.rstrip()
    if old:
        body = body[: body.rindex(old)].rstrip()
    quote = 'r"""' if "\\" in body else '"""'
    return [*f"    {quote}{body}".split("\n"), "", f"    {source}", '    """']
