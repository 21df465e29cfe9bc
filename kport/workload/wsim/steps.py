# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a workload consists of: its steps, as plain data.

Times are microseconds, as in the files. An `Offset` is a number of steps, negative, relative to the
step that holds it; it stays relative so that workloads can be put behind each other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Place(NamedTuple):
    """Where something stands: the name of the text, line and column counted from 1."""

    source: str
    line: int
    column: int
    inline: bool = False  # in text from a command line, which is one line

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"

    def brief(self) -> str:
        """What tells it apart from others in the same text."""
        return f"column {self.column}" if self.inline else f"line {self.line}"


class Offset(NamedTuple):
    """`steps` back (negative), and where it is written."""

    steps: int
    place: Place


class Duration(NamedTuple):
    """GPU time of a batch; drawn anew from min..max at each submission."""

    min: int
    max: int


class DataDep(NamedTuple):
    """`-n`: reads what the batch wrote."""

    offset: Offset


class FenceDep(NamedTuple):
    """`f-n`: the finished fence of a batch, or a stand-alone fence."""

    offset: Offset


class SubmitDep(NamedTuple):
    """`s-n`: the scheduled fence of a batch."""

    offset: Offset


class SetDep(NamedTuple):
    """`rW-i-j`, `wW-i-j`: reads or writes objects first..last of a working set."""

    set_id: int
    first: int
    last: int
    write: bool
    place: Place


Dep = DataDep | FenceDep | SubmitDep | SetDep


@dataclass(frozen=True, slots=True)
class Step:
    """One step, and where it stands."""

    place: Place


@dataclass(frozen=True, slots=True)
class Batch(Step):
    """GPU work; `duration` is None for an endless one. `wait`: for it, right away."""

    context: int
    engine: str
    engine_place: Place
    duration: Duration | None
    deps: tuple[Dep, ...]
    wait: bool


@dataclass(frozen=True, slots=True)
class Delay(Step):
    """`d`: sleep."""

    us: int


@dataclass(frozen=True, slots=True)
class Period(Step):
    """`p`: sleep until `us` after the iteration began."""

    us: int


@dataclass(frozen=True, slots=True)
class Sync(Step):
    """`s`: wait for a batch."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class Throttle(Step):
    """`t`: from here on wait before each batch for the one `count` steps before it; 0 ends it."""

    count: int


@dataclass(frozen=True, slots=True)
class QueueThrottle(Step):
    """`q`: from here on keep at most `count` batches queued on an engine; 0 ends it."""

    count: int


@dataclass(frozen=True, slots=True)
class NewFence(Step):
    """`f`: make a stand-alone fence."""


@dataclass(frozen=True, slots=True)
class SignalFence(Step):
    """`a`: signal a stand-alone fence."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class Priority(Step):
    """`P`: priority of a context; negative is low, 0 normal, positive high."""

    context: int
    priority: int


@dataclass(frozen=True, slots=True)
class EngineMap(Step):
    """`M`: the rings a context may use."""

    context: int
    rings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Balance(Step):
    """`B`: balance a context over its map."""

    context: int


@dataclass(frozen=True, slots=True)
class Bond(Step):
    """`b`: where the master's batch went to `master`, the context's goes to one of `rings`."""

    context: int
    rings: tuple[str, ...]
    master: str


@dataclass(frozen=True, slots=True)
class Terminate(Step):
    """`T`: end an endless batch."""

    offset: Offset


@dataclass(frozen=True, slots=True)
class WorkingSet(Step):
    """`w`, `W`: buffers of random sizes within (min, max) bytes; shared by all clients or not."""

    set_id: int
    sizes: tuple[tuple[int, int], ...]
    shared: bool


@dataclass(frozen=True, slots=True)
class Ignored(Step):
    """`X`, `S`, `V`, `v`: says nothing to a scheduler without firmware."""

    letter: str


@dataclass(slots=True)
class Workload:
    """A workload: what its clients are called, its steps, and what is to be said about it."""

    name: str
    source: str
    steps: list[Step]
    notes: list[str] = field(default_factory=list)

    def ignored(self) -> Counter[str]:
        """How many steps of each letter are accepted without an effect."""
        return Counter(step.letter for step in self.steps if isinstance(step, Ignored))
