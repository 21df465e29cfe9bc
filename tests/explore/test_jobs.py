# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Several processes find what one finds, and a process that dies loses nothing."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.explore import Program, explore, jobs
from kport.explore.jobs import LostWorker, explore_jobs, shares
from kport.explore.result import Failure, Result


class Cell:
    value = 0


def late_sum() -> Program:
    """Four steps that must come in one order of many."""
    cell, seen = Cell(), []

    def write() -> None:
        for value in range(1, 5):
            WRITE_ONCE(cell, "value", value)

    def read() -> None:
        seen.extend(READ_ONCE(cell, "value") for _ in range(4))

    def check() -> None:
        if seen == [1, 2, 3, 4]:
            raise LookupError("all seen")
        if seen == [0, 1, 2, 4]:
            raise KeyError("one missed")

    return Program([write, read], check)


def find(name: str):
    return SimpleNamespace(scenario=late_sum, stage=nullcontext)


class InProcess:
    """In place of a pool of processes: `dies` says at which share it breaks, once each."""

    dies: list[int] = []  # noqa: RUF012

    def __init__(self, *_, **__) -> None:
        self.made = 0

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        pass

    def shutdown(self, **_) -> None:
        pass

    def submit(self, function, find, name, options):
        future: jobs.Future = jobs.Future()
        if options["first"] in self.dies:
            self.dies.remove(options["first"])
            future.set_exception(BrokenProcessPool("it died"))
        else:
            future.set_result(function(find, name, options))
        return future


def plain(result: Result) -> dict:
    found = result.to_json()
    del found["seconds"], found["rate"]
    return found


HOW = {"strategy": "random:1", "seed": 3, "seconds": None}


@pytest.mark.parametrize("keep_going", [False, True])
def test_shares_add_up_to_what_one_process_finds(monkeypatch, keep_going):
    monkeypatch.setattr(jobs, "ProcessPoolExecutor", InProcess)
    alone = explore(late_sum, schedules=1000, name="x", keep_going=keep_going, **HOW)
    assert len(alone.failures) == 1 + keep_going
    for count in (1, 3):
        shared = explore_jobs(find, "x", count, schedules=1000, keep_going=keep_going, **HOW)
        assert plain(shared) == plain(alone)


def test_a_process_that_dies_loses_nothing(monkeypatch):
    monkeypatch.setattr(jobs, "ProcessPoolExecutor", InProcess)
    alone = explore(late_sum, schedules=500, name="x", keep_going=True, **HOW)
    monkeypatch.setattr(InProcess, "dies", [0, 125])  # of 16 shares
    shared = explore_jobs(find, "x", 2, schedules=500, keep_going=True, **HOW)
    assert InProcess.dies == []
    assert plain(shared) == plain(alone)


def test_processes_that_die_again_and_again_are_told(monkeypatch):
    monkeypatch.setattr(jobs, "ProcessPoolExecutor", InProcess)
    monkeypatch.setattr(InProcess, "dies", [0] * 3)
    with pytest.raises(LostWorker, match="processes died 3 times over"):
        explore_jobs(find, "x", 2, schedules=500, **HOW)


def test_what_goes_on_from_one_to_the_next_is_not_shared_out():
    with pytest.raises(ValueError, match="dpor goes on"):
        explore_jobs(find, "x", 2, schedules=10, seconds=None, strategy="dpor")


def test_shares_cover_each_number_once():
    for schedules in (1, 7, 1000):
        plan = shares(schedules, None, 3)
        numbers = [n for s in plan for n in range(s["first"], s["first"] + s["schedules"])]
        assert numbers == list(range(schedules))
    assert [s["schedules"] for s in shares(None, 2.0, 3)] == [None] * 3


def dying(name: str):
    """A process that finds its first share dies with it, as if it was killed."""
    try:
        os.mkdir(name)
    except FileExistsError:
        return SimpleNamespace(scenario=late_sum, stage=nullcontext)
    os._exit(9)


@pytest.mark.long
def test_real_processes_agree_and_one_of_them_is_lost(tmp_path):
    name = str(tmp_path / "died")
    shared = explore_jobs(dying, name, 2, schedules=400, keep_going=True, **HOW)
    alone = explore(late_sum, schedules=400, name=name, keep_going=True, **HOW)
    assert plain(shared) == plain(alone)
    assert os.path.isdir(name)
    assert isinstance(shared.failures[0], Failure)
