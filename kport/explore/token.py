# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The token of a schedule: a line that plays it again.

    NAME~TEXT

NAME is the scenario, TEXT the setup and the turns in URL-safe base 64, with a checksum over both.
Numbers are variable-length; turns are sorted by task, steps count on from the turn before. A
schedule that is too long for `LIMIT` characters is kept as what drew it: strategy, seed and number
of the execution.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from kport.explore.replay import Schedule, Turn

LIMIT = 200
VERSION = 1
SCHEDS = ("v7_2", "v6_1", "v3_2023")
MEMORIES = ("sc", "tso", "lkmm")
CHECKS = ("lockdep", "waits", "memory", "races", "context", "oracles")


class TokenError(ValueError):
    """A token that cannot be read; `str()` is one line."""


@dataclass
class Token:
    """What a token says. `drawn` is (strategy, seed, execution) in place of a schedule."""

    name: str
    sched: str = "v7_2"
    memory: str = "sc"
    plain: bool = False
    cpus: int = 4
    step_ns: int = 50
    bound: int = 0
    check: tuple[str, ...] = ()
    schedule: Schedule = field(default_factory=Schedule)
    drawn: tuple[str, int, int] | None = None

    def __str__(self) -> str:
        body = bytes(self._bytes())
        packed = zlib.compress(body, 9)
        head = VERSION
        if len(packed) < len(body):
            head, body = head | 0x80, packed
        data = bytes([head]) + body
        check = zlib.crc32(self.name.encode() + data) & 0xFFFFFF
        text = base64.urlsafe_b64encode(data + check.to_bytes(3, "big")).decode().rstrip("=")
        return f"{self.name}~{text}"

    def _bytes(self) -> Iterator[int]:
        flags = SCHEDS.index(self.sched) | MEMORIES.index(self.memory) << 2
        yield flags | self.plain << 4 | (self.drawn is not None) << 5 | self.schedule.exact << 6
        yield sum(1 << CHECKS.index(name) for name in self.check if name in CHECKS)
        yield from _number(self.cpus)
        yield from _number(self.step_ns)
        yield from _number(self.bound)
        if self.drawn is not None:
            strategy, seed, execution = self.drawn
            yield from _number(seed)
            yield from _number(execution)
            yield from strategy.encode()
            return
        turns = self.schedule.turns
        yield from _number(len(turns))
        task = steps = 0
        for turn in sorted(enumerate(turns), key=lambda each: (each[1][:2], each[0])):
            where = turn[1]
            if where.task != task:
                steps = 0
            yield from _number((where.task - task) << 2 | where.forced << 1)
            yield from _number(where.steps - steps)
            yield from _number(where.to)
            task, steps = where.task, where.steps
        at = 0
        for ordinal, value in sorted(self.schedule.numbers.items()):
            yield from _number(ordinal - at)
            yield from _number(value)
            at = ordinal


def parse(text: str) -> Token:
    """The token of a text. Raises TokenError."""
    name, mark, rest = text.strip().rpartition("~")
    if not mark or not name:
        raise TokenError(f"{text.strip()[:40]!r} is no token: it looks like NAME~TEXT")
    try:
        data = base64.urlsafe_b64decode(rest + "=" * (-len(rest) % 4))
    except (binascii.Error, ValueError):
        raise TokenError(f"the token of {name} is damaged: {rest[:20]!r} is no base 64") from None
    body, check = data[:-3], data[-3:]
    if len(body) < 2 or zlib.crc32(name.encode() + body) & 0xFFFFFF != int.from_bytes(check, "big"):
        raise TokenError(f"the token of {name} is damaged or cut short: its checksum is wrong")
    if body[0] & 0x7F != VERSION:
        raise TokenError(f"the token of {name} is of version {body[0] & 0x7F}, not {VERSION}")
    try:
        rest_of = iter(zlib.decompress(body[1:]) if body[0] & 0x80 else body[1:])
        return _read(name, rest_of)
    except (StopIteration, RuntimeError, IndexError, zlib.error, UnicodeDecodeError):
        raise TokenError(f"the token of {name} is damaged") from None


def _read(name: str, data: Iterator[int]) -> Token:
    flags, checks = next(data), next(data)
    token = Token(
        name,
        SCHEDS[flags & 3],
        MEMORIES[flags >> 2 & 3],
        bool(flags & 16),
        _take(data),
        _take(data),
        _take(data),
        tuple(check for bit, check in enumerate(CHECKS) if checks >> bit & 1),
    )
    if flags & 32:
        seed, execution = _take(data), _take(data)
        token.drawn = (bytes(data).decode(), seed, execution)
        return token
    token.schedule.exact = bool(flags & 64)
    task = steps = 0
    for _ in range(_take(data)):
        head = _take(data)
        if head >> 2:
            task, steps = task + (head >> 2), 0
        steps += _take(data)
        token.schedule.turns.append(Turn(task, steps, bool(head & 2), _take(data)))
    at = 0
    for ordinal in data:
        at += _more(ordinal, data)
        token.schedule.numbers[at] = _take(data)
    return token


def _number(value: int) -> Iterator[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def _take(data: Iterator[int]) -> int:
    return _more(next(data), data)


def _more(byte: int, data: Iterator[int]) -> int:
    value, shift = byte & 0x7F, 7
    while byte & 0x80:
        byte = next(data)
        value |= (byte & 0x7F) << shift
        shift += 7
    return value
