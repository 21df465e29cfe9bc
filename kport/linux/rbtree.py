# SPDX-FileCopyrightText: 1999 Andrea Arcangeli <andrea@suse.de>
# SPDX-FileCopyrightText: 2002 David Woodhouse <dwmw2@infradead.org>
# SPDX-FileCopyrightText: 2012 Michel Lespinasse <walken@google.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Translated to Python from lib/rbtree.c, include/linux/rbtree.h and
# include/linux/rbtree_augmented.h, Linux 7.2.13, on 2026-11-20.
"""Red-black trees. Equal keys stay in order of insertion, because `less` is strict.

The parent pointer and the colour share a word in C; here the word is the pair (parent, colour). A
pointer to a pointer, `struct rb_node **link`, is the pair (object, member) that holds it. The
augmented callbacks do nothing in a plain tree and are not called; augmented trees are left out.
Inside the functions the accessor macros (rb_parent, rb_is_red, rb_set_parent_color ...) stand
expanded, as the C compiler sees them: this is the hottest code of the port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, TypeVar

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.struct import container_of, struct

T = TypeVar("T")

RB_RED = 0
RB_BLACK = 1

Less = Callable[["rb_node", "rb_node"], bool]


class rb_node(struct):
    """A member's place in a tree."""

    _knots = ("_rb_parent_color",)

    _rb_parent_color: tuple[rb_node | None, int]
    rb_right: rb_node | None
    rb_left: rb_node | None


class rb_root(struct):
    """A tree."""

    rb_node: rb_node | None


class rb_root_cached(struct):
    """A tree that knows its leftmost node."""

    rb_root: rb_root
    rb_leftmost: rb_node | None


def RB_ROOT_CACHED(root: rb_root_cached) -> None:
    """Make the tree empty; in C an initialiser that is assigned."""
    root.rb_root.rb_node = None
    root.rb_leftmost = None


rb_entry = container_of


# -- include/linux/rbtree.h and rbtree_augmented.h, the macros ----------------------------------


def rb_parent(r: rb_node) -> rb_node | None:
    """The parent.

    include/linux/rbtree.h:26, Linux 7.2.13
    """
    return r._rb_parent_color[0]  # kport: packed


def __rb_parent(pc: tuple[rb_node | None, int]) -> rb_node | None:
    """The parent in a parent word.

    include/linux/rbtree_augmented.h:195, Linux 7.2.13
    """
    return pc[0]  # kport: packed


def __rb_is_black(pc: tuple[rb_node | None, int]) -> int:
    """The colour in a parent word.

    include/linux/rbtree_augmented.h:198, Linux 7.2.13
    """
    return pc[1]  # kport: packed


def rb_color(rb: rb_node) -> int:
    """RB_RED or RB_BLACK.

    include/linux/rbtree_augmented.h:200, Linux 7.2.13
    """
    return rb._rb_parent_color[1]  # kport: packed


def rb_is_red(rb: rb_node) -> bool:
    """True for a red node.

    include/linux/rbtree_augmented.h:201, Linux 7.2.13
    """
    return not rb._rb_parent_color[1]  # kport: packed


def rb_is_black(rb: rb_node) -> int:
    """Non-zero for a black node.

    include/linux/rbtree_augmented.h:202, Linux 7.2.13
    """
    return rb._rb_parent_color[1]


def RB_EMPTY_ROOT(root: rb_root) -> bool:
    """True for a tree without nodes.

    include/linux/rbtree.h:30, Linux 7.2.13
    """
    return READ_ONCE(root, "rb_node") is None


def RB_EMPTY_NODE(node: rb_node) -> bool:
    """True for a node that RB_CLEAR_NODE() marked as being in no tree.

    include/linux/rbtree.h:33-34, Linux 7.2.13
    """
    return node._rb_parent_color[0] is node  # kport: packed


def RB_CLEAR_NODE(node: rb_node) -> None:
    """Mark a node as being in no tree.

    include/linux/rbtree.h:35-36, Linux 7.2.13
    """
    node._rb_parent_color = (node, RB_RED)  # kport: packed


def rb_first(root: rb_root) -> rb_node | None:
    """The leftmost node, found by walking.

    include/linux/rbtree.h:55-65, Linux 7.2.13
    """
    n = root.rb_node

    if not n:
        return None
    while n.rb_left:
        n = n.rb_left
    return n


rb_first_cached = attrgetter("rb_leftmost")  # the leftmost node of a cached tree


def rb_set_parent(rb: rb_node, p: rb_node | None) -> None:
    """Change the parent, keep the colour.

    include/linux/rbtree_augmented.h:204-207, Linux 7.2.13
    """
    rb._rb_parent_color = (p, rb._rb_parent_color[1])  # kport: packed


def rb_set_parent_color(rb: rb_node, p: rb_node | None, color: int) -> None:
    """Set parent and colour.

    include/linux/rbtree_augmented.h:209-213, Linux 7.2.13
    """
    rb._rb_parent_color = (p, color)  # kport: packed


def __rb_change_child(
    old: rb_node, new: rb_node | None, parent: rb_node | None, root: rb_root
) -> None:
    """Put `new` where `parent`, or the root, points to `old`.

    include/linux/rbtree_augmented.h:215-226, Linux 7.2.13
    """
    if parent:
        if parent.rb_left is old:
            WRITE_ONCE(parent, "rb_left", new)
        else:
            WRITE_ONCE(parent, "rb_right", new)
    else:
        WRITE_ONCE(root, "rb_node", new)


def __rb_erase_augmented(node: rb_node, root: rb_root) -> rb_node | None:
    """Unlink a node; returns where rebalancing must begin, or NULL.

    include/linux/rbtree_augmented.h:244-344, Linux 7.2.13
    """
    child = node.rb_right
    tmp = node.rb_left

    if not tmp:
        pc = node._rb_parent_color
        parent = pc[0]
        __rb_change_child(node, child, parent, root)
        if child:
            child._rb_parent_color = pc
            rebalance = None
        else:
            rebalance = parent if pc[1] else None
        tmp = parent
    elif not child:
        tmp._rb_parent_color = pc = node._rb_parent_color
        parent = pc[0]
        __rb_change_child(node, tmp, parent, root)
        rebalance = None
        tmp = parent
    else:
        successor = child

        tmp = child.rb_left
        if not tmp:
            parent = successor
            child2 = successor.rb_right
        else:
            while True:
                parent = successor
                successor = tmp
                tmp = tmp.rb_left
                if not tmp:
                    break
            child2 = successor.rb_right
            WRITE_ONCE(parent, "rb_left", child2)
            WRITE_ONCE(successor, "rb_right", child)
            child._rb_parent_color = (successor, child._rb_parent_color[1])

        tmp = node.rb_left
        WRITE_ONCE(successor, "rb_left", tmp)
        tmp._rb_parent_color = (successor, tmp._rb_parent_color[1])

        pc = node._rb_parent_color
        tmp = pc[0]
        __rb_change_child(node, successor, tmp, root)

        if child2:
            child2._rb_parent_color = (parent, RB_BLACK)
            rebalance = None
        else:
            rebalance = parent if successor._rb_parent_color[1] else None
        successor._rb_parent_color = pc
        tmp = successor

    return rebalance


# -- lib/rbtree.c ------------------------------------------------------------------------------


def rb_set_black(rb: rb_node) -> None:
    """Make a red node black.

    lib/rbtree.c:59-62, Linux 7.2.13
    """
    rb._rb_parent_color = (rb._rb_parent_color[0], RB_BLACK)  # kport: packed


def rb_red_parent(red: rb_node) -> rb_node | None:
    """The parent of a red node.

    lib/rbtree.c:64-67, Linux 7.2.13
    """
    return red._rb_parent_color[0]  # kport: packed


def __rb_rotate_set_parents(old: rb_node, new: rb_node, root: rb_root, color: int) -> None:
    """`new` takes the place and colour of `old`, which becomes its child of `color`.

    lib/rbtree.c:74-82, Linux 7.2.13
    """
    parent = old._rb_parent_color[0]
    new._rb_parent_color = old._rb_parent_color
    old._rb_parent_color = (new, color)
    __rb_change_child(old, new, parent, root)


def __rb_insert(node: rb_node, root: rb_root) -> None:
    """Restore the colours after rb_link_node().

    lib/rbtree.c:84-220, Linux 7.2.13
    """
    parent = node._rb_parent_color[0]

    while True:
        if not parent:
            node._rb_parent_color = (None, RB_BLACK)
            break

        if parent._rb_parent_color[1]:
            break

        gparent = parent._rb_parent_color[0]

        tmp = gparent.rb_right
        if parent is not tmp:
            if tmp and not tmp._rb_parent_color[1]:
                tmp._rb_parent_color = (gparent, RB_BLACK)
                parent._rb_parent_color = (gparent, RB_BLACK)
                node = gparent
                parent = node._rb_parent_color[0]
                node._rb_parent_color = (parent, RB_RED)
                continue

            tmp = parent.rb_right
            if node is tmp:
                tmp = node.rb_left
                WRITE_ONCE(parent, "rb_right", tmp)
                WRITE_ONCE(node, "rb_left", parent)
                if tmp:
                    tmp._rb_parent_color = (parent, RB_BLACK)
                parent._rb_parent_color = (node, RB_RED)
                parent = node
                tmp = node.rb_right

            WRITE_ONCE(gparent, "rb_left", tmp)
            WRITE_ONCE(parent, "rb_right", gparent)
            if tmp:
                tmp._rb_parent_color = (gparent, RB_BLACK)
            __rb_rotate_set_parents(gparent, parent, root, RB_RED)
            break
        else:
            tmp = gparent.rb_left
            if tmp and not tmp._rb_parent_color[1]:
                tmp._rb_parent_color = (gparent, RB_BLACK)
                parent._rb_parent_color = (gparent, RB_BLACK)
                node = gparent
                parent = node._rb_parent_color[0]
                node._rb_parent_color = (parent, RB_RED)
                continue

            tmp = parent.rb_left
            if node is tmp:
                tmp = node.rb_right
                WRITE_ONCE(parent, "rb_left", tmp)
                WRITE_ONCE(node, "rb_right", parent)
                if tmp:
                    tmp._rb_parent_color = (parent, RB_BLACK)
                parent._rb_parent_color = (node, RB_RED)
                parent = node
                tmp = node.rb_left

            WRITE_ONCE(gparent, "rb_right", tmp)
            WRITE_ONCE(parent, "rb_left", gparent)
            if tmp:
                tmp._rb_parent_color = (gparent, RB_BLACK)
            __rb_rotate_set_parents(gparent, parent, root, RB_RED)
            break


def ____rb_erase_color(parent: rb_node, root: rb_root) -> None:
    """Restore the colours below `parent` after a black node was taken out.

    lib/rbtree.c:226-407, Linux 7.2.13
    """
    node = None

    while True:
        sibling = parent.rb_right
        if node is not sibling:
            if not sibling._rb_parent_color[1]:
                tmp1 = sibling.rb_left
                WRITE_ONCE(parent, "rb_right", tmp1)
                WRITE_ONCE(sibling, "rb_left", parent)
                tmp1._rb_parent_color = (parent, RB_BLACK)
                __rb_rotate_set_parents(parent, sibling, root, RB_RED)
                sibling = tmp1
            tmp1 = sibling.rb_right
            if not tmp1 or tmp1._rb_parent_color[1]:
                tmp2 = sibling.rb_left
                if not tmp2 or tmp2._rb_parent_color[1]:
                    sibling._rb_parent_color = (parent, RB_RED)
                    if not parent._rb_parent_color[1]:
                        rb_set_black(parent)
                    else:
                        node = parent
                        parent = node._rb_parent_color[0]
                        if parent:
                            continue
                    break
                tmp1 = tmp2.rb_right
                WRITE_ONCE(sibling, "rb_left", tmp1)
                WRITE_ONCE(tmp2, "rb_right", sibling)
                WRITE_ONCE(parent, "rb_right", tmp2)
                if tmp1:
                    tmp1._rb_parent_color = (sibling, RB_BLACK)
                tmp1 = sibling
                sibling = tmp2
            tmp2 = sibling.rb_left
            WRITE_ONCE(parent, "rb_right", tmp2)
            WRITE_ONCE(sibling, "rb_left", parent)
            tmp1._rb_parent_color = (sibling, RB_BLACK)
            if tmp2:
                tmp2._rb_parent_color = (parent, tmp2._rb_parent_color[1])
            __rb_rotate_set_parents(parent, sibling, root, RB_BLACK)
            break
        else:
            sibling = parent.rb_left
            if not sibling._rb_parent_color[1]:
                tmp1 = sibling.rb_right
                WRITE_ONCE(parent, "rb_left", tmp1)
                WRITE_ONCE(sibling, "rb_right", parent)
                tmp1._rb_parent_color = (parent, RB_BLACK)
                __rb_rotate_set_parents(parent, sibling, root, RB_RED)
                sibling = tmp1
            tmp1 = sibling.rb_left
            if not tmp1 or tmp1._rb_parent_color[1]:
                tmp2 = sibling.rb_right
                if not tmp2 or tmp2._rb_parent_color[1]:
                    sibling._rb_parent_color = (parent, RB_RED)
                    if not parent._rb_parent_color[1]:
                        rb_set_black(parent)
                    else:
                        node = parent
                        parent = node._rb_parent_color[0]
                        if parent:
                            continue
                    break
                tmp1 = tmp2.rb_left
                WRITE_ONCE(sibling, "rb_right", tmp1)
                WRITE_ONCE(tmp2, "rb_left", sibling)
                WRITE_ONCE(parent, "rb_left", tmp2)
                if tmp1:
                    tmp1._rb_parent_color = (sibling, RB_BLACK)
                tmp1 = sibling
                sibling = tmp2
            tmp2 = sibling.rb_right
            WRITE_ONCE(parent, "rb_left", tmp2)
            WRITE_ONCE(sibling, "rb_right", parent)
            tmp1._rb_parent_color = (sibling, RB_BLACK)
            if tmp2:
                tmp2._rb_parent_color = (parent, tmp2._rb_parent_color[1])
            __rb_rotate_set_parents(parent, sibling, root, RB_BLACK)
            break


def rb_insert_color(node: rb_node, root: rb_root) -> None:
    """Restore the colours after rb_link_node().

    lib/rbtree.c:434-437, Linux 7.2.13
    """
    __rb_insert(node, root)


EXPORT_SYMBOL(rb_insert_color)


def rb_erase(node: rb_node, root: rb_root) -> None:
    """Take a node out of the tree.

    lib/rbtree.c:440-446, Linux 7.2.13
    """
    rebalance = __rb_erase_augmented(node, root)
    if rebalance:
        ____rb_erase_color(rebalance, root)


EXPORT_SYMBOL(rb_erase)


def rb_next(node: rb_node) -> rb_node | None:
    """The node behind, or NULL; NULL too for a node in no tree.

    lib/rbtree.c:480-509, Linux 7.2.13
    """
    if node._rb_parent_color[0] is node:
        return None

    if node.rb_right:
        node = node.rb_right
        while node.rb_left:
            node = node.rb_left
        return node

    while (parent := node._rb_parent_color[0]) and node is parent.rb_right:
        node = parent

    return parent


EXPORT_SYMBOL(rb_next)


def rb_prev(node: rb_node) -> rb_node | None:
    """The node before, or NULL; NULL too for a node in no tree.

    lib/rbtree.c:512-538, Linux 7.2.13
    """
    if node._rb_parent_color[0] is node:
        return None

    if node.rb_left:
        node = node.rb_left
        while node.rb_right:
            node = node.rb_right
        return node

    while (parent := node._rb_parent_color[0]) and node is parent.rb_left:
        node = parent

    return parent


EXPORT_SYMBOL(rb_prev)


def rb_replace_node(victim: rb_node, new: rb_node, root: rb_root) -> None:
    """Put `new` in the place of `victim`, which keeps its pointers.

    lib/rbtree.c:541-555, Linux 7.2.13
    """
    parent = victim._rb_parent_color[0]

    new._rb_parent_color = victim._rb_parent_color  # kport: struct-copy
    new.rb_left = victim.rb_left  # kport: struct-copy
    new.rb_right = victim.rb_right  # kport: struct-copy

    if victim.rb_left:
        victim.rb_left._rb_parent_color = (new, victim.rb_left._rb_parent_color[1])
    if victim.rb_right:
        victim.rb_right._rb_parent_color = (new, victim.rb_right._rb_parent_color[1])
    __rb_change_child(victim, new, parent, root)


EXPORT_SYMBOL(rb_replace_node)


def rb_left_deepest_node(node: rb_node) -> rb_node:
    """The first node of a subtree in postorder.

    lib/rbtree.c:580-590, Linux 7.2.13
    """
    while True:
        if node.rb_left:
            node = node.rb_left
        elif node.rb_right:
            node = node.rb_right
        else:
            return node


def rb_next_postorder(node: rb_node | None) -> rb_node | None:
    """The node behind in postorder, or NULL.

    lib/rbtree.c:592-608, Linux 7.2.13
    """
    if not node:
        return None
    parent = node._rb_parent_color[0]

    if parent and node is parent.rb_left and parent.rb_right:
        return rb_left_deepest_node(parent.rb_right)
    else:
        return parent


EXPORT_SYMBOL(rb_next_postorder)


def rb_first_postorder(root: rb_root) -> rb_node | None:
    """The first node in postorder, or NULL.

    lib/rbtree.c:611-617, Linux 7.2.13
    """
    if not root.rb_node:
        return None

    return rb_left_deepest_node(root.rb_node)


EXPORT_SYMBOL(rb_first_postorder)


# -- include/linux/rbtree.h, the inline functions ------------------------------------------------


def rb_last(root: rb_root) -> rb_node | None:
    """The rightmost node, found by walking.

    include/linux/rbtree.h:70-80, Linux 7.2.13
    """
    n = root.rb_node

    if not n:
        return None
    while n.rb_right:
        n = n.rb_right
    return n


def rb_link_node(
    node: rb_node, parent: rb_node | None, rb_link: tuple[Any, str]
) -> None:
    """Hang a red node into the empty place `rb_link`.

    include/linux/rbtree.h:92-99, Linux 7.2.13
    """
    node._rb_parent_color = (parent, RB_RED)  # kport: packed
    node.rb_left = node.rb_right = None

    setattr(rb_link[0], rb_link[1], node)  # kport: pointer-to-pointer


def rb_insert_color_cached(node: rb_node, root: rb_root_cached, leftmost: bool) -> None:
    """rb_insert_color(), and note the node if it is the leftmost now.

    include/linux/rbtree.h:141-148, Linux 7.2.13
    """
    if leftmost:
        root.rb_leftmost = node
    rb_insert_color(node, root.rb_root)


def rb_erase_cached(node: rb_node, root: rb_root_cached) -> rb_node | None:
    """Take a node out; returns the new leftmost node if it was the leftmost.

    include/linux/rbtree.h:151-162, Linux 7.2.13
    """
    leftmost = None

    if root.rb_leftmost is node:
        leftmost = root.rb_leftmost = rb_next(node)

    rb_erase(node, root.rb_root)

    return leftmost


def rb_replace_node_cached(victim: rb_node, new: rb_node, root: rb_root_cached) -> None:
    """rb_replace_node() in a tree that knows its leftmost node.

    include/linux/rbtree.h:164-171, Linux 7.2.13
    """
    if root.rb_leftmost is victim:
        root.rb_leftmost = new
    rb_replace_node(victim, new, root.rb_root)


def rb_add_cached(node: rb_node, tree: rb_root_cached, less: Less) -> rb_node | None:
    """Insert by `less`, behind its equals; returns the node if it is the leftmost now.

    include/linux/rbtree.h:197-219, Linux 7.2.13
    """
    link: tuple[Any, str] = (tree.rb_root, "rb_node")  # kport: pointer-to-pointer
    at = tree.rb_root.rb_node  # kport: pointer-to-pointer
    parent = None
    leftmost = True

    while at:  # kport: pointer-to-pointer
        parent = at  # kport: pointer-to-pointer
        if less(node, parent):
            link = (parent, "rb_left")  # kport: pointer-to-pointer
            at = parent.rb_left  # kport: pointer-to-pointer
        else:
            link = (parent, "rb_right")  # kport: pointer-to-pointer
            at = parent.rb_right  # kport: pointer-to-pointer
            leftmost = False

    rb_link_node(node, parent, link)
    rb_insert_color_cached(node, tree, leftmost)

    return node if leftmost else None


def rb_add(node: rb_node, tree: rb_root, less: Less) -> None:
    """Insert by `less`, behind its equals.

    include/linux/rbtree.h:297-302, Linux 7.2.13
    """
    link: tuple[Any, str] = (tree, "rb_node")  # kport: pointer-to-pointer
    at = tree.rb_node  # kport: pointer-to-pointer
    parent = None

    while at:  # kport: pointer-to-pointer
        parent = at  # kport: pointer-to-pointer
        if less(node, parent):
            link = (parent, "rb_left")  # kport: pointer-to-pointer
            at = parent.rb_left  # kport: pointer-to-pointer
        else:
            link = (parent, "rb_right")  # kport: pointer-to-pointer
            at = parent.rb_right  # kport: pointer-to-pointer

    rb_link_node(node, parent, link)
    rb_insert_color(node, tree)


def rb_find(key: Any, tree: rb_root, cmp: Callable[[Any, rb_node], int]) -> rb_node | None:
    """A node for which `cmp(key, node)` is 0, or NULL.

    include/linux/rbtree.h:419-437, Linux 7.2.13
    """
    node = tree.rb_node

    while node:
        c = cmp(key, node)

        if c < 0:
            node = node.rb_left
        elif c > 0:
            node = node.rb_right
        else:
            return node

    return None


def rbtree_postorder_for_each_entry_safe(
    root: rb_root, type_: type[T], field: str
) -> Iterator[tuple[T, None]]:
    """Each entry in postorder; it may be freed meanwhile.

    include/linux/rbtree.h:132-136, Linux 7.2.13
    """
    pos = rb_first_postorder(root)  # kport: generator
    while pos:  # kport: generator
        n = rb_next_postorder(pos)  # kport: generator
        yield rb_entry(pos, type_, field), None  # kport: generator
        pos = n
