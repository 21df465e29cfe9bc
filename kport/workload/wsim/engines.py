# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Engines as workload files name them, and the rings of the device they stand for.

There is one device with a ring for each engine. A class with more than one engine (VCS) may be
named as a whole, or one of its engines with a number that counts from 1.
"""

from __future__ import annotations

CLASSES: dict[str, tuple[str, ...]] = {
    "RCS": ("rcs",),
    "BCS": ("bcs",),
    "VCS": ("vcs1", "vcs2"),
    "VECS": ("vecs",),
    "CCS": ("ccs",),
}
RINGS = tuple(ring for rings in CLASSES.values() for ring in rings)
DEFAULT = "DEFAULT"
NAMES = "DEFAULT, RCS, BCS, VCS, VCS1, VCS2, VECS, CCS"


def engine_rings(name: str) -> tuple[str, ...] | None:
    """The rings an engine name stands for, () for DEFAULT, None for a name that is none."""
    name = name.upper()
    if name == DEFAULT:
        return ()
    if name in CLASSES:
        return CLASSES[name]
    rings = CLASSES.get(name[:-1], ())
    number = name[-1:]
    if number.isascii() and number.isdigit() and 1 <= int(number) <= len(rings):
        return (rings[int(number) - 1],)
    return None


def rings_text(rings: tuple[str, ...]) -> str:
    """Rings as one word, as an engine map writes them."""
    return "|".join(rings)
