# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The lock validator: what it says word for word, what it can be told, and when it is silent."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import kport
from kport.arch.asm import spin_lock, spin_lock_init, spin_trylock, spin_unlock
from kport.arch.strategy import RoundRobin
from kport.arch.types import spinlock_t
from kport.linux import lockdep, lockdep_class, lockdep_state
from kport.linux.bottom_half import local_bh_disable, local_bh_enable
from kport.linux.interrupt import irq_enter, irq_exit
from kport.linux.lockdep import (
    lock_acquire,
    lock_class_key,
    lock_downgrade,
    lock_is_held_type,
    lock_map_acquire,
    lock_map_release,
    lock_pin_lock,
    lock_release,
    lock_set_class,
    lock_set_cmp_fn,
    lock_sync,
    lock_unpin_lock,
    lockdep_assert_held,
    lockdep_assert_held_once,
    lockdep_assert_held_read,
    lockdep_assert_held_write,
    lockdep_assert_in_irq,
    lockdep_assert_in_softirq,
    lockdep_assert_irqs_disabled,
    lockdep_assert_irqs_enabled,
    lockdep_assert_no_hardirq,
    lockdep_assert_none_held_once,
    lockdep_assert_not_held,
    lockdep_assert_preemption_disabled,
    lockdep_assert_preemption_enabled,
    lockdep_depth,
    lockdep_init_map,
    lockdep_is_held,
    lockdep_map,
    lockdep_register_key,
    lockdep_set_class_and_name,
    lockdep_set_novalidate_class,
    lockdep_set_subclass,
    lockdep_unregister_key,
    might_lock,
    might_lock_read,
)
from kport.linux.lockdep_class import all_lock_classes, c_name
from kport.linux.lockdep_state import c_text
from kport.linux.mutex import (
    mutex,
    mutex_init,
    mutex_lock,
    mutex_lock_interruptible,
    mutex_lock_nested,
    mutex_trylock,
    mutex_unlock,
)
from kport.linux.preempt import local_irq_disable, local_irq_enable
from kport.linux.rwsem import (
    down_read,
    down_read_trylock,
    down_write,
    down_write_nested,
    downgrade_write,
    init_rwsem,
    rw_semaphore,
    up_read,
    up_write,
)
from kport.linux.sched import send_sig
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock_nested
from kport.linux.struct import struct
from tests.check import lockdep_scenes as scenes
from tests.support import Thread, eventually, sleep_ms, take_warnings, together


@pytest.fixture
def watched(boot):
    """A kernel with the validator, and no other check."""
    with boot(check="lockdep", debug=False) as kernel:
        yield kernel


def headlines(kernel):
    return [report.headline for report in kernel.reports()]


def locks(*names):
    """Spin locks of a class each."""
    made = []
    for name in names:
        lock = spinlock_t()
        spin_lock_init(lock, "x")
        key = lock_class_key()
        lockdep_set_class_and_name(lock, key, name)
        made.append(lock)
    return made


def nested(*order):
    for lock in order:
        spin_lock(lock)
    for lock in reversed(order):
        spin_unlock(lock)


# -- what it says ----------------------------------------------------------------------------------

GOLDEN = """
======================================================
WARNING: possible circular locking dependency detected
7.2.13 #1 Not tainted
------------------------------------------------------
COMM is trying to acquire lock:
ADDR (A){+.+.}-{3:3}, at: nested+PLACE

but task is already holding lock:
ADDR (C){+.+.}-{3:3}, at: nested+PLACE

which lock already depends on the new lock.


the existing dependency chain (in reverse order) is:

-> #2 (C){+.+.}-{3:3}:
       nested+PLACE
STACK

-> #1 (B){+.+.}-{3:3}:
       nested+PLACE
STACK

-> #0 (A){+.+.}-{3:3}:
       nested+PLACE
STACK

other info that might help us debug this:

Chain exists of:
  A --> B --> C

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(C);
                               lock(B);
                               lock(C);
  lock(A);

 *** DEADLOCK ***

1 lock held by COMM:
 #0: ADDR (C){+.+.}-{3:3}, at: nested+PLACE

stack backtrace:
CPU: N UID: 0 PID: N Comm: MainThread Not tainted 7.2.13 #1
Call Trace:
 <TASK>
 nested+PLACE
STACK
 </TASK>"""


def masked(text):
    """Addresses, places and stacks under names, as the same report has them in every run."""
    text = re.sub(r"ffff[0-9a-f]{12}", "ADDR", text)
    text = re.sub(r"MainThread/\d+", "COMM", text)
    text = re.sub(r"CPU: \d+ UID: 0 PID: \d+", "CPU: N UID: 0 PID: N", text)
    text = re.sub(r"(\w|>)\+[^:\n]+:\d+( \([^)]*\))?", r"\1+PLACE", text)
    lines = []
    for line in text.split("\n"):
        frame = re.match(r" +[^ ]+\+PLACE$", line)
        if frame and "nested+" not in line:
            if lines[-1] != "STACK":
                lines.append("STACK")
            continue
        lines.append(line)
    return "\n".join(lines)


def test_a_circle_of_three_word_for_word(watched):
    a, b, c = locks("A", "B", "C")
    nested(a, b)
    nested(b, c)
    nested(c, a)
    assert masked(watched.reports()[0].text) == GOLDEN
    log = [line.split("] ", 1)[1] for line in watched.dmesg()]
    assert log[-len(watched.reports()[0].lines) :] == list(watched.reports()[0].lines)


INCONSISTENT = """
================================
WARNING: inconsistent lock state
7.2.13 #1 Not tainted
--------------------------------
inconsistent {IN-HARDIRQ-W} -> {HARDIRQ-ON-W} usage.
COMM [HC0[0]:SC0[0]:HE0:SE1] takes:
ADDR (&made->a){?...}-{3:3}, at: SCENE+PLACE
{IN-HARDIRQ-W} state was registered at:
STACK
irq event stamp: N
hardirqs last  enabled at (N): nested+PLACE
hardirqs last disabled at (N): SCENE+PLACE
softirqs last  enabled at (0): 0x0
softirqs last disabled at (0): 0x0

other info that might help us debug this:
 Possible unsafe locking scenario:

       CPU0
       ----
  lock(&made->a);
  <Interrupt>
    lock(&made->a);

 *** DEADLOCK ***

1 lock held by COMM:
 #0: ADDR (&made->a){?...}-{3:3}, at: SCENE+PLACE

stack backtrace:
CPU: N UID: 0 PID: N Comm: MainThread Not tainted 7.2.13 #1
Call Trace:
 <TASK>
STACK
 </TASK>"""


def test_a_lock_of_interrupts_word_for_word(watched):
    scenes.interrupts_on_under_a_lock_of_interrupts(watched)
    text = masked(watched.reports()[0].text)
    text = re.sub(r"stamp: \d+|\([1-9]\d*\)", lambda m: re.sub(r"\d+", "N", m.group()), text)
    text = text.replace("interrupts_on_under_a_lock_of_interrupts", "SCENE")
    text = re.sub(r"(enabled at \(N\):) \w+\+", r"\1 nested+", text)
    assert text == INCONSISTENT


def test_only_the_first_report_is_made(watched):
    a, b = locks("A", "B")
    nested(a, b)
    nested(b, a)
    c, d = locks("C", "D")
    nested(c, d)
    nested(d, c)
    assert len(watched.reports()) == 1
    assert lockdep_state.debug_locks == 0


def test_two_runs_print_the_same():
    def run():
        with kport.boot("virt", check="lockdep", strategy=RoundRobin(3, 4)) as kernel:
            a, b = locks("A", "B")
            together(lambda: nested(a, b), lambda: nested(b, a))
        assert headlines(kernel) == ["WARNING: possible circular locking dependency detected"]
        return kernel.reports()[0].text

    assert run() == run()


SCRIPT = """
import kport
from tests.check.lockdep_scenes import two_tasks_two_orders
with kport.boot("virt", check="lockdep", seed=5) as kernel:
    two_tasks_two_orders(kernel)
print(kernel.reports()[0].text)
"""


@pytest.mark.virt_only("real threads come in any order")
def test_two_processes_print_the_same(arch):
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert "WARNING: possible circular locking" in runs[0].stdout, runs[0].stderr


# -- classes ---------------------------------------------------------------------------------------


class holder(struct):
    """Two locks whose names come from the text of their initialisation."""

    inner: spinlock_t
    m: mutex


def named():
    made = kzalloc_obj(holder)
    spin_lock_init(made.inner)
    mutex_init(made.m)
    return made


def test_a_class_is_a_place_and_has_its_text_as_a_name(watched):
    one, two = named(), named()
    assert one.inner.dep_map is two.inner.dep_map
    assert one.inner.dep_map.name == "&made->inner"
    assert one.m.dep_map.name == "&made->m"
    assert one.m.dep_map is not one.inner.dep_map
    kfree(one)
    kfree(two)


@pytest.mark.parametrize(
    ("python", "c"),
    [("a.b", "&a->b"), ("a.b.c", "&a->b.c"), ("lock", "lock")],
)
def test_names_are_spelled_as_in_c(python, c):
    assert c_name(python) == c


@pytest.mark.parametrize(
    ("python", "c"),
    [
        ("not ctx.contending_lock", "!ctx->contending_lock"),
        ("ww_ctx.ww_class is not ww.ww_class", "ww_ctx->ww_class != ww->ww_class"),
        ("a.x > 0 and b is None", "a->x > 0 && b == NULL"),
        ("not (a or b)", "!(a || b)"),
    ],
)
def test_conditions_are_spelled_as_in_c(python, c):
    assert c_text(python) == c


def test_namesakes_are_numbered_and_subclasses_too(watched):
    one, two = locks("same", "same")
    nested(one, two)
    spin_lock(one)
    spin_lock_nested(two, 1)
    text = [k for k in all_lock_classes if k.name == "same"]
    assert sorted((k.name_version, k.subclass) for k in text) == [(1, 0), (2, 0), (2, 1)]
    spin_unlock(two)
    spin_unlock(one)
    assert headlines(watched) == []


def test_a_subclass_may_nest_in_its_class(watched):
    made = [named(), named()]
    mutex_lock(made[0].m)
    mutex_lock_nested(made[1].m, 1)
    mutex_unlock(made[1].m)
    mutex_unlock(made[0].m)
    assert headlines(watched) == []
    mutex_lock(made[0].m)
    mutex_lock(made[1].m)
    mutex_unlock(made[1].m)
    mutex_unlock(made[0].m)
    assert headlines(watched) == ["WARNING: possible recursive locking detected"]
    for obj in made:
        kfree(obj)


def test_a_subclass_out_of_range(watched):
    (lock,) = locks("A")
    spin_lock_nested(lock, 8)
    assert headlines(watched) == ["BUG: looking up invalid subclass: 8"]
    spin_unlock(lock)


def test_the_order_of_a_comparison_is_allowed(watched):
    made = [named(), named(), named()]
    order = {id(obj.inner): number for number, obj in enumerate(made)}
    lock_set_cmp_fn(made[0].inner, lambda a, b: order[id(a)] - order[id(b)], None)
    nested(made[0].inner, made[1].inner, made[2].inner)
    assert headlines(watched) == []
    for obj in made:
        kfree(obj)


def test_another_order_than_that_of_the_comparison_is_not(watched):
    made = [named(), named()]
    order = {id(obj.inner): number for number, obj in enumerate(made)}
    lock_set_cmp_fn(made[0].inner, lambda a, b: order[id(a)] - order[id(b)], None)
    nested(made[1].inner, made[0].inner)  # a chain of classes is looked at once
    (report,) = watched.reports()
    assert "and the lock comparison function returns 1:" in report.lines
    for obj in made:
        kfree(obj)


def test_what_is_not_validated_is_noted_only(watched):
    a, b = locks("A", "B")
    lockdep_set_novalidate_class(b)
    nested(a, b)
    nested(b, a)
    spin_lock(b)
    assert lock_is_held_type(b, -1) == 1
    spin_unlock(b)
    assert headlines(watched) == []


def test_a_set_subclass_keeps_the_name(watched):
    a, b = locks("A", "B")
    lockdep_set_subclass(b, 2)
    assert b.dep_map.name == "B"
    nested(a, b)
    assert lockdep_class.class_of(b.dep_map, 0).subclass == 2


class owner(struct):
    """An object with a key of its own."""

    key: lock_class_key
    map: lockdep_map


def test_a_key_in_an_object_must_be_registered(watched):
    obj = kzalloc_obj(owner)
    lockdep_init_map(obj.map, "dynamic", obj.key, 0)
    assert any("has not been registered!" in line for line in watched.dmesg())
    assert len(take_warnings(watched)) == 1
    kfree(obj)


def test_a_key_takes_its_classes_with_it(watched):
    obj = kzalloc_obj(owner)
    lockdep_register_key(obj.key)
    lockdep_init_map(obj.map, "dynamic", obj.key, 0)
    (a,) = locks("A")
    before = len(all_lock_classes)
    lock_map_acquire(obj.map)
    nested(a)
    lock_map_release(obj.map)
    assert len(all_lock_classes) == before + 2
    lockdep_unregister_key(obj.key)
    assert [k.name for k in all_lock_classes].count("dynamic") == 0
    assert all(e.class_.name != "dynamic" for k in all_lock_classes for e in k.locks_before)
    spin_lock(a)
    spin_unlock(a)
    assert headlines(watched) == []
    kfree(obj)


# -- taking and releasing --------------------------------------------------------------------------


def test_release_in_any_order(watched):
    a, b, c = locks("A", "B", "C")
    for lock in (a, b, c):
        spin_lock(lock)
    assert lockdep_depth() == 3
    spin_unlock(a)
    assert (lockdep_depth(), lockdep_is_held(a), lockdep_is_held(c)) == (2, False, True)
    spin_unlock(b)
    spin_unlock(c)
    assert lockdep_depth() == 0
    nested(a, c)
    assert headlines(watched) == []
    nested(c, a)
    assert headlines(watched) == ["WARNING: possible circular locking dependency detected"]


def test_a_try_makes_no_order_but_what_comes_behind_it_does(watched):
    a, b, c = locks("A", "B", "C")
    nested(a, b)
    spin_lock(b)
    assert spin_trylock(a)
    spin_unlock(a)
    spin_unlock(b)
    assert headlines(watched) == []
    assert spin_trylock(a)
    nested(c)
    spin_unlock(a)
    nested(c, a)
    assert headlines(watched) == ["WARNING: possible circular locking dependency detected"]


def test_a_wait_that_fails_holds_nothing(watched):
    m = mutex()
    mutex_init(m, "m")
    mutex_lock(m)
    waiter = Thread(lambda: (mutex_lock_interruptible(m), lockdep_depth()))
    eventually(lambda: m.wait_list.next is not m.wait_list)
    assert Thread(lambda: (mutex_trylock(m), lockdep_depth())).join() == (False, 0)
    send_sig(15, waiter.task)
    assert waiter.join()[1] == 0
    mutex_unlock(m)
    assert headlines(watched) == []


def test_readers_and_writers_of_a_semaphore(watched):
    sem = rw_semaphore()
    init_rwsem(sem)
    down_write(sem)
    assert (lock_is_held_type(sem, 0), lock_is_held_type(sem, 1)) == (1, 0)
    downgrade_write(sem)
    assert (lock_is_held_type(sem, 0), lock_is_held_type(sem, 1)) == (0, 1)
    assert Thread(lambda: (down_read_trylock(sem), up_read(sem))[0]).join() == 1
    up_read(sem)
    other = rw_semaphore()
    init_rwsem(other)
    down_read(sem)
    down_write_nested(other, 1)
    up_write(other)
    up_read(sem)
    assert headlines(watched) == []
    down_read(sem)
    lock_downgrade(sem, 0)
    assert headlines(watched) == ["WARNING: downgrading a read lock"]
    up_read(sem)


def test_a_held_lock_changes_its_class(watched):
    a, b = locks("A", "B")
    key = lock_class_key()
    nested(a, b)
    spin_lock(b)
    lock_set_class(b, "other", key, 0, 0)
    spin_lock(a)
    spin_unlock(a)
    spin_unlock(b)
    assert headlines(watched) == []
    assert b.dep_map.name == "other"


def test_waiting_for_a_lock_without_taking_it_is_an_order_too(watched):
    a, b = locks("A", "B")
    nested(a, b)
    spin_lock(b)
    lock_sync(a, 0, 0, 1, None, 0)
    spin_unlock(b)
    (report,) = watched.reports()
    assert "  sync(A);" in report.lines


MIGHT = (lambda lock: might_lock(lock), lambda lock: might_lock_read(lock))


@pytest.mark.parametrize("might", MIGHT)
def test_what_might_be_taken_is_an_order_too(watched, might):
    m, n = mutex(), mutex()
    mutex_init(m, "m")
    mutex_init(n, "n")
    mutex_lock(m)
    mutex_lock(n)
    mutex_unlock(n)
    might(n)
    mutex_unlock(m)
    assert headlines(watched) == []
    mutex_lock(n)
    might(m)
    mutex_unlock(n)
    assert headlines(watched) == ["WARNING: possible circular locking dependency detected"]


def test_maps_alone(watched):
    fake = lockdep_map(name="map")
    (a,) = locks("A")
    lock_acquire(fake, 0, 0, 2, 1, None, 0)
    lock_acquire(fake, 0, 0, 2, 1, None, 0)  # a recursive reader
    nested(a)
    lock_release(fake, 0)
    lock_release(fake, 0)
    spin_lock(a)
    lock_acquire(fake, 0, 0, 2, 1, None, 0)
    lock_release(fake, 0)
    spin_unlock(a)
    assert headlines(watched) == []
    spin_lock(a)
    lock_map_acquire(fake)
    lock_map_release(fake)
    spin_unlock(a)
    assert headlines(watched) == ["WARNING: possible circular locking dependency detected"]


def test_too_many_locks(watched):
    made = []
    for number in range(50):
        made += locks(f"L{number}")
    for lock in made:
        spin_lock(lock)
    assert headlines(watched) == ["BUG: MAX_LOCK_DEPTH too low!"]
    for lock in made:
        spin_unlock(lock)


# -- assertions ------------------------------------------------------------------------------------


def test_assertions_about_what_is_held(watched):
    sem = rw_semaphore()
    init_rwsem(sem)
    down_read(sem)
    for right in (lockdep_assert_held, lockdep_assert_held_read):
        right(sem)
    assert headlines(watched) == []
    for wrong in (lockdep_assert_held_write, lockdep_assert_not_held):
        wrong(sem)
    lockdep_assert_none_held_once()
    up_read(sem)
    for wrong in (lockdep_assert_held, lockdep_assert_held_read, lockdep_assert_held_write):
        wrong(sem)
    lockdep_assert_not_held(sem)
    lockdep_assert_none_held_once()
    found = headlines(watched)
    assert len(found) == 6
    assert all(line.startswith("WARNING: tests/check/test_lockdep.py:") for line in found)


def test_assertions_about_the_context(kernel):
    lockdep_assert_irqs_enabled()
    lockdep_assert_no_hardirq()
    lockdep_assert_preemption_enabled()
    local_bh_disable()
    lockdep_assert_in_softirq()
    lockdep_assert_preemption_disabled()
    local_bh_enable()
    local_irq_disable()
    irq_enter()
    lockdep_assert_irqs_disabled()
    lockdep_assert_in_irq()
    irq_exit()
    local_irq_enable()
    assert take_warnings(kernel) == []
    lockdep_assert_irqs_disabled()
    lockdep_assert_in_irq()
    lockdep_assert_in_softirq()
    lockdep_assert_preemption_disabled()
    local_irq_disable()
    lockdep_assert_irqs_enabled()
    lockdep_assert_no_hardirq()
    lockdep_assert_preemption_enabled()
    local_irq_enable()
    assert len(take_warnings(kernel)) == 7


def test_an_assertion_that_is_made_once_is_reported_once(watched):
    (a,) = locks("A")
    for _ in range(3):
        lockdep_assert_held_once(a)
    assert len(headlines(watched)) == 1


def test_a_pinned_lock_is_not_released(watched):
    (a,) = locks("A")
    spin_lock(a)
    cookie = lock_pin_lock(a)
    lock_unpin_lock(a, cookie)
    lock_unpin_lock(a, cookie)
    lock_pin_lock(a)
    spin_unlock(a)
    lock_pin_lock(a)
    lock_unpin_lock(a, cookie)
    assert headlines(watched) == [
        "WARNING: unpinning an unpinned lock",
        "WARNING: releasing a pinned lock",
        "WARNING: pinning an unheld lock",
        "WARNING: unpinning an unheld lock",
    ]


def test_without_the_validator_nothing_is_known(boot):
    with boot(check="") as kernel:
        (a,) = locks("A")
        spin_lock(a)
        assert lock_is_held_type(a, -1) == lockdep.LOCK_STATE_UNKNOWN
        assert lockdep_is_held(a)
        assert lockdep_depth() == 0
        assert lock_pin_lock(a) is None
        spin_unlock(a)
        assert not lockdep_is_held(a)
        assert not hasattr(a, "dep_map")
    assert kernel.reports() == []


# -- many tasks ------------------------------------------------------------------------------------


def test_many_tasks_in_one_order_are_silent(watched):
    made = []
    for number in range(6):
        made += locks(f"T{number}")

    def work(first):
        def run():
            for turn in range(60):
                nested(*made[(first + turn) % 5 :])
                assert lockdep_depth() == 0

        return run

    together(*(work(n) for n in range(4)))
    assert headlines(watched) == []
    assert all(len(k.locks_after) <= 5 for k in all_lock_classes if k.name.startswith("T"))


def test_many_tasks_and_one_in_the_other_order(watched):
    a, b = locks("A", "B")
    nested(a, b)

    def wrong():
        sleep_ms(1)
        spin_lock(b)
        taken = spin_trylock(a)
        if taken:
            spin_unlock(a)
        spin_unlock(b)
        might_lock(a)
        spin_lock(b)
        might_lock(a)
        spin_unlock(b)

    together(lambda: [nested(a, b) for _ in range(50)], wrong)
    assert headlines(watched) == ["WARNING: possible circular locking dependency detected"]


def test_the_classes_of_a_machine_stay_over_executions():
    """Two executions that are each in one order are two orders together."""
    with kport.boot("virt", check="lockdep", strategy=RoundRobin(1, 3)) as kernel:
        a, b = locks("A", "B")
        kernel.machine.run(lambda: nested(a, b))
        assert headlines(kernel) == []
        for number in range(1, 4):  # and each execution may report it
            kernel.machine.run(lambda: nested(b, a))
            assert len(headlines(kernel)) == number
        kernel.machine.halt()
