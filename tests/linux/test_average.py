# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""EWMA: the C formula on a 64-bit word, with its wraps."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.linux.average import DECLARE_EWMA, ewma
from kport.linux.bug import KernelBug

pytestmark = pytest.mark.usefixtures("kernel")

values = st.lists(
    st.one_of(st.integers(0, 10**6), st.integers(2**57, 2**64 - 1), st.integers(-5, 5)), max_size=30
)


def c_formula(internal: int, value: int, precision: int, weight_rcp: int) -> int:
    """ewma_##name##_add() with C's unsigned long."""
    ulong = ctypes.c_ulong
    shift = weight_rcp.bit_length() - 1
    if not internal:
        return ulong(ulong(value).value << precision).value
    shifted = ulong(internal << shift).value
    added = ulong(ulong(value).value << precision).value
    return ulong(ulong(shifted - internal).value + added).value >> shift


@given(values, st.sampled_from([(6, 4), (10, 8), (0, 1), (12, 64)]))
def test_against_the_c_formula(samples, parameters):
    precision, weight_rcp = parameters
    init, read, add = DECLARE_EWMA(precision, weight_rcp)
    e, internal = ewma(), 0
    init(e)
    assert read(e) == 0
    for value in samples:
        add(e, value)
        internal = c_formula(internal, value, precision, weight_rcp)
        assert e.internal == internal
        assert read(e) == internal >> precision


def test_the_first_sample_is_taken_as_it_is():
    init, read, add = DECLARE_EWMA(6, 4)
    e = ewma()
    init(e)
    add(e, 1000)
    assert read(e) == 1000
    add(e, 2000)
    assert read(e) == 1250
    init(e)
    assert read(e) == 0


def test_after_a_zero_the_next_sample_is_the_first_again():
    init, read, add = DECLARE_EWMA(6, 4)
    e = ewma()
    init(e)
    add(e, 0)
    add(e, 400)
    assert read(e) == 400


def test_parameters_the_compiler_would_refuse():
    with pytest.raises(KernelBug, match="BUILD_BUG_ON"):
        DECLARE_EWMA(31, 4)
    with pytest.raises(KernelBug, match="BUILD_BUG_ON"):
        DECLARE_EWMA(6, 3)
