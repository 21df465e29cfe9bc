# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What goes with files: user memory, ioctl numbers, taints; and sorting, chance, variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.linux.atomic import ATOMIC_INIT, atomic_dec_and_test, atomic_read
from kport.linux.ioctl import _IO, _IOR, _IOW, _IOWR
from kport.linux.ktime import ktime_to_timespec64
from kport.linux.panic import LOCKDEP_STILL_OK, TAINT_WARN, add_taint
from kport.linux.panic import test_taint as tainted
from kport.linux.random import (
    get_random_u32,
    get_random_u32_below,
    get_random_u32_inclusive,
    get_random_u64,
)
from kport.linux.sched import get_task_comm, num_online_cpus, yield_to
from kport.linux.sort import sort
from kport.linux.struct import sizeof, struct
from kport.linux.uaccess import copy_from_user, copy_to_user, u64_to_user_ptr
from kport.linux.wait_bit import wait_var_event, wait_var_event_timeout, wake_up_var
from tests.support import Gate, Thread, sleep_ms


class inner(struct):
    """An embedded struct."""

    value: int


class outer(struct):
    """A struct of a program."""

    number: int
    part: inner


class other(struct):
    """Another one."""

    name: str


def made(number: int, value: int) -> outer:
    """An outer with these values."""
    one = outer()
    one.number, one.part.value = number, value
    return one


def test_a_struct_is_copied_by_value():
    user, kernel = made(1, 2), outer()
    part = kernel.part
    assert copy_from_user(kernel, user, sizeof(kernel)) == 0
    user.number = user.part.value = 9
    assert (kernel.number, kernel.part.value, kernel.part is part) == (1, 2, True)


def test_an_array_is_copied_element_by_element():
    user, kernel = [outer() for _ in range(3)], [made(n, n) for n in range(2)]
    assert copy_to_user(user, kernel, 2 * sizeof(outer)) == 0
    assert [one.number for one in user] == [0, 1, 0]
    assert user[1] is not kernel[1]
    number = [0]
    assert copy_from_user(number, [42], 4) == 0
    assert number == [42]


@pytest.mark.parametrize("address", [None, 0, 17, other(), [], "text", [1]])
def test_a_bad_address_copies_nothing(address):
    kernel = [outer(), outer()]
    assert copy_to_user(address, kernel, 48) == 48
    assert copy_from_user(kernel, address, 48) == 48
    assert copy_from_user(outer(), address, 24) == 24


def test_an_array_with_a_bad_element_is_a_fault():
    assert copy_to_user([outer(), other()], [made(1, 1), made(2, 2)], 48) == 48
    assert copy_to_user([outer(), 3], [made(1, 1), made(2, 2)], 48) == 48


def test_a_null_in_a_number_is_null():
    array = [1]
    assert u64_to_user_ptr(0) is None
    assert u64_to_user_ptr(array) is array


def test_ioctl_numbers_have_direction_size_type_and_number():
    assert _IO("W", 1) == 0x00005701
    assert _IOW("W", 1, 4) == 0x40045701
    assert _IOR("W", 2, 8) == 0x80085702
    assert _IOWR(">", 3, 48) == 0xC0303E03


def test_a_taint_stays_for_the_life_of_a_kernel(boot):
    with boot():
        assert not tainted(TAINT_WARN)
        add_taint(TAINT_WARN, LOCKDEP_STILL_OK)
        assert tainted(TAINT_WARN)
    with boot():
        assert not tainted(TAINT_WARN)


def test_a_time_in_two_numbers():
    assert ktime_to_timespec64(2_000_000_003) == (2, 3)
    assert ktime_to_timespec64(-1) == (-1, 999_999_999)


@given(st.lists(st.integers(-5, 5), max_size=40), st.integers(0, 5))
def test_sorting_the_first_elements(numbers, behind):
    array = numbers + [99] * behind
    sort(array, len(numbers), lambda a, b: a - b)
    assert array == sorted(numbers) + [99] * behind


@given(st.lists(st.integers(0, 3), max_size=30))
def test_sorting_loses_nothing_and_is_the_same_each_time(keys):
    def once():
        array = list(enumerate(keys))
        sort(array, len(array), lambda a, b: a[1] - b[1])
        return array

    assert sorted(once()) == list(enumerate(keys))
    assert once() == once()


def test_random_numbers_are_the_same_in_every_boot(boot):
    runs = []
    for _ in range(2):
        with boot():
            runs.append([get_random_u64() for _ in range(5)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 5
    assert runs[0][0] == 0xE220A8397B1DCDAF  # the first of splitmix64 with seed 0


@pytest.mark.usefixtures("kernel")
def test_random_numbers_keep_within_their_bounds():
    assert {get_random_u32_below(3) for _ in range(200)} == {0, 1, 2}
    assert {get_random_u32_inclusive(5, 7) for _ in range(200)} == {5, 6, 7}
    assert all(0 <= get_random_u32() < 1 << 32 for _ in range(100))


@pytest.mark.usefixtures("kernel")
def test_waiting_for_a_variable():
    left = ATOMIC_INIT(3)

    def one() -> None:
        sleep_ms(1)
        if atomic_dec_and_test(left):
            wake_up_var(left)

    threads = [Thread(one) for _ in range(3)]
    wait_var_event(left, lambda: not atomic_read(left))
    assert atomic_read(left) == 0
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("kernel")
def test_waiting_for_a_variable_ends_after_its_time():
    assert wait_var_event_timeout(None, lambda: False, 2) == 0
    assert wait_var_event_timeout(None, lambda: True, 2) >= 1


@pytest.mark.usefixtures("kernel")
def test_yielding_lets_a_task_run_until_it_sleeps():
    gate, ran = Gate(), []

    def run() -> None:
        ran.append(1)
        gate.enter()

    thread = Thread(run)
    yield_to(thread.task, True)
    assert ran == [1]
    gate.arrived()
    assert yield_to(thread.task, True) is False
    gate.open()
    thread.join()


@pytest.mark.usefixtures("kernel")
def test_a_task_shows_15_characters_of_its_name():
    thread = Thread(sleep_ms, 1, name="a-name-with-20-chars")
    assert get_task_comm(thread.task) == "a-name-with-20-"
    thread.join()
    assert num_online_cpus() >= 1
