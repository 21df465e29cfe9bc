# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A Dask cluster finds what one process finds. Dask is optional: without it this is skipped.

It runs in a process of its own, as Dask leaves threads behind. It has a real scheduler and two
workers, each a process; one of them dies on the way.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.explore import Program, explore
from kport.explore.cluster import explore_cluster

ROOT = Path(__file__).parent.parent.parent
HOW = {"strategy": "random:1", "seed": 3, "seconds": None, "keep_going": True}


class Cell:
    value = 0


def in_order() -> Program:
    """One order of many is wrong."""
    cell, seen = Cell(), []

    def write() -> None:
        for value in range(1, 5):
            WRITE_ONCE(cell, "value", value)

    def read() -> None:
        seen.extend(READ_ONCE(cell, "value") for _ in range(4))

    def check() -> None:
        assert seen != [1, 2, 3, 4]

    return Program([write, read], check)


def dying(name: str) -> SimpleNamespace:
    """A process that finds its first share dies with it, as if it was killed."""
    try:
        os.mkdir(name)
    except FileExistsError:
        return SimpleNamespace(scenario=in_order, stage=nullcontext)
    os._exit(9)


def compare(folder: str) -> None:
    """Explore on a cluster and alone; raises AssertionError if that differs."""
    from distributed import LocalCluster

    name = str(Path(folder) / "died")
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster:
        shared = explore_cluster(dying, name, cluster.scheduler_address, schedules=400, **HOW)
    alone = explore(in_order, schedules=400, name=name, **HOW)
    for found in (shared, alone):
        found.seconds = 0.0
    assert shared.to_json() == alone.to_json()
    assert len(alone.failures) == 1
    assert os.path.isdir(name)
    print("the same")


@pytest.mark.long
@pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed")
def test_a_cluster_finds_the_same_and_loses_a_worker(tmp_path):
    run = "import sys, test_cluster; test_cluster.compare(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", run, tmp_path],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert done.stdout.strip() == "the same", done.stderr[-2000:]


@pytest.mark.skipif(find_spec("distributed") is not None, reason="distributed is installed")
def test_without_dask_it_says_what_is_missing():
    with pytest.raises(ValueError, match="needs the package distributed"):
        explore_cluster(dying, "x", "tcp://127.0.0.1:9", schedules=10, **HOW)
