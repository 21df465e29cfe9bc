# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The map from lines of the port to lines of C.

kport/linux/linemap.json ships with the package: warnings, oopses and lock reports print the C
position beside the Python one. Per function: the C file, how many lines the function has, a
checksum of its text, and "offset:line" for each statement.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kport.linux.linemap import checksum
from tools.cdiff.compare import Comparison
from tools.cdiff.project import Project

PATH = "kport/linux/linemap.json"


def pairs(made: Comparison) -> list[tuple[int, int]]:
    """(line of the port, line of C) of the statements of a function, in the order of the port.

    A statement that C does not have gets the line of the one before it.
    """
    first = made.function.line
    found = {first: made.fact.line}
    last = made.fact.line
    for row in made.rows:
        if row.c:
            last = row.c[0].line
        for index, item in enumerate(row.python):
            line = row.c[min(index, len(row.c) - 1)].line if row.c else last
            found.setdefault(item.line, line)
            last = line
    return sorted(found.items())


def build(project: Project) -> dict[str, Any]:
    """The map of the whole port."""
    files: dict[str, Any] = {}
    for file in project.files.values():
        lines = file.text.encode().split(b"\n")
        functions: dict[str, list[Any]] = {}
        for pair in project.pairs(file):
            made = project.compare(pair)
            first, end = pair.function.line, pair.function.end
            text = " ".join(f"{line - first}:{c}" for line, c in pairs(made))
            length = end - first + 1
            number = checksum(lines[first - 1 : end])
            functions[pair.function.name] = [pair.source.path, length, number, text]
        files[file.path] = functions
    return {"files": files}


def dumps(table: dict[str, Any]) -> str:
    """The JSON, with one function per line."""
    parts = []
    for path, functions in table["files"].items():
        rows = [
            f"  {json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}"
            for name, entry in functions.items()
        ]
        parts.append(f" {json.dumps(path)}: {{\n" + ",\n".join(rows) + "\n }")
    return '{\n"files": {\n' + ",\n".join(parts) + "\n}\n}\n"


def stale(project: Project) -> list[tuple[str, int, str]]:
    """(file, line, function) for which the shipped map is not what it would be now."""
    try:
        shipped = json.loads(Path(project.root, PATH).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        shipped = {}
    found = []
    for path, functions in build(project)["files"].items():
        for name, entry in functions.items():
            if shipped.get(path, {}).get(name) != entry:
                found.append((path, project.files[path].functions[name].line, name))
    return found


def write(project: Project) -> None:
    """Write the map that is shipped."""
    Path(project.root, PATH).write_text(dumps(build(project)), encoding="utf-8")
