# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a viewer's process does for the port beside it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from kport.trace import client

_TELL = """
import json, os, sys
from kport.trace import client
{change}
client.step_back()
try:
    with open("/proc/self/sched") as file:
        told = file.read()
except OSError:
    told = ""
print(json.dumps([os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0), told]))
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="priorities are Linux's")


def _after(change=""):
    """Policy, niceness and /proc/self/sched of a process that has stepped back."""
    out = subprocess.run(
        [sys.executable, "-c", _TELL.format(change=change)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert out.stderr == ""
    return json.loads(out.stdout)


def _slice(told):
    found = re.search(r"se\.slice\s*:\s*(\d+)", told)
    return int(found[1]) if found else None


def _has_slices():
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (6, 12)


def test_a_viewer_runs_after_others():
    policy, nice, told = _after()
    assert policy == os.SCHED_BATCH
    assert nice >= 10
    if _slice(told) is not None and _has_slices() and os.uname().machine in client._SCHED_SETATTR:
        assert _slice(told) == 6_000_000, "longer than anybody's: whoever wakes up preempts it"


def test_where_slices_cannot_be_set_the_rest_is():
    policy, nice, told = _after("client._SCHED_SETATTR.clear()")
    assert (policy, nice) == (os.SCHED_BATCH, max(10, nice))
    assert _slice(told) != 6_000_000


def test_a_niceness_that_is_larger_stays():
    assert _after("os.setpriority(os.PRIO_PROCESS, 0, 15)")[1] == 15


def test_a_system_that_refuses_changes_nothing():
    change = (
        "def refuse(*args): raise PermissionError\n"
        "os.sched_setscheduler = os.setpriority = refuse\n"
        "client._SCHED_SETATTR.clear()"
    )
    assert _after(change)[0] == os.SCHED_OTHER
