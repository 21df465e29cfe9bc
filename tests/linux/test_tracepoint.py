# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tracepoints: nothing happens while nobody listens; then every hit is a record of values."""

from __future__ import annotations

import pytest

from kport.arch.asm import current_thread_info, ktime_get
from kport.linux import tracepoint
from kport.linux.struct import struct
from kport.linux.tracepoint import (
    DECLARE_EVENT_CLASS,
    DEFINE_EVENT,
    raw_probe,
    trace_enabled,
    tracepoint_probe_register,
    tracepoint_probe_unregister,
    tracepoints,
)
from kport.linux.vsprintf import pointer
from tests.support import together

pytestmark = pytest.mark.usefixtures("kernel")


class Touchy:
    """Fails when anybody looks at it."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"somebody looked at {name}")


@pytest.fixture
def event():
    """A tracepoint of the test's own: (trace function, tracepoint)."""
    cls = DECLARE_EVENT_CLASS(("name", "n"), lambda a, b: (a["name"], b), "name=%s n=%llu")
    trace = DEFINE_EVENT("test", "kport_test_event", 2, cls)
    yield trace, tracepoints["kport_test_event"]
    del tracepoints["kport_test_event"]


def test_a_disabled_event_looks_at_nothing(event):
    trace, tp = event
    trace(Touchy(), Touchy())
    assert tp.funcs == []
    assert trace.__name__ == "trace_kport_test_event"


def test_enabled_tells_whether_anybody_listens(event):
    _trace, tp = event
    enabled = trace_enabled("kport_test_event")
    assert enabled.__name__ == "trace_kport_test_event_enabled"

    def probe(*record: object) -> None:
        """Listens."""

    assert enabled() is False
    tracepoint_probe_register(tp, probe)
    assert enabled() is True
    tracepoint_probe_unregister(tp, probe)
    assert enabled() is False


def test_a_probe_gets_event_thread_time_and_values(event):
    trace, tp = event
    seen = []
    tracepoint_probe_register(tp, lambda *record: seen.append(record))
    before = ktime_get()
    trace({"name": "gfx"}, 5)
    after = ktime_get()
    ((got, ti, ts, values),) = seen
    assert got is tp
    assert ti is current_thread_info()
    assert before <= ts <= after
    assert values == ("gfx", 5)
    assert tp.text(values) == "name=gfx n=5"
    assert tp.cls.fields == ("name", "n")
    assert (tp.system, tp.name) == ("test", "kport_test_event")


def test_values_are_taken_when_the_event_happens(event):
    trace, tp = event
    seen = []
    tracepoint_probe_register(tp, lambda tp, ti, ts, values: seen.append(values))
    thing = {"name": "before"}
    trace(thing, 1)
    thing["name"] = "after"
    assert [tp.text(values) for values in seen] == ["name=before n=1"]


def test_every_probe_is_called_in_order_and_only_while_registered(event):
    trace, tp = event
    order = []
    first, second = (lambda *a: order.append(1)), (lambda *a: order.append(2))
    tracepoint_probe_register(tp, first)
    tracepoint_probe_register(tp, second)
    trace({"name": ""}, 0)
    tracepoint_probe_unregister(tp, first)
    trace({"name": ""}, 0)
    tracepoint_probe_unregister(tp, second)
    trace(Touchy(), Touchy())
    assert order == [1, 2, 2]
    with pytest.raises(ValueError, match="not in list"):
        tracepoint_probe_unregister(tp, first)


def test_a_probe_may_unregister_itself(event):
    trace, tp = event
    seen = []

    def once(*record: object) -> None:
        seen.append(1)
        tracepoint_probe_unregister(tp, once)

    other = []
    tracepoint_probe_register(tp, once)
    tracepoint_probe_register(tp, lambda *a: other.append(1))
    trace({"name": ""}, 0)
    trace({"name": ""}, 0)
    assert seen == [1]
    assert other == [1, 1]


def test_no_hit_is_lost_with_many_threads(event):
    trace, tp = event
    seen = []
    tracepoint_probe_register(tp, lambda tp, ti, ts, values: seen.append(values[1]))

    def hit(k: int) -> None:
        for n in range(100):
            trace({"name": ""}, k * 100 + n)

    together(*[lambda k=k: hit(k) for k in range(5)])
    assert sorted(seen) == list(range(500))
    assert tracepoint.tracepoints["kport_test_event"] is tp


def test_an_event_of_one_argument():
    cls = DECLARE_EVENT_CLASS(("n",), lambda a: (a,), "n=%d")
    trace = DEFINE_EVENT("test", "kport_test_one", 1, cls)
    tp = tracepoints.pop("kport_test_one")
    seen = []
    trace(Touchy())
    tracepoint_probe_register(tp, lambda tp, ti, ts, values: seen.append(tp.text(values)))
    trace(-3)
    assert seen == ["n=-3"]


class thing(struct):
    """Something a pointer points to."""

    number: int


def test_a_pointer_is_recorded_as_a_hash_that_tells_structs_apart():
    one, other = thing(), thing()
    cls = DECLARE_EVENT_CLASS(("p", "n"), lambda a, b: (a, b), "p=%p n=%d")
    trace, seen = DEFINE_EVENT("test", "kport_test_pointer", 2, cls), []
    tp = tracepoints.pop("kport_test_pointer")
    tracepoint_probe_register(tp, lambda tp, ti, ts, values: seen.append(values))
    for a in (one, other, one, None):
        trace(a, 7)
    first, second, again, null = (values[0] for values in seen)
    assert first == again != second
    assert all(len(text) == 16 and int(text, 16) for text in (first, second))
    assert null == "(null)"
    assert tp.text(seen[0]) == f"p={first} n=7"


@pytest.mark.parametrize("turn", [1, 2])
def test_the_first_pointer_of_a_kernel_has_the_same_hash_every_time(turn):
    assert pointer(thing()) == "000000009e3779b1"


def test_a_struct_that_outlives_its_kernel_gets_a_new_hash(kernel, boot):
    assert pointer(STATIC) != pointer(thing())


def test_and_in_the_next_kernel_too(kernel):
    other = pointer(thing())
    assert pointer(STATIC) != other


STATIC = thing()


def test_a_raw_probe_sees_what_the_event_was_given(event):
    trace, tp = event
    raw, seen = [], []
    made = raw_probe(lambda tp, ti, ts, args: raw.append(args))
    tracepoint_probe_register(tp, made)
    tracepoint_probe_register(tp, lambda tp, ti, ts, values: seen.append(values))
    given = {"name": "x"}
    trace(given, 5)
    assert raw == [(given, 5)]
    assert seen == [("x", 5)]
    tracepoint_probe_unregister(tp, made)
    trace(given, 6)
    assert len(raw) == 1
    tp.funcs.clear()
