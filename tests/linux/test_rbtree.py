# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Red-black trees: the colour rules, order with equal keys, the cached leftmost node.

sortedcontainers is the oracle: what it says of a list sorted by (key, number), the tree must say.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sortedcontainers import SortedKeyList

from kport.linux import rbtree as rb
from kport.linux.struct import struct

pytestmark = pytest.mark.usefixtures("kernel")


class item(struct):
    """An entry, ordered by key; `n` tells equals apart."""

    key: int
    n: int
    node: rb.rb_node


def new(key: int, n: int = 0) -> item:
    it = item()
    it.key, it.n = key, n
    rb.RB_CLEAR_NODE(it.node)
    return it


def entry(node: rb.rb_node) -> item:
    return rb.rb_entry(node, item, "node")


def less(a: rb.rb_node, b: rb.rb_node) -> bool:
    return entry(a).key < entry(b).key


def cmp(key: int, node: rb.rb_node) -> int:
    return key - entry(node).key


def cached() -> rb.rb_root_cached:
    tree = rb.rb_root_cached()
    rb.RB_ROOT_CACHED(tree)
    return tree


def walk(root: rb.rb_root) -> list[item]:
    found = []
    node = rb.rb_first(root)
    while node is not None:
        found.append(entry(node))
        node = rb.rb_next(node)
    return found


def validate(root: rb.rb_root) -> int:
    """The rules of a red-black tree; returns its black height."""

    def height(node: rb.rb_node | None, parent: rb.rb_node | None) -> int:
        if node is None:
            return 1
        assert rb.rb_parent(node) is parent
        red = rb.rb_is_red(node)
        assert red != bool(rb.rb_is_black(node))
        if red:
            assert parent is not None, "the root is black"
            assert not rb.rb_is_red(parent), "no red node has a red child"
        left, right = height(node.rb_left, node), height(node.rb_right, node)
        assert left == right, "every path has as many black nodes"
        return left + (not red)

    return height(root.rb_node, None)


def check(tree: rb.rb_root_cached, oracle: SortedKeyList) -> None:
    validate(tree.rb_root)
    found = walk(tree.rb_root)
    assert [(i.key, i.n) for i in found] == [(i.key, i.n) for i in oracle]
    first = rb.rb_first_cached(tree)
    assert (entry(first) if first else None) is (oracle[0] if oracle else None)
    assert rb.rb_first(tree.rb_root) is first
    last = rb.rb_last(tree.rb_root)
    assert (entry(last) if last else None) is (oracle[-1] if oracle else None)
    back = []
    while last is not None:
        back.append(entry(last))
        last = rb.rb_prev(last)
    assert back == found[::-1]
    assert rb.RB_EMPTY_ROOT(tree.rb_root) == (not oracle)


keys = st.integers(0, 12)
steps = st.lists(st.tuples(st.sampled_from(("add", "add", "erase", "replace")), keys), max_size=80)


@given(steps)
@settings(max_examples=150)
def test_against_a_sorted_list(operations):
    tree, count = cached(), 0
    oracle: SortedKeyList = SortedKeyList(key=lambda i: (i.key, i.n))
    for what, value in operations:
        if what == "add" or not oracle:
            count += 1
            it = new(value, count)
            leftmost = rb.rb_add_cached(it.node, tree, less)
            oracle.add(it)
            assert leftmost is (it.node if oracle[0] is it else None)
        elif what == "erase":
            it = oracle[value % len(oracle)]
            was_first = oracle[0] is it
            oracle.remove(it)
            leftmost = rb.rb_erase_cached(it.node, tree)
            assert leftmost is (oracle[0].node if was_first and oracle else None)
            rb.RB_CLEAR_NODE(it.node)
            assert rb.RB_EMPTY_NODE(it.node)
        else:
            it = oracle[value % len(oracle)]
            fresh = new(it.key, it.n)
            rb.rb_replace_node_cached(it.node, fresh.node, tree)
            oracle.remove(it)
            oracle.add(fresh)
        check(tree, oracle)


@given(st.lists(keys, max_size=60), st.randoms())
def test_every_order_of_erasing_keeps_the_rules(values, rng):
    root = rb.rb_root()
    items = [new(value, n) for n, value in enumerate(values)]
    for it in items:
        rb.rb_add(it.node, root, less)
        validate(root)
    assert walk(root) == sorted(items, key=lambda i: (i.key, i.n))
    rng.shuffle(items)
    while items:
        rb.rb_erase(items.pop().node, root)
        validate(root)
        assert walk(root) == sorted(items, key=lambda i: (i.key, i.n))


def test_equal_keys_stay_in_order_of_insertion_in_the_middle_of_others():
    tree = cached()
    for n, key in enumerate([5, 3, 5, 8, 5, 3, 8, 5]):
        rb.rb_add_cached(new(key, n).node, tree, less)
    assert [(i.key, i.n) for i in walk(tree.rb_root)] == [
        (3, 1),
        (3, 5),
        (5, 0),
        (5, 2),
        (5, 4),
        (5, 7),
        (8, 3),
        (8, 6),
    ]


def test_an_equal_of_the_leftmost_is_not_the_leftmost():
    tree = cached()
    first, second = new(1, 1), new(1, 2)
    assert rb.rb_add_cached(first.node, tree, less) is first.node
    assert rb.rb_add_cached(second.node, tree, less) is None
    assert rb.rb_erase_cached(first.node, tree) is second.node


def test_the_height_is_logarithmic():
    tree = cached()
    for key in range(2000):
        rb.rb_add_cached(new(key).node, tree, less)

    def depth(node: rb.rb_node | None) -> int:
        return 0 if node is None else 1 + max(depth(node.rb_left), depth(node.rb_right))

    assert depth(tree.rb_root.rb_node) <= 2 * 11
    assert validate(tree.rb_root) > 5


def test_a_node_in_no_tree():
    it = new(1)
    assert rb.RB_EMPTY_NODE(it.node)
    assert rb.rb_next(it.node) is None
    assert rb.rb_prev(it.node) is None
    tree = cached()
    rb.rb_add_cached(it.node, tree, less)
    assert not rb.RB_EMPTY_NODE(it.node)
    assert rb.rb_next(it.node) is rb.rb_prev(it.node) is None


def test_find():
    root = rb.rb_root()
    for key in range(0, 40, 2):
        rb.rb_add(new(key).node, root, less)
    assert entry(rb.rb_find(10, root, cmp)).key == 10
    assert rb.rb_find(11, root, cmp) is None
    assert rb.rb_find(10, rb.rb_root(), cmp) is None


def test_linking_by_hand():
    root = rb.rb_root()
    top, left, right = new(2), new(1), new(3)
    for it, parent, link in (
        (top, None, (root, "rb_node")),
        (left, top.node, (top.node, "rb_left")),
        (right, top.node, (top.node, "rb_right")),
    ):
        rb.rb_link_node(it.node, parent, link)
        assert rb.rb_color(it.node) == rb.RB_RED
        rb.rb_insert_color(it.node, root)
    assert [i.key for i in walk(root)] == [1, 2, 3]
    validate(root)


@given(st.lists(keys, max_size=40))
def test_postorder_visits_children_before_their_parent(values):
    root = rb.rb_root()
    for n, value in enumerate(values):
        rb.rb_add(new(value, n).node, root, less)
    seen: list[rb.rb_node] = []
    for it, _ in rb.rbtree_postorder_for_each_entry_safe(root, item, "node"):
        for child in (it.node.rb_left, it.node.rb_right):
            assert child is None or any(child is node for node in seen)
        seen.append(it.node)
    assert len(seen) == len(values)
    assert rb.rb_first_postorder(rb.rb_root()) is None
    assert rb.rb_next_postorder(None) is None


def test_replacing_puts_a_node_in_the_same_place():
    tree = cached()
    items = [new(key) for key in range(10)]
    for it in items:
        rb.rb_add_cached(it.node, tree, less)
    for at in (0, 5, 9):
        fresh = new(items[at].key, 7)
        rb.rb_replace_node_cached(items[at].node, fresh.node, tree)
        items[at] = fresh
        assert walk(tree.rb_root) == items
        validate(tree.rb_root)
        assert rb.rb_first_cached(tree) is items[0].node
