# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The axioms of the Linux-kernel memory model, for one finished execution.

Written after tools/memory-model/linux-kernel.{bell,cat} and lock.cat of Linux 7.2.13, relation by
relation and under their names (SRCU and plain accesses left out). This is the judge: it knows
nothing of the machine that made the execution.

Events are numbered; a set of events is an integer with a bit for each, a relation a list of such
sets, one for each event.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Relation = list[int]


@dataclass
class Execution:
    """A candidate execution. Events of a thread stand in program order; thread -1 initialises.

    `kind` is R, W or F, `mode` what linux-kernel.def calls it in lower case (once, acquire,
    release, mb, noreturn, lock, unlock, islocked, for F mb, rmb, wmb, rcu-lock, ...), or failed for
    the load of a compare-and-exchange that does not store. `rf` has the store of each load, `co`
    the order of the stores for each location, `ctrl` None means: every load orders all stores
    behind it.
    """

    thread: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    mode: list[str] = field(default_factory=list)
    loc: list[int] = field(default_factory=list)
    rf: dict[int, int] = field(default_factory=dict)
    co: dict[int, list[int]] = field(default_factory=dict)
    rmw: list[tuple[int, int]] = field(default_factory=list)
    addr: list[tuple[int, int]] = field(default_factory=list)
    data: list[tuple[int, int]] = field(default_factory=list)
    ctrl: list[tuple[int, int]] | None = field(default_factory=list)

    def add(self, thread: int, kind: str, mode: str, loc: int = -1) -> int:
        """Append an event; returns its number."""
        self.thread.append(thread)
        self.kind.append(kind)
        self.mode.append(mode)
        self.loc.append(loc)
        return len(self.kind) - 1


def bits(mask: int) -> Iterable[int]:
    """The members of a set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def seq(a: Relation, *more: Relation) -> Relation:
    """a ; b ; ..."""
    for b in more:
        out = []
        for row in a:
            mask = 0
            while row:
                low = row & -row
                mask |= b[low.bit_length() - 1]
                row ^= low
            out.append(mask)
        a = out
    return a


def union(*relations: Relation) -> Relation:
    """a | b | ..."""
    out = list(relations[0])
    for relation in relations[1:]:
        for i, row in enumerate(relation):
            out[i] |= row
    return out


def both(a: Relation, b: Relation) -> Relation:
    """a & b"""
    return [x & y for x, y in zip(a, b, strict=True)]


def plus(a: Relation) -> Relation:
    """The transitive closure."""
    out = list(a)
    for k, _ in enumerate(out):
        row, bit = out[k], 1 << k
        for i, other in enumerate(out):
            if other & bit:
                out[i] = other | row
        row = out[k]
    return out


def acyclic(a: Relation) -> bool:
    """No event reaches itself."""
    return not any(row >> i & 1 for i, row in enumerate(plus(a)))


class Judge:
    """All relations of the model over one execution."""

    def __init__(self, x: Execution) -> None:
        self.x = x
        self.n = n = len(x.kind)
        self.all = (1 << n) - 1
        self.identity = [1 << i for i in range(n)]
        self.po = self._po()
        ids = dict.fromkeys(x.thread, 0)
        for i, t in enumerate(x.thread):
            ids[t] |= 1 << i
        same = [ids[t] if t >= 0 else 1 << i for i, t in enumerate(x.thread)]
        self.int = same
        self.ext = [self.all & ~row for row in same]
        where: dict[int, int] = {}
        for i, loc in enumerate(x.loc):
            if loc >= 0:
                where[loc] = where.get(loc, 0) | 1 << i
        self.same_loc = [where[loc] if loc >= 0 else 0 for loc in x.loc]

    def _po(self) -> Relation:
        po = [0] * self.n
        later: dict[int, int] = {}
        for i in range(self.n - 1, -1, -1):
            t = self.x.thread[i]
            if t >= 0:
                po[i] = later.get(t, 0)
                later[t] = po[i] | 1 << i
        return po

    # -- small builders ----------------------------------------------------------------------------

    def _set(self, kind: str, *modes: str) -> int:
        mask = 0
        for i, (k, m) in enumerate(zip(self.x.kind, self.x.mode, strict=True)):
            if k in kind and (not modes or m in modes):
                mask |= 1 << i
        return mask

    def _on(self, events: int) -> Relation:
        """[events]"""
        return [row & events for row in self.identity]

    def _from(self, pairs: Iterable[tuple[int, int]]) -> Relation:
        out = [0] * self.n
        for a, b in pairs:
            out[a] |= 1 << b
        return out

    def _maybe(self, a: Relation) -> Relation:
        return union(a, self.identity)

    def _star(self, a: Relation) -> Relation:
        return self._maybe(plus(a))

    def _inverse(self, a: Relation) -> Relation:
        out = [0] * self.n
        for i, row in enumerate(a):
            for j in bits(row):
                out[j] |= 1 << i
        return out

    def _fencerel(self, *kinds: str) -> Relation:
        return seq(self.po, self._on(self._set("F", *kinds)), self.po)

    # -- the model ---------------------------------------------------------------------------------

    def verdict(self) -> str | None:
        """The name of the first axiom that the execution breaks; None if it is allowed."""
        x, po = self.x, self.po
        reads, writes = self._set("R"), self._set("W")
        accesses = reads | writes
        on, maybe = self._on, self._maybe
        rf = self._from((w, r) for r, w in x.rf.items())
        co = [0] * self.n
        for order in x.co.values():
            later = 0
            for w in reversed(order):
                co[w] = later
                later |= 1 << w
        fr = [row & ~(1 << i) for i, row in enumerate(seq(self._inverse(rf), co))]
        com = union(rf, co, fr)
        if not acyclic(union(both(po, self.same_loc), com)):
            return "coherence"
        rmw = self._from(x.rmw)
        fre, coe, rfe = both(fr, self.ext), both(co, self.ext), both(rf, self.ext)
        if any(both(rmw, seq(fre, coe))):
            return "atomic"
        rfi = both(rf, self.int)
        atomic = self._set("R", "failed")
        for r, w in x.rmw:
            atomic |= 1 << r | 1 << w

        # Release, acquire and fences.
        acquire, release = self._set("R", "acquire", "lock"), self._set("W", "release", "unlock")
        acq_po = seq(on(acquire), po, on(accesses))
        po_rel = seq(on(accesses), po, on(release))
        ul, lkr, lkw = self._set("W", "unlock"), self._set("R", "lock"), self._set("W", "lock")
        unlock_lock = seq(po, on(ul), union(po, rf), on(lkr), po)
        r4rmb = reads & ~self._set("R", "noreturn")
        rmb = seq(on(r4rmb), self._fencerel("rmb"), on(r4rmb))
        wmb = seq(on(writes), self._fencerel("wmb"), on(writes))
        m = on(accesses)
        mb = union(
            seq(m, self._fencerel("mb"), m),
            seq(m, po, on(self._set("R", "mb"))),
            seq(on(self._set("W", "mb")), po, m),
            seq(m, self._fencerel("before-atomic"), on(atomic), maybe(po), m),
            seq(m, maybe(po), on(atomic), self._fencerel("after-atomic"), m),
            seq(m, maybe(po), on(lkw), self._fencerel("after-spinlock"), m),
            seq(m, unlock_lock, on(self._set("F", "after-unlock-lock")), po, m),
        )
        sync = self._set("F", "sync-rcu")
        gp = seq(po, on(sync), maybe(po))
        strong = union(mb, gp)
        fence = union(strong, po_rel, acq_po, wmb, rmb)

        # Preserved program order.
        addr, data = self._from(x.addr), self._from(x.data)
        if x.ctrl is None:
            ctrl = seq(on(reads), po)
        else:
            ctrl = self._from(x.ctrl)
        dep = union(addr, data)
        rwdep = seq(union(dep, ctrl), on(writes))
        overwrite = union(co, fr)
        ppo = union(
            seq(addr, on(reads)),
            seq(dep, rfi),
            rwdep,
            both(overwrite, self.int),
            both(fence, self.int),
            both(unlock_lock, self.int),
        )

        # Propagation, and what happens before what. Everything here is marked; F events are not
        # accesses but are Marked too.
        def cumulative(r: Relation) -> Relation:
            return seq(maybe(rfe), r)

        rmw_sequence = self._star(seq(rf, rmw))
        cumul_fence = seq(
            union(cumulative(union(strong, po_rel)), wmb, unlock_lock), rmw_sequence
        )
        prop = seq(
            maybe(both(overwrite, self.ext)), self._star(cumul_fence), maybe(rfe)
        )
        internal = [row & ~(1 << i) for i, row in enumerate(both(prop, self.int))]
        hb = union(ppo, rfe, internal)
        if not acyclic(hb):
            return "happens-before"
        hb_star = self._star(hb)
        pb = seq(prop, strong, hb_star)
        if not acyclic(pb):
            return "propagation"
        if sync and not self._rcu(prop, hb_star, self._star(pb)):
            return "rcu"
        return None

    def _rcu(self, prop: Relation, hb_star: Relation, pb_star: Relation) -> bool:
        po, gp = self.po, self._on(self._set("F", "sync-rcu"))
        rscsi = self._sections()
        link = seq(self._maybe(po), hb_star, pb_star, prop, po)
        order = union(gp, seq(gp, link, rscsi), seq(rscsi, link, gp))
        while True:
            more = union(
                order,
                seq(gp, link, order, link, rscsi),
                seq(rscsi, link, order, link, gp),
                seq(order, link, order),
            )
            if more == order:
                break
            order = more
        fence = seq(po, order, self._maybe(po))
        rb = seq(prop, fence, hb_star, pb_star)
        return not any(row >> i & 1 for i, row in enumerate(rb))

    def _sections(self) -> Relation:
        """From the end of each outermost read-side section to its beginning."""
        out = [0] * self.n
        open_: dict[int, list[int]] = {}
        for i, (t, m) in enumerate(zip(self.x.thread, self.x.mode, strict=True)):
            if m == "rcu-lock":
                open_.setdefault(t, []).append(i)
            elif m == "rcu-unlock":
                out[i] |= 1 << open_[t].pop()
        return out


def forbidden(x: Execution) -> str | None:
    """Why the model forbids an execution: the axiom that it breaks; None if it allows it."""
    return Judge(x).verdict()


def columns(x: Execution) -> Sequence[str]:
    """The events, one line each, for a reader."""
    return [
        f"{i}: P{t} {k}[{m}]" + (f" @{loc}" if loc >= 0 else "")
        for i, (t, k, m, loc) in enumerate(zip(x.thread, x.kind, x.mode, x.loc, strict=True))
    ]
