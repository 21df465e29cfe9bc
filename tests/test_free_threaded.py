# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Python without the GIL: the tests of the machine threads run on it, in a process of their own.

A free-threaded Python is looked for as $KPORT_FREE_THREADED, then as python3.14t and python3.13t on
the path and in .venv-ft/bin; it needs pytest, pytest-timeout, sortedcontainers and hypothesis (all
install there). Where there is none, these tests are skipped and say so. `make test-ft` runs them
alone; by hand it is

    PYTHON_GIL=0 <free-threaded python> -m pytest --arch threads -m "not long" tests/linux
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMES = ("python3.14t", "python3.13t")
MODULES = "pytest, pytest_timeout, sortedcontainers, hypothesis"
PROBE = f"import sys, {MODULES}; sys.exit(1 if sys._is_gil_enabled() else 0)"


# What is left out, and why.
LEFT_OUT = {
    "tests/arch/test_virt.py": "greenlet does not install there",
    "tests/linux/test_rules.py": "about the text of the port, which is the same",
}


@cache
def free_threaded() -> tuple[str, str]:
    """(the interpreter, or "" and why there is none)."""
    given = os.environ.get("KPORT_FREE_THREADED")
    local = [str(ROOT / ".venv-ft" / "bin" / name) for name in NAMES]
    for name in [given] if given else [*NAMES, *local]:
        path = shutil.which(name)
        if path is None:
            continue
        probe = subprocess.run(
            [path, "-c", PROBE], capture_output=True, text=True, timeout=60, env=environment()
        )
        if probe.returncode == 0:
            return path, ""
        why = (probe.stderr.strip().splitlines() or ["it has a GIL"])[-1]
        return "", f"{name} cannot run the tests: {why}"
    return "", "no free-threaded Python: set KPORT_FREE_THREADED to one with " + MODULES


def environment() -> dict[str, str]:
    """Ours, with the GIL off for modules that would turn it on."""
    return os.environ | {"PYTHON_GIL": "0", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "what",
    [
        ["tests/arch", "tests/linux"],
        ["tests/dma_buf", "tests/drm"],
        ["tests/hw", "tests/drivers", "tests/trace"],
        ["tests/check"],
    ],
    ids=["arch, linux", "dma_buf, drm", "hw, drivers, trace", "check"],
)
def test_the_suite_runs_without_the_gil(what: list[str]) -> None:
    python, why = free_threaded()
    if not python:
        pytest.skip(why)
    options = "-q -p no:cacheprovider --arch threads --timeout 120".split()
    ignored = [f"--ignore={name}" for name in LEFT_OUT]
    done = subprocess.run(
        [python, "-m", "pytest", *options, "-m", "not long", *ignored, *what],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=850,
    )
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-60:])


COUNT = """
import sys, threading
from kport.arch import types
import kport
from kport.arch.asm import atomic_fetch_add, atomic_inc, spin_lock, spin_lock_init, spin_unlock
assert not sys._is_gil_enabled()
with kport.boot("threads"):
    a, b, lock, plain = types.atomic_t(), types.atomic_t(), types.spinlock_t(), [0]
    spin_lock_init(lock, "lock")
    def work():
        for _ in range(20000):
            atomic_inc(a)
            atomic_fetch_add(2, b)
            spin_lock(lock)
            plain[0] += 1
            spin_unlock(lock)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    print(a.counter, b.counter, plain[0])
"""


@pytest.mark.long
def test_nothing_is_lost_without_the_gil() -> None:
    python, why = free_threaded()
    if not python:
        pytest.skip(why)
    done = subprocess.run(
        [python, "-c", COUNT], env=environment(), capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["80000", "160000", "80000"], done.stderr


def test_a_python_with_a_gil_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KPORT_FREE_THREADED", str(tmp_path / "python"))
    free_threaded.cache_clear()
    assert free_threaded()[1].startswith("no free-threaded Python: set KPORT_FREE_THREADED")
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    free_threaded.cache_clear()
    assert free_threaded() == ("", f"{fake} cannot run the tests: it has a GIL")
    free_threaded.cache_clear()


@pytest.mark.long
@pytest.mark.parametrize("name", ["F02", "F06", "F09", "R29"])
def test_a_token_tells_the_same_on_another_python(name: str) -> None:
    """Another version, no greenlet, no GIL: the report is the same, byte for byte."""
    python, why = free_threaded()
    if not python:
        pytest.skip(why)
    from kport.explore import explore
    from kport.museum.library import find

    entry = find(name)
    with entry.stage():
        result = explore(
            entry.scenario,
            name=name,
            strategy="pct:3",
            sched=entry.sched,
            check=entry.check,
            plain=entry.plain,
        )
    (failure,) = result.failures
    said = [
        subprocess.run(
            [who, "-m", "kport", "replay", failure.token],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout
        for who in (sys.executable, python)
    ]
    assert said[0] == said[1]
    assert failure.token in said[0]
