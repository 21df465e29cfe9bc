# SPDX-FileCopyrightText: 2019 Google LLC
# SPDX-FileCopyrightText: David Gow <davidgow@google.com>
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from lib/tests/list-test.c, Linux 7.2.13, on 2026-11-20.
"""KUnit's tests of linked lists: the suite `list-kunit-test` with its 39 cases.

The suites of hash lists and of klists, which stand in the same file, are left out with what they
test. What C leaves uninitialised is NULL here.
"""

from __future__ import annotations

from kport.kunit.test import KUNIT_CASE, kunit_suite, kunit_test_suites
from kport.linux.kunit import (
    KUNIT_EXPECT_EQ,
    KUNIT_EXPECT_FALSE,
    KUNIT_EXPECT_FALSE_MSG,
    KUNIT_EXPECT_PTR_EQ,
    KUNIT_EXPECT_TRUE,
    KUNIT_EXPECT_TRUE_MSG,
    kunit,
)
from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add,
    list_add_tail,
    list_bulk_move_tail,
    list_cut_before,
    list_cut_position,
    list_del,
    list_del_init,
    list_del_init_careful,
    list_empty,
    list_empty_careful,
    list_entry,
    list_entry_is_head,
    list_first_entry,
    list_first_entry_or_null,
    list_for_each,
    list_for_each_entry,
    list_for_each_entry_reverse,
    list_for_each_prev,
    list_for_each_prev_safe,
    list_for_each_safe,
    list_head,
    list_is_first,
    list_is_head,
    list_is_last,
    list_is_singular,
    list_last_entry,
    list_move,
    list_move_tail,
    list_next_entry,
    list_prev_entry,
    list_replace,
    list_replace_init,
    list_rotate_left,
    list_rotate_to_front,
    list_splice,
    list_splice_init,
    list_splice_tail,
    list_splice_tail_init,
    list_swap,
)
from kport.linux.poison import LIST_POISON1
from kport.linux.slab import kfree, kmalloc_obj, kzalloc_obj
from kport.linux.struct import struct


class list_test_struct(struct):
    """An entry."""

    data: int
    list: list_head


def list_test_list_init(test: kunit) -> None:
    """Each way to initialise a list gives an empty one.

    lib/tests/list-test.c:18-45, Linux 7.2.13
    """
    list1 = LIST_HEAD()  # kport: initialiser
    list2 = list_head()
    list3 = LIST_HEAD()

    INIT_LIST_HEAD(list2)

    list4 = kzalloc_obj(list_head)
    INIT_LIST_HEAD(list4)

    list5 = kmalloc_obj(list_head)
    list5.next = list5.prev = LIST_POISON1  # kport: model
    INIT_LIST_HEAD(list5)

    KUNIT_EXPECT_TRUE(test, list_empty_careful(list1))
    KUNIT_EXPECT_TRUE(test, list_empty_careful(list2))
    KUNIT_EXPECT_TRUE(test, list_empty_careful(list3))
    KUNIT_EXPECT_TRUE(test, list_empty_careful(list4))
    KUNIT_EXPECT_TRUE(test, list_empty_careful(list5))

    kfree(list4)
    kfree(list5)


def list_test_list_add(test: kunit) -> None:
    """Insert at the front.

    lib/tests/list-test.c:47-59, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add(a, list)
    list_add(b, list)

    KUNIT_EXPECT_PTR_EQ(test, list.next, b)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, list)
    KUNIT_EXPECT_PTR_EQ(test, b.next, a)


def list_test_list_add_tail(test: kunit) -> None:
    """Insert at the end.

    lib/tests/list-test.c:61-73, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    KUNIT_EXPECT_PTR_EQ(test, list.next, a)
    KUNIT_EXPECT_PTR_EQ(test, a.prev, list)
    KUNIT_EXPECT_PTR_EQ(test, a.next, b)


def list_test_list_del(test: kunit) -> None:
    """Unlink the first of two.

    lib/tests/list-test.c:75-89, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    list_del(a)

    KUNIT_EXPECT_PTR_EQ(test, list.next, b)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, list)


def list_test_list_replace(test: kunit) -> None:
    """A new entry takes the place of an old one.

    lib/tests/list-test.c:91-107, Linux 7.2.13
    """
    a_old = list_head()
    a_new = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a_old, list)
    list_add_tail(b, list)

    list_replace(a_old, a_new)

    KUNIT_EXPECT_PTR_EQ(test, list.next, a_new)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, a_new)
    KUNIT_EXPECT_PTR_EQ(test, a_new.next, b)
    KUNIT_EXPECT_PTR_EQ(test, a_new.prev, list)


def list_test_list_replace_init(test: kunit) -> None:
    """As list_replace(), and the old entry is empty.

    lib/tests/list-test.c:109-128, Linux 7.2.13
    """
    a_old = list_head()
    a_new = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a_old, list)
    list_add_tail(b, list)

    list_replace_init(a_old, a_new)

    KUNIT_EXPECT_PTR_EQ(test, list.next, a_new)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, a_new)
    KUNIT_EXPECT_PTR_EQ(test, a_new.next, b)
    KUNIT_EXPECT_PTR_EQ(test, a_new.prev, list)

    KUNIT_EXPECT_TRUE(test, list_empty_careful(a_old))


def list_test_list_swap(test: kunit) -> None:
    """Two neighbours change places.

    lib/tests/list-test.c:130-150, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    list_swap(a, b)

    KUNIT_EXPECT_PTR_EQ(test, b, list.next)
    KUNIT_EXPECT_PTR_EQ(test, a, list.prev)

    KUNIT_EXPECT_PTR_EQ(test, a, b.next)
    KUNIT_EXPECT_PTR_EQ(test, list, b.prev)

    KUNIT_EXPECT_PTR_EQ(test, list, a.next)
    KUNIT_EXPECT_PTR_EQ(test, b, a.prev)


def list_test_list_del_init(test: kunit) -> None:
    """Unlink, and the entry is empty.

    lib/tests/list-test.c:152-167, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    list_del_init(a)

    KUNIT_EXPECT_PTR_EQ(test, list.next, b)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, list)
    KUNIT_EXPECT_TRUE(test, list_empty_careful(a))


def list_test_list_del_init_careful(test: kunit) -> None:
    """As list_del_init(); what it orders cannot be seen by one thread.

    lib/tests/list-test.c:169-187, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    list_del_init_careful(a)

    KUNIT_EXPECT_PTR_EQ(test, list.next, b)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, list)
    KUNIT_EXPECT_TRUE(test, list_empty_careful(a))


def list_test_list_move(test: kunit) -> None:
    """From one list to the front of another.

    lib/tests/list-test.c:189-206, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()

    list_add_tail(a, list1)
    list_add_tail(b, list2)

    list_move(a, list2)

    KUNIT_EXPECT_TRUE(test, list_empty(list1))

    KUNIT_EXPECT_PTR_EQ(test, a, list2.next)
    KUNIT_EXPECT_PTR_EQ(test, b, a.next)


def list_test_list_move_tail(test: kunit) -> None:
    """From one list to the end of another.

    lib/tests/list-test.c:208-225, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()

    list_add_tail(a, list1)
    list_add_tail(b, list2)

    list_move_tail(a, list2)

    KUNIT_EXPECT_TRUE(test, list_empty(list1))

    KUNIT_EXPECT_PTR_EQ(test, b, list2.next)
    KUNIT_EXPECT_PTR_EQ(test, a, b.next)


def list_test_list_bulk_move_tail(test: kunit) -> None:
    """A run of entries goes to another list.

    lib/tests/list-test.c:227-260, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    c = list_head()
    d = list_head()
    x = list_head()
    y = list_head()
    list1_values = (x, b, c, y)
    list2_values = (a, d)
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(x, list1)
    list_add_tail(y, list1)

    list_add_tail(a, list2)
    list_add_tail(b, list2)
    list_add_tail(c, list2)
    list_add_tail(d, list2)

    list_bulk_move_tail(y, b, c)

    for ptr in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, ptr, list1_values[i])
        i += 1
    KUNIT_EXPECT_EQ(test, i, 4)
    i = 0
    for ptr in list_for_each(list2):
        KUNIT_EXPECT_PTR_EQ(test, ptr, list2_values[i])
        i += 1
    KUNIT_EXPECT_EQ(test, i, 2)


def list_test_list_is_head(test: kunit) -> None:
    """Only the list itself is the head.

    lib/tests/list-test.c:262-277, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    c = list_head()

    INIT_LIST_HEAD(a)
    INIT_LIST_HEAD(c)
    list_add_tail(b, a)

    KUNIT_EXPECT_TRUE_MSG(test, list_is_head(a, a), "Head element of same list")
    KUNIT_EXPECT_FALSE_MSG(test, list_is_head(a, b), "Non-head element of same list")
    KUNIT_EXPECT_FALSE_MSG(test, list_is_head(a, c), "Head element of different list")


def list_test_list_is_first(test: kunit) -> None:
    """Only the first entry is first.

    lib/tests/list-test.c:280-290, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    KUNIT_EXPECT_TRUE(test, list_is_first(a, list))
    KUNIT_EXPECT_FALSE(test, list_is_first(b, list))


def list_test_list_is_last(test: kunit) -> None:
    """Only the last entry is last.

    lib/tests/list-test.c:292-302, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    KUNIT_EXPECT_FALSE(test, list_is_last(a, list))
    KUNIT_EXPECT_TRUE(test, list_is_last(b, list))


def list_test_list_empty(test: kunit) -> None:
    """A list with an entry is not empty.

    lib/tests/list-test.c:304-314, Linux 7.2.13
    """
    a = list_head()
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()

    list_add_tail(a, list1)

    KUNIT_EXPECT_FALSE(test, list_empty(list1))
    KUNIT_EXPECT_TRUE(test, list_empty(list2))


def list_test_list_empty_careful(test: kunit) -> None:
    """As list_empty(); one thread sees no difference.

    lib/tests/list-test.c:316-327, Linux 7.2.13
    """
    a = list_head()
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()

    list_add_tail(a, list1)

    KUNIT_EXPECT_FALSE(test, list_empty_careful(list1))
    KUNIT_EXPECT_TRUE(test, list_empty_careful(list2))


def list_test_list_rotate_left(test: kunit) -> None:
    """The first entry becomes the last.

    lib/tests/list-test.c:329-344, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    list_add_tail(a, list)
    list_add_tail(b, list)

    list_rotate_left(list)

    KUNIT_EXPECT_PTR_EQ(test, list.next, b)
    KUNIT_EXPECT_PTR_EQ(test, b.prev, list)
    KUNIT_EXPECT_PTR_EQ(test, b.next, a)


def list_test_list_rotate_to_front(test: kunit) -> None:
    """Rotate until the third of four entries is the first.

    lib/tests/list-test.c:346-368, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    c = list_head()
    d = list_head()
    list_values = (c, d, a, b)
    list = LIST_HEAD()
    i = 0

    list_add_tail(a, list)
    list_add_tail(b, list)
    list_add_tail(c, list)
    list_add_tail(d, list)

    list_rotate_to_front(c, list)

    for ptr in list_for_each(list):
        KUNIT_EXPECT_PTR_EQ(test, ptr, list_values[i])
        i += 1
    KUNIT_EXPECT_EQ(test, i, 4)


def list_test_list_is_singular(test: kunit) -> None:
    """One entry, not none and not two.

    lib/tests/list-test.c:370-387, Linux 7.2.13
    """
    a = list_head()
    b = list_head()
    list = LIST_HEAD()

    KUNIT_EXPECT_FALSE(test, list_is_singular(list))

    list_add_tail(a, list)

    KUNIT_EXPECT_TRUE(test, list_is_singular(list))

    list_add_tail(b, list)

    KUNIT_EXPECT_FALSE(test, list_is_singular(list))


def list_test_list_cut_position(test: kunit) -> None:
    """Cut behind an entry.

    lib/tests/list-test.c:389-417, Linux 7.2.13
    """
    entries = [list_head() for _ in range(3)]
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list1)
    list_add_tail(entries[1], list1)
    list_add_tail(entries[2], list1)

    list_cut_position(list2, list1, entries[1])

    for cur in list_for_each(list2):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 2)

    for cur in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 3)


def list_test_list_cut_before(test: kunit) -> None:
    """Cut before an entry.

    lib/tests/list-test.c:419-447, Linux 7.2.13
    """
    entries = [list_head() for _ in range(3)]
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list1)
    list_add_tail(entries[1], list1)
    list_add_tail(entries[2], list1)

    list_cut_before(list2, list1, entries[1])

    for cur in list_for_each(list2):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 1)

    for cur in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 3)


def list_test_list_splice(test: kunit) -> None:
    """Insert a list behind an entry.

    lib/tests/list-test.c:449-472, Linux 7.2.13
    """
    entries = [list_head() for _ in range(5)]
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list1)
    list_add_tail(entries[1], list1)
    list_add_tail(entries[2], list2)
    list_add_tail(entries[3], list2)
    list_add_tail(entries[4], list1)

    list_splice(list2, entries[1])

    for cur in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 5)


def list_test_list_splice_tail(test: kunit) -> None:
    """Insert a list before an entry.

    lib/tests/list-test.c:474-497, Linux 7.2.13
    """
    entries = [list_head() for _ in range(5)]
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list1)
    list_add_tail(entries[1], list1)
    list_add_tail(entries[2], list2)
    list_add_tail(entries[3], list2)
    list_add_tail(entries[4], list1)

    list_splice_tail(list2, entries[4])

    for cur in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 5)


def list_test_list_splice_init(test: kunit) -> None:
    """As list_splice(), and the list is empty then.

    lib/tests/list-test.c:499-524, Linux 7.2.13
    """
    entries = [list_head() for _ in range(5)]
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list1)
    list_add_tail(entries[1], list1)
    list_add_tail(entries[2], list2)
    list_add_tail(entries[3], list2)
    list_add_tail(entries[4], list1)

    list_splice_init(list2, entries[1])

    for cur in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 5)

    KUNIT_EXPECT_TRUE(test, list_empty_careful(list2))


def list_test_list_splice_tail_init(test: kunit) -> None:
    """As list_splice_tail(), and the list is empty then.

    lib/tests/list-test.c:526-551, Linux 7.2.13
    """
    entries = [list_head() for _ in range(5)]
    list1 = LIST_HEAD()
    list2 = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list1)
    list_add_tail(entries[1], list1)
    list_add_tail(entries[2], list2)
    list_add_tail(entries[3], list2)
    list_add_tail(entries[4], list1)

    list_splice_tail_init(list2, entries[4])

    for cur in list_for_each(list1):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 5)

    KUNIT_EXPECT_TRUE(test, list_empty_careful(list2))


def list_test_list_entry(test: kunit) -> None:
    """From the member to its struct.

    lib/tests/list-test.c:553-559, Linux 7.2.13
    """
    test_struct = list_test_struct()

    KUNIT_EXPECT_PTR_EQ(test, test_struct, list_entry(test_struct.list, list_test_struct, "list"))


def list_test_list_entry_is_head(test: kunit) -> None:
    """Whether a cursor has run into the head.

    lib/tests/list-test.c:561-579, Linux 7.2.13
    """
    test_struct1 = list_test_struct()
    test_struct2 = list_test_struct()
    test_struct3 = list_test_struct()

    INIT_LIST_HEAD(test_struct1.list)
    INIT_LIST_HEAD(test_struct3.list)

    list_add_tail(test_struct2.list, test_struct1.list)

    KUNIT_EXPECT_TRUE_MSG(
        test,
        list_entry_is_head(test_struct1, test_struct1.list, "list"),
        "Head element of same list",
    )
    KUNIT_EXPECT_FALSE_MSG(
        test,
        list_entry_is_head(test_struct2, test_struct1.list, "list"),
        "Non-head element of same list",
    )
    KUNIT_EXPECT_FALSE_MSG(
        test,
        list_entry_is_head(test_struct3, test_struct1.list, "list"),
        "Head element of different list",
    )


def list_test_list_first_entry(test: kunit) -> None:
    """The struct of the first entry.

    lib/tests/list-test.c:581-592, Linux 7.2.13
    """
    test_struct1 = list_test_struct()
    test_struct2 = list_test_struct()
    list = LIST_HEAD()

    list_add_tail(test_struct1.list, list)
    list_add_tail(test_struct2.list, list)

    KUNIT_EXPECT_PTR_EQ(test, test_struct1, list_first_entry(list, list_test_struct, "list"))


def list_test_list_last_entry(test: kunit) -> None:
    """The struct of the last entry.

    lib/tests/list-test.c:594-605, Linux 7.2.13
    """
    test_struct1 = list_test_struct()
    test_struct2 = list_test_struct()
    list = LIST_HEAD()

    list_add_tail(test_struct1.list, list)
    list_add_tail(test_struct2.list, list)

    KUNIT_EXPECT_PTR_EQ(test, test_struct2, list_last_entry(list, list_test_struct, "list"))


def list_test_list_first_entry_or_null(test: kunit) -> None:
    """The struct of the first entry, or NULL.

    lib/tests/list-test.c:607-621, Linux 7.2.13
    """
    test_struct1 = list_test_struct()
    test_struct2 = list_test_struct()
    list = LIST_HEAD()

    KUNIT_EXPECT_FALSE(test, list_first_entry_or_null(list, list_test_struct, "list"))

    list_add_tail(test_struct1.list, list)
    list_add_tail(test_struct2.list, list)

    KUNIT_EXPECT_PTR_EQ(
        test, test_struct1, list_first_entry_or_null(list, list_test_struct, "list")
    )


def list_test_list_next_entry(test: kunit) -> None:
    """The struct behind one.

    lib/tests/list-test.c:623-634, Linux 7.2.13
    """
    test_struct1 = list_test_struct()
    test_struct2 = list_test_struct()
    list = LIST_HEAD()

    list_add_tail(test_struct1.list, list)
    list_add_tail(test_struct2.list, list)

    KUNIT_EXPECT_PTR_EQ(test, test_struct2, list_next_entry(test_struct1, "list"))


def list_test_list_prev_entry(test: kunit) -> None:
    """The struct before one.

    lib/tests/list-test.c:636-647, Linux 7.2.13
    """
    test_struct1 = list_test_struct()
    test_struct2 = list_test_struct()
    list = LIST_HEAD()

    list_add_tail(test_struct1.list, list)
    list_add_tail(test_struct2.list, list)

    KUNIT_EXPECT_PTR_EQ(test, test_struct1, list_prev_entry(test_struct2, "list"))


def list_test_list_for_each(test: kunit) -> None:
    """Visit all links.

    lib/tests/list-test.c:649-665, Linux 7.2.13
    """
    entries = [list_head() for _ in range(3)]
    list = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list)
    list_add_tail(entries[1], list)
    list_add_tail(entries[2], list)

    for cur in list_for_each(list):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 3)


def list_test_list_for_each_prev(test: kunit) -> None:
    """Visit all links from the last.

    lib/tests/list-test.c:667-683, Linux 7.2.13
    """
    entries = [list_head() for _ in range(3)]
    list = LIST_HEAD()
    i = 2

    list_add_tail(entries[0], list)
    list_add_tail(entries[1], list)
    list_add_tail(entries[2], list)

    for cur in list_for_each_prev(list):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        i -= 1

    KUNIT_EXPECT_EQ(test, i, -1)


def list_test_list_for_each_safe(test: kunit) -> None:
    """Visit all links and unlink each.

    lib/tests/list-test.c:685-704, Linux 7.2.13
    """
    entries = [list_head() for _ in range(3)]
    list = LIST_HEAD()
    i = 0

    list_add_tail(entries[0], list)
    list_add_tail(entries[1], list)
    list_add_tail(entries[2], list)

    for cur, n in list_for_each_safe(list):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        list_del(entries[i])
        i += 1

    KUNIT_EXPECT_EQ(test, i, 3)
    KUNIT_EXPECT_TRUE(test, list_empty(list))


def list_test_list_for_each_prev_safe(test: kunit) -> None:
    """Visit all links from the last and unlink each.

    lib/tests/list-test.c:706-724, Linux 7.2.13
    """
    entries = [list_head() for _ in range(3)]
    list = LIST_HEAD()
    i = 2

    list_add_tail(entries[0], list)
    list_add_tail(entries[1], list)
    list_add_tail(entries[2], list)

    for cur, n in list_for_each_prev_safe(list):
        KUNIT_EXPECT_PTR_EQ(test, cur, entries[i])
        list_del(entries[i])
        i -= 1

    KUNIT_EXPECT_EQ(test, i, -1)
    KUNIT_EXPECT_TRUE(test, list_empty(list))


def list_test_list_for_each_entry(test: kunit) -> None:
    """Visit all structs.

    lib/tests/list-test.c:726-745, Linux 7.2.13
    """
    entries = [list_test_struct() for _ in range(5)]
    list = LIST_HEAD()
    i = 0

    for i in range(0, 5):
        entries[i].data = i
        list_add_tail(entries[i].list, list)

    i = 0

    for cur in list_for_each_entry(list, list_test_struct, "list"):
        KUNIT_EXPECT_EQ(test, cur.data, i)
        i += 1

    KUNIT_EXPECT_EQ(test, i, 5)


def list_test_list_for_each_entry_reverse(test: kunit) -> None:
    """Visit all structs from the last.

    lib/tests/list-test.c:747-766, Linux 7.2.13
    """
    entries = [list_test_struct() for _ in range(5)]
    list = LIST_HEAD()
    i = 0

    for i in range(0, 5):
        entries[i].data = i
        list_add_tail(entries[i].list, list)

    i = 4

    for cur in list_for_each_entry_reverse(list, list_test_struct, "list"):
        KUNIT_EXPECT_EQ(test, cur.data, i)
        i -= 1

    KUNIT_EXPECT_EQ(test, i, -1)


list_test_cases = [
    KUNIT_CASE(list_test_list_init),
    KUNIT_CASE(list_test_list_add),
    KUNIT_CASE(list_test_list_add_tail),
    KUNIT_CASE(list_test_list_del),
    KUNIT_CASE(list_test_list_replace),
    KUNIT_CASE(list_test_list_replace_init),
    KUNIT_CASE(list_test_list_swap),
    KUNIT_CASE(list_test_list_del_init),
    KUNIT_CASE(list_test_list_del_init_careful),
    KUNIT_CASE(list_test_list_move),
    KUNIT_CASE(list_test_list_move_tail),
    KUNIT_CASE(list_test_list_bulk_move_tail),
    KUNIT_CASE(list_test_list_is_head),
    KUNIT_CASE(list_test_list_is_first),
    KUNIT_CASE(list_test_list_is_last),
    KUNIT_CASE(list_test_list_empty),
    KUNIT_CASE(list_test_list_empty_careful),
    KUNIT_CASE(list_test_list_rotate_left),
    KUNIT_CASE(list_test_list_rotate_to_front),
    KUNIT_CASE(list_test_list_is_singular),
    KUNIT_CASE(list_test_list_cut_position),
    KUNIT_CASE(list_test_list_cut_before),
    KUNIT_CASE(list_test_list_splice),
    KUNIT_CASE(list_test_list_splice_tail),
    KUNIT_CASE(list_test_list_splice_init),
    KUNIT_CASE(list_test_list_splice_tail_init),
    KUNIT_CASE(list_test_list_entry),
    KUNIT_CASE(list_test_list_entry_is_head),
    KUNIT_CASE(list_test_list_first_entry),
    KUNIT_CASE(list_test_list_last_entry),
    KUNIT_CASE(list_test_list_first_entry_or_null),
    KUNIT_CASE(list_test_list_next_entry),
    KUNIT_CASE(list_test_list_prev_entry),
    KUNIT_CASE(list_test_list_for_each),
    KUNIT_CASE(list_test_list_for_each_prev),
    KUNIT_CASE(list_test_list_for_each_safe),
    KUNIT_CASE(list_test_list_for_each_prev_safe),
    KUNIT_CASE(list_test_list_for_each_entry),
    KUNIT_CASE(list_test_list_for_each_entry_reverse),
]

list_test_module = kunit_suite(
    name="list-kunit-test",
    test_cases=list_test_cases,
)

kunit_test_suites(list_test_module)
