# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Settings of the process while something is played."""

from __future__ import annotations

import sys

import pytest

from kport.cli.timing import brisk


@pytest.mark.parametrize(
    ("threads", "interval"), [(0, 0.0002), (1, 0.0002), (8, 0.0002), (80, 0.002), (1000, 0.005)]
)
def test_the_interpreter_is_handed_over_often_by_few_and_seldom_by_many(threads, interval):
    before = sys.getswitchinterval()
    with brisk(threads):
        assert sys.getswitchinterval() == pytest.approx(interval)
    assert sys.getswitchinterval() == pytest.approx(before)


def test_the_settings_are_restored_after_an_error():
    before = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), brisk(1):
        raise ZeroDivisionError
    assert sys.getswitchinterval() == pytest.approx(before)
