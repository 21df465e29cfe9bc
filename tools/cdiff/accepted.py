# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Deviations that somebody has looked at.

Where C and Python cannot be equal, the statements of the port carry a tag, and the pair of what C
has and what the port has is pinned here by its hashes. So a change of a tagged statement, or of the
C behind it, is a difference again until `cdiff accept` notes that it was reviewed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tools.cdiff.canon import digest
from tools.cdiff.config import BASELINES
from tools.cdiff.errors import CdiffError

PATH = BASELINES / "accepted.json"
Pins = dict[str, dict[str, list[str]]]


def pin(c: Sequence[str], python: Sequence[str], tags: Sequence[str]) -> str:
    """One hash for a pair of deviating runs of statements and the tags on them."""
    return digest(repr((list(c), list(python), sorted(tags))))


def load(path: Path = PATH) -> Pins:
    """(file, function) -> pins. CdiffError for a file that is damaged."""
    try:
        table: Pins = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CdiffError(f"{path.name}: {error}; restore it with git") from None
    return table


def save(pins: Pins, path: Path = PATH) -> None:
    """Write the pins, one function per line."""
    files = []
    for file, functions in sorted(pins.items()):
        rows = [
            f"  {json.dumps(name)}: {json.dumps(found, separators=(',', ':'))}"
            for name, found in sorted(functions.items())
            if found
        ]
        if rows:
            files.append(f" {json.dumps(file)}: {{\n" + ",\n".join(rows) + "\n }")
    path.write_text("{\n" + ",\n".join(files) + "\n}\n", encoding="utf-8")
