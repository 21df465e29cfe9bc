# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A ring's jobs as a lane of cells, at any zoom.

Bars of a lane never overlap, so they are two sorted lists, and what a window shows is found by
bisection. Few bars are given out as they are, with edges in eighths of a cell. Many are summed up
per cell from a pyramid: level L has buckets of 2^L ns with the busy time, the number of bars and
the client that had most of the bucket, made from the level below; a cell looks at two to four of
them. The lowest level has about two buckets for each bar; a burst that is denser than that
everywhere around it is summed bar by bar, which bisection and sums of lengths make cheap.

Two conventions say what a bar is where jobs overlap on the hardware. "run": the job that has been
there longest of those that still are, until it ends. "head": as Perfetto and gpuvis draw it, jobs
leave in the order in which they came, whichever ended. They differ only for jobs that end out of
order. The bars of one slot of the ring are each job from its run to its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from kport.trace.history import NEVER, SHIFT, JobRecord, RingRecord
from kport.trace.snapshot import Segment

Convention = Literal["run", "head"]
_QUANTA = 8  # shades of a cell


class Bars(NamedTuple):
    """Bars that do not overlap, in order: positions, jobs, and sums of lengths in ns."""

    begins: Sequence[int]
    ends: Sequence[int]
    jobs: Sequence[JobRecord]
    busy: Sequence[int]  # one longer: busy[i] is the time of the bars before i


class _Level:
    """Buckets of one size."""

    def __init__(self, shift: int) -> None:
        self.shift = shift
        self.busy: list[int] = []
        self.count: list[int] = []
        self.client: list[int] = []
        self.weight: list[int] = []  # busy time of that client

    def grow(self, size: int) -> None:
        more = size - len(self.busy)
        if more > 0:
            for column in (self.busy, self.count, self.client, self.weight):
                column.extend([0] * more)


class Pyramid:
    """Sums over bars in buckets of powers of two. `update()` takes in what is new."""

    LEVELS = 24

    def __init__(self) -> None:
        self.levels: list[_Level] = []
        self._done = 0
        self._mix: dict[int, int] = {}  # busy time by client in the last bucket
        self._mix_at = -1

    def update(self, bars: Bars) -> None:
        """Take in the bars that were added since."""
        total = len(bars.ends)
        if total == self._done:
            return
        span = (bars.ends[total - 1] >> SHIFT) + 1
        if not self.levels or span >> self.levels[0].shift > max(4096, 8 * total):
            shift = max(0, (span // max(2048, 2 * total)).bit_length())
            self.levels = [_Level(shift + i) for i in range(self.LEVELS)]
            self._done = 0
            self._mix, self._mix_at = {}, -1
        dirty = (bars.begins[self._done] >> SHIFT) >> self.levels[0].shift
        self._add(bars, total)
        for below, level in zip(self.levels, self.levels[1:], strict=False):
            dirty >>= 1
            self._sum(below, level, dirty)
        self._done = total

    def _add(self, bars: Bars, total: int) -> None:
        base = self.levels[0]
        shift = base.shift
        base.grow((bars.ends[total - 1] >> SHIFT >> shift) + 1)
        busy, count, client, weight = base.busy, base.count, base.client, base.weight
        mix, mix_at = self._mix, self._mix_at
        for i in range(self._done, total):
            begin, end = bars.begins[i] >> SHIFT, bars.ends[i] >> SHIFT
            who = bars.jobs[i].client
            count[begin >> shift] += 1
            for bucket in range(begin >> shift, (end >> shift) + 1):
                start = bucket << shift
                part = min(end, start + (1 << shift)) - max(begin, start)
                busy[bucket] += part
                if bucket != mix_at:
                    mix, mix_at = {}, bucket
                mix[who] = mix.get(who, 0) + part
                if mix[who] >= weight[bucket]:
                    client[bucket], weight[bucket] = who, mix[who]
        self._mix, self._mix_at = mix, mix_at

    @staticmethod
    def _sum(below: _Level, level: _Level, dirty: int) -> None:
        size = (len(below.busy) + 1) // 2
        level.grow(size)
        for i in range(dirty, size):
            a, b = 2 * i, 2 * i + 1
            if b == len(below.busy):
                b = a
                level.busy[i], level.count[i] = below.busy[a], below.count[a]
            else:
                level.busy[i] = below.busy[a] + below.busy[b]
                level.count[i] = below.count[a] + below.count[b]
            if a != b and below.client[a] == below.client[b]:
                level.client[i] = below.client[a]
                level.weight[i] = below.weight[a] + below.weight[b]
            else:
                best = a if below.weight[a] >= below.weight[b] else b
                level.client[i], level.weight[i] = below.client[best], below.weight[best]

    def level(self, cell: int) -> _Level | None:
        """The level for cells of `cell` ns; None if they are finer than the lowest."""
        wanted = cell.bit_length() - 2
        if not self.levels or wanted < self.levels[0].shift:
            return None
        return self.levels[min(wanted - self.levels[0].shift, len(self.levels) - 1)]


class Lane:
    """The lanes of one ring. It reads the ring's record and keeps only what it derives."""

    def __init__(self, ring: RingRecord) -> None:
        self._ring = ring
        self._pyramids: dict[tuple[Convention, int | None], Pyramid] = {}
        self._head_begins: list[int] = []
        self._head_busy: list[int] = [0]
        self._row_ends: dict[int, tuple[list[int], list[int]]] = {}

    # -- bars ------------------------------------------------------------------------------------

    def bars(
        self, convention: Convention, slot: int | None
    ) -> tuple[Bars, tuple[int, JobRecord] | None]:
        """The bars that have ended, and the one that has not: its begin and its job."""
        ring = self._ring
        if slot is not None:
            return self._row(slot)
        if convention == "head":
            return self._heads()
        bars = Bars(ring.bar_from, ring.bar_to, ring.bar_job, ring.busy)
        return bars, None if ring.front is None else (ring.front_from, ring.front)

    def _heads(self) -> tuple[Bars, tuple[int, JobRecord] | None]:
        ring, begins, busy = self._ring, self._head_begins, self._head_busy
        ends = ring.ran_ends
        for i in range(len(begins), len(ends)):
            begins.append(max(ring.runs[i], ends[i - 1]) if i else ring.runs[i])
            busy.append(busy[-1] + max(0, (ends[i] >> SHIFT) - (begins[i] >> SHIFT)))
        count = len(begins)
        bars = Bars(begins, ends, ring.ran, busy)
        if count == len(ring.ran):
            return bars, None
        begin = max(ring.runs[count], ends[-1]) if count else ring.runs[count]
        return bars, (begin, ring.ran[count])

    def _row(self, slot: int) -> tuple[Bars, tuple[int, JobRecord] | None]:
        ring = self._ring
        if slot >= len(ring.rows):
            return Bars([], [], [], [0]), None
        jobs, runs = ring.rows[slot], ring.row_runs[slot]
        ends, busy = self._row_ends.setdefault(slot, ([], [0]))
        for job in islice(jobs, len(ends), None):
            if job.over == NEVER:
                break
            ends.append(job.over)
            busy.append(busy[-1] + (job.over >> SHIFT) - (job.run >> SHIFT))
        count = len(ends)
        last = (runs[count], jobs[count]) if count < len(jobs) else None
        return Bars(runs, ends, jobs, busy), last

    # -- cells -----------------------------------------------------------------------------------

    def draw(
        self,
        begin: int,
        end: int,
        columns: int,
        now: int,
        convention: Convention = "run",
        slot: int | None = None,
    ) -> list[Segment]:
        """The segments of a window; times in ns since the first event, `now` a position.

        What lies behind `now` is not there: a bar that ends later ends there.
        """
        if end <= begin or columns < 1:
            return []
        bars, last = self.bars(convention, slot)
        clock = now >> SHIFT
        end_position = min(end << SHIFT, now + 1)
        first = bisect_right(bars.ends, begin << SHIFT)
        behind = bisect_left(bars.begins, end_position, first, len(bars.ends))
        if behind > first and bars.ends[behind - 1] > now:
            behind -= 1
            last = bars.begins[behind], bars.jobs[behind]
        draw = _Drawing(begin, end, columns, now)
        if behind - first <= 2 * columns:
            for i in range(first, behind):
                job = bars.jobs[i]
                draw.bar(bars.begins[i] >> SHIFT, bars.ends[i] >> SHIFT, job)
        else:
            self._cells(draw, bars, first, behind, clock, convention, slot)
        if last is not None and last[0] < end_position and last[0] <= now:
            draw.bar(last[0] >> SHIFT, clock, last[1])
        return draw.segments

    def _cells(
        self,
        draw: _Drawing,
        bars: Bars,
        first: int,
        behind: int,
        clock: int,
        convention: Convention,
        slot: int | None,
    ) -> None:
        pyramid = self._pyramids.setdefault((convention, slot), Pyramid())
        pyramid.update(bars)
        width = draw.end - draw.begin
        level = pyramid.level(width // draw.columns)
        stop = min(draw.end, clock)
        for x in range(draw.columns):
            a = draw.begin + width * x // draw.columns
            b = min(draw.begin + width * (x + 1) // draw.columns, stop)
            if b <= 0:
                continue  # before the trace
            if a >= b:
                break
            a = max(0, a)
            if level is None or b == stop:
                draw.cell(x, *_summed(bars, first, behind, a, b), b - a)
            else:
                i, j = a >> level.shift, max(b >> level.shift, (a >> level.shift) + 1)
                weights = level.weight[i:j]
                if weights:
                    best = i + weights.index(max(weights))
                    busy, count = sum(level.busy[i:j]), sum(level.count[i:j])
                    draw.cell(x, busy, count, level.client[best], (j - i) << level.shift)


def _summed(bars: Bars, first: int, behind: int, a: int, b: int) -> tuple[int, int, int]:
    """Busy time, number of bars and a client of the bars first..behind from a to b."""
    low = bisect_right(bars.ends, a << SHIFT, first, behind)
    high = bisect_left(bars.begins, b << SHIFT, low, behind)
    if low >= high:
        return 0, 0, 0
    busy = bars.busy[high] - bars.busy[low]
    busy -= max(0, a - (bars.begins[low] >> SHIFT))
    busy -= max(0, (bars.ends[high - 1] >> SHIFT) - b)
    middle = bars.jobs[(low + high) // 2]
    return max(0, busy), high - low, middle.client


class _Drawing:
    """Segments in the making: neighbours that look the same are one."""

    def __init__(self, begin: int, end: int, columns: int, now: int) -> None:
        self._now = now
        self.begin = begin
        self.end = end
        self.columns = columns
        self.segments: list[Segment] = []
        width = end - begin
        self._eighths: Callable[[int], int] = lambda ns: (ns - begin) * 8 * columns // width

    def bar(self, begin: int, end: int, job: JobRecord) -> None:
        """One job's bar, at least an eighth wide; behind one in the same eighth it is summed up.

        Of a bar that began before the window the rest is shown, if it is an eighth.
        """
        limit = 8 * self.columns
        x0, x1 = max(0, self._eighths(begin)), self._eighths(end)
        if x1 <= x0:
            if begin < self.begin:
                return
            x1 = x0 + 1
        x1 = min(limit, x1)
        error = job.over <= self._now < job.done
        if self.segments and self.segments[-1].end > x0:
            before = self.segments[-1]
            x0 = before.end
            if x1 <= x0:
                self.segments[-1] = Segment(
                    before.start, before.end, before.client, None, before.count + 1,
                    before.busy, before.error or error,
                )  # fmt: skip
                return
        if x0 < x1:
            self.segments.append(Segment(x0, x1, job.client, job.key, error=error))

    def cell(self, x: int, busy: int, count: int, client: int, length: int) -> None:
        """One column: so much of `length` ns is busy."""
        if not busy and not count:
            return
        shade = max(1, min(_QUANTA, round(busy * _QUANTA / length))) / _QUANTA
        if self.segments:
            before = self.segments[-1]
            if (
                before.end == 8 * x
                and before.client == client
                and before.busy == shade
                and before.job is None
            ):
                self.segments[-1] = Segment(
                    before.start, 8 * x + 8, client, None, before.count + count, shade
                )
                return
        # A bar counts where it begins; a cell inside of one shows one.
        self.segments.append(Segment(8 * x, 8 * x + 8, client, None, max(1, count), shade))
