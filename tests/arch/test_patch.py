# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Statements of loaded functions, exchanged for a while."""

from __future__ import annotations

import inspect

import pytest

from kport.arch.link import patched
from kport.arch.patch import Edit, EditError, applied


def count(n, step=1):
    total = 0
    for i in range(n):
        if i == 3:
            total += 100
        total += step
    total += step
    return total


class Table:
    entry = staticmethod(count)


def test_a_statement_is_replaced_for_every_caller_and_comes_back():
    callback = count
    with applied(Edit(count, "total  +=  100", "total -= 1")):
        assert count(5) == callback(5) == Table.entry(5) == 5
        assert count(5, step=2) == 11
    assert count(5) == 106


def test_a_statement_is_dropped_even_if_a_block_is_empty_then():
    with applied(Edit(count, "total += 100")):
        assert count(5) == 6
    with applied(Edit(count, "if i == 3:\n    total += 100")):
        assert count(5) == 6


def test_of_several_one_or_all_must_be_meant():
    with pytest.raises(EditError, match="count has 2 of 'total \\+= step': which"):
        with applied(Edit(count, "total += step")):
            raise AssertionError
    with applied(Edit(count, "total += step", which=1)):
        assert count(2) == 2
    with applied(Edit(count, "total += step", every=True)):
        assert count(2) == 0
    with pytest.raises(EditError, match="count has 2 of"):
        with applied(Edit(count, "total += step", which=2)):
            raise AssertionError
    with pytest.raises(EditError, match="no statement 'total = 7'"):
        with applied(Edit(count, "total = 7")):
            raise AssertionError


def test_edits_of_one_function_add_up_and_may_bring_names():
    first = Edit(count, "total = 0", "total = base", names={"base": 10})
    with applied(first, Edit(count, "total += 100")):
        assert count(5) == 16
    assert "base" not in globals()
    assert count(5) == 106


def test_lines_stay_where_they_were():
    def lines():
        return sorted({line for _, _, line in count.__code__.co_lines() if line})

    whole = lines()
    with applied(Edit(count, "total = 0", "total = 0\ntotal += 1\ntotal += 2")):
        assert lines() == whole
        assert count(0) == 4
    first = inspect.getsourcelines(count)[1]
    with applied(Edit(count, "total += 100", "raise KeyError")):
        with pytest.raises(KeyError) as caught:
            count(5)
    assert caught.traceback[-1].lineno + 1 == first + 4


def test_a_change_can_be_shown():
    edit = Edit(count, "total += 100", "a()\nb()")
    assert edit.diff() == "@@ count() @@\n-total += 100\n+a()\n+b()"


def test_what_is_no_plain_function_is_refused():
    n = 1

    def closure():
        return n

    for what in (closure, len, Table):
        with pytest.raises(EditError):
            with applied(Edit(what, "return n")):
                raise AssertionError


def test_a_function_of_the_port_is_edited_and_keeps_its_place_in_c(boot):
    from kport.drm import spsc_queue
    from kport.linux import linemap

    queue = spsc_queue.spsc_queue_push
    with boot():
        file = queue.__code__.co_filename
        last = [line for _, _, line in queue.__code__.co_lines() if line][-1]
        assert linemap.position(file, last).startswith("include/drm/spsc_queue.h:")
        with applied(Edit(queue, "preempt_disable()")):
            assert [line for _, _, line in queue.__code__.co_lines() if line][-1] == last


def test_an_instruction_that_an_edit_brings_is_that_of_the_machine(boot):
    from kport.arch.asm import READ_ONCE
    from kport.drm import spsc_queue

    brought = Edit(
        spsc_queue.spsc_queue_count,
        "return atomic_read(queue.job_count)",
        "return read(queue.job_count, 'counter')",
        names={"read": READ_ONCE},
    )
    own = {"READ_ONCE": READ_ONCE}
    with boot():
        queue = spsc_queue.spsc_queue()
        spsc_queue.spsc_queue_init(queue)
    for _ in range(2):
        edit = Edit(
            spsc_queue.spsc_queue_count,
            "return atomic_read(queue.job_count)",
            "return READ_ONCE(queue.job_count, 'counter')",
            names=own,
        )
        with applied(edit), boot():
            assert spsc_queue.spsc_queue_count(queue) == 0
    assert brought.diff().count("read(") == 2


def test_edits_of_a_function_add_up_however_they_are_nested():
    drop, less = Edit(count, "total += 100"), Edit(count, "total += step", "total += 2", which=1)
    with applied(drop):
        with applied(less):
            assert count(5) == 7
            with pytest.raises(EditError, match="no statement"), applied(drop):
                raise AssertionError("the statement is gone already")
            assert count(5) == 7
        assert count(5) == 6
    assert count(5) == 106
    with applied(less, drop):
        assert count(5) == 7
    assert count(5) == 106


def test_an_edit_of_what_has_been_replaced_is_of_the_replacement():
    with patched(count, other_count):
        with applied(Edit(count, "return n", "return -n")):
            assert count(5) == -5
        assert count(5) == 5
    assert count(5) == 106


def other_count(n, step=1):
    return n
