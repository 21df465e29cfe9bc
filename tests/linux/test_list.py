# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Linked lists: every operation against a Python list, poison, and the reports of damage."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kport.linux.list import (
    INIT_LIST_HEAD,
    LIST_HEAD,
    list_add,
    list_add_tail,
    list_bulk_move_tail,
    list_count_nodes,
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
    list_for_each_entry_continue,
    list_for_each_entry_from,
    list_for_each_entry_reverse,
    list_for_each_entry_safe,
    list_for_each_entry_safe_from,
    list_for_each_entry_safe_reverse,
    list_for_each_prev,
    list_for_each_prev_safe,
    list_for_each_safe,
    list_head,
    list_is_first,
    list_is_head,
    list_is_last,
    list_is_singular,
    list_last_entry,
    list_last_entry_or_null,
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
from kport.linux.poison import LIST_POISON1, LIST_POISON2
from kport.linux.struct import struct
from tests.support import take_warnings

pytestmark = pytest.mark.usefixtures("kernel")


class item(struct):
    """An entry with a number."""

    n: int
    link: list_head


def new(n: int) -> item:
    it = item()
    it.n = n
    INIT_LIST_HEAD(it.link)
    return it


def make(*numbers: int) -> tuple[list_head, list[item]]:
    head = LIST_HEAD()
    items = [new(n) for n in numbers]
    for it in items:
        list_add_tail(it.link, head)
    return head, items


def forward(head: list_head) -> list[int]:
    return [it.n for it in list_for_each_entry(head, item, "link")]


def backward(head: list_head) -> list[int]:
    return [it.n for it in list_for_each_entry_reverse(head, item, "link")]


def check(head: list_head, expected: list[int]) -> None:
    """The list is `expected` both ways, and every link is mutual."""
    assert forward(head) == expected
    assert backward(head) == expected[::-1]
    for at in [head, *list_for_each(head)]:
        assert at.next.prev is at
        assert at.prev.next is at


# -- each operation --------------------------------------------------------------------------------


def test_a_new_list_is_empty():
    head = LIST_HEAD()
    check(head, [])
    assert list_empty(head)
    assert list_empty_careful(head)
    assert list_is_head(head, head)
    assert list_count_nodes(head) == 0
    assert list_first_entry_or_null(head, item, "link") is None
    assert list_last_entry_or_null(head, item, "link") is None
    assert not list_is_singular(head)


def test_adding_at_either_end():
    head, _ = make()
    list_add(new(2).link, head)
    list_add(new(1).link, head)
    list_add_tail(new(3).link, head)
    check(head, [1, 2, 3])
    assert list_count_nodes(head) == 3
    assert not list_empty(head)


def test_first_last_next_prev():
    head, (a, b, c) = make(1, 2, 3)
    assert list_first_entry(head, item, "link") is a
    assert list_last_entry(head, item, "link") is c
    assert list_first_entry_or_null(head, item, "link") is a
    assert list_last_entry_or_null(head, item, "link") is c
    assert list_next_entry(a, "link") is b
    assert list_prev_entry(c, "link") is b
    assert list_entry(b.link, item, "link") is b
    assert list_is_first(a.link, head)
    assert not list_is_first(b.link, head)
    assert list_is_last(c.link, head)
    assert not list_is_last(b.link, head)
    assert not list_entry_is_head(c, head, "link")


def test_delete_poisons():
    head, (_a, b, _c) = make(1, 2, 3)
    list_del(b.link)
    check(head, [1, 3])
    assert b.link.next is LIST_POISON1
    assert b.link.prev is LIST_POISON2
    assert not list_empty(b.link), "a deleted entry does not look empty"


def test_using_a_deleted_entry_is_a_fault():
    _head, (a, _b) = make(1, 2)
    list_del(a.link)
    with pytest.raises(AttributeError):
        list(list_for_each(a.link))
    assert repr(LIST_POISON1) == "LIST_POISON1"


@pytest.mark.parametrize("delete", [list_del_init, list_del_init_careful])
def test_delete_and_init(delete):
    head, (_a, b, _c) = make(1, 2, 3)
    delete(b.link)
    check(head, [1, 3])
    assert list_empty(b.link)
    assert list_empty_careful(b.link)
    delete(b.link)
    list_add_tail(b.link, head)
    check(head, [1, 3, 2])


def test_replace():
    head, (_a, b, _c) = make(1, 2, 3)
    list_replace(b.link, new(9).link)
    check(head, [1, 9, 3])
    assert b.link.next is not b.link
    head, (_a, b, _c) = make(1, 2, 3)
    list_replace_init(b.link, new(9).link)
    check(head, [1, 9, 3])
    assert list_empty(b.link)


@pytest.mark.parametrize(
    ("i", "j", "after"),
    [(0, 3, [4, 2, 3, 1]), (1, 2, [1, 3, 2, 4]), (2, 1, [1, 3, 2, 4]), (3, 0, [4, 2, 3, 1])],
)
def test_swap(i, j, after):
    head, items = make(1, 2, 3, 4)
    list_swap(items[i].link, items[j].link)
    check(head, after)


def test_move():
    head, (_a, _b, c) = make(1, 2, 3)
    other, _ = make(7, 8)
    list_move(c.link, head)
    check(head, [3, 1, 2])
    list_move_tail(c.link, head)
    check(head, [1, 2, 3])
    list_move(c.link, other)
    check(other, [3, 7, 8])
    list_move_tail(c.link, other)
    check(other, [7, 8, 3])
    check(head, [1, 2])


def test_bulk_move():
    head, items = make(1, 2, 3, 4, 5)
    list_bulk_move_tail(head, items[1].link, items[2].link)
    check(head, [1, 4, 5, 2, 3])


def test_rotate():
    head, items = make(1, 2, 3)
    list_rotate_left(head)
    check(head, [2, 3, 1])
    list_rotate_to_front(items[0].link, head)
    check(head, [1, 2, 3])
    list_rotate_to_front(items[1].link, head)
    check(head, [2, 3, 1])
    empty = LIST_HEAD()
    list_rotate_left(empty)
    check(empty, [])


def test_singular():
    head, (a,) = make(1)
    assert list_is_singular(head)
    list_add_tail(new(2).link, head)
    assert not list_is_singular(head)
    list_del_init(a.link)
    assert list_is_singular(head)


@pytest.mark.parametrize(
    ("at", "cut", "rest"),
    [(None, [], [1, 2, 3]), (0, [1], [2, 3]), (1, [1, 2], [3]), (2, [1, 2, 3], [])],
)
def test_cut_position(at, cut, rest):
    head, items = make(1, 2, 3)
    first = LIST_HEAD()
    list_cut_position(first, head, head if at is None else items[at].link)
    check(first, cut)
    check(head, rest)


def test_cut_position_of_short_lists():
    empty, first = LIST_HEAD(), LIST_HEAD()
    list_cut_position(first, empty, empty)
    check(empty, [])
    head, (a,) = make(1)
    list_cut_position(first, head, a.link)
    check(first, [1])
    check(head, [])
    head, _ = make(1)
    stranger = new(2)
    first = LIST_HEAD()
    list_cut_position(first, head, stranger.link)
    check(head, [1])
    check(first, [])


@pytest.mark.parametrize(
    ("at", "cut", "rest"),
    [(0, [], [1, 2, 3]), (1, [1], [2, 3]), (2, [1, 2], [3]), (None, [1, 2, 3], [])],
)
def test_cut_before(at, cut, rest):
    head, items = make(1, 2, 3)
    first = LIST_HEAD()
    list_cut_before(first, head, head if at is None else items[at].link)
    check(first, cut)
    check(head, rest)


@pytest.mark.parametrize(
    ("splice", "after", "emptied"),
    [
        (list_splice, [7, 8, 1, 2], False),
        (list_splice_tail, [1, 2, 7, 8], False),
        (list_splice_init, [7, 8, 1, 2], True),
        (list_splice_tail_init, [1, 2, 7, 8], True),
    ],
)
def test_splice(splice, after, emptied):
    head, _ = make(1, 2)
    other, _ = make(7, 8)
    splice(other, head)
    check(head, after)
    assert list_empty(other) == emptied
    empty = LIST_HEAD()
    splice(empty, head)
    check(head, after)


# -- iteration -------------------------------------------------------------------------------------


def test_links_both_ways():
    head, items = make(1, 2, 3)
    links = [it.link for it in items]
    assert list(list_for_each(head)) == links
    assert list(list_for_each_prev(head)) == links[::-1]
    assert [pos for pos, _ in list_for_each_safe(head)] == links
    assert [pos for pos, _ in list_for_each_prev_safe(head)] == links[::-1]


def test_safe_loops_allow_to_delete_and_show_the_next():
    head, items = make(1, 2, 3)
    seen = []
    for it, n in list_for_each_entry_safe(head, item, "link"):
        seen.append((it.n, n.n if n else None))
        list_del(it.link)
    assert seen == [(1, 2), (2, 3), (3, None)]
    check(head, [])
    head, items = make(1, 2, 3)
    seen = []
    for it, n in list_for_each_entry_safe_reverse(head, item, "link"):
        seen.append((it.n, n.n if n else None))
        list_del(it.link)
    assert seen == [(3, 2), (2, 1), (1, None)]
    for safe in (list_for_each_safe, list_for_each_prev_safe):
        head, items = make(1, 2, 3)
        for pos, _n in safe(head):
            list_del(pos)
        check(head, [])
    assert items


def test_loops_that_begin_in_the_middle():
    head, items = make(1, 2, 3, 4)
    middle = items[1]
    assert [i.n for i in list_for_each_entry_from(middle, head, item, "link")] == [2, 3, 4]
    assert [i.n for i in list_for_each_entry_continue(middle, head, item, "link")] == [3, 4]
    rest = list(list_for_each_entry_safe_from(middle, head, item, "link"))
    assert [(i.n, n.n if n else None) for i, n in rest] == [(2, 3), (3, 4), (4, None)]


def test_a_loop_sees_what_is_appended_while_it_runs():
    head, _ = make(1, 2)
    seen = []
    for it in list_for_each_entry(head, item, "link"):
        seen.append(it.n)
        if it.n < 4:
            list_add_tail(new(it.n + 2).link, head)
    assert seen == [1, 2, 3, 4, 5]


# -- against a model -------------------------------------------------------------------------------


class Lists(RuleBasedStateMachine):
    """Two lists and their models under random operations."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = [LIST_HEAD(), LIST_HEAD()]
        self.models: list[list[item]] = [[], []]
        self.count = 0

    which = st.integers(0, 1)
    at = st.integers(0, 10**6)

    def pick(self, which: int, at: int) -> item:
        return self.models[which][at % len(self.models[which])]

    @rule(which=which, tail=st.booleans())
    def add(self, which: int, tail: bool) -> None:
        self.count += 1
        it = new(self.count)
        if tail:
            list_add_tail(it.link, self.heads[which])
            self.models[which].append(it)
        else:
            list_add(it.link, self.heads[which])
            self.models[which].insert(0, it)

    @precondition(lambda self: self.models[0])
    @rule(at=at, init=st.booleans())
    def delete(self, at: int, init: bool) -> None:
        it = self.pick(0, at)
        (list_del_init if init else list_del)(it.link)
        self.models[0].remove(it)

    @precondition(lambda self: self.models[0])
    @rule(at=at, to=which, tail=st.booleans())
    def move(self, at: int, to: int, tail: bool) -> None:
        it = self.pick(0, at)
        self.models[0].remove(it)
        if tail:
            list_move_tail(it.link, self.heads[to])
            self.models[to].append(it)
        else:
            list_move(it.link, self.heads[to])
            self.models[to].insert(0, it)

    @precondition(lambda self: self.models[1])
    @rule(i=at, j=at)
    def swap(self, i: int, j: int) -> None:
        model = self.models[1]
        i, j = i % len(model), j % len(model)
        if i != j:
            list_swap(model[i].link, model[j].link)
            model[i], model[j] = model[j], model[i]

    @precondition(lambda self: self.models[1])
    @rule(at=at)
    def replace(self, at: int) -> None:
        old = self.pick(1, at)
        self.count += 1
        it = new(self.count)
        list_replace_init(old.link, it.link)
        self.models[1][self.models[1].index(old)] = it

    @rule(tail=st.booleans())
    def splice(self, tail: bool) -> None:
        if tail:
            list_splice_tail_init(self.heads[0], self.heads[1])
            self.models = [[], self.models[1] + self.models[0]]
        else:
            list_splice_init(self.heads[0], self.heads[1])
            self.models = [[], self.models[0] + self.models[1]]

    @precondition(lambda self: self.models[1] and not self.models[0])
    @rule(at=at, before=st.booleans())
    def cut(self, at: int, before: bool) -> None:
        it = self.pick(1, at)
        index = self.models[1].index(it) + (not before)
        (list_cut_before if before else list_cut_position)(self.heads[0], self.heads[1], it.link)
        self.models = [self.models[1][:index], self.models[1][index:]]

    @rule(which=which)
    def rotate(self, which: int) -> None:
        list_rotate_left(self.heads[which])
        self.models[which] = self.models[which][1:] + self.models[which][:1]

    @invariant()
    def lists_are_their_models(self) -> None:
        for head, model in zip(self.heads, self.models, strict=True):
            check(head, [it.n for it in model])
            assert list_empty(head) == (not model)
            assert list_is_singular(head) == (len(model) == 1)


def test_all_operations_against_a_model():
    run_state_machine_as_test(Lists)


# -- CONFIG_DEBUG_LIST -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda h, a, b: setattr(h, "prev", None), "list_add corruption. prev is NULL."),
        (
            lambda h, a, b: setattr(b.link, "next", b.link),
            "list_add corruption. prev->next should be next (<struct list_head>), but was",
        ),
        (
            lambda h, a, b: setattr(h, "prev", a.link),
            "list_add corruption. prev->next should be next (<struct list_head>), but was",
        ),
    ],
)
@pytest.mark.boot(check="")  # damage on purpose
def test_adding_to_a_damaged_list_is_reported_and_not_done(kernel, damage, message):
    head, (a, b) = make(1, 2)
    damage(head, a, b)
    it = new(3)
    list_add_tail(it.link, head)
    (text,) = take_warnings(kernel)
    assert message in text
    assert list_empty(it.link)


@pytest.mark.boot(check="")  # damage on purpose
def test_adding_twice_is_reported_and_not_done(kernel):
    head, (_a, b) = make(1, 2)
    list_add_tail(b.link, head)
    (text,) = take_warnings(kernel)
    assert "list_add double add: new=<struct list_head>, prev=<struct list_head>" in text
    check(head, [1, 2])


@pytest.mark.boot(check="")  # damage on purpose
def test_next_prev_mismatch_is_reported(kernel):
    head, (a, _b) = make(1, 2)
    a.link.prev = a.link
    list_add(new(3).link, head)
    (text,) = take_warnings(kernel)
    assert "list_add corruption. next->prev should be prev (<struct list_head>), but was" in text


@pytest.mark.boot(check="")  # damage on purpose
def test_deleting_twice_is_reported_and_not_done(kernel):
    head, (a, _b) = make(1, 2)
    list_del(a.link)
    list_del(a.link)
    (text,) = take_warnings(kernel)
    assert "list_del corruption, <struct list_head>->next is LIST_POISON1 (LIST_POISON1)" in text
    check(head, [2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda a: setattr(a.link, "next", None), "->next is NULL"),
        (lambda a: setattr(a.link, "prev", None), "->prev is NULL"),
        (lambda a: setattr(a.link, "prev", LIST_POISON2), "->prev is LIST_POISON2 (LIST_POISON2)"),
        (lambda a: setattr(a.link.prev, "next", a.link.prev), "prev->next should be"),
        (lambda a: setattr(a.link.next, "prev", a.link.next), "next->prev should be"),
    ],
)
@pytest.mark.boot(check="")  # damage on purpose
def test_deleting_a_damaged_entry_is_reported_and_not_done(kernel, damage, message):
    _head, (_z, a, _b) = make(0, 1, 2)
    damage(a)
    before = (a.link.next, a.link.prev)
    list_del_init(a.link)
    (text,) = take_warnings(kernel)
    assert "list_del corruption" in text
    assert message in text
    assert before[0] is not None or a.link.next is a.link


@pytest.mark.boot(check="")  # damage on purpose
def test_the_report_names_who_did_it(kernel):
    _head, (a, _b) = make(1, 2)
    list_del(a.link)
    list_del(a.link)
    (text,) = take_warnings(kernel)
    assert "kport/linux/list.py" in text
