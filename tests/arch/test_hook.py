# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Hooks around instructions and functions."""

from __future__ import annotations

import pytest

from kport.arch import link, threads_asm
from kport.arch.asm import READ_ONCE, spin_lock, spin_lock_init, spin_unlock
from kport.arch.hook import Hook, hooked
from kport.arch.types import spinlock_t
from kport.linux import mutex
from kport.linux.facility import Facility, splat
from kport.linux.mutex import mutex_init, mutex_lock, mutex_unlock
from kport.linux.struct import struct

calls: list[tuple[object, ...]] = []


def test_hooks_wrap_each_other_and_see_arguments_and_result():
    calls.clear()

    def add(a, b=2, *rest):
        calls.append(("add", a, b, rest))
        return a + b

    outer = Hook(
        lambda *a: calls.append(("before 1", *a)), lambda *a: calls.append(("after 1", *a))
    )
    inner = Hook(None, lambda *a: calls.append(("after 2", *a)))
    both = hooked(add, [outer, inner])
    assert both(1) == 3
    assert calls == [
        ("before 1", 1, 2),
        ("add", 1, 2, ()),
        ("after 2", 3, 1, 2),
        ("after 1", 3, 1, 2),
    ]
    assert both is hooked(add, [outer, inner])
    assert hooked(getattr, [outer])(calls, "append") == calls.append


def test_a_function_that_raises_has_no_after():
    def fail():
        raise KeyError("x")

    calls.clear()
    with pytest.raises(KeyError):
        hooked(fail, [Hook(lambda: calls.append(("b",)), lambda r: calls.append(("a",)))])()
    assert calls == [("b",)]


def _locking(lock):
    calls.append(("locking", lock.name))


def _locked(_, lock):
    calls.append(("locked", lock.name))


class Locks(Facility):
    """Notes every spin lock, and every mutex by the function of the port."""

    name = "locks"

    def hooks(self, machine):
        return {
            "spin_lock": Hook(_locking, _locked),
            mutex.mutex_lock: Hook(lambda lock: calls.append(("mutex",))),
        }

    def start(self, machine):
        calls.clear()

    def finish(self):
        splat("locks", "BUG: it ends", ["BUG: it ends", " here"])


def test_a_facility_watches_a_kernel_and_only_that(boot):
    with boot():
        bare = mutex_lock
    with boot(check=[Locks()]) as kernel:
        calls.clear()
        lock = spinlock_t()
        spin_lock_init(lock, "a")
        spin_lock(lock)
        spin_unlock(lock)
        assert calls == [("locking", "a"), ("locked", "a")]
        m = mutex.mutex()
        mutex_init(m)
        mutex_lock(m)
        mutex_unlock(m)
        assert calls.count(("mutex",)) == 1
        assert mutex_lock is not bare
        assert mutex_lock.__wrapped__ is bare
    assert [r.headline for r in kernel.reports()] == ["BUG: it ends"]
    assert [line.split("] ", 1)[1] for line in kernel.dmesg()[-2:]] == ["BUG: it ends", " here"]
    with boot():
        calls.clear()
        spin_lock(lock)
        spin_unlock(lock)
        mutex_lock(m)
        mutex_unlock(m)
        assert calls == []
        assert mutex_lock is bare


class Cell(struct):
    """One member."""

    value: int


def test_an_alias_can_be_watched_by_itself(boot):
    from kport.linux.rcupdate import rcu_dereference

    assert rcu_dereference is not None
    seen = []
    with boot(check=[_Readers(seen)]):
        from kport.linux import rcupdate

        cell = Cell()
        rcupdate.rcu_dereference(cell, "value")
        READ_ONCE(cell, "value")
        assert seen == ["rcu"]
    with boot():
        rcupdate.rcu_dereference(cell, "value")
        assert seen == ["rcu"]


class _Readers(Facility):
    name = "readers"

    def __init__(self, seen):
        self.seen = seen

    def hooks(self, machine):
        return {"rcu_dereference": Hook(lambda o, f: type(o) is Cell and self.seen.append("rcu"))}


def test_an_unknown_check_is_refused(boot):
    with pytest.raises(ValueError, match="unknown check 'speed'; there is: all, lockdep"):
        with boot(check="speed"):
            raise AssertionError("booted")


def test_patching_a_watched_function_patches_what_is_watched(boot):
    def shout(lock):
        lock.handoff = True

    with boot(check=[Locks()]):
        m = mutex.mutex()
        mutex_init(m)
        with link.patched(mutex.mutex_lock, shout):
            calls.clear()
            mutex.mutex_lock(m)
            assert calls == [("mutex",)]
            assert m.handoff is True
        m.handoff = False


def test_all_code_of_threads_can_be_hooked():
    for name, code in link.instructions(threads_asm).items():
        assert callable(hooked(code, [Hook(print, print)])), name


class _All(Facility):
    name = "all readers"

    def __init__(self, seen):
        self.seen = seen

    def hooks(self, machine):
        return {"READ_ONCE": Hook(lambda o, f: type(o) is Cell and self.seen.append("once"))}


def test_an_alias_watched_by_one_option_stays_watched_by_the_other(boot):
    seen = []
    with boot(check=[_All(seen), _Readers(seen)]):
        from kport.linux import rcupdate

        rcupdate.rcu_dereference(Cell(), "value")
        assert seen == ["once", "rcu"]
        READ_ONCE(Cell(), "value")
        assert seen == ["once", "rcu", "once"]
