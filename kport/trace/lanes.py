# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A ring's jobs as a lane of cells, at any zoom.

Bars of a lane never overlap, so they are two sorted lists, and what a window shows is found by
bisection. Few bars are given out as they are, with edges in eighths of a cell. Many are summed up
per cell from a pyramid: the lowest level has about two buckets for each bar, with running sums of
busy time and bars, so that a cell is two differences. Which client had most of a bucket is no sum:
level L has buckets of 2^L ns for that, made from the level below, and a cell looks at one to three
of them. A burst that is denser than the lowest buckets is summed bar by bar, which bisection and
sums of lengths make cheap.

Two conventions say what a bar is where jobs overlap on the hardware. "run": the job that has been
there longest of those that still are, until it ends. "head": as Perfetto and gpuvis draw it, jobs
leave in the order in which they came, whichever ended. They differ only for jobs that end out of
order. The bars of one slot of the ring are each job from its run to its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from typing import Literal, NamedTuple

from kport.trace.history import NEVER, SHIFT, JobRecord, RingRecord
from kport.trace.snapshot import Segment

Convention = Literal["run", "head"]
_MANY = 100  # bars; fewer are drawn one by one in most windows
_QUANTA = 8  # shades of a cell


class Bars(NamedTuple):
    """Bars that do not overlap, in order: positions, jobs, and sums of lengths in ns."""

    begins: Sequence[int]
    ends: Sequence[int]
    jobs: Sequence[JobRecord]
    busy: Sequence[int]  # one longer: busy[i] is the time of the bars before i


class Pyramid:
    """Sums over bars in buckets of powers of two ns. `update()` takes in what is new.

    The lowest buckets have 2^`shift` ns. `busy` and `count` are running sums over them: busy[i] is
    the busy time before bucket i. What is not a sum, the client with most of a bucket and how much
    that is, has lists for buckets of each size.
    """

    LEVELS = 24

    def __init__(self) -> None:
        self.shift = -1
        self.busy: list[int] = [0]
        self.count: list[int] = [0]
        self.clients: list[list[int]] = []
        self.weights: list[list[int]] = []
        self._plain: tuple[list[int], list[int]] = [], []  # busy and count of each bucket
        self._done = 0
        self._mix: dict[int, int] = {}  # busy time by client in the last bucket
        self._mix_at = -1

    def update(self, bars: Bars) -> None:
        """Take in the bars that were added since."""
        total = len(bars.ends)
        if total == self._done:
            return
        span = (bars.ends[total - 1] >> SHIFT) + 1
        if self.shift < 0 or span >> self.shift > max(4096, 8 * total):
            self.__init__()  # type: ignore[misc]
            self.shift = max(0, (span // max(2048, 2 * total)).bit_length())
            self.clients = [[] for _ in range(self.LEVELS)]
            self.weights = [[] for _ in range(self.LEVELS)]
        dirty = min((bars.begins[self._done] >> SHIFT) >> self.shift, len(self._plain[0]))
        self._grow((bars.ends[total - 1] >> SHIFT >> self.shift) + 1)
        self._add(bars, total)
        for plain, sums in zip(self._plain, (self.busy, self.count), strict=True):
            sums[dirty:] = accumulate(plain[dirty:], initial=sums[dirty])
        for level in range(1, self.LEVELS):
            dirty >>= 1
            self._sum(level, dirty)
        self._done = total

    def _grow(self, size: int) -> None:
        """Room for so many of the lowest buckets."""
        for column in (*self._plain, self.clients[0], self.weights[0]):
            column.extend([0] * (size - len(column)))

    def _add(self, bars: Bars, total: int) -> None:
        shift, done = self.shift, self._done
        busy, count = self._plain
        client, weight = self.clients[0], self.weights[0]
        mix, mix_at = self._mix, self._mix_at
        new = slice(done, total)
        for begin, end, job in zip(bars.begins[new], bars.ends[new], bars.jobs[new], strict=False):
            begin >>= SHIFT
            end >>= SHIFT
            who = job.client
            bucket, last = begin >> shift, end >> shift
            count[bucket] += 1
            while True:
                part = (end if bucket == last else (bucket + 1) << shift) - begin
                busy[bucket] += part
                if bucket != mix_at:
                    mix, mix_at = {}, bucket
                most = mix[who] = mix.get(who, 0) + part
                if most >= weight[bucket]:
                    client[bucket], weight[bucket] = who, most
                if bucket >= last:
                    break
                bucket += 1
                begin = bucket << shift
        self._mix, self._mix_at = mix, mix_at

    def _sum(self, level: int, dirty: int) -> None:
        """Make the clients of a level anew from bucket `dirty` on."""
        clients = self.clients[level - 1][2 * dirty :]
        weights = self.weights[level - 1][2 * dirty :]
        if len(clients) & 1:
            clients.append(clients[-1])
            weights.append(0)
        most = [
            (a, x + y) if a == b else (a, x) if x >= y else (b, y)
            for a, b, x, y in zip(
                clients[::2], clients[1::2], weights[::2], weights[1::2], strict=True
            )
        ]
        self.clients[level][dirty:] = [client for client, _ in most]
        self.weights[level][dirty:] = [weight for _, weight in most]

    def level(self, cell: int) -> int | None:
        """The level for cells of `cell` ns; None if they are finer than the lowest."""
        wanted = cell.bit_length() - 2 - self.shift
        return None if self.shift < 0 or wanted < 0 else min(wanted, self.LEVELS - 1)


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

    def prepare(self) -> None:
        """Make what the first look at a long lane would take its time for."""
        rows = len(self._ring.rows)
        for slot in (None, *range(rows if rows > 1 else 0)):
            bars, _ = self.bars("run", slot)
            if len(bars.ends) >= _MANY:
                self.pyramid(bars, "run", slot)

    def pyramid(self, bars: Bars, convention: Convention, slot: int | None) -> Pyramid:
        """The sums over these bars."""
        pyramid = self._pyramids.setdefault((convention, slot), Pyramid())
        pyramid.update(bars)
        return pyramid

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
        if behind - first <= columns * 3 // 2:
            draw.bars(bars.begins[first:behind], bars.ends[first:behind], bars.jobs[first:behind])
        else:
            self._cells(draw, bars, first, behind, clock, convention, slot)
        if last is not None and last[0] < end_position and last[0] <= now:
            draw.bars([last[0]], [clock << SHIFT], [last[1]])
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
        pyramid = self.pyramid(bars, convention, slot)
        level = pyramid.level((draw.end - draw.begin) // draw.columns)
        edges = _edges(draw.begin, draw.end, draw.columns)
        stop = min(draw.end, clock)
        x = 0
        if level is not None:
            x = draw.cells(pyramid, level, edges, stop)
        for a, b in pairwise(edges[x:]):
            if a >= stop:
                break
            if b > 0:
                a, b = max(a, 0), min(b, stop)
                draw.cell(x, *_summed(bars, first, behind, a, b), b - a)
            x += 1


@lru_cache(maxsize=8)
def _edges(begin: int, end: int, columns: int) -> tuple[int, ...]:
    """Where the cells of a window begin, and its end: the same for all its lanes."""
    width = end - begin
    return tuple([begin + width * x // columns for x in range(columns + 1)])


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

    def bars(
        self, begins: Sequence[int], ends: Sequence[int], jobs: Sequence[JobRecord]
    ) -> None:
        """Bars of a job each, at least an eighth wide; several in the same eighth are summed up.

        Begins and ends are positions. Of a bar that began before the window the rest is shown, if
        it is an eighth.
        """
        segments, now, left = self.segments, self._now, self.begin
        limit = 8 * self.columns
        width = self.end - left
        edge = segments[-1].end if segments else 0
        for begin, end, job in zip(begins, ends, jobs, strict=True):
            x0 = ((begin >> SHIFT) - left) * limit // width
            x1 = ((end >> SHIFT) - left) * limit // width
            if x0 < 0:
                x0 = 0
            elif x1 <= x0:
                x1 = x0 + 1
            if x1 > limit:
                x1 = limit
            if edge > x0:
                if x1 <= edge:
                    if x1 > x0:
                        self._one_more(job)
                    continue
                x0 = edge
            if x0 < x1:
                error = job.over <= now < job.done
                segments.append(Segment(x0, x1, job.client, job.key, 1, 1.0, error))
                edge = x1

    def _one_more(self, job: JobRecord) -> None:
        """A bar in the eighths of the one before."""
        before = self.segments[-1]
        self.segments[-1] = Segment(
            before.start, before.end, before.client, None, before.count + 1,
            before.busy, before.error or job.over <= self._now < job.done,
        )  # fmt: skip

    def cells(self, pyramid: Pyramid, level: int, edges: tuple[int, ...], stop: int) -> int:
        """The columns that end before `stop` ns, from sums; returns the first that is left."""
        shift, busy, count = pyramid.shift, pyramid.busy, pyramid.count
        level = min(level + 1, pyramid.LEVELS - 1)  # of which a cell has one to three buckets
        clients, weights = pyramid.clients[level], pyramid.weights[level]
        top = len(busy) - 1
        last = bisect_left(edges, stop)  # columns before this one end before `stop`, or there
        start = max(0, bisect_right(edges, 0) - 1)  # what lies before the trace is left out
        begin = end = runs = 0  # segment in the making: its columns, jobs, client and shade
        who = tone = -1
        i = max(0, edges[start]) >> shift
        for x in range(start, last - 1):
            if i >= top:
                break
            j = edges[x + 1] >> shift
            if j <= i:
                continue
            upto = j if j < top else top
            share, jobs = busy[upto] - busy[i], count[upto] - count[i]
            if share or jobs:
                k, m = i >> level, (upto - 1) >> level
                if m > k and (m > k + 1 or weights[m] > weights[k]):
                    k += 1  # the middle one is all in the cell
                client = clients[k]
                length = (j - i) << shift
                shade = (share * 2 * _QUANTA + length) // (2 * length)
                if client == who and shade == tone and x == end:
                    runs += jobs
                else:
                    if runs:
                        self._sums(begin, end, who, runs, tone)
                    begin, who, tone, runs = x, client, shade, jobs or 1
                end = x + 1
            i = j
        if runs:
            self._sums(begin, end, who, runs, tone)
        return max(start, last - 1)

    def _sums(self, begin: int, end: int, client: int, count: int, shade: int) -> None:
        self.segments.append(
            Segment(8 * begin, 8 * end, client, None, count, max(1, shade) / _QUANTA)
        )

    def cell(self, x: int, busy: int, count: int, client: int, length: int) -> None:
        """One column: so much of `length` ns is busy."""
        if not busy and not count:
            return
        shade = max(1, min(_QUANTA, (busy * 2 * _QUANTA + length) // (2 * length))) / _QUANTA
        if self.segments:
            start, end, other, job, before, busy_before, _ = self.segments[-1]
            if other == client and busy_before == shade and end == 8 * x and job is None:
                self.segments[-1] = Segment(start, 8 * x + 8, client, None, before + count, shade)
                return
        # A bar counts where it begins; a cell inside of one shows one.
        self.segments.append(Segment(8 * x, 8 * x + 8, client, None, max(1, count), shade))
