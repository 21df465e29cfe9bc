# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The 18 crash types of reference counters as a suite, `lkdtm_refcount`.

`expect` is what the kernel's selftest looks for in the log (tests.txt in tools/testing/selftests/
lkdtm of Linux 7.2.13; where it names nothing it looks for a call trace; SUB_AND_TEST_ZERO is not in
it). The suite asks for more: `says` is the last message of the crash type, `warns` the warning of
lib/refcount.c. The warnings are wanted, so they do not count as warnings of the kernel. As the
selftest does by way of debugfs, each run makes every place warn again that warns only once.
"""

from __future__ import annotations

from kport.kunit.lkdtm.refcount import crashtypes
from kport.kunit.test import KUNIT_ARRAY_PARAM, KUNIT_CASE_PARAM, kunit_suite, kunit_test_suite
from kport.linux import bug, printk
from kport.linux.kunit import KUNIT_ASSERT_EQ, KUNIT_EXPECT_EQ, KUNIT_EXPECT_TRUE, kunit
from kport.linux.struct import struct

CALL_TRACE = "call trace:"

LEAK = "refcount_t: saturated; leaking memory."
UAF = "refcount_t: addition on 0; use-after-free."
UNDERFLOW = "refcount_t: underflow; use-after-free."
HIT_0 = "refcount_t: decrement hit 0; leaking memory."


class lkdtm_expectation(struct, table=True):
    """What the log must have after a crash type; see above."""

    name: str
    expect: str
    says: str
    warns: str


def _row(name: str, expect: str, says: str, warns: str) -> lkdtm_expectation:
    return lkdtm_expectation(name=f"REFCOUNT_{name}", expect=expect, says=says, warns=warns)


OVERFLOW = "Overflow detected: saturated"
ZERO = "Zero detected: saturated"
NEGATIVE = "Negative detected: saturated"
STILL = "Saturation detected: still saturated"

lkdtm_expectations = (
    _row("INC_OVERFLOW", CALL_TRACE, OVERFLOW, LEAK),
    _row("ADD_OVERFLOW", CALL_TRACE, OVERFLOW, LEAK),
    _row("INC_NOT_ZERO_OVERFLOW", CALL_TRACE, OVERFLOW, LEAK),
    _row("ADD_NOT_ZERO_OVERFLOW", CALL_TRACE, OVERFLOW, LEAK),
    _row("DEC_ZERO", CALL_TRACE, ZERO, HIT_0),
    _row("DEC_NEGATIVE", NEGATIVE, NEGATIVE, HIT_0),
    _row("DEC_AND_TEST_NEGATIVE", NEGATIVE, NEGATIVE, UNDERFLOW),
    _row("SUB_AND_TEST_NEGATIVE", NEGATIVE, NEGATIVE, UNDERFLOW),
    _row("SUB_AND_TEST_ZERO", CALL_TRACE, NEGATIVE, UNDERFLOW),
    _row("INC_ZERO", CALL_TRACE, ZERO, UAF),
    _row("ADD_ZERO", CALL_TRACE, ZERO, UAF),
    _row("INC_SATURATED", STILL, STILL, LEAK),
    _row("DEC_SATURATED", STILL, STILL, HIT_0),
    _row("ADD_SATURATED", STILL, STILL, LEAK),
    _row("INC_NOT_ZERO_SATURATED", CALL_TRACE, STILL, LEAK),
    _row("ADD_NOT_ZERO_SATURATED", CALL_TRACE, STILL, LEAK),
    _row("DEC_AND_TEST_SATURATED", STILL, STILL, UNDERFLOW),
    _row("SUB_AND_TEST_SATURATED", STILL, STILL, UNDERFLOW),
)


def lkdtm_desc(params: lkdtm_expectation) -> str:
    """The name of the crash type."""
    return params.name


lkdtm_gen_params = KUNIT_ARRAY_PARAM(lkdtm_expectations, lkdtm_desc)


def lkdtm_refcount(test: kunit) -> None:
    """Make one mistake and read what the kernel says of it."""
    params = test.param_value
    index = test.param_index - 1
    KUNIT_ASSERT_EQ(test, crashtypes[index].name, params.name)

    log: list[str] = []
    before = len(bug.warnings)

    def listen(record: printk.record) -> None:
        log.append(record.text)

    printk.clear_warn_once()
    printk.listeners.append(listen)
    try:
        crashtypes[index].func()
    finally:
        printk.listeners.remove(listen)
    warned = bug.warnings[before:]
    del bug.warnings[before:]

    KUNIT_EXPECT_TRUE(test, any(params.expect.lower() in line.lower() for line in log))
    KUNIT_EXPECT_EQ(test, log[-1], "lkdtm: " + params.says)
    KUNIT_EXPECT_EQ(test, len(warned), 1)
    KUNIT_EXPECT_TRUE(test, params.warns in log)
    KUNIT_EXPECT_EQ(test, [line for line in log if "Fail:" in line or "Weird:" in line], [])


lkdtm_refcount_suite = kunit_suite(
    name="lkdtm_refcount",
    test_cases=[KUNIT_CASE_PARAM(lkdtm_refcount, lkdtm_gen_params)],
)

kunit_test_suite(lkdtm_refcount_suite)
