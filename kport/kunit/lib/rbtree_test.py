# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from lib/rbtree_test.c, Linux 7.2.13, on 2026-11-20.
"""The test module of the red-black tree; a failed check is a warning.

Left out: the augmented trees, which the port does not have. The module is not loaded at boot, as it
refuses to be; rbtree_suite runs it.
"""

from __future__ import annotations

from typing import Any

from kport.linux.bug import WARN_ON_ONCE
from kport.linux.err import EAGAIN, ENOMEM
from kport.linux.module import boot_data, module_param_named
from kport.linux.prandom import prandom_seed_state, prandom_u32_state, rnd_state
from kport.linux.printk import KERN_ALERT, printk
from kport.linux.rbtree import (
    RB_ROOT_CACHED,
    rb_entry,
    rb_erase,
    rb_erase_cached,
    rb_first,
    rb_first_cached,
    rb_first_postorder,
    rb_insert_color,
    rb_insert_color_cached,
    rb_last,
    rb_link_node,
    rb_next,
    rb_next_postorder,
    rb_node,
    rb_parent,
    rb_root_cached,
    rbtree_postorder_for_each_entry_safe,
)
from kport.linux.slab import kfree, kmalloc_objs
from kport.linux.struct import struct
from kport.linux.timex import get_cycles
from kport.linux.types import div_u64, u32, u64

# Module parameters: nodes in the tree, loops that measure, loops that check, random seed.
nnodes = 100
perf_loops = 1000
check_loops = 100
seed = 3141592653589793238
module_param_named("rbtree_test.nnodes", "nnodes", int, 0o444)
module_param_named("rbtree_test.perf_loops", "perf_loops", int, 0o444)
module_param_named("rbtree_test.check_loops", "check_loops", int, 0o444)
module_param_named("rbtree_test.seed", "seed", int, 0o444)


class test_node(struct):  # kport: left-out
    """A node and its key."""

    key: u32
    rb: rb_node
    val: u32


root = rb_root_cached()
nodes: list[test_node] = None

rnd = rnd_state()


@boot_data
def _reset_rbtree_test() -> None:
    global nodes
    RB_ROOT_CACHED(root)
    nodes = None
    rnd._zero()


def insert(node: test_node, root: rb_root_cached) -> None:
    """Insert by key, behind its equals.

    lib/rbtree_test.c:33-48, Linux 7.2.13
    """
    new: tuple[Any, str] = (root.rb_root, "rb_node")  # kport: pointer-to-pointer
    at = root.rb_root.rb_node  # kport: pointer-to-pointer
    parent = None
    key = node.key

    while at:  # kport: pointer-to-pointer
        parent = at  # kport: pointer-to-pointer
        if key < rb_entry(parent, test_node, "rb").key:
            new = (parent, "rb_left")  # kport: pointer-to-pointer
            at = parent.rb_left  # kport: pointer-to-pointer
        else:
            new = (parent, "rb_right")  # kport: pointer-to-pointer
            at = parent.rb_right  # kport: pointer-to-pointer

    rb_link_node(node.rb, parent, new)
    rb_insert_color(node.rb, root.rb_root)


def insert_cached(node: test_node, root: rb_root_cached) -> None:
    """As insert(), and keep the leftmost node.

    lib/rbtree_test.c:50-68, Linux 7.2.13
    """
    new: tuple[Any, str] = (root.rb_root, "rb_node")  # kport: pointer-to-pointer
    at = root.rb_root.rb_node  # kport: pointer-to-pointer
    parent = None
    key = node.key
    leftmost = True

    while at:  # kport: pointer-to-pointer
        parent = at  # kport: pointer-to-pointer
        if key < rb_entry(parent, test_node, "rb").key:
            new = (parent, "rb_left")  # kport: pointer-to-pointer
            at = parent.rb_left  # kport: pointer-to-pointer
        else:
            new = (parent, "rb_right")  # kport: pointer-to-pointer
            at = parent.rb_right  # kport: pointer-to-pointer
            leftmost = False

    rb_link_node(node.rb, parent, new)
    rb_insert_color_cached(node.rb, root, leftmost)


def erase(node: test_node, root: rb_root_cached) -> None:
    """Take a node out.

    lib/rbtree_test.c:70-73, Linux 7.2.13
    """
    rb_erase(node.rb, root.rb_root)


def erase_cached(node: test_node, root: rb_root_cached) -> None:
    """As erase(), and keep the leftmost node.

    lib/rbtree_test.c:75-78, Linux 7.2.13
    """
    rb_erase_cached(node.rb, root)


def init() -> None:
    """New random keys.

    lib/rbtree_test.c:150-157, Linux 7.2.13
    """
    for i in range(0, nnodes):
        nodes[i].key = prandom_u32_state(rnd)
        nodes[i].val = prandom_u32_state(rnd)


def is_red(rb: rb_node) -> bool:
    """True for a red node.

    lib/rbtree_test.c:159-162, Linux 7.2.13
    """
    return not rb._rb_parent_color[1]  # kport: packed


def black_path_count(rb: rb_node | None) -> int:
    """How many black nodes there are from a node up to the root.

    lib/rbtree_test.c:164-170, Linux 7.2.13
    """
    count = 0
    while rb:
        count += not is_red(rb)
        rb = rb_parent(rb)
    return count


def check_postorder_foreach(nr_nodes: int) -> None:
    """The loop macro visits every node.

    lib/rbtree_test.c:172-180, Linux 7.2.13
    """
    count = 0
    for cur, n in rbtree_postorder_for_each_entry_safe(root.rb_root, test_node, "rb"):
        count += 1

    WARN_ON_ONCE(count != nr_nodes)


def check_postorder(nr_nodes: int) -> None:
    """Walking in postorder visits every node.

    lib/rbtree_test.c:182-190, Linux 7.2.13
    """
    count = 0
    rb = rb_first_postorder(root.rb_root)
    while rb:
        count += 1
        rb = rb_next_postorder(rb)

    WARN_ON_ONCE(count != nr_nodes)


def check(nr_nodes: int) -> None:
    """Keys in order, no red node below a red one, as many black nodes on every path.

    lib/rbtree_test.c:192-217, Linux 7.2.13
    """
    count = 0
    blacks = 0
    prev_key = 0

    rb = rb_first(root.rb_root)
    while rb:
        node = rb_entry(rb, test_node, "rb")
        WARN_ON_ONCE(node.key < prev_key)
        WARN_ON_ONCE(is_red(rb) and (not rb_parent(rb) or is_red(rb_parent(rb))))
        if not count:
            blacks = black_path_count(rb)
        else:
            WARN_ON_ONCE((not rb.rb_left or not rb.rb_right) and blacks != black_path_count(rb))
        prev_key = node.key
        count += 1
        rb = rb_next(rb)

    WARN_ON_ONCE(count != nr_nodes)
    WARN_ON_ONCE(count < (1 << black_path_count(rb_last(root.rb_root))) - 1)

    check_postorder(nr_nodes)
    check_postorder_foreach(nr_nodes)


def basic_check() -> int:
    """Measure the operations, then insert and erase with a check at each step.

    lib/rbtree_test.c:243-343, Linux 7.2.13
    """
    printk(KERN_ALERT + "rbtree testing")

    init()

    time1 = get_cycles()

    for i in range(0, perf_loops):
        for j in range(0, nnodes):
            insert(nodes[j], root)
        for j in range(0, nnodes):
            erase(nodes[j], root)

    time2 = get_cycles()
    time = time2 - time1

    time = div_u64(time, perf_loops)
    printk(" -> test 1 (latency of nnodes insert+delete): %llu cycles\n", u64(time))

    time1 = get_cycles()

    for i in range(0, perf_loops):
        for j in range(0, nnodes):
            insert_cached(nodes[j], root)
        for j in range(0, nnodes):
            erase_cached(nodes[j], root)

    time2 = get_cycles()
    time = time2 - time1

    time = div_u64(time, perf_loops)
    printk(" -> test 2 (latency of nnodes cached insert+delete): %llu cycles\n", u64(time))

    for i in range(0, nnodes):
        insert(nodes[i], root)

    time1 = get_cycles()

    for i in range(0, perf_loops):
        node = rb_first(root.rb_root)
        while node:
            node = rb_next(node)

    time2 = get_cycles()
    time = time2 - time1

    time = div_u64(time, perf_loops)
    printk(" -> test 3 (latency of inorder traversal): %llu cycles\n", u64(time))

    time1 = get_cycles()

    for i in range(0, perf_loops):
        node = rb_first(root.rb_root)

    time2 = get_cycles()
    time = time2 - time1

    time = div_u64(time, perf_loops)
    printk(" -> test 4 (latency to fetch first node)\n")
    printk("        non-cached: %llu cycles\n", u64(time))

    time1 = get_cycles()

    for i in range(0, perf_loops):
        node = rb_first_cached(root)

    time2 = get_cycles()
    time = time2 - time1

    time = div_u64(time, perf_loops)
    printk("        cached: %llu cycles\n", u64(time))

    for i in range(0, nnodes):
        erase(nodes[i], root)

    for i in range(0, check_loops):
        init()
        for j in range(0, nnodes):
            check(j)
            insert(nodes[j], root)
        for j in range(0, nnodes):
            check(nnodes - j)
            erase(nodes[j], root)
        check(0)

    return 0


def rbtree_test_init() -> int:
    """Run the tests; always -EAGAIN, so that the module is not loaded, or -ENOMEM.

    lib/rbtree_test.c:400-414, Linux 7.2.13
    """
    global nodes
    nodes = kmalloc_objs(test_node, nnodes)
    if not nodes:
        return -ENOMEM

    prandom_seed_state(rnd, seed)

    basic_check()
    # kport: left-out

    kfree(nodes)

    return -EAGAIN


def rbtree_test_exit() -> None:
    """Say goodbye.

    lib/rbtree_test.c:416-419, Linux 7.2.13
    """
    printk(KERN_ALERT + "test exit\n")
