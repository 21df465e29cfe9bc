# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Ways in which a text file goes bad, for property tests."""

from __future__ import annotations

import random

DAMAGE = ("cut", "drop", "duplicate", "swap", "garbage", "flip", "end")


def mangle(lines: list[bytes], seed: int, kinds: list[str]) -> bytes:
    """The lines (with their newlines) with damage of those kinds, one after the other."""
    rng = random.Random(seed)
    for kind in kinds:
        lines = _damage(lines, rng, kind).splitlines(keepends=True) or [b""]
    return b"".join(lines)


def _damage(data: list[bytes], rng: random.Random, kind: str) -> bytes:
    lines = list(data)
    if kind == "end":
        whole = b"".join(lines)
        return whole[: rng.randrange(len(whole) + 1)]
    for _ in range(rng.randint(1, 40)):
        at = rng.randrange(len(lines))
        if kind == "cut":
            lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
        elif kind == "drop":
            lines[at] = b""
        elif kind == "duplicate":
            lines.insert(rng.randrange(len(lines)), lines[at])
        elif kind == "swap":
            to = rng.randrange(len(lines))
            lines[at], lines[to] = lines[to], lines[at]
        elif kind == "garbage":
            lines.insert(at, rng.randbytes(rng.randrange(200)))
        elif lines[at]:
            line = bytearray(lines[at])
            line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
            lines[at] = bytes(line)
    return b"".join(lines)
