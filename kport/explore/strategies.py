# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Strategies by name: "random", "random:4", "pct:3", "dfs:2"; behind the colon stands a number.

A user's own strategy is a subclass of `Search`, given as an object.
"""

from __future__ import annotations

from collections.abc import Callable

from kport.explore.pct import Pct
from kport.explore.search import Search
from kport.explore.walk import Walk

# name: (who makes it from seed and number, what the number is, its default)
STRATEGIES: dict[str, tuple[Callable[[int, int], Search], str, int]] = {
    "random": (Walk, "mean turn in steps", 2),
    "pct": (Pct, "depth of the bug", 3),
}


def strategy(spec: str, seed: int = 0) -> Search:
    """The search of a name. Raises ValueError for one that is not there."""
    name, colon, text = spec.partition(":")
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy {spec!r}; there is: {', '.join(STRATEGIES)}")
    make, what, number = STRATEGIES[name]
    if colon:
        if not text.isdecimal():
            raise ValueError(f"strategy {spec!r}: {text!r} is no number ({what})")
        number = int(text)
    try:
        made = make(seed, number)
    except ValueError as error:
        raise ValueError(f"strategy {spec!r}: {error}") from None
    made.spec = f"{name}:{number}"
    return made
