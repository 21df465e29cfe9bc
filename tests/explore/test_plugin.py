# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

TESTS = '''
import pytest
from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.explore import Program
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock

class Cell:
    value = 0

def adding(times):
    cell = Cell()

    def add():
        value = READ_ONCE(cell, "value")
        WRITE_ONCE(cell, "value", value + 1)

    def check():
        assert cell.value == times

    return Program([add] * times, check)

@pytest.mark.explore(strategy="dpor", schedules=None)
def test_two():
    return adding(2)

@pytest.mark.explore(strategy="pct", schedules=50)
def test_one():
    return adding(1)

@pytest.mark.explore(schedules=5)
def test_kernel(kernel):
    lock = mutex()
    mutex_init(lock, "lock")
    mutex_lock(lock)
    mutex_unlock(lock)

def test_plain():
    pass
'''


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    path = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=folder, env=path, capture_output=True, text=True, timeout=50, check=False
    )


def test_marked_tests_are_explored_and_a_token_plays_one_again(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    plugin = () if "kport.explore.plugin" in _installed() else ("-p", "kport.explore.plugin")
    first = run(tmp_path, *plugin)
    assert "1 failed, 3 passed" in first.stdout, first.stdout + first.stderr
    (token,) = re.findall(r"kport replay (\S+)", first.stdout)
    assert "and before it writes Cell.value" in first.stdout
    again = run(tmp_path, *plugin, "--explore-replay", token)
    assert "1 failed, 1 passed, 2 skipped" in again.stdout
    assert token in again.stdout
    wrong = run(tmp_path, *plugin, "--explore-replay", "x")
    assert wrong.returncode == 4
    assert "is no token" in wrong.stderr


FIXTURES = """
import pytest
from kport.linux.delay import msleep
from kport.drm.scheduler.v7_2 import sched_entity
from kport.museum.scenarios import SCENARIOS

@pytest.fixture(autouse=True)
def broken(request, monkeypatch):
    if "broken" in request.node.name:
        monkeypatch.setattr(sched_entity, "drm_sched_wakeup", lambda sched: None)

@pytest.fixture
def ticks():
    return 3

@pytest.mark.explore(schedules=5)
def test_broken(kernel):
    SCENARIOS["two-jobs"](kernel)

@pytest.mark.explore(schedules=5)
def test_given(kernel, ticks, tmp_path):
    assert tmp_path.is_dir()
    msleep(ticks)
"""

REFUSED = """
import pytest

class TestIt:
    @pytest.mark.explore(schedules=5)
    def test_it(self, kernel):
        raise AssertionError
"""


def test_fixtures_are_made_and_used(tmp_path):
    (tmp_path / "test_it.py").write_text(FIXTURES)
    plugin = () if "kport.explore.plugin" in _installed() else ("-p", "kport.explore.plugin")
    done = run(tmp_path, *plugin)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "BUG: deadlock" in done.stdout


def test_what_cannot_be_explored_is_refused(tmp_path):
    (tmp_path / "test_it.py").write_text(REFUSED)
    plugin = () if "kport.explore.plugin" in _installed() else ("-p", "kport.explore.plugin")
    done = run(tmp_path, *plugin)
    assert "test_it: an explored test is a function of a module" in done.stdout
    assert done.returncode == 2


def _installed() -> set[str]:
    """The plugins that the installed package brings."""
    from importlib.metadata import entry_points

    return {entry.value for entry in entry_points(group="pytest11")}
