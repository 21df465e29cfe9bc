# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""How long each strategy searches for each bug of the museum: schedules and CPU seconds.

A cell is the median over the seeds, with the share of the seeds that found it where that is not all
of them. A search ends after `--seconds`. Strategies without a seed (dfs, dpor) search once.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

from kport.museum.exhibits import EXHIBITS
from kport.museum.play import hunt
from tools.bench.anchor import tell

STRATEGIES = ("random", "random:8", "pct:3", "pos", "surw")


def museum_figures(
    seeds: int, seconds: float, strategies: Sequence[str], exhibits: Sequence[str]
) -> dict[str, Any]:
    """{exhibit: {strategy: {found, seeds, schedules, seconds, steps}}}."""
    table: dict[str, Any] = {}
    for number in exhibits or EXHIBITS:
        exhibit = EXHIBITS[number]
        row: dict[str, Any] = {}
        for name in strategies:
            tell(f"{number} {name}")
            runs = []
            for seed in range(seeds if not name.startswith(("dfs", "dpor")) else 1):
                start = time.process_time()
                found = hunt(exhibit, name, seed=seed, seconds=seconds)
                used = time.process_time() - start
                steps = found.failure.steps if found.failure else 0
                runs.append((found.found, found.schedules, used, steps))
            good = [run for run in runs if run[0]]
            row[name] = {
                "found": len(good),
                "seeds": len(runs),
                "schedules": statistics.median(r[1] for r in good) if good else None,
                "seconds": round(statistics.median(r[2] for r in good), 3) if good else None,
                "steps": statistics.median(r[3] for r in good) if good else None,
            }
        table[number] = {"slug": exhibit.slug, "strategies": row}
    return {"seeds": seeds, "limit_s": seconds, "exhibits": table}


def show_museum(figures: dict[str, Any]) -> None:
    """Print the table."""
    rows = figures["exhibits"]
    strategies = list(next(iter(rows.values()))["strategies"])
    print(
        f"schedules to the bug and CPU seconds, medians of {figures['seeds']} seeds, "
        f"at most {figures['limit_s']:g} s each\n"
    )
    print("    ".ljust(29) + "".join(name.rjust(18) for name in strategies))
    for number, row in rows.items():
        cells = [_cell(row["strategies"][name]) for name in strategies]
        print(f"{number} {row['slug']:25}" + "".join(cell.rjust(18) for cell in cells))
    steps = [
        cell["steps"]
        for row in rows.values()
        for cell in row["strategies"].values()
        if cell["steps"] is not None
    ]
    found = [
        sum(1 for cell in row["strategies"].values() if cell["found"]) for row in rows.values()
    ]
    print(
        f"\n{sum(1 for n in found if n >= 2)} of {len(found)} by two strategies or more; "
        f"steps in the picture: median {statistics.median(steps):g}"
    )


def _cell(cell: dict[str, Any]) -> str:
    if not cell["found"]:
        return "-"
    share = "" if cell["found"] == cell["seeds"] else f" {cell['found']}/{cell['seeds']}"
    return f"{cell['schedules']:,g} {cell['seconds']:.2g} s{share}"
