# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""From text to steps. One pass, no recovery: the first thing that is wrong is reported.

A step ends at a newline or a comma and is split at dots; `#` starts a comment, which ends at the
newline and, in text from a command line, at the comma. Blank steps are none: they do not count for
offsets. Parts of the text travel as `Part`, which knows where it stands, so that every error names
line and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kport.workload.errors import InputError
from kport.workload.wsim.engines import NAMES, engine_rings
from kport.workload.wsim.steps import (
    Balance,
    Batch,
    Bond,
    DataDep,
    Delay,
    Dep,
    Duration,
    EngineMap,
    FenceDep,
    Ignored,
    NewFence,
    Offset,
    Period,
    Place,
    Priority,
    QueueThrottle,
    SetDep,
    SignalFence,
    Step,
    SubmitDep,
    Sync,
    Terminate,
    Throttle,
    WorkingSet,
)

MAX_NUMBER = 10**12
MAX_PRIORITY = 1023
MAX_BUFFERS = 65536
FORM = "a batch is context.engine.duration.dependencies.wait"
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Part(NamedTuple):
    """A piece of the text, and where it begins."""

    text: str
    place: Place

    def split(self, separator: str) -> list[Part]:
        """The pieces between separators, empty ones too."""
        parts, column = [], self.place.column
        for text in self.text.split(separator):
            parts.append(Part(text, self.place._replace(column=column)))
            column += len(text) + 1
        return parts

    def strip(self) -> Part:
        """Without the white space around it."""
        skipped = len(self.text) - len(self.text.lstrip())
        return Part(self.text.strip(), self.place._replace(column=self.place.column + skipped))

    def error(self, what: str, remedy: str = "") -> InputError:
        """An error at this part."""
        return InputError(str(self.place), what, remedy)

    def shown(self) -> str:
        """The text for a message, cut when it is long."""
        text = self.text if len(self.text) <= 40 else self.text[:37] + "..."
        return repr(text)


def parse_steps(text: str, source: str, inline: bool) -> list[Step]:
    """The steps of a text. `inline`: it comes from a command line. Raises InputError."""
    return [_step(part) for part in _parts(text, source, inline)]


def _parts(text: str, source: str, inline: bool) -> Iterator[Part]:
    """The text of each step."""
    for number, line in enumerate(text.split("\n"), 1):
        whole = Part(line, Place(source, number, 1, inline))
        if not inline:
            whole = Part(line.partition("#")[0], whole.place)
        for piece in whole.split(","):
            part = Part(piece.text.partition("#")[0], piece.place).strip()
            if part.text:
                yield part


def _step(part: Part) -> Step:
    """One step."""
    fields = part.split(".")
    head = fields[0].text
    if head.isascii() and head.isdigit():
        return _batch(part.place, fields)
    if head not in _LETTERS:
        raise part.error(
            f"unknown step {part.shown()}", f"{FORM}, other steps are {' '.join(_LETTERS)}"
        )
    form, make = _LETTERS[head]
    names = form.split(".")[1:]
    if len(fields) != len(names) + 1 or not all(field.text for field in fields):
        raise part.error(f"{part.shown()} is no {head} step", f"its form is {form}")
    return make(part.place, fields[1:])


# -- numbers -------------------------------------------------------------------------------------


def _number(part: Part, what: str, low: int, high: int = MAX_NUMBER) -> int:
    """A whole number within low..high."""
    if not re.fullmatch(r"-?[0-9]{1,15}", part.text):
        raise part.error(f"{part.shown()} is no {what}", f"it is a number from {low} to {high}")
    value = int(part.text)
    if not low <= value <= high:
        raise part.error(f"{value} is no {what}", f"it is a number from {low} to {high}")
    return value


def _context(part: Part) -> int:
    return _number(part, "context", 1)


def _offset(part: Part) -> Offset:
    if not re.fullmatch(r"-[0-9]{1,9}", part.text) or int(part.text) == 0:
        raise part.error(f"{part.shown()} is no offset", "write -1 for the step before, and so on")
    return Offset(int(part.text), part.place)


# -- batches -------------------------------------------------------------------------------------


def _batch(place: Place, fields: list[Part]) -> Batch:
    if len(fields) != 5:
        raise InputError(str(place), f"a batch has 5 fields, this one has {len(fields)}", FORM)
    context, engine, duration, deps, wait = fields
    if engine_rings(engine.text) is None:
        raise engine.error(f"unknown engine {engine.shown()}", f"engines are {NAMES}")
    if wait.text not in ("0", "1"):
        raise wait.error(f"{wait.shown()} is no wait field", "write 1 to wait for it, else 0")
    return Batch(
        place,
        _context(context),
        engine.text.upper(),
        engine.place,
        _duration(duration),
        _deps(deps),
        wait.text == "1",
    )


def _duration(part: Part) -> Duration | None:
    """A time, a range of times, or None for `*`."""
    if part.text == "*":
        return None
    low, *rest = part.split("-")
    if len(rest) > 1 or not low.text or (rest and not rest[0].text):
        raise part.error(f"{part.shown()} is no duration", "write us, min-max or *")
    least = _number(low, "duration in us", 1)
    most = _number(rest[0], "duration in us", 1) if rest else least
    if most < least:
        raise part.error(f"the range {part.text} is empty", "write the shorter time first")
    return Duration(least, most)


def _deps(part: Part) -> tuple[Dep, ...]:
    if part.text == "0":
        return ()
    return tuple(_dep(dep) for dep in part.split("/"))


def _dep(part: Part) -> Dep:
    """One dependency."""
    letter = part.text[:1]
    if letter in ("r", "w"):
        return _set_dep(part)
    if letter in ("f", "s"):
        offset = _offset(Part(part.text[1:], part.place))
        return FenceDep(offset) if letter == "f" else SubmitDep(offset)
    if letter != "-":
        raise part.error(
            f"{part.shown()} is no dependency",
            "write 0, or -n, f-n, s-n, rW-i, rW-i-j, wW-i, wW-i-j with / between them",
        )
    return DataDep(_offset(part))


def _set_dep(part: Part) -> SetDep:
    match = re.fullmatch(r"([rw])([0-9]{1,9})-([0-9]{1,9})(?:-([0-9]{1,9}))?", part.text)
    if match is None:
        raise part.error(
            f"{part.shown()} is no use of a working set",
            "write r or w, the set, and an object or a range of objects: r1-0, w2-0-3",
        )
    first = int(match[3])
    last = int(match[4] or first)
    if last < first:
        raise part.error(f"the range of {part.text} is empty", "write the first object first")
    return SetDep(int(match[2]), first, last, match[1] == "w", part.place)


# -- working sets --------------------------------------------------------------------------------


def _working_set(place: Place, fields: list[Part], shared: bool) -> WorkingSet:
    set_id = _number(fields[0], "working set", 0)
    sizes: list[tuple[int, int]] = []
    for part in fields[1].split("/"):
        count, size = _buffers(part)
        if len(sizes) + count > MAX_BUFFERS:
            raise part.error(f"working set {set_id} has more than {MAX_BUFFERS} objects")
        sizes += [size] * count
    return WorkingSet(place, set_id, tuple(sizes), shared)


def _buffers(part: Part) -> tuple[int, tuple[int, int]]:
    """How many buffers, and the range of their sizes in bytes."""
    match = re.fullmatch(
        r"(?:([0-9]{1,9})n)?([0-9]{1,15})([kmg]?)(?:-([0-9]{1,15})([kmg]?))?",
        part.text,
        re.IGNORECASE,
    )
    if match is None:
        raise part.error(
            f"{part.shown()} is no buffer size", "write bytes, 4k, 2m, 1g, 10n4k or 4k-1m"
        )
    count = int(match[1] or 1)
    low = int(match[2]) * _UNITS[match[3].lower()]
    high = int(match[4]) * _UNITS[match[5].lower()] if match[4] else low
    if count == 0 or low == 0 or high < low:
        raise part.error(f"{part.shown()} is no buffer size", "count and size are at least 1")
    return count, (low, high)


# -- other steps ---------------------------------------------------------------------------------


def _rings(part: Part) -> tuple[str, ...]:
    """The rings of a list of engines, each once."""
    rings: dict[str, None] = {}
    for engine in part.split("|"):
        found = engine_rings(engine.text)
        if not found:
            raise engine.error(f"unknown engine {engine.shown()}", f"engines are {NAMES}")
        rings.update(dict.fromkeys(found))
    return tuple(rings)


def _master(part: Part) -> str:
    rings = _rings(part)
    if len(rings) != 1:
        raise part.error(f"{part.shown()} is more than one engine", "a bond has one master")
    return rings[0]


def _priority(place: Place, fields: list[Part]) -> Step:
    priority = _number(fields[1], "priority", -MAX_PRIORITY, MAX_PRIORITY)
    return Priority(place, _context(fields[0]), priority)


def _bond(place: Place, fields: list[Part]) -> Step:
    return Bond(place, _context(fields[0]), _rings(fields[1]), _master(fields[2]))


def _ignored(letter: str, what: str, low: int) -> Callable[[Place, list[Part]], Step]:
    """A step without effect, whose numbers are checked nevertheless."""

    def make(place: Place, fields: list[Part]) -> Step:
        for position, field in enumerate(fields):
            _number(field, what if position else "number", low if position else 1)
        return Ignored(place, letter)

    return make


_LETTERS: dict[str, tuple[str, Callable[[Place, list[Part]], Step]]] = {
    "d": ("d.us", lambda p, f: Delay(p, _number(f[0], "delay in us", 1))),
    "p": ("p.us", lambda p, f: Period(p, _number(f[0], "period in us", 1))),
    "s": ("s.-n", lambda p, f: Sync(p, _offset(f[0]))),
    "t": ("t.n", lambda p, f: Throttle(p, _number(f[0], "number of batches", 0))),
    "q": ("q.n", lambda p, f: QueueThrottle(p, _number(f[0], "number of batches", 0))),
    "f": ("f", lambda p, f: NewFence(p)),
    "a": ("a.-n", lambda p, f: SignalFence(p, _offset(f[0]))),
    "P": ("P.context.priority", _priority),
    "M": ("M.context.engines", lambda p, f: EngineMap(p, _context(f[0]), _rings(f[1]))),
    "B": ("B.context", lambda p, f: Balance(p, _context(f[0]))),
    "b": ("b.context.engines.master", _bond),
    "T": ("T.-n", lambda p, f: Terminate(p, _offset(f[0]))),
    "w": ("w.set.sizes", lambda p, f: _working_set(p, f, False)),
    "W": ("W.set.sizes", lambda p, f: _working_set(p, f, True)),
    "X": ("X.context.us", _ignored("X", "time in us", 0)),
    "S": ("S.context.mask", _ignored("S", "mask", -1)),
    "V": ("V.vm", _ignored("V", "vm", 1)),
    "v": ("v.vm.context", _ignored("v", "context", 1)),
}
