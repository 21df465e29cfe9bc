# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What must hold between the steps of a file."""

from __future__ import annotations

import pytest
from hypothesis import given

from kport.workload.errors import InputError
from kport.workload.wsim.check import check_steps
from kport.workload.wsim.parse import parse_steps
from tests.workload.wsim_files import wsim_text


def check(text: str) -> list[str]:
    return check_steps(parse_steps(text, "f", inline=False))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("1.RCS.5.-1.0", "f:1:9", "offset -1 points before the first step"),
        ("d.5\n1.RCS.5.0.0\n1.RCS.5.-2.0", "f:3:9", "offset -2 points to line 1"),
        ("f\n1.RCS.5.-1.0", "f:2:9", "which is an f step; it must point to a batch"),
        ("f\n1.RCS.5.s-1.0", "f:2:9", "which is an f step"),
        ("d.5\n1.RCS.5.f-1.0", "f:2:9", "it must point to a batch or an f step"),
        ("s.-1", "f:1:3", "points before the first step"),
        ("f\ns.-1", "f:2:3", "it must point to a batch"),
        ("1.RCS.5.0.0\na.-1", "f:2:3", "which is a batch; it must point to an f step"),
        ("f\nT.-1", "f:2:3", "it must point to an endless batch"),
        ("1.RCS.5.0.0\nT.-1", "f:2:3", "the batch of line 1 ends by itself"),
        ("d.1\n1.RCS.*.0.0", "f:2:1", "nothing ends this endless batch; add a T step"),
        ("1.RCS.*.0.0\n1.RCS.*.0.0\nT.-1", "f:1:1", "nothing ends this endless batch"),
        ("w.1.4k\nW.1.4k", "f:2:1", "working set 1 is in line 1 already"),
        ("1.RCS.5.r1-0.0", "f:1:9", "there is no working set 1"),
        ("w.1.2n4k\n1.RCS.5.w1-0/r1-1-2.0", "f:2:14", "working set 1 has no object 2"),
        ("B.1", "f:1:1", "context 1 has no engine map to balance over; add M.1"),
        ("M.1.VCS\nb.1.VCS1.VCS2", "f:2:1", "context 1 is not balanced"),
        ("M.1.VCS1\nB.1\nb.1.VCS2.RCS", "f:3:1", "engine vcs2 is not in the map"),
        ("M.1.VCS\n1.RCS.5.0.0", "f:2:3", "engine RCS is not in the map of context 1"),
    ],
)
def test_what_cannot_be_played_is_refused(text, place, message):
    with pytest.raises(InputError) as error:
        check(text)
    assert error.value.where == place
    assert message in str(error.value)


def test_offsets_count_steps_and_not_lines():
    assert check("1.RCS.5.0.0\n# a comment\n\n1.RCS.5.-1.0") == []


def test_a_working_set_may_be_declared_behind_its_use():
    assert check("1.RCS.5.r1-0.0\nw.1.4k") == []


def test_a_balanced_context_plays_other_engines_on_its_map_and_says_so():
    (note,) = check("M.3.VCS\nB.3\n3.RCS.5.0.0\n3.BCS.5.0.0\n3.VCS.5.0.0")
    assert note.startswith("f:3:1: RCS is not in the map of the balanced context 3")
    assert note.endswith("(batches like this: 2)")


@given(wsim_text())
def test_the_random_files_are_valid(text):
    check(text)
