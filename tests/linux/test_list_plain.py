# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Linked lists without DEBUG_LIST: no checks; damage goes unnoticed, as in a production kernel."""

from __future__ import annotations

from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add_tail,
    list_count_nodes,
    list_del,
    list_for_each,
    list_head,
)
from kport.linux.poison import LIST_POISON1


def link(head: list_head) -> list_head:
    made = list_head()
    INIT_LIST_HEAD(made)
    list_add_tail(made, head)
    return made


def test_nothing_is_checked_without_the_option(boot):
    with boot(debug=False, check="") as kernel:
        head = LIST_HEAD()
        a, b = link(head), link(head)
        head.prev = a
        c = link(head)
        assert list(list_for_each(head)) == [a, c], "b was lost without a word"
        assert b.next is head
    assert kernel.warnings() == []


def test_delete_poisons_all_the_same(boot):
    with boot(debug=False):
        head = LIST_HEAD()
        a = link(head)
        list_del(a)
        assert a.next is LIST_POISON1
        assert list_count_nodes(head) == 0
