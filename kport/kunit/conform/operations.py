# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The operations of a scenario: their arguments, and which names they make, need and end.

A scenario is checked as a whole before it runs: each operation must exist, have arguments of the
right kind, and speak of things that are there at that moment (a job is pushed once, an entity is
not used after it was destroyed). So the interpreter never meets a name it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

U32 = 0xFFFFFFFF
MAX_ERRNO = 4095
JOB_MODES = ("normal", "fail", "null", "instant", "dont_reset")
SCHED_MODES = ("mock", "stop_start", "enodev")
KINDS = {"S": "scheduler", "E": "entity", "J": "job", "X": "external fence"}


class Operation(NamedTuple):
    """An operation: its name and its arguments, as in the file."""

    name: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        words = [
            f"[{' '.join(map(str, a))}]" if isinstance(a, list) else _word(a) for a in self.args
        ]
        return " ".join([self.name, *words])


def _word(value: Any) -> str:
    return "null" if value is None else str(value)


class OperationError(Exception):
    """An operation that cannot be meant: its index, what is wrong, and what to do."""

    def __init__(self, index: int, what: str, remedy: str = "") -> None:
        super().__init__(index, what, remedy)
        self.index = index
        self.what = what
        self.remedy = remedy


@dataclass
class Names:
    """What there is at some moment of a scenario: names and the states of what they mean."""

    known: dict[str, str] = field(default_factory=dict)

    def make(self, name: Any, kind: str, state: str = "") -> None:
        """A new thing. Raises ValueError if the name is taken or not one of its kind."""
        if not isinstance(name, str) or not re.fullmatch(f"{kind}[0-9]+", name):
            raise ValueError(
                f"{_shown(name)} is no name of a {KINDS[kind]} ({kind}0, {kind}1, ...)"
            )
        if name in self.known:
            raise ValueError(f"{name} is there already")
        self.known[name] = state

    def need(self, name: Any, kind: str, *states: str) -> str:
        """The state of a thing that must be there. Raises ValueError if it is not."""
        if not isinstance(name, str) or name not in self.known or not name.startswith(kind):
            raise ValueError(f"{_shown(name)} is no {KINDS[kind]} that was made before")
        state = self.known[name]
        if state not in (states or ("",)):
            raise ValueError(f"{name} {state}")
        return state


Argument = Callable[[Names, Any], None]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:36] + " ..."


def _whole(low: int, high: int) -> Argument:
    def check(names: Names, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{_shown(value)} is no whole number from {low} to {high}")

    return check


def _one_of(*words: str) -> Argument:
    def check(names: Names, value: Any) -> None:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"{_shown(value)} is none of {', '.join(words)}")

    return check


def _or_null(argument: Argument) -> Argument:
    def check(names: Names, value: Any) -> None:
        if value is not None:
            argument(names, value)

    return check


def _new(kind: str, state: str = "") -> Argument:
    return lambda names, value: names.make(value, kind, state)


def _old(kind: str, *states: str, then: str | None = None) -> Argument:
    def check(names: Names, value: Any) -> None:
        names.need(value, kind, *states)
        if then is not None:
            names.known[value] = then

    return check


def _schedulers(names: Names, value: Any) -> None:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{_shown(value)} is no list of schedulers")
    for name in value:
        names.need(name, "S")


GONE = "is gone"
NEW, PUSHED, ENDED = "is not pushed", "is pushed", "is cleaned up"
PUT = "has no reference of the test left"

_S = _old("S")
_E = _old("E")
_FLAG = _whole(0, 1)
_ERRNO = _whole(-MAX_ERRNO, 0)
_INT = _whole(-0x80000000, 0x7FFFFFFF)

OPERATIONS: dict[str, tuple[Argument, ...]] = {
    "sched_new": (_new("S"), _whole(1, U32), _or_null(_whole(0, U32)), _one_of(*SCHED_MODES)),
    "entity_new": (_new("E"), _whole(0, 3), _FLAG, _schedulers),
    "job_new": (_new("J", NEW), _E, _whole(1, U32), _one_of(*JOB_MODES), _ERRNO),
    "dep_job": (_old("J", NEW), _old("J", PUSHED, PUT), _one_of("finished", "scheduled")),
    "dep_ext": (_old("J", NEW), _old("X")),
    "ext_new": (_new("X"), _whole(0, U32)),
    "ext_signal": (_old("X"), _ERRNO),
    "push": (_old("J", NEW, then=PUSHED),),
    "advance": (_S, _whole(0, U32)),
    "set_priority": (_E, _whole(0, 3)),
    "modify_sched": (_E, _schedulers),
    "stop": (_S,),
    "start": (_S,),
    "expire_tdr": (_S,),
    "wait_tdr": (_S,),
    "fault": (_S,),
    "tdr_queue_imm": (_S,),
    "set_guilty": (_E, _INT),
    "set_ready": (_S, _FLAG),
    "entity_destroy": (_old("E", then=GONE),),
    "entity_kill": (_E,),
    "sched_fini": (_old("S", then=GONE),),
    "job_cleanup": (_old("J", NEW, then=ENDED),),
    "fence_put": (_old("J", PUSHED, then=PUT),),
    "tick": (_whole(0, 1 << 62),),
    "batch": (_whole(1, 1 << 30),),
    "snapshot": (),
    "final": (),
}


def check(operations: Sequence[Operation]) -> None:
    """Raises OperationError for the first operation that cannot be meant."""
    names = Names()
    finals = 0
    for index, (name, args) in enumerate(operations):
        arguments = OPERATIONS.get(name)
        if arguments is None:
            raise OperationError(
                index, f"unknown operation {_shown(name)}", f"there is: {', '.join(OPERATIONS)}"
            )
        if len(args) != len(arguments):
            raise OperationError(
                index, f"{name} takes {len(arguments)} arguments, here are {len(args)}"
            )
        try:
            for argument, value in zip(arguments, args, strict=True):
                argument(names, value)
        except ValueError as error:
            raise OperationError(index, f"{name}: {error}") from None
        finals += name == "final"
        if finals > 1:
            raise OperationError(index, "there is a second final", "use snapshot")
