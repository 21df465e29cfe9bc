# SPDX-FileCopyrightText: 2012-2013 Google, Inc
# SPDX-FileCopyrightText: 2015-2016 Collabora Ltd.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# Translated to Python from tools/testing/selftests/sync/synctest.h, Linux 7.2.13, on 2026-11-21.
"""What the tests share: ASSERT(), and how much less than the C the stress tests do.

ASSERT() returns 1 from the test it is in; here it raises, and `ASSERTS` in front of the function
makes that the function's result.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kport.kunit.selftests.kselftest import ksft_print_msg

# The loops of the stress tests are so many times shorter than in C; all of them would take minutes.
SCALE = 64


class AssertionFailed(Exception):
    """Leaves a function at its failed ASSERT()."""


def ASSERT(cond: Any, msg: str) -> None:
    """The test has failed unless the condition holds.

    tools/testing/selftests/sync/synctest.h:34-39, Linux 7.2.13
    """
    if not cond:
        ksft_print_msg("[ERROR]\t%s", msg)
        raise AssertionFailed  # kport: inlined


def ASSERTS(function: Callable[..., int]) -> Callable[..., int]:
    """A function with ASSERT() in it: 1 if one fails."""

    @functools.wraps(function)
    def checked(*args: Any) -> int:
        try:
            return function(*args)
        except AssertionFailed:
            return 1

    return checked
