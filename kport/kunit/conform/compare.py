# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port against the record: exactly the same, or the first difference.

Events are compared operation by operation, in their order; the state at each snapshot and at the
end field by field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kport.kunit.conform.interpreter import ReadState, Stopped, run
from kport.kunit.conform.observer import Event
from kport.kunit.conform.record import Scenario
from kport.kunit.conform.state import State

MISSING = object()


@dataclass(frozen=True)
class Field:
    """A field of the state that differs; a value is None, too, where there is no such field."""

    thing: str
    name: str
    kernel: Any
    port: Any


@dataclass(frozen=True)
class Difference:
    """Where the port first does something else than the kernel did.

    `kernel` and `port` are the events of operation `index`, `fields` what differs in the state if
    that was recorded, `state` the port's after it. `why` says why the port went no further.
    """

    scenario: Scenario
    policy: str
    index: int
    kernel: list[Event]
    port: list[Event]
    fields: list[Field] = field(default_factory=list)
    state: State = field(default_factory=dict)
    why: str = ""

    @property
    def kind(self) -> str:
        """What differs: "events" or "state"; "stopped" if the port went no further."""
        if self.why:
            return "stopped"
        return "events" if self.kernel != self.port else "state"

    def to_json(self) -> dict[str, Any]:
        """The difference as an object of JSON."""
        op = self.scenario.ops[self.index]
        return {
            "id": self.scenario.id,
            "line": self.scenario.line,
            "doc": self.scenario.doc,
            "policy": self.policy,
            "kind": self.kind,
            "index": self.index,
            "op": [op.name, *op.args],
            "kernel": self.kernel,
            "port": self.port,
            "fields": [[f.thing, f.name, f.kernel, f.port] for f in self.fields],
            "state": self.state,
            "why": self.why,
        }


def compare(scenario: Scenario, policy: str | None = None) -> Difference | None:
    """Run a scenario; the first difference, or None. `policy` instead of the record's."""
    policy = policy or scenario.policy
    found: list[Difference] = []

    def happened(index: int, events: list[Event], state: State | None, read: ReadState) -> bool:
        fields = [] if state is None else differing_fields(scenario.states[index], state)
        if events != scenario.events[index] or fields:
            found.append(
                Difference(
                    scenario, policy, index, scenario.events[index], events, fields, state or read()
                )
            )
        return not found

    try:
        run(scenario, happened, policy)
    except Stopped as stop:
        kernel = scenario.events[stop.index]
        return Difference(scenario, policy, stop.index, kernel, stop.events, why=stop.why)
    return found[0] if found else None


def differing_fields(kernel: State, port: State) -> list[Field]:
    """The fields in which two states differ, in the order of the first."""
    fields = []
    for thing in _union(kernel, port):
        ours, theirs = port.get(thing, {}), kernel.get(thing, {})
        for name in _union(theirs, ours):
            if ours.get(name, MISSING) != theirs.get(name, MISSING):
                fields.append(Field(thing, name, theirs.get(name), ours.get(name)))
    return fields


def _union(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    return [*first, *(key for key in second if key not in first)]
