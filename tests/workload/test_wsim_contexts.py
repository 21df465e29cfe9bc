# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Which rings a batch may use."""

from __future__ import annotations

import pytest

from kport.workload.wsim.contexts import bonded, contexts_of, slot_of
from kport.workload.wsim.engines import RINGS, engine_rings
from kport.workload.wsim.parse import parse_steps
from kport.workload.wsim.steps import Batch


def slot(settings: str, engine: str) -> tuple[str, ...]:
    steps = parse_steps(f"{settings}\n1.{engine}.5.0.0", "f", inline=False)
    assert isinstance(steps[-1], Batch)
    return slot_of(steps[-1], contexts_of(steps))[0]


@pytest.mark.parametrize(
    ("settings", "engine", "rings"),
    [
        # no map: the rings of the engine
        ("", "DEFAULT", "rcs"),
        ("", "RCS", "rcs"),
        ("", "VCS2", "vcs2"),
        ("", "VCS", "vcs1 vcs2"),
        ("", "CCS", "ccs"),
        # a map: what the engine covers of it
        ("M.1.VCS|BCS", "VCS", "vcs1 vcs2"),
        ("M.1.VCS|BCS", "VCS2", "vcs2"),
        ("M.1.VCS2|BCS", "VCS", "vcs2"),
        ("M.1.VCS2|BCS", "DEFAULT", "vcs2"),
        ("M.2.VCS2|BCS", "DEFAULT", "rcs"),
        # balanced: the whole map unless a part of it is named
        ("M.1.VCS\nB.1", "DEFAULT", "vcs1 vcs2"),
        ("M.1.VCS\nB.1", "VCS", "vcs1 vcs2"),
        ("M.1.VCS\nB.1", "VCS1", "vcs1"),
        ("M.1.RCS|VECS\nB.1", "DEFAULT", "rcs vecs"),
        ("M.1.RCS|VECS\nB.1", "RCS", "rcs"),
        ("M.1.VCS\nB.1", "RCS", "vcs1 vcs2"),
        # the settings hold wherever they stand, and of two maps the later
        ("M.1.BCS\nM.1.VCS", "DEFAULT", "vcs1"),
    ],
)
def test_slots(settings, engine, rings):
    assert slot(settings, engine) == tuple(rings.split())


def test_settings_behind_a_batch_hold_for_it():
    steps = parse_steps("1.DEFAULT.5.0.0\nM.1.VCS\nB.1", "f", inline=False)
    assert slot_of(steps[0], contexts_of(steps))[0] == ("vcs1", "vcs2")


def test_a_bond_leaves_its_engines():
    settings = "M.2.VCS|RCS\nB.2\nb.2.VCS2.VCS1\nb.2.VCS1|RCS.VCS2"
    context = contexts_of(parse_steps(settings, "f", inline=False))[2]
    whole = ("vcs1", "vcs2", "rcs")
    assert bonded(whole, context, ["vcs1"]) == ("vcs2",)
    assert bonded(whole, context, ["vcs2"]) == ("vcs1", "rcs")
    assert bonded(whole, context, ["bcs"]) == whole
    assert bonded(whole, context, []) == whole
    assert bonded(("rcs",), context, ["vcs1"]) == ("rcs",)  # nothing would be left
    assert bonded(whole, None, ["vcs1"]) == whole


def test_every_ring_has_a_name_of_its_own():
    names = ("RCS", "BCS", "VCS1", "VCS2", "VECS", "CCS")
    assert tuple(engine_rings(name) for name in names) == tuple((ring,) for ring in RINGS)
