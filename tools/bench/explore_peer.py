# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The two small programs on an explorer of the package index; run by the interpreter that has it.

    python explore_peer.py frontrun|interleave_test

Prints one JSON object: version, executions per second of the program that is right, under each
strategy, and how many executions it took to find the lost update. Uses nothing of kport.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from importlib import import_module
from importlib.metadata import version
from typing import Any

RUNS = 300


class Locked:
    """A counter that is right."""

    def __init__(self) -> None:
        self.value = 0
        self.lock = threading.Lock()

    def increment(self) -> None:
        """Add 1."""
        with self.lock:
            value = self.value
            self.value = value + 1


class Lost:
    """A counter that loses updates."""

    def __init__(self) -> None:
        self.value = 0

    def increment(self) -> None:
        """Add 1, perhaps."""
        value = self.value
        self.value = value + 1


def frontrun() -> dict[str, Any]:
    """The figures of frontrun."""
    peer: Any = import_module("frontrun")

    def run(kind: Any, strategy: str, **more: Any) -> tuple[int, float]:
        start = time.perf_counter()
        result = peer.explore(
            setup=kind,
            workers=kind.increment,
            count=2,
            invariant=lambda c: c.value == 2,
            strategy=strategy,
            reproduce_on_failure=0,
            **more,
        )
        return result.num_explored, time.perf_counter() - start

    runs, seconds = run(Locked, "random", max_attempts=RUNS)
    proofs, took = 0, 0.0
    while took < 1.0:
        count, one = run(Locked, "dpor", preemption_bound=None)
        proofs, took = proofs + count, took + one
    return {
        "rates": {"random": runs / seconds, "dpor": proofs / took},
        "lost_update": {"random": run(Lost, "random")[0], "dpor": run(Lost, "dpor")[0]},
    }


def interleave_test() -> dict[str, Any]:
    """The figures of interleave-test."""
    peer: Any = import_module("interleave_test")

    def model(kind: Any) -> Any:
        def program() -> None:
            counter = kind()
            tasks = [peer.spawn(counter.increment) for _ in range(2)]
            for task in tasks:
                task.join()
            assert counter.value == 2

        return program

    rates, found = {}, {}
    for strategy in ("random", "pct"):
        result = peer.explore(model(Locked), iterations=RUNS, seed=1, strategy=strategy)
        rates[strategy] = result.schedules_run / result.elapsed
        at = 1
        while True:
            try:
                peer.explore(model(Lost), iterations=at, seed=1, strategy=strategy)
            except Exception as error:
                if type(error).__name__ != "RaceFound":
                    raise
                break
            at += 1
        found[strategy] = at
    return {"rates": rates, "lost_update": found}


if __name__ == "__main__":
    name = sys.argv[1]
    figures = {"frontrun": frontrun, "interleave_test": interleave_test}[name]()
    print(json.dumps({"version": version(name.replace("_", "-")), **figures}))
