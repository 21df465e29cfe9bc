# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The test module of the red-black tree as a suite, `rbtree`.

The module warns of what is wrong and goes on, so the suite counts the warnings. The module
parameters rbtree_test.nnodes, perf_loops, check_loops and seed apply; their defaults are C's.
"""

from __future__ import annotations

from kport.kunit.lib import rbtree_test
from kport.kunit.test import KUNIT_CASE_SLOW, kunit_suite, kunit_test_suite
from kport.linux import bug
from kport.linux.err import EAGAIN
from kport.linux.kunit import KUNIT_EXPECT_EQ, KUNIT_EXPECT_NULL, kunit


def rbtree_test_module(test: kunit) -> None:
    """Load the module, which runs its tests and refuses to stay."""
    before = len(bug.warnings)

    KUNIT_EXPECT_EQ(test, rbtree_test.rbtree_test_init(), -EAGAIN)

    KUNIT_EXPECT_EQ(test, bug.warnings[before:], [])
    KUNIT_EXPECT_NULL(test, rbtree_test.root.rb_root.rb_node)


rbtree_suite = kunit_suite(
    name="rbtree",
    test_cases=[KUNIT_CASE_SLOW(rbtree_test_module)],
)

kunit_test_suite(rbtree_suite)
