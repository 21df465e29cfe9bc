# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's test of the red-black tree passes, and notices a tree that is broken."""

from __future__ import annotations

import pytest

from kport.kunit.lib import rbtree_test
from kport.kunit.lib.rbtree_suite import rbtree_suite
from kport.kunit.lib.rbtree_test import rbtree_test_init, test_node
from kport.linux import rbtree
from kport.linux.err import EAGAIN, ENOMEM
from kport.linux.prandom import prandom_seed_state
from kport.linux.rbtree import RB_BLACK, rb_insert_color
from kport.linux.slab import fail_nth
from tests.kunit.lib.runs import run, run_seeds
from tests.support import take_warnings

FEW = {"rbtree_test.perf_loops": 2, "rbtree_test.check_loops": 2}


def test_with_the_parameters_of_c(boot):
    log = run(boot, rbtree_suite)
    assert "rbtree testing" in log
    assert "ok 1 rbtree_test_module" in log


def test_on_virt_with_several_seeds():
    run_seeds(rbtree_suite, params=FEW)


@pytest.mark.boot(check="", params={**FEW, "rbtree_test.seed": 7, "rbtree_test.nnodes": 33})
def test_with_other_parameters(kernel):
    assert rbtree_test_init() == -EAGAIN
    assert len(rbtree_test.nodes) == 0  # freed


def test_no_memory(kernel):
    fail_nth(1)
    assert rbtree_test_init() == -ENOMEM


def no_balance(node, root):
    """A node that comes in black, without a rotation."""
    node._rb_parent_color = (node._rb_parent_color[0], RB_BLACK)


def black(node, root):
    """A balanced tree in which the new node has the wrong colour."""
    rb_insert_color(node, root)
    node._rb_parent_color = (node._rb_parent_color[0], RB_BLACK)


def backwards(rb):
    return rbtree.rb_prev(rb)


@pytest.mark.parametrize(
    ("function", "broken"),
    [
        ("rb_insert_color", no_balance),
        ("rb_insert_color", black),
        ("rb_next", backwards),
        ("rb_next_postorder", lambda rb: rbtree.rb_parent(rb)),
    ],
)
def test_a_wrong_tree_is_noticed(boot, monkeypatch, function, broken):
    with boot(params=FEW) as kernel:
        rbtree_test.nodes = [test_node() for _ in range(rbtree_test.nnodes)]
        prandom_seed_state(rbtree_test.rnd, 1)
        rbtree_test.init()
        for node in rbtree_test.nodes:
            rbtree_test.insert(node, rbtree_test.root)
        rbtree_test.check(rbtree_test.nnodes)
        assert kernel.warnings() == []
        monkeypatch.setattr(rbtree_test, function, broken)
        rbtree_test.root._zero()
        for node in rbtree_test.nodes:
            rbtree_test.insert(node, rbtree_test.root)
        rbtree_test.check(rbtree_test.nnodes)
        assert take_warnings(kernel)
