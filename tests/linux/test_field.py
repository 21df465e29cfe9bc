# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Watching plain accesses: what is one, what is none, and that nothing is left behind."""

from __future__ import annotations

import pytest

from kport.arch.asm import READ_ONCE, WRITE_ONCE, cmpxchg, smp_load_acquire, smp_store_release, xchg
from kport.arch.types import atomic_t, spinlock_t
from kport.linux import field
from kport.linux.facility import Facility
from kport.linux.field import Watcher, raw_get, raw_set, unwatch_fields, watch_fields
from kport.linux.list import INIT_LIST_HEAD, list_head
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.struct import cas, memset, struct


class thing(struct):
    """A member of each kind."""

    number: int
    link: thing | None
    head: cas[thing | None]
    node: list_head
    lock: spinlock_t
    count: atomic_t


class ops(struct, table=True):
    """A table of callbacks."""

    call: object


seen: list[tuple[object, ...]] = []


def _read(obj, name):
    if type(obj) in (thing, ops, list_head):
        seen.append(("r", type(obj).__name__, name))


def _write(obj, name, value):
    if type(obj) in (thing, ops, list_head):
        seen.append(("w", type(obj).__name__, name, value))


class Seen(Facility):
    """Notes the accesses to the structs of this file."""

    name = "seen"

    def fields(self, machine):
        return [Watcher(_read, _write)]


@pytest.fixture
def watched(boot):
    seen.clear()
    with boot(check=[Seen()]):
        seen.clear()
        yield
        seen.clear()


def test_plain_accesses_are_seen(watched):
    t = kzalloc_obj(thing)
    assert seen == []
    t.number = 4
    t.number += 1
    t.link = t
    assert t.link is t
    assert seen == [
        ("w", "thing", "number", 4),
        ("r", "thing", "number"),
        ("w", "thing", "number", 5),
        ("w", "thing", "link", t),
        ("r", "thing", "link"),
    ]


def test_what_is_no_access_in_c_is_not_seen(watched):
    t = thing()
    table = ops(call=print)
    memset(t, 0, field.struct_module.sizeof(t))
    assert (t.node, t.lock, t.count, table.call) is not None
    kfree(kzalloc_obj(thing))
    assert seen == []
    INIT_LIST_HEAD(t.node)  # marked
    assert seen == []
    t.node.prev = t.node
    assert seen == [("w", "list_head", "prev", t.node)]


def test_marked_accesses_are_not_plain(watched):
    t = thing()
    WRITE_ONCE(t, "number", 3)
    smp_store_release(t, "link", t)
    assert READ_ONCE(t, "number") == 3
    assert smp_load_acquire(t, "link") is t
    assert xchg(t, "head", t) is None
    assert cmpxchg(t, "head", t, None) is t
    assert READ_ONCE(t, "head") is None
    assert raw_get(t, "number") == 3
    raw_set(t, "number", 7)
    assert seen == []
    assert t.number == 7


def test_marked_accesses_to_what_is_no_struct(watched):
    class other:
        number = 1

    o = other()
    WRITE_ONCE(o, "number", 2)
    assert READ_ONCE(o, "number") == 2


def test_a_freed_member_is_still_a_fault(watched):
    t = kzalloc_obj(thing)
    kfree(t)
    with pytest.raises(AttributeError):
        _ = t.number
    with pytest.raises(AttributeError):
        READ_ONCE(t, "number")


def test_a_class_made_meanwhile_is_covered(watched):
    class late(struct):
        """Made while somebody watches."""

        x: int

    calls = []
    watch_fields(lambda obj, name: calls.append(name), None, first=True)
    t = late()
    assert t.x == 0
    assert calls == ["x"]
    unwatch_fields(*field.present()[0][:2])
    assert t.x == 0
    assert calls == ["x"]


def test_watchers_come_in_order_and_the_first_is_first():
    order = []
    slot = thing.__dict__["number"]
    watch_fields(lambda o, f: order.append("a"), None)
    watch_fields("order.append(FIELD); order.append(INDEX)", None, names={"order": order})
    watch_fields(lambda o, f: order.append("b"), lambda o, f, v: order.append(v), first=True)
    t = thing()
    assert t.number == 0
    t.link = None
    unwatch_fields()
    assert order == ["b", "a", "number", 0, None]
    assert not field.watched()
    t.number = 1
    assert order == ["b", "a", "number", 0, None]
    assert thing.__dict__["number"] is slot


def test_a_watcher_may_want_some_classes_only():
    seen.clear()
    watch_fields(_read, _write, only=lambda cls: cls is list_head)
    t = thing()
    t.number = 1
    t.node.next = t.node
    assert not field.covers(thing)
    unwatch_fields(_read, _write)
    assert seen == [("w", "list_head", "next", t.node)]


def test_everything_is_bare_again_when_nobody_watches(boot):
    before = {cls: dict(cls.__dict__) for cls in field._classes(struct)}
    with boot(check=[Seen()]):
        assert isinstance(thing.__dict__["number"], property)
    for cls, members in before.items():
        for name, member in members.items():
            assert cls.__dict__[name] is member, (cls, name)
