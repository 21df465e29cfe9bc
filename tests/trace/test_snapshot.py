# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Frozen values: through JSON and back, and what is no such value."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.trace.snapshot import (
    Counters,
    Entity,
    Fence,
    Job,
    Port,
    Ring,
    Thread,
    Work,
    plain,
    port_from,
)
from tests.trace.sample import GFX

FULL = Port(
    ts=12,
    arch="threads",
    policy="fair",
    rings=(Ring(GFX, "running", 1, 2, 3, 99.5, (3, 1), None, credits=1, hardware="idle"),),
    entities=(Entity(3, GFX, 1, place=0, key=-5, key_kind="vruntime", blocked_on=(7, 1)),),
    jobs=(Job((3, 1), GFX, 1, "running", 5, depends=((7, 1), (7, 2)), karma=1),),
    fences=(Fence((3, 1), role="finished", job=(3, 1), waiters=("a-1",), error=-62),),
    threads=(Thread("kworker/u8:0", 11, "worker", held=("rq->lock",)),),
    works=(Work("drm_sched_run_job_work", "gfx", "delayed", left_ns=5),),
    dmesg=("[    0.1] x",),
    commands=("hang",),
    counters=Counters(events=5, observer_pct=1.5),
)


def test_a_port_survives_json():
    assert port_from(json.loads(json.dumps(plain(FULL)))) == FULL
    assert port_from(plain(Port(ts=0))) == Port(ts=0)


def test_what_is_not_known_is_passed_over_and_what_is_missing_has_its_default():
    assert port_from({"ts": 3, "later": [1, 2]}) == Port(ts=3)


@pytest.mark.parametrize(
    "value",
    [
        None, [], "x", 5, {}, {"ts": "x"}, {"ts": True}, {"ts": None}, {"ts": 1.5},
        {"ts": 1, "rings": 5}, {"ts": 1, "rings": [5]}, {"ts": 1, "rings": [{}]},
        {"ts": 1, "rings": [{"key": ["a"]}]}, {"ts": 1, "rings": [{"key": ["a", 5]}]},
        {"ts": 1, "rings": [{"key": ["a", "b"], "state": "bent"}]},
        {"ts": 1, "rings": [{"key": ["a", "b"], "head": [1, 2, 3]}]},
        {"ts": 1, "dmesg": [None]},
    ],
)  # fmt: skip
def test_what_is_no_port_is_refused(value):
    with pytest.raises(ValueError):
        port_from(value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["ts", "rings", "key", "jobs", "counters", "state", "x"]), inner
    ),
)  # fmt: skip


@given(_json)
def test_any_json_is_a_port_or_a_value_error(value):
    try:
        assert isinstance(port_from(value), Port)
    except ValueError:
        return


def test_values_are_frozen():
    with pytest.raises(FrozenInstanceError):
        FULL.ts = 5


def test_names_and_states():
    assert Job((401, 17), GFX, 1, "queued", 0).name == "401:17"
    assert Job((99, 17), GFX, 1, "queued", 0, old=True).name == "#17"
    assert Fence((3, 1)).state == "init"
    assert Fence((3, 1), armed=1).state == "armed"
    assert Fence((3, 1), armed=1, signalled=2).state == "signalled"
    assert Fence((3, 1), freed=3).name == "3:1"
