# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""From the text of a fault file to faults. The first thing that is wrong is reported."""

from __future__ import annotations

from collections.abc import Iterator

from kport.hw.faults import Cure, Fault, Kind
from kport.workload.wsim.engines import RINGS, engine_rings
from kport.workload.wsim.parse import Part
from kport.workload.wsim.steps import Place

MAX_NUMBER = 10**12
MAX_FAULTS = 10_000
FORM = "a fault is ring.at.kind, as in RCS.20.hang.*"
FORMS = {
    Kind.HANG: "ring.at.hang.us|*[.soft|ring|full|never]",
    Kind.FAULT: "ring.at.fault[.soft|ring|full|never]",
    Kind.SWAP: "ring.at.swap",
    Kind.LOST: "ring.at.lost",
    Kind.LATE: "ring.at.late.us",
    Kind.SILENT: "ring.at.silent.us|*",
    Kind.DEAD: "ring.at.dead[.us|*]",
}
_CURES = {cure.name.lower(): cure for cure in Cure}
_KINDS = {kind.value: kind for kind in Kind}
_US = 1000


def parse_faults(text: str, source: str, inline: bool) -> list[Fault]:
    """The faults of a text. `inline`: it comes from a command line. Raises InputError."""
    faults: list[Fault] = []
    for part in _lines(text, source, inline):
        faults += _fault(part)
        if len(faults) > MAX_FAULTS:
            raise part.error(f"more than {MAX_FAULTS} faults", "let some come again: ring.n/k.kind")
    return faults


def _lines(text: str, source: str, inline: bool) -> Iterator[Part]:
    for number, line in enumerate(text.split("\n"), 1):
        whole = Part(line, Place(source, number, 1, inline))
        for piece in whole.split(",") if inline else [whole]:
            part = Part(piece.text.partition("#")[0], piece.place).strip()
            if part.text:
                yield part


def _fault(part: Part) -> Iterator[Fault]:
    """The faults of a line: one for each ring that it names."""
    fields = part.split(".")
    if len(fields) < 3:
        raise part.error(f"{part.shown()} is no fault", FORM)
    rings = _rings(fields[0])
    at, time, every = _when(fields[1])
    kind = _KINDS.get(fields[2].text)
    if kind is None:
        raise fields[2].error(f"unknown kind {fields[2].shown()}", f"kinds are {' '.join(_KINDS)}")
    rest = fields[3:]
    cure = Cure.SOFT
    if kind in (Kind.HANG, Kind.FAULT) and rest and rest[-1].text in _CURES:
        cure = _CURES[rest.pop().text]
    duration = _duration(part, kind, rest)
    place = str(part.place).rpartition(":")[0] if not part.place.inline else str(part.place)
    for ring in rings:
        yield Fault(
            kind,
            ring,
            at=at,
            time=time,
            every=every,
            duration=duration,
            cure=cure,
            place=place,
        )


def _rings(field: Part) -> list[str | None]:
    if field.text == "*":
        return [None]
    rings = engine_rings(field.text)
    if not rings:
        raise field.error(
            f"unknown ring {field.shown()}", "rings are *, RCS, BCS, VCS, VCS1, VCS2, VECS, CCS"
        )
    return [ring for ring in RINGS if ring in rings]


def _when(field: Part) -> tuple[int | None, int | None, int | None]:
    """Packet number, time in ns, and after how many packets or ns again."""
    timed = field.text.startswith("@")
    body = Part(field.text[timed:], field.place._replace(column=field.place.column + timed))
    first, *again = body.split("/")
    if len(again) > 1:
        raise field.error(f"{field.shown()} is no time for a fault", "it is n, n/k, @us or @us/us")
    unit = _US if timed else 1
    begin = _number(first, "a time in us" if timed else "a packet number", 0 if timed else 1)
    what = "us until it comes again" if timed else "packets until it comes again"
    every = _number(again[0], what, 1) * unit if again else None
    return (None, begin * unit, every) if timed else (begin, None, every)


def _duration(part: Part, kind: Kind, rest: list[Part]) -> int | None:
    """What is behind the kind, without the cure: ns, None for ever."""
    form = f"its form is {FORMS[kind]}"
    if kind in (Kind.SWAP, Kind.LOST, Kind.FAULT):
        if rest:
            raise rest[0].error(f"{rest[0].shown()} is too much for a {kind.value}", form)
        return None
    if kind is Kind.DEAD and not rest:
        return 0
    if len(rest) != 1:
        raise part.error(f"{part.shown()} is no {kind.value}", form)
    if rest[0].text == "*" and kind is not Kind.LATE:
        return None
    return _number(rest[0], "a duration in us", 0) * _US


def _number(part: Part, what: str, low: int) -> int:
    """A whole number from `low` on."""
    text = part.text
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:20]) <= MAX_NUMBER:
        limit = f"from {low} to {MAX_NUMBER}"
        raise part.error(f"{part.shown()} is not {what}", f"give a whole number {limit}")
    return int(text)
