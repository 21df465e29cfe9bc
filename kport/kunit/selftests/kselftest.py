# SPDX-FileCopyrightText: 2014 Shuah Khan <shuahkh@osg.samsung.com>
# SPDX-FileCopyrightText: 2014 Samsung Electronics Co., Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After tools/testing/selftests/kselftest.h, Linux 7.2.13, on 2026-11-20.
"""How a selftest reports, modelled: TAP.

The lines go to the kernel's log. While a KUnit case runs the program's test they are indented, and
are its diagnostics.
"""

from __future__ import annotations

from typing import Any

from kport.kunit.selftests.libc import exit
from kport.linux.module import boot_data
from kport.linux.printk import pr_info
from kport.linux.struct import struct
from kport.linux.vsprintf import sprintf

KSFT_PASS = 0
KSFT_FAIL = 1
KSFT_SKIP = 4


class ksft_count(struct):
    """How many tests ended how."""

    ksft_pass: int
    ksft_fail: int
    ksft_xfail: int
    ksft_xpass: int
    ksft_xskip: int
    ksft_error: int


ksft_cnt = ksft_count()
ksft_plan = 0
indent = ""


@boot_data
def ksft_reset() -> None:
    """A program begins."""
    global ksft_plan, indent
    ksft_cnt._zero()
    ksft_plan = 0
    indent = ""


def ksft_indent(text: str) -> None:
    """Put `text` in front of every line from now on."""
    global indent
    indent = text


def printf(fmt: str, *args: Any) -> None:
    """Print a line."""
    pr_info("%s%s", indent, sprintf(fmt, *args).rstrip("\n"))


def ksft_test_num() -> int:
    """How many tests have ended."""
    return sum(getattr(ksft_cnt, field) for field in ksft_cnt._fields)


def ksft_get_fail_cnt() -> int:
    """How many have failed."""
    return ksft_cnt.ksft_fail


def ksft_print_header() -> None:
    """The first line."""
    printf("TAP version 13\n")


def ksft_set_plan(plan: int) -> None:
    """How many tests there will be."""
    global ksft_plan
    ksft_plan = plan
    printf("1..%u\n", ksft_plan)


def ksft_print_cnts() -> None:
    """The last lines: the totals."""
    if ksft_plan != ksft_test_num():
        printf("# Planned tests != run tests (%u != %u)\n", ksft_plan, ksft_test_num())
    printf(
        "# Totals: pass:%u fail:%u xfail:%u xpass:%u skip:%u error:%u\n",
        *(getattr(ksft_cnt, field) for field in ksft_cnt._fields),
    )


def ksft_print_msg(msg: str, *args: Any) -> None:
    """A diagnostic line."""
    printf("# %s", sprintf(msg, *args))


def ksft_test_result_pass(msg: str, *args: Any) -> None:
    """A test has passed."""
    ksft_cnt.ksft_pass += 1
    printf("ok %u %s", ksft_test_num(), sprintf(msg, *args))


def ksft_test_result_fail(msg: str, *args: Any) -> None:
    """A test has failed."""
    ksft_cnt.ksft_fail += 1
    printf("not ok %u %s", ksft_test_num(), sprintf(msg, *args))


def ksft_exit_pass() -> None:
    """End the program: all is well."""
    ksft_print_cnts()
    exit(KSFT_PASS)


def ksft_exit_fail_msg(msg: str, *args: Any) -> None:
    """End the program: it has failed."""
    printf("Bail out! %s", sprintf(msg, *args))
    ksft_print_cnts()
    exit(KSFT_FAIL)


def ksft_exit_skip(msg: str, *args: Any) -> None:
    """End the program: it cannot run here."""
    if ksft_plan or ksft_test_num():
        ksft_print_msg("%s", sprintf(msg, *args))
        ksft_print_cnts()
    else:
        printf("1..0 # SKIP %s", sprintf(msg, *args))
    exit(KSFT_SKIP)
