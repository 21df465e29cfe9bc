# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/misc/lkdtm/refcount.c, Linux 7.2.13, on 2026-11-20.
"""The crash types of reference counters: each provokes one mistake and says what came of it.

The two types that only take the time of four billion operations are left out.
"""

from __future__ import annotations

from kport.kunit.lkdtm.lkdtm import CRASHTYPE, pr_err, pr_info, pr_warn
from kport.linux import refcount
from kport.linux.refcount import (
    REFCOUNT_INIT,
    REFCOUNT_MAX,
    REFCOUNT_SATURATED,
    refcount_add,
    refcount_add_not_zero,
    refcount_dec,
    refcount_dec_and_test,
    refcount_inc,
    refcount_inc_not_zero,
    refcount_read,
    refcount_sub_and_test,
    refcount_t,
)
from kport.linux.types import s32


def overflow_check(ref: refcount_t) -> None:
    """What has become of a counter that was pushed over its maximum.

    drivers/misc/lkdtm/refcount.c:9-21, Linux 7.2.13
    """
    match s32(refcount_read(ref)):  # kport: implicit-cast
        case refcount.REFCOUNT_SATURATED:
            pr_info("Overflow detected: saturated\n")
        case refcount.REFCOUNT_MAX:
            pr_warn("Overflow detected: unsafely reset to max\n")
        case _:
            pr_err(  # kport: implicit-cast
                "Fail: refcount wrapped to %d\n", s32(refcount_read(ref))
            )


def lkdtm_REFCOUNT_INC_OVERFLOW() -> None:
    """refcount_inc() from the maximum.

    drivers/misc/lkdtm/refcount.c:27-40, Linux 7.2.13
    """
    over = REFCOUNT_INIT(REFCOUNT_MAX - 1)

    pr_info("attempting good refcount_inc() without overflow\n")
    refcount_dec(over)
    refcount_inc(over)

    pr_info("attempting bad refcount_inc() overflow\n")
    refcount_inc(over)
    refcount_inc(over)

    overflow_check(over)


def lkdtm_REFCOUNT_ADD_OVERFLOW() -> None:
    """refcount_add() over the maximum.

    drivers/misc/lkdtm/refcount.c:43-58, Linux 7.2.13
    """
    over = REFCOUNT_INIT(REFCOUNT_MAX - 1)

    pr_info("attempting good refcount_add() without overflow\n")
    refcount_dec(over)
    refcount_dec(over)
    refcount_dec(over)
    refcount_dec(over)
    refcount_add(4, over)

    pr_info("attempting bad refcount_add() overflow\n")
    refcount_add(4, over)

    overflow_check(over)


def lkdtm_REFCOUNT_INC_NOT_ZERO_OVERFLOW() -> None:
    """refcount_inc_not_zero() from the maximum.

    drivers/misc/lkdtm/refcount.c:61-70, Linux 7.2.13
    """
    over = REFCOUNT_INIT(REFCOUNT_MAX)

    pr_info("attempting bad refcount_inc_not_zero() overflow\n")
    if not refcount_inc_not_zero(over):
        pr_warn("Weird: refcount_inc_not_zero() reported zero\n")

    overflow_check(over)


def lkdtm_REFCOUNT_ADD_NOT_ZERO_OVERFLOW() -> None:
    """refcount_add_not_zero() over the maximum.

    drivers/misc/lkdtm/refcount.c:73-82, Linux 7.2.13
    """
    over = REFCOUNT_INIT(REFCOUNT_MAX)

    pr_info("attempting bad refcount_add_not_zero() overflow\n")
    if not refcount_add_not_zero(6, over):
        pr_warn("Weird: refcount_add_not_zero() reported zero\n")

    overflow_check(over)


def check_zero(ref: refcount_t) -> None:
    """What has become of a counter that was dropped to 0 by refcount_dec().

    drivers/misc/lkdtm/refcount.c:84-99, Linux 7.2.13
    """
    match s32(refcount_read(ref)):  # kport: implicit-cast
        case refcount.REFCOUNT_SATURATED:
            pr_info("Zero detected: saturated\n")
        case refcount.REFCOUNT_MAX:
            pr_warn("Zero detected: unsafely reset to max\n")
        case 0:
            pr_warn("Still at zero: refcount_inc/add() must not inc-from-0\n")
        case _:
            pr_err(  # kport: implicit-cast
                "Fail: refcount went crazy: %d\n", s32(refcount_read(ref))
            )


def lkdtm_REFCOUNT_DEC_ZERO() -> None:
    """refcount_dec() to 0, where refcount_dec_and_test() belongs.

    drivers/misc/lkdtm/refcount.c:106-117, Linux 7.2.13
    """
    zero = REFCOUNT_INIT(2)

    pr_info("attempting good refcount_dec()\n")
    refcount_dec(zero)

    pr_info("attempting bad refcount_dec() to zero\n")
    refcount_dec(zero)

    check_zero(zero)


def check_negative(ref: refcount_t, start: int) -> None:
    """What has become of a counter that was pushed below 0 from `start`.

    drivers/misc/lkdtm/refcount.c:119-142, Linux 7.2.13
    """
    if refcount_read(ref) == start:
        pr_warn("Still at %d: refcount_inc/add() must not inc-from-0\n", start)
        return

    match s32(refcount_read(ref)):  # kport: implicit-cast
        case refcount.REFCOUNT_SATURATED:
            pr_info("Negative detected: saturated\n")
        case refcount.REFCOUNT_MAX:
            pr_warn("Negative detected: unsafely reset to max\n")
        case _:
            pr_err(  # kport: implicit-cast
                "Fail: refcount went crazy: %d\n", s32(refcount_read(ref))
            )


def lkdtm_REFCOUNT_DEC_NEGATIVE() -> None:
    """refcount_dec() from 0.

    drivers/misc/lkdtm/refcount.c:145-153, Linux 7.2.13
    """
    neg = REFCOUNT_INIT(0)

    pr_info("attempting bad refcount_dec() below zero\n")
    refcount_dec(neg)

    check_negative(neg, 0)


def lkdtm_REFCOUNT_DEC_AND_TEST_NEGATIVE() -> None:
    """refcount_dec_and_test() from 0.

    drivers/misc/lkdtm/refcount.c:159-168, Linux 7.2.13
    """
    neg = REFCOUNT_INIT(0)

    pr_info("attempting bad refcount_dec_and_test() below zero\n")
    if refcount_dec_and_test(neg):
        pr_warn("Weird: refcount_dec_and_test() reported zero\n")

    check_negative(neg, 0)


def lkdtm_REFCOUNT_SUB_AND_TEST_NEGATIVE() -> None:
    """refcount_sub_and_test() of more than there is.

    drivers/misc/lkdtm/refcount.c:174-183, Linux 7.2.13
    """
    neg = REFCOUNT_INIT(3)

    pr_info("attempting bad refcount_sub_and_test() below zero\n")
    if refcount_sub_and_test(5, neg):
        pr_warn("Weird: refcount_sub_and_test() reported zero\n")

    check_negative(neg, 3)


def lkdtm_REFCOUNT_SUB_AND_TEST_ZERO() -> None:
    """refcount_sub_and_test() of 0 from 0.

    drivers/misc/lkdtm/refcount.c:189-198, Linux 7.2.13
    """
    neg = REFCOUNT_INIT(0)

    pr_info("attempting bad refcount_sub_and_test() at zero\n")
    if refcount_sub_and_test(0, neg):
        pr_warn("Weird: refcount_sub_and_test() reported zero\n")

    check_negative(neg, 0)


def check_from_zero(ref: refcount_t) -> None:
    """What has become of a counter that was raised from 0.

    drivers/misc/lkdtm/refcount.c:200-216, Linux 7.2.13
    """
    match s32(refcount_read(ref)):  # kport: implicit-cast
        case 0:
            pr_info("Zero detected: stayed at zero\n")
        case refcount.REFCOUNT_SATURATED:
            pr_info("Zero detected: saturated\n")
        case refcount.REFCOUNT_MAX:
            pr_warn("Zero detected: unsafely reset to max\n")
        case _:
            pr_info(  # kport: implicit-cast
                "Fail: zero not detected, incremented to %d\n", s32(refcount_read(ref))
            )


def lkdtm_REFCOUNT_INC_ZERO() -> None:
    """refcount_inc() from 0, after refcount_inc_not_zero() that refuses.

    drivers/misc/lkdtm/refcount.c:221-240, Linux 7.2.13
    """
    zero = REFCOUNT_INIT(0)

    pr_info("attempting safe refcount_inc_not_zero() from zero\n")
    if not refcount_inc_not_zero(zero):
        pr_info("Good: zero detected\n")
        if refcount_read(zero) == 0:
            pr_info("Correctly stayed at zero\n")
        else:
            pr_err("Fail: refcount went past zero!\n")
    else:
        pr_err("Fail: Zero not detected!?\n")

    pr_info("attempting bad refcount_inc() from zero\n")
    refcount_inc(zero)

    check_from_zero(zero)


def lkdtm_REFCOUNT_ADD_ZERO() -> None:
    """refcount_add() from 0, after refcount_add_not_zero() that refuses.

    drivers/misc/lkdtm/refcount.c:246-265, Linux 7.2.13
    """
    zero = REFCOUNT_INIT(0)

    pr_info("attempting safe refcount_add_not_zero() from zero\n")
    if not refcount_add_not_zero(3, zero):
        pr_info("Good: zero detected\n")
        if refcount_read(zero) == 0:
            pr_info("Correctly stayed at zero\n")
        else:
            pr_err("Fail: refcount went past zero\n")
    else:
        pr_err("Fail: Zero not detected!?\n")

    pr_info("attempting bad refcount_add() from zero\n")
    refcount_add(3, zero)

    check_from_zero(zero)


def check_saturated(ref: refcount_t) -> None:
    """What has become of a counter that was saturated before.

    drivers/misc/lkdtm/refcount.c:267-279, Linux 7.2.13
    """
    match s32(refcount_read(ref)):  # kport: implicit-cast
        case refcount.REFCOUNT_SATURATED:
            pr_info("Saturation detected: still saturated\n")
        case refcount.REFCOUNT_MAX:
            pr_warn("Saturation detected: unsafely reset to max\n")
        case _:
            pr_err(  # kport: implicit-cast
                "Fail: refcount went crazy: %d\n", s32(refcount_read(ref))
            )


def lkdtm_REFCOUNT_INC_SATURATED() -> None:
    """refcount_inc() of a saturated counter.

    drivers/misc/lkdtm/refcount.c:285-293, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_inc() from saturated\n")
    refcount_inc(sat)

    check_saturated(sat)


def lkdtm_REFCOUNT_DEC_SATURATED() -> None:
    """refcount_dec() of a saturated counter.

    drivers/misc/lkdtm/refcount.c:296-304, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_dec() from saturated\n")
    refcount_dec(sat)

    check_saturated(sat)


def lkdtm_REFCOUNT_ADD_SATURATED() -> None:
    """refcount_add() to a saturated counter.

    drivers/misc/lkdtm/refcount.c:307-315, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_dec() from saturated\n")
    refcount_add(8, sat)

    check_saturated(sat)


def lkdtm_REFCOUNT_INC_NOT_ZERO_SATURATED() -> None:
    """refcount_inc_not_zero() of a saturated counter.

    drivers/misc/lkdtm/refcount.c:318-327, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_inc_not_zero() from saturated\n")
    if not refcount_inc_not_zero(sat):
        pr_warn("Weird: refcount_inc_not_zero() reported zero\n")

    check_saturated(sat)


def lkdtm_REFCOUNT_ADD_NOT_ZERO_SATURATED() -> None:
    """refcount_add_not_zero() to a saturated counter.

    drivers/misc/lkdtm/refcount.c:330-339, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_add_not_zero() from saturated\n")
    if not refcount_add_not_zero(7, sat):
        pr_warn("Weird: refcount_add_not_zero() reported zero\n")

    check_saturated(sat)


def lkdtm_REFCOUNT_DEC_AND_TEST_SATURATED() -> None:
    """refcount_dec_and_test() of a saturated counter.

    drivers/misc/lkdtm/refcount.c:342-351, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_dec_and_test() from saturated\n")
    if refcount_dec_and_test(sat):
        pr_warn("Weird: refcount_dec_and_test() reported zero\n")

    check_saturated(sat)


def lkdtm_REFCOUNT_SUB_AND_TEST_SATURATED() -> None:
    """refcount_sub_and_test() of a saturated counter.

    drivers/misc/lkdtm/refcount.c:354-363, Linux 7.2.13
    """
    sat = REFCOUNT_INIT(REFCOUNT_SATURATED)

    pr_info("attempting bad refcount_sub_and_test() from saturated\n")
    if refcount_sub_and_test(8, sat):
        pr_warn("Weird: refcount_sub_and_test() reported zero\n")

    check_saturated(sat)


crashtypes = [  # kport: left-out
    CRASHTYPE(lkdtm_REFCOUNT_INC_OVERFLOW),
    CRASHTYPE(lkdtm_REFCOUNT_ADD_OVERFLOW),
    CRASHTYPE(lkdtm_REFCOUNT_INC_NOT_ZERO_OVERFLOW),
    CRASHTYPE(lkdtm_REFCOUNT_ADD_NOT_ZERO_OVERFLOW),
    CRASHTYPE(lkdtm_REFCOUNT_DEC_ZERO),
    CRASHTYPE(lkdtm_REFCOUNT_DEC_NEGATIVE),
    CRASHTYPE(lkdtm_REFCOUNT_DEC_AND_TEST_NEGATIVE),
    CRASHTYPE(lkdtm_REFCOUNT_SUB_AND_TEST_NEGATIVE),
    CRASHTYPE(lkdtm_REFCOUNT_SUB_AND_TEST_ZERO),
    CRASHTYPE(lkdtm_REFCOUNT_INC_ZERO),
    CRASHTYPE(lkdtm_REFCOUNT_ADD_ZERO),
    CRASHTYPE(lkdtm_REFCOUNT_INC_SATURATED),
    CRASHTYPE(lkdtm_REFCOUNT_DEC_SATURATED),
    CRASHTYPE(lkdtm_REFCOUNT_ADD_SATURATED),
    CRASHTYPE(lkdtm_REFCOUNT_INC_NOT_ZERO_SATURATED),
    CRASHTYPE(lkdtm_REFCOUNT_ADD_NOT_ZERO_SATURATED),
    CRASHTYPE(lkdtm_REFCOUNT_DEC_AND_TEST_SATURATED),
    CRASHTYPE(lkdtm_REFCOUNT_SUB_AND_TEST_SATURATED),
]
