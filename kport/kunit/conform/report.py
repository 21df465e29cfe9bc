# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A difference as text: the operations around it, both lists of events side by side, the state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from textwrap import wrap

from kport.kunit.conform.compare import Difference
from kport.kunit.conform.observer import Event
from kport.kunit.conform.state import State
from kport.trace.source import printable

BEFORE, AFTER = 6, 2  # operations shown before and after the one that differs
HERE = "-->"
ROWS = 60  # events shown of each side
WHAT = {
    "events": "other events",
    "state": "another state",
    "stopped": "the port stopped",
}


def report(difference: Difference, width: int = 80) -> list[str]:
    """The lines about a difference, for a terminal of so many columns."""
    scenario = difference.scenario
    policy = difference.policy
    if policy != scenario.policy:
        policy += f", recorded with {scenario.policy}"
    lines = [summary(difference), f"  line {scenario.line} of its file, policy {policy}"]
    lines += wrap(scenario.doc, width, initial_indent="  ", subsequent_indent="  ")
    lines += ["", "  operations", *_operations(difference, width)]
    if difference.why:
        lines += ["", "  the port stopped here", *_indented(difference.why.splitlines())]
    titles = ("kernel", "port")
    lines += ["", f"  events of operation {difference.index}"]
    lines += side_by_side(titles, difference.kernel, difference.port, width)
    if difference.fields:
        lines += ["", "  state that differs", *_fields(difference)]
    if difference.state:
        lines += ["", "  state of the port after it", *state_lines(difference.state, width)]
    return lines


def summary(difference: Difference) -> str:
    """The difference in one line."""
    index, scenario = difference.index, difference.scenario
    what = f"{WHAT[difference.kind]} in operation {index} ({scenario.ops[index].name})"
    return f"{scenario.id}: {what}"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _operations(difference: Difference, width: int) -> list[str]:
    """The operations around the one that differs."""
    ops = difference.scenario.ops
    first, last = max(0, difference.index - BEFORE), difference.index + AFTER
    lines = []
    for index in range(first, min(last + 1, len(ops))):
        mark = HERE if index == difference.index else ""
        lines.append(_cut(f"  {mark:3} {index:3}  {ops[index]}", width))
    return lines


def event_text(event: Event) -> str:
    """An event as one line."""
    text = " ".join("null" if part is None else str(part) for part in event)
    return printable(text.encode("utf-8", "backslashreplace"))


def side_by_side(
    titles: tuple[str, str], left: list[Event], right: list[Event], width: int
) -> list[str]:
    """Two lists of events in two columns, as diff -y has them.

    Between the columns: | for another event, < for one that only the kernel had, > for one that
    only the port had. Of long lists the part with the first difference.
    """
    column = (width - 4 - 3) // 2
    same = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    first = max(0, (min(len(left), len(right)) if same is None else same) - ROWS // 2)
    rows = [(titles[0], " ", titles[1])]
    if first:
        rows.append((f"... {first} before that", " ", "the same"))
    part = slice(first, first + ROWS)
    rows += _aligned([event_text(e) for e in left[part]], [event_text(e) for e in right[part]])
    more = [len(side) - first - ROWS for side in (left, right)]
    if max(more) > 0:
        one, other = (f"... {n} more" if n > 0 else "" for n in more)
        rows.append((one, " ", other))
    if not left and not right:
        rows.append(("(none)", " ", "(none)"))
    return [
        f"    {_cut(one, column):{column}} {mark} {_cut(other, column)}".rstrip()
        for one, mark, other in rows
    ]


def _aligned(ours: list[str], theirs: list[str]) -> list[tuple[str, str, str]]:
    """Rows of two lists: left, mark, right."""
    rows = []
    for _, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for one, other in zip_longest(ours[a:b], theirs[c:d]):
            mark = " " if one == other else ">" if one is None else "<" if other is None else "|"
            rows.append((one or "", mark, other or ""))
    return rows


def _value(value: object) -> str:
    return json.dumps(value)


def _fields(difference: Difference) -> list[str]:
    """What differs, field by field."""
    names = [f"{field.thing}.{field.name}" for field in difference.fields]
    size = max(map(len, names))
    lines = []
    for name, field in zip(names, difference.fields, strict=True):
        lines.append(f"    {name:{size}}  kernel  {_value(field.kernel)}")
        lines.append(f"    {'':{size}}  port    {_value(field.port)}")
    return lines


def state_lines(state: State, width: int) -> list[str]:
    """A state, a paragraph for each thing."""
    lines: list[str] = []
    for thing, fields in state.items():
        text = " ".join(f"{name}={_value(value)}" for name, value in fields.items())
        lines += wrap(
            f"{thing:4} {text}",
            width,
            initial_indent="    ",
            subsequent_indent=" " * 9,
            break_long_words=False,
        )
    return lines
