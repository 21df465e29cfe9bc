# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Waits that only a later step of the same client could end are found before anything runs."""

from __future__ import annotations

import time

import pytest

from kport.workload.errors import InputError
from kport.workload.wsim.check import check_steps
from kport.workload.wsim.parse import parse_steps


def check(text: str) -> None:
    check_steps(parse_steps(text.replace(" ", "\n"), "f", inline=False))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        # the batch itself, with its own wait field, a sync, a throttle
        ("1.RCS.*.0.1 T.-1", 1, "the batch of line 1 needs the endless batch of line 1"),
        ("1.RCS.*.0.0 s.-1 T.-2", 2, "which only line 3 ends; put the T step before the wait"),
        ("f 1.RCS.5.f-1.1 a.-2", 2, "needs the fence of line 1, which only line 3 signals"),
        ("f 1.RCS.5.f-1.1", 2, "which nothing signals"),
        ("t.1 f 1.RCS.5.f-1.0 2.BCS.5.0.0 a.-3", 4, "the batch of line 3 needs the fence"),
        # through dependencies: data, out-fence, scheduled fence
        ("f 1.RCS.5.f-1.0 2.BCS.5.-1.1 a.-3", 3, "needs the fence of line 1"),
        ("f 1.RCS.5.f-1.0 2.BCS.5.f-1.1 a.-3", 3, "needs the fence of line 1"),
        ("f 1.RCS.5.f-1.0 2.BCS.5.s-1.1 a.-3", 3, "needs the fence of line 1"),
        # through the order within a context and engine
        ("f 1.RCS.5.f-1.0 1.RCS.5.0.1 a.-3", 3, "needs the fence of line 1"),
        ("1.RCS.*.0.0 1.RCS.5.0.1 T.-2", 2, "needs the endless batch of line 1"),
        # through a working set: behind a writer, or as a writer behind a reader
        ("w.1.4k 1.RCS.*.w1-0.0 2.BCS.5.r1-0.1 T.-2", 3, "needs the endless batch of line 2"),
        ("w.1.4k 1.RCS.*.r1-0.0 2.BCS.5.w1-0.1 T.-2", 3, "needs the endless batch of line 2"),
    ],
)
def test_a_wait_that_cannot_end_is_refused(text, line, message):
    with pytest.raises(InputError) as error:
        check(text)
    assert error.value.where == f"f:{line}:1"
    assert "waits for ever" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "f 1.RCS.5.f-1.0 a.-2 s.-2",
        "1.RCS.*.0.0 T.-1 s.-2",
        # the scheduled fence of an endless batch signals when it starts
        "1.RCS.*.0.0 2.BCS.5.s-1.1 T.-2",
        # another engine, another context
        "f 1.RCS.5.f-1.0 1.BCS.5.0.1 2.RCS.5.0.1 a.-4",
        # readers do not wait for readers
        "w.1.4k 1.RCS.*.r1-0.0 2.BCS.5.r1-0.1 T.-2",
        "w.1.2n4k 1.RCS.*.w1-0.0 2.BCS.5.w1-1.1 T.-2",
        # throttled only until the fence is signalled
        "t.1 f 1.RCS.5.f-1.0 a.-2 2.BCS.5.0.0",
        "t.2 f 1.RCS.5.f-1.0 a.-2 2.BCS.5.0.0",
        # the frame split of gem_wsim
        "f 1.VCS1.*.f-1.0 2.VCS2.5.s-1.0 a.-3 s.-2 T.-4 3.RCS.5.-5/-4.1",
    ],
)
def test_a_wait_that_ends_is_not_refused(text):
    check(text)


def test_the_search_is_bounded():
    began = time.monotonic()
    check("w.1.4096n4k f " + "1.RCS.5.w1-0-4095.0 " * 2000 + "a.-2001")
    check("f " * 5000 + "1.RCS.5.0.0 " * 5000)
    assert time.monotonic() - began < 10
