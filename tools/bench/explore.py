# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Exploring: executions per second, what proofs cost, and the same programs on Python peers.

Rates are of CPU time and medians of the rounds. The programs of 50 and 500 points are those of
`points`: two tasks take a lock, read, write and release it, over and over; they have 56 and 504
points, and a random turn has 4 on average. A scenario is a kernel that boots, two entities that run
four jobs, and a kernel that is left.

The peers trace bytecode, where kport has points at instructions that synchronise: for one execution
they decide some 65 to 110 times where kport decides 4 to 8 times. Part of the difference is that.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import which
from typing import Any

from kport.arch.asm import READ_ONCE, WRITE_ONCE, spin_lock, spin_lock_init, spin_unlock
from kport.arch.types import spinlock_t
from kport.arch.virt_asm import CPU
from kport.explore import Program, explore
from kport.museum.library import find

TURNS = ("random:4", "pct:3", "pos", "surw")
SCENARIO = "two-entities-four-jobs"
PEERS = {"frontrun": (3, 10), "interleave_test": (3, 12)}
INSTALL_S, RUN_S = 120, 120


class _Cell:
    value = 0


def increments(tasks: int, times: int, locked: bool = True) -> Callable[[], Program]:
    """A program whose tasks add 1, each so often."""
    lock, cell = spinlock_t(), _Cell()

    def add() -> None:
        for _ in range(times):
            if locked:
                spin_lock(lock)
            value = READ_ONCE(cell, "value")
            WRITE_ONCE(cell, "value", value + 1)
            if locked:
                spin_unlock(lock)

    def check() -> None:
        if cell.value != tasks * times:
            raise AssertionError(f"{cell.value} of {tasks * times} are counted")

    def program() -> Program:
        spin_lock_init(lock, "lock")
        cell.value = 0
        return Program([add] * tasks, check)

    return program


def waiters(n: int) -> Callable[[], Program]:
    """n tasks wait for a flag under a lock, one sets it and wakes them."""

    def program() -> Program:
        machine = CPU.machine
        lock, cell, queue = spinlock_t(), _Cell(), []
        spin_lock_init(lock, "lock")

        def wait() -> None:
            spin_lock(lock)
            if cell.value:
                spin_unlock(lock)
                return
            queue.append(CPU.ti)
            spin_unlock(lock)
            machine.block()

        def wake() -> None:
            spin_lock(lock)
            cell.value = 1
            for ti in queue:
                machine.wake(ti)
            spin_unlock(lock)

        return Program([*[wait] * n, wake])

    return program


def rate(scenario: Any, strategy: str, schedules: int, **options: Any) -> tuple[float, float]:
    """Executions per second of CPU time, and their mean number of points."""
    start = time.process_time()
    result = explore(scenario, strategy=strategy, schedules=schedules, name="bench", **options)
    if result.failures:
        raise RuntimeError(result.failures[0].report)
    return result.schedules / (time.process_time() - start), result.points


def proof(scenario: Any) -> dict[str, Any]:
    """What DPOR needs to prove a program right."""
    start = time.process_time()
    result = explore(scenario, strategy="dpor", schedules=100_000, name="bench")
    spent = time.process_time() - start
    return {
        "executions": result.schedules,
        "ms": round(spent * 1e3, 1),
        "proved": bool(result.exhausted) and not result.failures,
    }


def explore_figures(rounds: int, peers: bool, said: Callable[[str], None]) -> dict[str, Any]:
    """All figures; `said` hears how far it is."""
    toys: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    kernels: dict[tuple[str, str], list[tuple[float, float]]] = {}
    failed: list[str] = []
    for i in range(rounds):
        for strategy in TURNS:
            said(f"round {i + 1} of {rounds}: {strategy}")
            for about, count in ((50, 4000), (500, 400)):
                program = increments(2, -(-about // 8))
                for check in ("", "all"):
                    found = rate(program, strategy, count, seed=i, check=check)
                    toys.setdefault((strategy, check, about), []).append(found)
        for strategy in ("random:4", "pct:3"):
            for check in ("", "oracles", "all"):
                said(f"round {i + 1} of {rounds}: {SCENARIO}, {strategy}, {check or 'no'} checks")
                scenario = find(SCENARIO).scenario
                try:
                    found = rate(scenario, strategy, 150, seed=i, check=check)
                except RuntimeError as error:
                    failed.append(f"{strategy}, {check} checks: {str(error).splitlines()[0]}")
                    continue
                kernels.setdefault((strategy, check), []).append(found)
    figures: dict[str, Any] = {
        "rounds": rounds,
        "programs": [
            {"strategy": s, "check": c or "none", "points": p, "per_second": round(r)}
            for (s, c, _), every in toys.items()
            for r, p in [_median(every)]
        ],
        "scenario": [
            {"strategy": s, "check": c or "none", "points": p, "per_second": round(r)}
            for (s, c), every in kernels.items()
            for r, p in [_median(every)]
        ],
        "failed": sorted(set(failed)),
        "proofs": {
            "four tasks, one lock": proof(increments(4, 1)),
            "three waiters": proof(waiters(3)),
        },
    }
    small = increments(2, 1)
    figures["small"] = {s: round(rate(small, s, 4000)[0]) for s in ("random:2", "pct:3")}
    figures["lost_update"] = {
        s: explore(increments(2, 1, False), strategy=s, name="bench").schedules
        for s in ("random:2", "pct:3", "dpor")
    }
    figures["peers"] = {name: peer(name, said) for name in PEERS} if peers else {}
    return figures


def _median(found: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(r for r, _ in found), found[0][1]


# -- peers -----------------------------------------------------------------------------------------


def peer(name: str, said: Callable[[str], None]) -> dict[str, Any]:
    """The figures of a peer, installed in an environment that is thrown away; or why not."""
    python = _python(PEERS[name])
    if python is None:
        return {"skipped": "no Python that it runs on"}
    said(f"installing {name}")
    with tempfile.TemporaryDirectory() as folder:
        own = str(Path(folder) / "bin" / "python")
        script = str(Path(__file__).with_name("explore_peer.py"))
        started = [str(Path(folder) / "bin" / "frontrun")] if name == "frontrun" else []
        package = name.replace("_", "-")
        steps = (
            ([python, "-m", "venv", folder], INSTALL_S, "no environment can be made"),
            ([own, "-m", "pip", "-q", "install", package], INSTALL_S, "it cannot be installed"),
            ([*started, own, script, name], RUN_S, "it failed"),
        )
        done = None
        for command, limit, trouble in steps:
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=limit, check=True
                )
            except (OSError, subprocess.SubprocessError) as error:
                return {"skipped": f"{trouble} ({type(error).__name__})"}
        assert done is not None
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def _python(least: tuple[int, int]) -> str | None:
    """An interpreter of at least this version."""
    if sys.version_info >= least:
        return sys.executable
    for minor in range(least[1], least[1] + 4):
        python = which(f"python{least[0]}.{minor}")
        if python is not None:
            tried = subprocess.run([python, "-c", ""], capture_output=True, check=False)
            if tried.returncode == 0:
                return python
    return None
