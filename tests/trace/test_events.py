# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The table of events: the same as the port's own tracepoints, and text and values agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kport.drm.scheduler.v6_1.sched_main
import kport.drm.scheduler.v7_2.sched_main  # noqa: F401 - these two define the tracepoints
from kport.linux.tracepoint import tracepoints
from kport.trace.events import BEFORE_6_17, EVENTS, WRITTEN, Kind

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=20)
U32 = st.integers(0, 0xFFFFFFFF)
U64 = st.integers(0, 0xFFFFFFFFFFFFFFFF)
S32 = st.integers(-0x80000000, 0x7FFFFFFF)


def test_every_tracepoint_of_scheduler_and_fences_is_in_the_table():
    ours = {n for n, tp in tracepoints.items() if tp.system in ("gpu_scheduler", "dma_fence")}
    assert ours == set(WRITTEN)
    assert set(BEFORE_6_17).isdisjoint(EVENTS)


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_an_event_is_defined_as_its_tracepoint(name):
    kind, tp = WRITTEN[name], tracepoints[name]
    assert (kind.system, kind.name) == (tp.system, tp.name)
    assert kind.fields == tp.cls.fields
    assert kind.spelling.printk == tp.cls.printk


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_an_event_prints_as_its_tracepoint(name):
    kind, tp = WRITTEN[name], tracepoints[name]
    values = tuple(
        f"name{i}" if kind is str else i + 7 for i, kind in enumerate(kind.spelling.types)
    )
    assert kind.text(values) == tp.text(values)


@given(st.tuples(NAMES, U64, U64, NAMES, U32, S32, U64))
def test_a_job_event_is_read_as_it_was_printed(values):
    kind = EVENTS["drm_sched_job_run"]
    assert kind.values(kind.text(values)) == values


@given(st.tuples(U64, U64, U64, U64))
def test_a_dependency_is_read_as_it_was_printed(values):
    for name in ("drm_sched_job_add_dep", "drm_sched_job_unschedulable"):
        assert EVENTS[name].values(EVENTS[name].text(values)) == values


@given(st.tuples(NAMES, NAMES, U32, U32))
def test_a_fence_event_is_read_as_it_was_printed(values):
    kind = EVENTS["dma_fence_signaled"]
    assert kind.values(kind.text(values)) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            "dev=a, fence=3:1, ring=gfx, job count:4, hw job count:5, client_id:6",
            ("a", 3, 1, "gfx", 4, 5, 6),
        ),
        (
            "dev=a, id=9, fence=3:1, ring=gfx, job count:4, hw job count:5, client_id:6",
            ("a", 3, 1, "gfx", 4, 5, 6),
        ),
        (
            "dev=a, id=9, fence=3:1, ring=gfx, job count:4, hw job count:5",
            ("a", 3, 1, "gfx", 4, 5, 0),
        ),
        ("dev=a, fence=3:1, ring=gfx, job count:4, hw job count:-5", ("a", 3, 1, "gfx", 4, -5, 0)),
        (
            "dev=a b, fence=3:1, ring=gfx 2:, job count:4, hw job count:5, client_id:6",
            ("a b", 3, 1, "gfx 2:", 4, 5, 6),
        ),
    ],
)
def test_older_spellings_and_odd_names_are_understood(text, values):
    assert EVENTS["drm_sched_job_queue"].values(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fence=1:2",
        "dev=a, fence=3:, ring=gfx, job count:4, hw job count:5, client_id:6",
        "dev=a, fence=3:1, ring=gfx, job count:4",
        "dev=a, fence=111111111111111111111:1, ring=gfx, job count:4, hw job count:5, client_id:6",
        "dev=a, fence=3:1, ring=gfx, job count:4, hw job count:5, client_id:111111111111111111111",
    ],
)
def test_what_is_no_job_event_is_refused(text):
    values = EVENTS["drm_sched_job_queue"].values(text)
    # The last one still is the older spelling, without the client.
    assert values is None or values[6] == 0


def test_a_kind_reads_from_the_middle_of_a_line():
    kind = Kind("s", "e", ("a",), "a=%u")
    assert kind.values("name: a=12 ", 6) == (12,)
