# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Strategies by name: "random", "random:4", "pct:3", "dfs:2"; behind the colon stands a number.

A user's own strategy is a subclass of `Search`, given as an object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kport.explore.dfs import Dfs
from kport.explore.dpor import Dpor
from kport.explore.pct import Pct
from kport.explore.pos import Pos
from kport.explore.search import Search
from kport.explore.surw import Surw
from kport.explore.walk import Walk

# name: (who makes it from seed and number, what the number is or "", its default)
STRATEGIES: dict[str, tuple[Callable[[int, Any], Search], str, int | None]] = {
    "random": (Walk, "mean turn in steps", 2),
    "pct": (Pct, "depth of the bug", 3),
    "pos": (lambda seed, _: Pos(seed), "", None),
    "surw": (lambda seed, _: Surw(seed), "", None),
    "dfs": (lambda _, bound: Dfs(bound), "most preemptions", None),
    "dpor": (lambda seed, _: Dpor(), "", None),
}


def strategy(spec: str, seed: int = 0) -> Search:
    """The search of a name. Raises ValueError for one that is not there."""
    name, colon, text = spec.partition(":")
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy {spec!r}; there is: {', '.join(STRATEGIES)}")
    make, what, number = STRATEGIES[name]
    if colon:
        if not what:
            raise ValueError(f"strategy {spec!r}: {name} takes no number")
        if not text.isdecimal():
            raise ValueError(f"strategy {spec!r}: {text!r} is no number ({what})")
        number = int(text)
    try:
        made = make(seed, number)
    except ValueError as error:
        raise ValueError(f"strategy {spec!r}: {error}") from None
    made.spec = name if number is None else f"{name}:{number}"
    return made
