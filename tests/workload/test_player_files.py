# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The workload files of scheduler developers, and ours: real input, whole runs, sound results.

The files in tests/data/workloads come with gem_wsim (intel-gpu-tools, benchmarks/wsim).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kport.workload.builtin import builtin_workloads
from kport.workload.player.plan import POLICIES, Plan
from kport.workload.player.play import play
from kport.workload.result import Result
from kport.workload.wsim.load import load_workload

FILES = sorted((Path(__file__).parents[1] / "data" / "workloads").glob("*.wsim"))


def played(
    paths: list[Path] | list[str], copies: int = 1, machine: str = "threads", **options
) -> Result:
    plan = Plan(**options)
    for path in paths:
        plan.add(load_workload(str(path)), copies=copies)
    result = play(plan, machine=machine)
    assert result.sound, (result.jobs, result.warnings)
    return result


def test_there_are_ten_files():
    assert len(FILES) == 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_plays(path, arch):
    scales = {"duration_scale": 0.1, "delay_scale": 0.1}
    result = played([path], machine=arch, repeat=2, policy="fair", **scales)
    assert result.jobs.finished == result.jobs.submitted > 0
    assert result.clients[0].cycles == 2


def test_fair_drops_fewer_of_a_compositors_periods_beside_a_hog_than_fifo(arch):
    compositor, _, _, hog = builtin_workloads()

    def dropped(policy: str) -> float:
        result = played([compositor, hog], machine=arch, repeat=None, seconds=1.5, policy=policy)
        client = result.clients[0]
        assert client.name == "compositor-1"
        return client.dropped / client.periods

    assert dropped("fair") < dropped("fifo") / 2


@pytest.mark.parametrize("policy", POLICIES)
def test_in_virtual_time_a_run_is_the_same_again(policy):
    paths = [path for path in FILES if path.stem == "carchasepart"]

    def once() -> list[tuple[object, ...]]:
        result = played(paths, machine="virt", copies=2, repeat=1, policy=policy)
        return [(r.ring, r.began, r.ended) for r in result.order]

    first = once()
    assert len(first) > 50
    assert once() == first


@pytest.mark.long
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_under_every_policy(path, policy):
    result = played([path], repeat=None, seconds=5.0, policy=policy)
    assert result.jobs.finished > 100


@pytest.mark.long
@pytest.mark.parametrize("policy", POLICIES)
def test_a_desktop_and_a_game_twice(policy):
    names = ("composited-ui.wsim", "high-composited-game.wsim")
    paths = [path for path in FILES if path.name in names]
    result = played(paths, copies=2, repeat=None, seconds=5.0, policy=policy)
    assert len(result.clients) == 4
    assert all(client.cycles > 10 for client in result.clients)
