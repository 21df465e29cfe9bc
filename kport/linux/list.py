# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from include/linux/list.h and lib/list_debug.c, Linux 7.2.13, on 2026-11-20.
"""Doubly linked, intrusive, circular lists. Config: not LIST_HARDENED; DEBUG_LIST is a boot option.

The iteration macros are generators that yield the entries. A cursor read after its loop is the head
in C and the last entry here; where C does that, the port says so with a `cursor` tag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from kport.arch.asm import READ_ONCE, WRITE_ONCE, smp_load_acquire, smp_store_release
from kport.arch.link import linkable
from kport.linux.bug import CHECK_DATA_CORRUPTION
from kport.linux.module import EXPORT_SYMBOL
from kport.linux.poison import LIST_POISON1, LIST_POISON2
from kport.linux.struct import container_of, struct

T = TypeVar("T")


class list_head(struct):
    """A list, or a member's place in one (include/linux/types.h)."""

    _knots = ("next", "prev")

    next: list_head | None
    prev: list_head | None


def LIST_HEAD() -> list_head:
    """A new empty list; C declares and initialises it at once.

    include/linux/list.h:33-34, Linux 7.2.13
    """
    name = list_head()  # kport: initialiser
    INIT_LIST_HEAD(name)  # kport: initialiser
    return name  # kport: initialiser


def __list_add_valid_or_report(new: list_head, prev: list_head, next: list_head) -> bool:
    """Check the neighbours before an insertion; False, after a report, forbids it.

    lib/list_debug.c:21-41, Linux 7.2.13
    """
    if (
        CHECK_DATA_CORRUPTION(prev is None, None, "list_add corruption. prev is NULL.\n")
        or CHECK_DATA_CORRUPTION(next is None, None, "list_add corruption. next is NULL.\n")
        or CHECK_DATA_CORRUPTION(
            next.prev is not prev,
            next,
            "list_add corruption. next->prev should be prev (%px), but was %px. (next=%px).\n",
            prev,
            next.prev,
            next,
        )
        or CHECK_DATA_CORRUPTION(
            prev.next is not next,
            prev,
            "list_add corruption. prev->next should be next (%px), but was %px. (prev=%px).\n",
            next,
            prev.next,
            prev,
        )
        or CHECK_DATA_CORRUPTION(
            new is prev or new is next,
            None,
            "list_add double add: new=%px, prev=%px, next=%px.\n",
            new,
            prev,
            next,
        )
    ):
        return False

    return True


EXPORT_SYMBOL(__list_add_valid_or_report)


def __list_del_entry_valid_or_report(entry: list_head) -> bool:
    """Check an entry before its removal; False, after a report, forbids it.

    lib/list_debug.c:44-71, Linux 7.2.13
    """
    prev = entry.prev
    next = entry.next

    if (
        CHECK_DATA_CORRUPTION(
            next is None, None, "list_del corruption, %px->next is NULL\n", entry
        )
        or CHECK_DATA_CORRUPTION(
            prev is None, None, "list_del corruption, %px->prev is NULL\n", entry
        )
        or CHECK_DATA_CORRUPTION(
            next is LIST_POISON1,
            next,
            "list_del corruption, %px->next is LIST_POISON1 (%px)\n",
            entry,
            LIST_POISON1,
        )
        or CHECK_DATA_CORRUPTION(
            prev is LIST_POISON2,
            prev,
            "list_del corruption, %px->prev is LIST_POISON2 (%px)\n",
            entry,
            LIST_POISON2,
        )
        or CHECK_DATA_CORRUPTION(
            prev.next is not entry,
            prev,
            "list_del corruption. prev->next should be %px, but was %px. (prev=%px)\n",
            entry,
            prev.next,
            prev,
        )
        or CHECK_DATA_CORRUPTION(
            next.prev is not entry,
            next,
            "list_del corruption. next->prev should be %px, but was %px. (next=%px)\n",
            entry,
            next.prev,
            next,
        )
    ):
        return False

    return True


EXPORT_SYMBOL(__list_del_entry_valid_or_report)


def INIT_LIST_HEAD(list: list_head) -> None:
    """Make the list empty.

    include/linux/list.h:43-47, Linux 7.2.13
    """
    WRITE_ONCE(list, "next", list)
    WRITE_ONCE(list, "prev", list)


@linkable
def __list_add(new: list_head, prev: list_head, next: list_head) -> None:
    """Link `new` between two known neighbours.

    include/linux/list.h:157-168, Linux 7.2.13
    """
    # kport: variant
    next.prev = new
    new.next = next
    new.prev = prev
    WRITE_ONCE(prev, "next", new)


# The slots, past whoever watches accesses: what a list in order is asked is not the list's doing.
_next_of = vars(list_head)["next"].__get__
_prev_of = vars(list_head)["prev"].__get__


def _linked(prev: list_head, next: list_head) -> bool:
    """True if the two are neighbours, alive, and neither is NULL or poison."""
    try:
        return _next_of(prev) is next and _prev_of(next) is prev
    except (AttributeError, TypeError):
        return False


def _entered(entry: list_head) -> bool:
    """True if the entry is between two neighbours that know of it."""
    try:
        return _next_of(_prev_of(entry)) is entry and _prev_of(_next_of(entry)) is entry
    except (AttributeError, TypeError):
        return False


def debug_list_add(new: list_head, prev: list_head, next: list_head) -> None:
    """__list_add() with CONFIG_DEBUG_LIST; the whole check is for what is not in order."""
    sound = _linked(prev, next) and new is not prev and new is not next
    if not sound and not __list_add_valid_or_report(new, prev, next):
        return

    next.prev = new
    new.next = next
    new.prev = prev
    WRITE_ONCE(prev, "next", new)


def list_add(new: list_head, head: list_head) -> None:
    """Insert at the front.

    include/linux/list.h:181-185, Linux 7.2.13
    """
    __list_add(new, head, head.next)


def list_add_tail(new: list_head, head: list_head) -> None:
    """Insert at the end.

    include/linux/list.h:196-199, Linux 7.2.13
    """
    __list_add(new, head.prev, head)


def __list_del(prev: list_head, next: list_head) -> None:
    """Make two entries neighbours.

    include/linux/list.h:231-235, Linux 7.2.13
    """
    next.prev = prev
    WRITE_ONCE(prev, "next", next)


def __list_del_clearprev(entry: list_head) -> None:
    """Unlink; only `prev` is cleared.

    include/linux/list.h:245-249, Linux 7.2.13
    """
    __list_del(entry.prev, entry.next)
    entry.prev = None


@linkable
def __list_del_entry(entry: list_head) -> None:
    """Unlink; the entry's own pointers stay.

    include/linux/list.h:251-257, Linux 7.2.13
    """
    # kport: variant
    __list_del(entry.prev, entry.next)


def debug_list_del_entry(entry: list_head) -> None:
    """__list_del_entry() with CONFIG_DEBUG_LIST."""
    if not _entered(entry) and not __list_del_entry_valid_or_report(entry):
        return

    __list_del(entry.prev, entry.next)


DEBUG_LIST: dict[str, Callable[..., Any]] = {
    "__list_add": debug_list_add,
    "__list_del_entry": debug_list_del_entry,
}


def list_del(entry: list_head) -> None:
    """Unlink and poison: the entry is on no list and does not look empty.

    include/linux/list.h:265-270, Linux 7.2.13
    """
    __list_del_entry(entry)
    entry.next = LIST_POISON1
    entry.prev = LIST_POISON2


def list_replace(old: list_head, new: list_head) -> None:
    """Put `new` where `old` is; `old` keeps its pointers.

    include/linux/list.h:279-286, Linux 7.2.13
    """
    new.next = old.next
    new.next.prev = new
    new.prev = old.prev
    new.prev.next = new


def list_replace_init(old: list_head, new: list_head) -> None:
    """Put `new` where `old` is and make `old` empty.

    include/linux/list.h:295-300, Linux 7.2.13
    """
    list_replace(old, new)
    INIT_LIST_HEAD(old)


def list_swap(entry1: list_head, entry2: list_head) -> None:
    """Exchange the places of two entries.

    include/linux/list.h:307-317, Linux 7.2.13
    """
    pos = entry2.prev

    list_del(entry2)
    list_replace(entry1, entry2)
    if pos is entry1:
        pos = entry2
    list_add(entry1, pos)


def list_del_init(entry: list_head) -> None:
    """Unlink and make the entry an empty list.

    include/linux/list.h:323-327, Linux 7.2.13
    """
    __list_del_entry(entry)
    INIT_LIST_HEAD(entry)


def list_move(list: list_head, head: list_head) -> None:
    """Take the entry off its list and insert it at the front of another.

    include/linux/list.h:334-338, Linux 7.2.13
    """
    __list_del_entry(list)
    list_add(list, head)


def list_move_tail(list: list_head, head: list_head) -> None:
    """Take the entry off its list and insert it at the end of another.

    include/linux/list.h:345-350, Linux 7.2.13
    """
    __list_del_entry(list)
    list_add_tail(list, head)


def list_bulk_move_tail(head: list_head, first: list_head, last: list_head) -> None:
    """Move the run first..last to the end of `head`.

    include/linux/list.h:361-373, Linux 7.2.13
    """
    first.prev.next = last.next
    last.next.prev = first.prev

    head.prev.next = first
    first.prev = head.prev

    last.next = head
    head.prev = last


def list_is_first(list: list_head, head: list_head) -> bool:
    """True for the first entry of the list.

    include/linux/list.h:380-383, Linux 7.2.13
    """
    return list.prev is head


def list_is_last(list: list_head, head: list_head) -> bool:
    """True for the last entry of the list.

    include/linux/list.h:390-393, Linux 7.2.13
    """
    return list.next is head


def list_is_head(list: list_head, head: list_head) -> bool:
    """True if the pointer is the list itself.

    include/linux/list.h:400-403, Linux 7.2.13
    """
    return list is head


def list_empty(head: list_head) -> bool:
    """True for a list without entries, and for an entry that is on none.

    include/linux/list.h:409-412, Linux 7.2.13
    """
    return READ_ONCE(head, "next") is head


def list_del_init_careful(entry: list_head) -> None:
    """Like list_del_init(), ordered for a reader that uses list_empty_careful().

    include/linux/list.h:425-430, Linux 7.2.13
    """
    __list_del_entry(entry)
    WRITE_ONCE(entry, "prev", entry)
    smp_store_release(entry, "next", entry)


def list_empty_careful(head: list_head) -> bool:
    """True if empty and nobody is half way through changing that.

    include/linux/list.h:445-449, Linux 7.2.13
    """
    next = smp_load_acquire(head, "next")
    return list_is_head(next, head) and next is READ_ONCE(head, "prev")


def list_rotate_left(head: list_head) -> None:
    """The first entry becomes the last.

    include/linux/list.h:455-463, Linux 7.2.13
    """
    if not list_empty(head):
        first = head.next
        list_move_tail(first, head)


def list_rotate_to_front(list: list_head, head: list_head) -> None:
    """Rotate until `list` is the first entry.

    include/linux/list.h:472-481, Linux 7.2.13
    """
    list_move_tail(head, list)


def list_is_singular(head: list_head) -> bool:
    """True for exactly one entry.

    include/linux/list.h:487-490, Linux 7.2.13
    """
    return not list_empty(head) and head.next is head.prev


def __list_cut_position(list: list_head, head: list_head, entry: list_head) -> None:
    """Move everything up to and with `entry` to `list`.

    include/linux/list.h:492-502, Linux 7.2.13
    """
    new_first = entry.next
    list.next = head.next
    list.next.prev = list
    list.prev = entry
    entry.next = list
    head.next = new_first
    new_first.prev = head


def list_cut_position(list: list_head, head: list_head, entry: list_head) -> None:
    """Cut the list in two behind `entry`; the first part goes to `list`.

    include/linux/list.h:518-529, Linux 7.2.13
    """
    if list_empty(head):
        return
    if list_is_singular(head) and not list_is_head(entry, head) and entry is not head.next:
        return
    if list_is_head(entry, head):
        INIT_LIST_HEAD(list)
    else:
        __list_cut_position(list, head, entry)


def list_cut_before(list: list_head, head: list_head, entry: list_head) -> None:
    """Cut the list in two before `entry`; the first part goes to `list`.

    include/linux/list.h:545-559, Linux 7.2.13
    """
    if head.next is entry:
        INIT_LIST_HEAD(list)
        return
    list.next = head.next
    list.next.prev = list
    list.prev = entry.prev
    list.prev.next = list
    head.next = entry
    entry.prev = head


def __list_splice(list: list_head, prev: list_head, next: list_head) -> None:
    """Insert all entries of a non-empty list between two neighbours.

    include/linux/list.h:561-573, Linux 7.2.13
    """
    first = list.next
    last = list.prev

    first.prev = prev
    prev.next = first

    last.next = next
    next.prev = last


def list_splice(list: list_head, head: list_head) -> None:
    """Insert a list at the front; `list` itself keeps its pointers.

    include/linux/list.h:580-585, Linux 7.2.13
    """
    if not list_empty(list):
        __list_splice(list, head, head.next)


def list_splice_tail(list: list_head, head: list_head) -> None:
    """Insert a list at the end; `list` itself keeps its pointers.

    include/linux/list.h:592-597, Linux 7.2.13
    """
    if not list_empty(list):
        __list_splice(list, head.prev, head)


def list_splice_init(list: list_head, head: list_head) -> None:
    """Insert a list at the front and leave it empty.

    include/linux/list.h:606-613, Linux 7.2.13
    """
    if not list_empty(list):
        __list_splice(list, head, head.next)
        INIT_LIST_HEAD(list)


def list_splice_tail_init(list: list_head, head: list_head) -> None:
    """Insert a list at the end and leave it empty.

    include/linux/list.h:623-630, Linux 7.2.13
    """
    if not list_empty(list):
        __list_splice(list, head.prev, head)
        INIT_LIST_HEAD(list)


# The macros. `type_` and `member` name the struct and the list_head in it, as in container_of().

list_entry = container_of


def list_first_entry(ptr: list_head, type_: type[T], member: str) -> T:
    """The first entry of a list that is not empty.

    include/linux/list.h:649-650, Linux 7.2.13
    """
    return container_of(ptr.next, type_, member)


def list_last_entry(ptr: list_head, type_: type[T], member: str) -> T:
    """The last entry of a list that is not empty.

    include/linux/list.h:660-661, Linux 7.2.13
    """
    return container_of(ptr.prev, type_, member)


def list_first_entry_or_null(ptr: list_head, type_: type[T], member: str) -> T | None:
    """The first entry, or NULL.

    include/linux/list.h:671-675, Linux 7.2.13
    """
    head__ = ptr
    pos__ = READ_ONCE(head__, "next")
    return container_of(pos__, type_, member) if pos__ is not head__ else None


def list_last_entry_or_null(ptr: list_head, type_: type[T], member: str) -> T | None:
    """The last entry, or NULL.

    include/linux/list.h:699-703, Linux 7.2.13
    """
    head__ = ptr
    pos__ = READ_ONCE(head__, "prev")
    return container_of(pos__, type_, member) if pos__ is not head__ else None


def list_next_entry(pos: T, member: str) -> T:
    """The entry behind `pos`, which must not be the last.

    include/linux/list.h:710-711, Linux 7.2.13
    """
    return container_of(getattr(pos, member).next, type(pos), member)


def list_prev_entry(pos: T, member: str) -> T:
    """The entry before `pos`, which must not be the first.

    include/linux/list.h:731-732, Linux 7.2.13
    """
    return container_of(getattr(pos, member).prev, type(pos), member)


def list_for_each(head: list_head) -> Iterator[list_head]:
    """Each link of the list; it must not be removed meanwhile.

    include/linux/list.h:752-753, Linux 7.2.13
    """
    pos = head.next
    while pos is not head:  # kport: inlined
        yield pos
        pos = pos.next


def list_for_each_prev(head: list_head) -> Iterator[list_head]:
    """Each link of the list, from the last.

    include/linux/list.h:770-771, Linux 7.2.13
    """
    pos = head.prev
    while pos is not head:  # kport: inlined
        yield pos
        pos = pos.prev


def list_for_each_safe(head: list_head) -> Iterator[tuple[list_head, list_head]]:
    """Each link and the one behind it; the link may be removed.

    include/linux/list.h:779-782, Linux 7.2.13
    """
    pos = head.next
    n = pos.next
    while pos is not head:  # kport: inlined
        yield pos, n
        pos = n
        n = pos.next


def list_for_each_prev_safe(head: list_head) -> Iterator[tuple[list_head, list_head]]:
    """Each link from the last, and the one before it; the link may be removed.

    include/linux/list.h:790-793, Linux 7.2.13
    """
    pos = head.prev
    n = pos.prev
    while pos is not head:  # kport: inlined
        yield pos, n
        pos = n
        n = pos.prev


def list_entry_is_head(pos: object, head: list_head, member: str) -> bool:
    """True if the cursor has run into the head.

    include/linux/list.h:816-817, Linux 7.2.13
    """
    return list_is_head(getattr(pos, member), head)


def list_for_each_entry(head: list_head, type_: type[T], member: str) -> Iterator[T]:
    """Each entry; it must not be removed meanwhile.

    include/linux/list.h:825-828, Linux 7.2.13
    """
    pos = head.next  # kport: generator
    while pos is not head:  # kport: generator
        yield container_of(pos, type_, member)  # kport: generator
        pos = pos.next  # kport: generator


def _entry_or_head(pos: list_head, head: list_head, type_: type[T], member: str) -> T | None:
    # In C the cursor behind the last entry is a pointer computed from the head; nobody may use it.
    return container_of(pos, type_, member) if pos is not head else None


def list_for_each_entry_reverse(head: list_head, type_: type[T], member: str) -> Iterator[T]:
    """Each entry, from the last.

    include/linux/list.h:836-839, Linux 7.2.13
    """
    pos = head.prev  # kport: generator
    while pos is not head:  # kport: generator
        yield container_of(pos, type_, member)  # kport: generator
        pos = pos.prev  # kport: generator


def list_for_each_entry_continue(
    pos: T, head: list_head, type_: type[T], member: str
) -> Iterator[T]:
    """The entries behind `pos`.

    include/linux/list.h:861-864, Linux 7.2.13
    """
    at = getattr(pos, member).next  # kport: generator
    while at is not head:  # kport: generator
        yield container_of(at, type_, member)  # kport: generator
        at = at.next  # kport: generator


def list_for_each_entry_from(pos: T, head: list_head, type_: type[T], member: str) -> Iterator[T]:
    """The entry `pos` and those behind it.

    include/linux/list.h:888-890, Linux 7.2.13
    """
    at = getattr(pos, member)  # kport: generator
    while at is not head:  # kport: generator
        yield container_of(at, type_, member)  # kport: generator
        at = at.next  # kport: generator


def list_for_each_entry_safe(
    head: list_head, type_: type[T], member: str
) -> Iterator[tuple[T, T | None]]:
    """Each entry and the one behind it (None at the end); the entry may be removed.

    include/linux/list.h:912-916, Linux 7.2.13
    """
    pos = head.next  # kport: generator
    n = pos.next  # kport: generator
    while pos is not head:  # kport: generator
        yield (  # kport: generator
            container_of(pos, type_, member),
            _entry_or_head(n, head, type_, member),
        )
        pos = n
        n = pos.next  # kport: generator


def list_for_each_entry_safe_from(
    pos: T, head: list_head, type_: type[T], member: str
) -> Iterator[tuple[T, T | None]]:
    """Like list_for_each_entry_safe(), beginning with the entry `pos`.

    include/linux/list.h:944-947, Linux 7.2.13
    """
    at = getattr(pos, member)  # kport: generator
    n = at.next  # kport: generator
    while at is not head:  # kport: generator
        yield (  # kport: generator
            container_of(at, type_, member),
            _entry_or_head(n, head, type_, member),
        )
        at = n  # kport: generator
        n = at.next  # kport: generator


def list_for_each_entry_safe_reverse(
    head: list_head, type_: type[T], member: str
) -> Iterator[tuple[T, T | None]]:
    """Each entry from the last, and the one before it (None at the end).

    include/linux/list.h:959-963, Linux 7.2.13
    """
    pos = head.prev  # kport: generator
    n = pos.prev  # kport: generator
    while pos is not head:  # kport: generator
        yield (  # kport: generator
            container_of(pos, type_, member),
            _entry_or_head(n, head, type_, member),
        )
        pos = n
        n = pos.prev  # kport: generator


def list_count_nodes(head: list_head) -> int:
    """The number of entries.

    include/linux/list.h:799-808, Linux 7.2.13
    """
    count = 0

    for pos in list_for_each(head):
        count += 1

    return count
