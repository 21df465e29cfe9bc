# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's memory model (tools/memory-model/linux-kernel.cat, Linux 7.2.13) as a machine.

The model speaks of relations between the accesses of a finished execution. The machine goes through
the execution in an order that has hb and rf pointing forward, and keeps for each thread what those
relations still forbid it:

- *coherence*: a thread never sees a location go back.
- *views*. A store carries the stores that must be visible to whoever is ordered behind it: those
  that come before it by a chain of cumul-fence. For a release these are all that its thread has
  seen, for a store behind smp_wmb() its thread's own, for any other what came before the last
  smp_mb() or was handed on by locks.
- *bundles*. An access that reads a store (rfe) takes its view, and all accesses that are ordered
  behind it (ppo: acquire, smp_rmb(), smp_mb(), dependency) must not be overwritten by a store in
  that view: the model's `prop & int`. A bundle is that set of stores: keyed by the thread it binds,
  or by None for all, which is how a strong fence binds whoever comes after it by hb (`pb`). Bundles
  travel with stores and along ppo.
- *one order of strong fences*: an smp_mb() also takes over what earlier ones had seen.

Which access depends on which cannot be seen from inside Python. By default every load orders the
stores behind it, as a control dependency does, and a load through a pointer is ordered behind the
load that returned the pointer (told by the object). So the machine shows less than the model
allows, never more: stores before independent loads are not shown. With `lazy` a relaxed load
returns a `Later`: it is bound when its value is used or a barrier asks for it. Then dependencies
are exact and load buffering is seen, but only code that computes with numbers can be run so. What
is not seen even then: an atomic that is not fully ordered, late enough for load buffering.

A store that is older than `horizon` accesses has reached every thread; this keeps views small, and
long runs possible. With `record` there is no horizon, and the execution is written down, access by
access, for whoever wants to hold it against the model's own axioms.

RCU: a reader that begins after a grace period has begun sees what came before it, and the end of a
grace period sees all that ended readers did.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add, and_, mul, or_, sub, xor
from typing import Any

from kport.arch.types import thread_info
from kport.arch.virt_asm import CPU
from kport.arch.virt_weak import ACQUIRE, MB, ONCE, RELEASE, Loc, View, Write, join

Bundle = dict[Any, Write]  # (thread_info or None, Loc): the store that must not be behind


class Event:
    """One access or barrier of a recorded execution.

    `kind` is R, W or F. `write` is the store read or made, `pair` the other half of an atomic,
    `addr`, `data` and `ctrl` the loads it depends on; `ctrl` None: on all before it.
    """

    __slots__ = ("addr", "ctrl", "data", "kind", "mode", "pair", "ti", "write")

    def __init__(self, ti: thread_info, kind: str, mode: str, write: Write | None) -> None:
        self.ti = ti
        self.kind = kind
        self.mode = mode
        self.write = write
        self.pair: Event | None = None
        self.addr: frozenset[Event] = frozenset()
        self.data: frozenset[Event] = frozenset()
        self.ctrl: frozenset[Event] | None = None


class Thread:
    """What the model forbids one thread; see the module's text for views and bundles."""

    __slots__ = (
        "after_rmb",
        "all_reads",
        "at_unlock",
        "coherent",
        "ctrl",
        "done",
        "last",
        "next_read",
        "next_write",
        "norets",
        "own",
        "own_at_unlock",
        "pending",
        "pointers",
        "reads",
        "seen",
        "ti",
        "view",
        "writes",
    )

    def __init__(self, ti: thread_info) -> None:
        self.ti = ti
        self.coherent: View = {}
        self.next_read: Bundle = {}  # binds every load to come
        self.next_write: Bundle = {}  # binds every store to come
        self.reads: Bundle = {}  # what the loads so far bind, for a barrier that orders them
        self.norets: Bundle = {}  # the same of atomics without a result: no smp_rmb() for them
        self.writes: Bundle = {}  # and of the stores
        self.last: dict[Loc, Bundle] = {}  # and of the last accesses of a location
        self.seen: View = {}  # everything read or stored, with its views
        self.own: View = {}  # the own stores, with theirs
        self.view: View = {}  # what the next relaxed store carries
        self.at_unlock: Bundle = {}
        self.own_at_unlock: View = {}
        self.pointers: dict[int, tuple[Any, Bundle, Any]] = {}
        self.pending: list[Later] = []
        self.after_rmb = 0  # of `pending`: ordered before the next load
        self.ctrl: set[Event] = set()


class Later:
    """The value of a load that is not bound yet; testing or comparing it binds it.

    Storing it and computing with it do not, but what is stored then depends on the load.
    """

    __slots__ = ("bound", "busy", "event", "extra", "memory", "thread", "value", "write")

    def __init__(
        self, memory: Lkmm, thread: Thread, bound: Write, extra: Bundle, event: Any
    ) -> None:
        self.memory = memory
        self.thread = thread
        self.bound = bound
        self.extra = extra
        self.event = event
        self.write: Write | None = None
        self.value: Any = None
        self.busy = False

    def loads(self) -> list[Later]:
        """The loads that the value is computed from."""
        return [self]

    def get(self) -> Any:
        """The value; the load is bound if it was not."""
        if self.write is None:
            self.memory.bind(self)
        if not isinstance(self.value, Later):
            return self.value
        if self.busy:  # a value out of thin air; the axioms forbid such an execution
            return 0
        self.busy = True
        value = self.value.get()
        self.busy = False
        return value

    def use(self) -> Any:
        """The value, of which what the running thread does from now on depends.

        A load that is still unbound takes its step here: others may run before it is bound.
        """
        if any(load.write is None for load in self.loads()):
            _step()
        value = self.get()
        for load in self.loads():
            self.memory.controls(load)
        return value

    def __bool__(self) -> bool:
        return bool(self.use())

    def __eq__(self, other: object) -> bool:
        return bool(self.use() == (other.use() if isinstance(other, Later) else other))

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Any) -> Later:
        return Computed(add, self, other)

    def __radd__(self, other: Any) -> Later:
        return Computed(add, other, self)

    def __sub__(self, other: Any) -> Later:
        return Computed(sub, self, other)

    def __rsub__(self, other: Any) -> Later:
        return Computed(sub, other, self)

    def __mul__(self, other: Any) -> Later:
        return Computed(mul, self, other)

    __rmul__ = __mul__

    def __xor__(self, other: Any) -> Later:
        return Computed(xor, self, other)

    __rxor__ = __xor__

    def __and__(self, other: Any) -> Later:
        return Computed(and_, self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Later:
        return Computed(or_, self, other)

    __ror__ = __or__


class Computed(Later):
    """What is computed from delayed loads."""

    __slots__ = ("function", "parts")

    def __init__(self, function: Callable[[Any, Any], Any], *parts: Any) -> None:
        self.function = function
        self.parts = parts
        self.memory = self.loads()[0].memory

    def loads(self) -> list[Later]:
        return [load for part in self.parts if isinstance(part, Later) for load in part.loads()]

    def get(self) -> Any:
        return self.function(*(plain(part) for part in self.parts))


def plain(value: Any) -> Any:
    """A value, of which nothing is left to be bound."""
    return value.get() if isinstance(value, Later) else value


def _step() -> None:
    CPU.left = left = CPU.left - 1
    if left < 0:
        CPU.machine.decide()


class Lkmm:
    """`Memory` under the Linux-kernel memory model.

    `number(n)` makes a choice; `depth` stores of a location can be seen at most.
    """

    def __init__(
        self,
        number: Callable[[int], int],
        *,
        depth: int = 8,
        horizon: int = 128,
        lazy: bool = False,
        record: bool = False,
    ) -> None:
        self.number = number
        self.depth = depth
        self.horizon = 1 << 62 if record else horizon
        self.lazy = lazy
        self.record = record
        self.begin()

    # -- places ------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.locs: dict[tuple[int, str], Loc] = {}
        self.threads: dict[thread_info, Thread] = {}
        self.strong: Bundle = {}  # what the strong fences so far have seen
        self.published: dict[Any, tuple[Any, View, Bundle]] = {}
        self.gp_view: View = {}
        self.readers: View = {}
        self.log: list[Event] = []
        self.ticks = 0
        self._sweep_at = self.horizon

    def loc(self, o: Any, f: str) -> Loc:
        """The location; a plain store to it begins its history anew."""
        loc = self.locs.get((id(o), f))
        if loc is None:
            loc = self.locs[id(o), f] = Loc(o, f, self.ticks)
            return loc
        value, last = loc.load(), loc.writes[-1]
        if value is not last.value and not _same(value, last.value):
            plain = Write(loc, value, None)
            plain.rank = last.rank + 1
            plain.born = self.ticks
            loc.writes = [plain]
        return loc

    def me(self) -> Thread:
        """The running thread."""
        self.ticks += 1
        if self.ticks >= self._sweep_at:
            self._sweep()
        ti = CPU.ti
        thread = self.threads.get(ti)
        if thread is None:
            thread = self.threads[ti] = Thread(ti)
        return thread

    def _sweep(self) -> None:
        """Forget what is behind the horizon."""
        limit = self.ticks - self.horizon
        self._sweep_at = self.ticks + self.horizon // 2
        kept = {}
        for key, loc in self.locs.items():
            writes = loc.writes
            while len(writes) > 1 and writes[1].born < limit:
                del writes[0]
            writes[0].rmw = False
            if len(writes) > 1 or writes[0].born >= limit:
                kept[key] = loc
        self.locs = kept
        for thread in self.threads.values():
            for name in SWEPT:
                setattr(thread, name, _fresh(getattr(thread, name)))
            last = ((loc, _fresh(bundle)) for loc, bundle in thread.last.items())
            thread.last = {loc: bundle for loc, bundle in last if bundle}
            pointers = ((i, (o, _fresh(b), e)) for i, (o, b, e) in thread.pointers.items())
            thread.pointers = {i: found for i, found in pointers if found[1]}
        for loc in kept.values():
            for write in loc.writes:
                write.view, write.hb = _fresh(write.view), _fresh(write.hb)
                write.own, write.deps = _fresh(write.own), _fresh(write.deps)
        self.strong = _fresh(self.strong)
        self.gp_view, self.readers = _fresh(self.gp_view), _fresh(self.readers)
        self.published = {
            i: (key, _fresh(view), _fresh(bundle))
            for i, (key, view, bundle) in self.published.items()
        }

    # -- what binds --------------------------------------------------------------------------------

    def _floor(self, loc: Loc, thread: Thread, *bundles: Bundle) -> Write:
        """The oldest store of a location that the thread may still see, under these bundles."""
        floor = thread.coherent.get(loc)
        if floor is None or floor.rank < loc.writes[0].rank:
            floor = loc.writes[0]
        for bundle in bundles:
            for key in ((thread.ti, loc), (None, loc)):
                write = bundle.get(key)
                if write is not None and write.rank > floor.rank:
                    floor = write
        return floor

    def _readable(self, loc: Loc, floor: Write) -> list[Write]:
        """The stores from the last to the floor."""
        writes = loc.writes
        if writes[-1] is floor:
            return [floor]
        return [w for w in reversed(writes) if w.rank >= floor.rank]

    def _pick(self, choices: list[Any]) -> Any:
        return choices[self.number(len(choices))] if len(choices) > 1 else choices[0]

    # -- loads -------------------------------------------------------------------------------------

    def read(self, o: Any, f: str, mode: int) -> Any:
        thread = self.me()
        if mode == ONCE and thread.pending and self._binds(thread, o, f):
            _step()
        extra, addr = self._address(thread, o)
        if isinstance(o, Later):
            o = o.get()
        loc = self.loc(o, f)
        self._settle(thread, loc)
        floor = self._floor(loc, thread, thread.next_read, extra)
        event = self._event(thread, "R", ("once", "acquire", "", "")[mode], None, addr)
        if self.lazy and mode == ONCE:
            later = Later(self, thread, floor, dict(thread.next_read), event)
            join(later.extra, extra)
            thread.pending.append(later)
            return later
        write = self._pick(self._readable(loc, floor))
        if event is not None:
            event.write = write
        bundle = self._reads(thread, write, thread.next_read, extra, True)
        if mode == ACQUIRE:
            join(thread.next_read, bundle)
            join(thread.next_write, bundle)
        elif not self.lazy:
            join(thread.next_write, bundle)
        value = write.value
        if not self.lazy:
            self._points(thread, value, bundle, event)
        return value

    def _binds(self, thread: Thread, o: Any, f: str) -> bool:
        """Whether a delayed load, which is no step itself, binds earlier ones."""
        if thread.after_rmb:
            return True
        if isinstance(o, Later) and any(load.write is None for load in o.loads()):
            return True
        if isinstance(o, Later):
            o = o.get()
        return any(each.bound.loc.o is o and each.bound.loc.f == f for each in thread.pending)

    def bind(self, later: Later) -> None:
        """Choose what a delayed load returns."""
        thread = later.thread
        at = next(i for i, each in enumerate(thread.pending) if each is later)
        del thread.pending[at]
        if at < thread.after_rmb:
            thread.after_rmb -= 1
        loc = later.bound.loc
        write = self._pick(self._readable(loc, later.bound))
        later.write = write
        later.value = write.value
        if later.event is not None:
            later.event.write = write
        later.extra = self._reads(thread, write, later.extra, {}, True)

    def controls(self, later: Later) -> None:
        """The running thread's next stores depend on a load."""
        thread = self.me()
        join(thread.next_write, later.extra)
        if later.event is not None:
            if later.event in thread.ctrl:
                return
            thread.ctrl.add(later.event)
        if isinstance(later.value, Later):
            for load in later.value.loads():
                self.controls(load)

    def _settle(self, thread: Thread, loc: Loc | None = None, reading: bool = True) -> None:
        """Bind delayed loads: those of this location and, before a load, those behind an rmb."""
        if not thread.pending:
            return
        if reading and thread.after_rmb:
            for later in thread.pending[: thread.after_rmb]:
                later.get()
                join(thread.next_read, later.extra)
        for later in list(thread.pending):
            if later.write is None and (loc is None or later.bound.loc is loc):
                later.get()

    def _reads(
        self, thread: Thread, write: Write, base: Bundle, extra: Bundle, returns: bool
    ) -> Bundle:
        """A load reads a store; returns what that binds in whatever is ordered behind the load."""
        ti = thread.ti
        bundle = dict(base)
        join(bundle, extra)
        if write.ti is ti:
            join(bundle, write.deps)
        else:
            join(bundle, write.hb)
            if write.view:
                join(bundle, {(ti, loc): w for loc, w in write.view.items()})
                join(thread.seen, write.view)
        loc = write.loc
        join(thread.coherent, {loc: write})
        join(thread.seen, {loc: write})
        join(thread.reads if returns else thread.norets, bundle)
        last = thread.last.get(loc)
        if last is None:
            thread.last[loc] = bundle
        else:
            join(last, bundle)
        return bundle

    # -- stores ------------------------------------------------------------------------------------

    def write(self, o: Any, f: str, value: Any, mode: int) -> None:
        thread = self.me()
        extra, addr = self._address(thread, o)
        if isinstance(o, Later):
            o = o.get()
        loc = self.loc(o, f)
        self._settle(thread, None if mode == RELEASE else loc, False)
        base = self._before(thread, loc, mode)
        join(base, extra)
        deps = dict(extra)
        data: set[Any] = set()
        for load in value.loads() if isinstance(value, Later) else ():
            if load.event is not None:
                data.add(load.event)
            if load.write is not None:
                join(base, load.extra)
                join(deps, load.extra)
        write = Write(loc, value, thread.ti)
        write.deps = deps
        floor = self._floor(loc, thread, base)
        at = self._pick(self._places(loc, floor))
        self._stores(thread, write, at, base, mode)
        event = self._event(thread, "W", ("once", "", "release", "")[mode], write, addr)
        if event is not None:
            event.data = frozenset(data)
            write.event = event

    def _before(self, thread: Thread, loc: Loc, mode: int) -> Bundle:
        """What binds a store."""
        base = dict(thread.next_write)
        join(base, thread.last.get(loc))
        if mode == RELEASE:
            self._all(thread, base)
        return base

    def _all(self, thread: Thread, into: Bundle) -> None:
        """All that the accesses so far bind."""
        for bundle in (thread.next_read, thread.next_write):
            join(into, bundle)
        for bundle in (thread.reads, thread.norets, thread.writes):
            join(into, bundle)

    def _places(self, loc: Loc, floor: Write) -> list[int]:
        """Where in the history a store may go: last, or behind a store from the floor on."""
        writes = loc.writes
        places = [len(writes)]
        for at in range(len(writes) - 1, 0, -1):
            if writes[at - 1].rank < floor.rank:
                break
            if not writes[at].rmw:
                places.append(at)
        return places

    def _stores(self, thread: Thread, write: Write, at: int, base: Bundle, mode: int) -> None:
        loc, ti = write.loc, thread.ti
        write.born = self.ticks
        loc.insert(at, write)
        if len(loc.writes) > self.depth:
            del loc.writes[0]
            loc.writes[0].rmw = False
        write.view = dict(thread.seen if mode == RELEASE else thread.view)
        read = loc.writes[at - 1] if write.rmw and at else None
        if read is not None and read.view:
            join(write.view, read.view)  # rmw-sequence
        bundle = base
        if write.view:
            join(bundle, {(ti, other): w for other, w in write.view.items()})
        write.hb = bundle
        join(thread.coherent, {loc: write})
        join(thread.writes, bundle)
        for view in (thread.own, thread.seen):
            join(view, write.view)
            join(view, {loc: write})
        last = thread.last.get(loc)
        if last is None:
            thread.last[loc] = dict(bundle)
        else:
            join(last, bundle)

    # -- atomics -----------------------------------------------------------------------------------

    def update(
        self, o: Any, f: str, new: Callable[[Any], Any], mode: int, returns: bool
    ) -> Any:
        thread = self.me()
        extra, addr = self._address(thread, o)
        if isinstance(o, Later):
            o = o.get()
        loc = self.loc(o, f)
        if mode == MB:
            self._mb(thread)
        self._settle(thread, None if mode in (MB, RELEASE) else loc, returns)
        floor = self._floor(loc, thread, thread.next_read, thread.next_write, extra)
        read = self._pick([w for w in self._readable(loc, floor) if self._free(w)])
        return self._exchange(thread, read, new, mode, returns, extra, addr)

    def compare(self, o: Any, f: str, old: Any, new: Any, mode: int) -> Any:
        thread = self.me()
        extra, addr = self._address(thread, o)
        if isinstance(o, Later):
            o = o.get()
        if isinstance(old, Later):
            old = old.use()
        loc = self.loc(o, f)
        self._settle(thread, loc)
        weak = self._floor(loc, thread, thread.next_read, extra)
        strong = weak
        if mode == MB:
            bundle: Bundle = dict(self.strong)
            self._all(thread, bundle)
            strong = self._floor(loc, thread, bundle, extra)
            seen = thread.seen.get(loc)
            if seen is not None and seen.rank > strong.rank:
                strong = seen
        choices = []
        for w in self._readable(loc, weak):
            value = w.value.use() if isinstance(w.value, Later) else w.value
            same = value is old or value == old
            if not same or (w.rank >= strong.rank and self._free(w)):
                choices.append((w, same))
        read, same = self._pick(choices)
        if same:
            if mode == MB:
                self._mb(thread)
            return self._exchange(thread, read, lambda was: new, mode, True, extra, addr)
        event = self._event(thread, "R", "failed", read, addr)
        bundle = self._reads(thread, read, thread.next_read, extra, True)
        join(thread.next_write, bundle)
        if event is not None:
            thread.ctrl.add(event)
        if not self.lazy:
            self._points(thread, read.value, bundle, event)
        return read.value

    def _free(self, write: Write) -> bool:
        """No atomic has read it yet, so that another one may."""
        writes = write.loc.writes
        at = write.rank - writes[0].rank + 1
        return at >= len(writes) or not writes[at].rmw

    def _exchange(
        self,
        thread: Thread,
        read: Write,
        new: Callable[[Any], Any],
        mode: int,
        returns: bool,
        extra: Bundle,
        addr: frozenset[Event],
    ) -> Any:
        loc = read.loc
        tag = MODES_READ[mode] if returns else "noreturn"
        first = self._event(thread, "R", tag, read, addr)
        got = self._reads(thread, read, thread.next_read, extra, returns)
        old = read.value
        if isinstance(old, Later):
            old = old.use()
        if mode == ACQUIRE:
            join(thread.next_read, got)
            join(thread.next_write, got)
        base = self._before(thread, loc, mode)
        join(base, got)
        write = Write(loc, new(old), thread.ti)
        write.deps = dict(got)
        write.rmw = True
        at = read.rank - loc.writes[0].rank + 1
        self._stores(thread, write, at, base, RELEASE if mode == RELEASE else ONCE)
        second = self._event(thread, "W", MODES_WRITE[mode], write, addr)
        if first is not None and second is not None:
            first.pair, second.pair = second, first
        if mode == MB:
            self._mb(thread)
        if returns and not self.lazy:
            join(thread.next_write, got)
            self._points(thread, old, got, first)
        elif first is not None:
            thread.ctrl.add(first)  # the value is used at once
        return old

    # -- barriers ----------------------------------------------------------------------------------

    def fence(self, kind: str) -> None:
        thread = self.me()
        if kind in FULL:
            self._mb(thread)
        elif kind == "rmb":
            thread.after_rmb = len(thread.pending)
            join(thread.next_read, thread.reads)
        elif kind == "wmb":
            join(thread.next_write, thread.writes)
            join(thread.view, thread.own)
        elif kind == "rcu-lock":
            if thread.ti.rcu_nesting == 1:
                self._see(thread, self.gp_view)
        elif kind == "rcu-unlock":
            self._settle(thread)
            if thread.ti.rcu_nesting == 1:
                join(self.readers, thread.seen)
        elif kind == "gp-begin":
            self._mb(thread)
            join(self.gp_view, thread.seen)
        elif kind == "gp-end":
            self._see(thread, self.readers)
            self._mb(thread)
        self._event(thread, "F", kind, None)

    def _see(self, thread: Thread, view: View) -> None:
        """Everything to come is behind a view, and so is who comes after it."""
        bundle = {(None, loc): write for loc, write in view.items()}
        join(thread.next_read, bundle)
        join(thread.next_write, bundle)
        join(thread.view, view)
        join(thread.seen, view)

    def _mb(self, thread: Thread) -> None:
        self._settle(thread)
        thread.after_rmb = 0
        mine = {(None, loc): write for loc, write in thread.seen.items()}
        bundle = dict(self.strong)
        self._all(thread, bundle)
        join(bundle, mine)
        join(self.strong, mine)
        thread.next_read = bundle
        thread.next_write = dict(bundle)
        thread.view = dict(thread.seen)

    # -- locks -------------------------------------------------------------------------------------

    def lock(self, lock: Any) -> None:
        thread = self.me()
        loc = self._lock_loc(lock)
        self._settle(thread, loc)
        read = loc.writes[-1]
        first = self._event(thread, "R", "lock", read)
        got = self._reads(thread, read, thread.next_read, {}, True)
        for bundle in (thread.next_read, thread.next_write):
            join(bundle, got)
            join(bundle, thread.at_unlock)
        join(thread.view, thread.own_at_unlock)
        join(thread.view, read.own)
        base = self._before(thread, loc, ONCE)
        write = Write(loc, 1, thread.ti)
        write.rmw = True
        self._stores(thread, write, len(loc.writes), base, ONCE)
        second = self._event(thread, "W", "lock", write)
        if first is not None and second is not None:
            first.pair, second.pair = second, first

    def unlock(self, lock: Any) -> None:
        thread = self.me()
        loc = self._lock_loc(lock)
        self._settle(thread)
        base = self._before(thread, loc, RELEASE)
        own = dict(thread.own)
        write = Write(loc, 0, thread.ti)
        self._stores(thread, write, len(loc.writes), base, RELEASE)
        write.own = own
        self._event(thread, "W", "unlock", write)
        self._all(thread, thread.at_unlock)
        thread.own_at_unlock = own

    def _lock_loc(self, lock: Any) -> Loc:
        loc = self.locs.get((id(lock), "lock"))
        if loc is None:
            loc = self.locs[id(lock), "lock"] = _LockLoc(lock, self.ticks)
        return loc

    def locked(self, lock: Any) -> Any:
        thread = self.me()
        loc = self._lock_loc(lock)
        self._settle(thread, loc)
        floor = self._floor(loc, thread, thread.next_read)
        write = self._pick(self._readable(loc, floor))
        self._event(thread, "R", "islocked", write)
        bundle = self._reads(thread, write, thread.next_read, {}, True)
        join(thread.next_write, bundle)
        return write.value

    # -- threads and devices -----------------------------------------------------------------------

    def publish(self, key: Any) -> None:
        thread = self.me()
        self._mb(thread)
        old = self.published.get(id(key))
        view = dict(thread.seen)
        bundle = dict(thread.next_write)
        if old is not None:
            join(view, old[1])
            join(bundle, old[2])
        self.published[id(key)] = (key, view, bundle)

    def receive(self, key: Any) -> None:
        thread = self.me()
        found = self.published.get(id(key))
        if found is not None:
            _, view, bundle = found
            self._see(thread, view)
            join(thread.next_read, bundle)
            join(thread.next_write, bundle)
        self._mb(thread)

    # -- dependencies ------------------------------------------------------------------------------

    def _address(self, thread: Thread, o: Any) -> tuple[Bundle, frozenset[Event]]:
        """What an access through a pointer is ordered behind."""
        if isinstance(o, Later):
            o.get()
            bundle: Bundle = {}
            for load in o.loads():
                join(bundle, load.extra)
            return bundle, frozenset(load.event for load in o.loads() if load.event is not None)
        if not thread.pointers:
            return {}, frozenset()
        bundle = {}
        events: set[Event] = set()
        while o is not None:
            found = thread.pointers.get(id(o))
            if found is not None:
                join(bundle, found[1])
                if found[2] is not None:
                    events.add(found[2])
            o = getattr(o, "_container", None)
        return bundle, frozenset(events)

    def _points(self, thread: Thread, value: Any, bundle: Bundle, event: Any) -> None:
        """A load returned a pointer: accesses through it depend on the load."""
        if value is None or isinstance(value, int | str | tuple):
            return
        old = thread.pointers.get(id(value))
        if old is not None:
            bundle = dict(bundle)
            join(bundle, old[1])
        thread.pointers[id(value)] = (value, bundle, event)

    # -- the record --------------------------------------------------------------------------------

    def _event(
        self,
        thread: Thread,
        kind: str,
        mode: str,
        write: Write | None,
        addr: frozenset[Event] = frozenset(),
    ) -> Any:
        if not self.record:
            return None
        event = Event(thread.ti, kind, mode, write)
        event.addr = addr
        event.ctrl = frozenset(thread.ctrl) if self.lazy else None
        self.log.append(event)
        return event

    def finish(self) -> None:
        """Bind the loads that nobody has used."""
        for thread in list(self.threads.values()):
            while thread.pending:
                thread.pending[0].get()


FULL = ("mb", "before-atomic", "after-atomic", "after-spinlock", "after-unlock-lock")
SWEPT = (
    "at_unlock",
    "coherent",
    "next_read",
    "next_write",
    "norets",
    "own",
    "own_at_unlock",
    "reads",
    "seen",
    "view",
    "writes",
)
MODES_READ = ("once", "acquire", "once", "mb")
MODES_WRITE = ("once", "once", "release", "mb")


class _LockLoc(Loc):
    """A lock as a location: 1 while it is held. Nothing else has its value."""

    __slots__ = ()

    def __init__(self, lock: Any, now: int) -> None:
        super().__init__(lock, "lock", now)

    def load(self) -> Any:
        return 0 if not hasattr(self, "writes") or not self.writes else self.writes[-1].value

    def store(self) -> None:
        """The lock's own members say who holds it."""


def _fresh(bundle: Any) -> Any:
    """What a bundle or a view still says: that the oldest store can be seen is no news."""
    if not bundle:
        return bundle
    return {key: w for key, w in bundle.items() if w.rank > w.loc.writes[0].rank}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Later) or isinstance(b, Later):
        return False
    return type(a) is type(b) and bool(a == b)
