# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`pytest --stress N`: what runs on threads runs N times, anything else once."""

from __future__ import annotations

import subprocess
import sys


def collected(*options: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options, "tests/check/test_chaos.py"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    names = (line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line)
    return [name for name in names if not name.startswith("test_priorities")]


def test_each_test_on_threads_runs_n_times():
    name = "test_delays_are_short_and_on_threads_only"
    times = [f"{name}[threads-{n}]" for n in range(3)]
    assert collected("--stress", "3") == [*times, f"{name}[virt]"]
    assert collected("--stress", "3", "--arch", "virt") == [f"{name}[virt]"]
