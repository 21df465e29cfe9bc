# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Where a statement of the port stands in C."""

from __future__ import annotations

import pytest

from kport.linux import linemap
from kport.workload.eras.place import At, Position, position

MAIN = "drivers/gpu/drm/scheduler/sched_main.c"


@pytest.fixture(autouse=True)
def fresh():
    position.cache_clear()
    yield
    position.cache_clear()


def test_a_statement_has_its_own_line():
    old = position("v6_1", At("sched_main", "drm_sched_start_timeout", "queue_delayed_work("))
    assert old == Position("Linux 6.1.192", MAIN, 237, "drm_sched_start_timeout")
    assert str(old) == "sched_main.c:237  drm_sched_start_timeout()"
    new = position("v7_2", At("sched_main", "drm_sched_start_timeout", "mod_delayed_work("))
    assert new == Position("Linux 7.2.13", MAIN, 204, "drm_sched_start_timeout")


def test_without_the_map_the_function_is_found(monkeypatch):
    monkeypatch.setattr(linemap, "position", lambda file, line: "")
    old = position("v6_1", At("sched_main", "drm_sched_start_timeout", "queue_delayed_work("))
    assert old == Position("Linux 6.1.192", MAIN, 233, "drm_sched_start_timeout")


def test_the_fences_of_2023_are_those_of_6_1():
    found = position("v3_2023", At("sched_fence", "drm_sched_fence_init", "dma_fence_init("))
    assert found.version == "Linux 6.1.192"
    assert found.file == "drivers/gpu/drm/scheduler/sched_fence.c"


@pytest.mark.parametrize(
    "at",
    [
        At("sched_main", "drm_sched_fini", "drm_sched_submit_stop("),  # a statement of the patch
        At("sched_main", "drm_sched_submit_stop", "cancel_work_sync("),  # a function of it
    ],
)
def test_the_patch_has_no_line(at):
    found = position("v3_2023", at)
    assert found == Position("patch 02/13 of 2023", "", 0, at.function)
    assert str(found) == f"{at.function}(), patch 02/13 of 2023"


@pytest.mark.parametrize(
    ("at", "message"),
    [
        (At("sched_main", "drm_sched_gone", "x"), "no function sched_main.drm_sched_gone"),
        (At("sched_main", "drm_sched_fini", "gone("), "no 'gone(' in drm_sched_fini"),
        (At("sched_main", "drm_sched_fini", "sched_main.c"), "no 'sched_main.c' in"),
    ],
)
def test_what_is_not_there_is_an_error(at, message):
    """A text of the docstring is no statement."""
    with pytest.raises(LookupError, match=r"^v7_2: ") as caught:
        position("v7_2", at)
    assert message in str(caught.value)
