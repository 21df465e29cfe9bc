# SPDX-FileCopyrightText: 2010 Intel Corp.
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/llist.h and lib/llist.c, Linux 7.2.13, on 2026-11-20.
"""Lock-less singly linked lists: many producers, and consumers that take all or the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from kport.arch.asm import READ_ONCE, WRITE_ONCE, cmpxchg, smp_load_acquire, xchg
from kport.linux.module import EXPORT_SYMBOL_GPL
from kport.linux.struct import container_of, struct

T = TypeVar("T")


class llist_node(struct):
    """A member's place in the list."""

    next: llist_node | None


class llist_head(struct):
    """The list: its newest entry."""

    first: llist_node | None


def init_llist_head(list: llist_head) -> None:
    """Make the list empty.

    include/linux/llist.h:71-74, Linux 7.2.13
    """
    list.first = None


def init_llist_node(node: llist_node) -> None:
    """Make the node point to itself: on no list.

    include/linux/llist.h:84-87, Linux 7.2.13
    """
    WRITE_ONCE(node, "next", node)


def llist_on_list(node: llist_node) -> bool:
    """True unless the node is in the state init_llist_node() left it in.

    include/linux/llist.h:98-101, Linux 7.2.13
    """
    return READ_ONCE(node, "next") is not node


llist_entry = container_of


def llist_empty(head: llist_head) -> bool:
    """True for a list without entries; only a hint while others add.

    include/linux/llist.h:216-219, Linux 7.2.13
    """
    return READ_ONCE(head, "first") is None


def llist_next(node: llist_node) -> llist_node:
    """The entry behind `node`.

    include/linux/llist.h:221-224, Linux 7.2.13
    """
    return READ_ONCE(node, "next")


def llist_add_batch(new_first: llist_node, new_last: llist_node, head: llist_head) -> bool:
    """Add a chain of entries at the front; True if the list was empty before.

    include/linux/llist.h:234-245, Linux 7.2.13
    """
    first = READ_ONCE(head, "first")

    while True:
        new_last.next = first
        ok, first = try_cmpxchg(head, "first", first, new_first)  # kport: out-param
        if ok:
            break

    return not first


def try_cmpxchg(o: object, f: str, old: object, new: object) -> tuple[bool, llist_node]:
    """Whether `old` could be replaced by `new`, and what the member was before."""
    was = cmpxchg(o, f, old, new)
    return was is old, was


def llist_add(new: llist_node, head: llist_head) -> bool:
    """Add at the front; True if the list was empty before.

    include/linux/llist.h:263-266, Linux 7.2.13
    """
    return llist_add_batch(new, new, head)


def llist_del_all(head: llist_head) -> llist_node | None:
    """Take everything, newest first.

    include/linux/llist.h:281-284, Linux 7.2.13
    """
    return xchg(head, "first", None)


def llist_del_first(head: llist_head) -> llist_node | None:
    """Take the newest entry. Callers must exclude each other.

    lib/llist.c:31-43, Linux 7.2.13
    """
    entry = smp_load_acquire(head, "first")
    while True:
        if entry is None:
            return None
        next = READ_ONCE(entry, "next")
        ok, entry = try_cmpxchg(head, "first", entry, next)  # kport: out-param
        if ok:
            break

    return entry


EXPORT_SYMBOL_GPL(llist_del_first)


def llist_del_first_this(head: llist_head, this: llist_node) -> bool:
    """Take the newest entry if it is `this` one.

    lib/llist.c:57-71, Linux 7.2.13
    """
    entry = smp_load_acquire(head, "first")
    while True:
        if entry is not this:
            return False
        next = READ_ONCE(entry, "next")
        ok, entry = try_cmpxchg(head, "first", entry, next)  # kport: out-param
        if ok:
            break

    return True


EXPORT_SYMBOL_GPL(llist_del_first_this)


def llist_reverse_order(head: llist_node | None) -> llist_node | None:
    """Turn a chain round: oldest first.

    lib/llist.c:81-93, Linux 7.2.13
    """
    new_head = None

    while head:
        tmp = head
        head = head.next
        tmp.next = new_head
        new_head = tmp

    return new_head


EXPORT_SYMBOL_GPL(llist_reverse_order)


def llist_for_each_entry_safe(
    node: llist_node | None, type_: type[T], member: str
) -> Iterator[tuple[T, None]]:
    """Each entry of a chain; the entry may be freed or queued again meanwhile.

    include/linux/llist.h:202-206, Linux 7.2.13
    """
    while node is not None:  # kport: generator
        n = node.next  # kport: generator
        yield container_of(node, type_, member), None  # kport: generator
        node = n  # kport: generator
