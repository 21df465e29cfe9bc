# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The report of a circle of waits: the circle, each context's part in it, how it would come about.

A *context* is one thread's part. `[S]` is where it takes a lock that others need, `[W]` where it
waits, `[E]` what it therefore never does: release the lock, or cause an event. The letters are
those of DEPT. Each part is followed by its stack, innermost first, with positions in C.
"""

from __future__ import annotations

from types import CodeType
from typing import NamedTuple

from kport.check.waits_graph import Edge
from kport.check.waits_state import WAIT, Event, Node, Stack
from kport.linux import bug

_WIDTH = 34


class Part(NamedTuple):
    """One context: who, the lock it holds if any, what it waits for, what it never does."""

    who: str
    start: Node | None
    wait: str
    wait_stack: Stack
    event: str
    event_stack: Stack


def line_of(code: CodeType, lasti: int) -> int:
    """The line of an instruction."""
    for start, end, line in code.co_lines():
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def place(at: tuple[CodeType, int]) -> str:
    """`function+file:line (file.c:line)`."""
    code, lasti = at
    return f"{code.co_name}+{bug.place_of(code.co_filename, line_of(code, lasti))}"


def short(at: tuple[CodeType, int]) -> str:
    """`function:line`, which with a type is the name of a class."""
    code, lasti = at
    return f"{code.co_name}:{line_of(code, lasti)}"


_PRIMITIVES = tuple(
    f"/{name}.py"
    for name in ("wait", "completion", "swait", "mutex", "wait_bit", "rwsem", "dma_fence")
)


def cause(stack: Stack) -> str:
    """The innermost place of a stack that is not within a primitive."""
    for code, lasti in stack:
        if not code.co_filename.endswith(_PRIMITIVES):
            return place((code, lasti))
    return place(stack[0]) if stack else "?"


def parts(circle: list[Edge]) -> list[Part]:
    """The contexts of a circle, in its order."""
    found = []
    for edge in circle:
        held, wait = edge.held, edge.wait
        if wait is None:
            taken = edge.taken
            found.append(
                Part(
                    held.who,
                    held,
                    f"lock({taken.cls})",
                    taken.stack,
                    f"unlock({held.cls})",
                    held.stack,
                )
            )
            continue
        found.append(
            Part(
                held.who,
                held,
                f"wait({wait.cls})",
                wait.stack,
                f"unlock({held.cls})",
                held.stack,
            )
        )
        found += [_behind(step.event, step.node) for step in edge.steps]
    return found


def _behind(event: Event, node: Node) -> Part:
    verb = "wait" if node.kind == WAIT else "lock"
    who = node.who if node.who == event.who else f"{node.who}, then {event.who}"
    return Part(
        who, None, f"{verb}({node.cls})", node.stack, f"event({event.cls})", event.stack
    )


def circle(edges: list[Edge]) -> list[str]:
    """The lines of the report."""
    found = parts(edges)
    names = [chr(ord("A") + number) for number in range(len(found))]
    lines = [
        "=" * 60,
        "WARNING: possible circular dependency through a wait detected",
        "7.2.13 kport Not tainted",
        "-" * 60,
        "the run has passed; in another order these contexts wait for each other:",
        "",
    ]
    for name, part in zip(names, found, strict=True):
        lines.append(f"context {name} ({part.who})")
        if part.start is not None:
            lines.append(f"    [S] lock({part.start.cls})")
        lines += [f"    [W] {part.wait}", f"    [E] {part.event}", ""]
    lines += ["the circle:"]
    for name, part in zip(names, found, strict=True):
        after = names[(names.index(name) + 1) % len(names)]
        lines.append(f"  {name}'s {part.wait} is ended by {after}'s {_ends(found, names, after)}")
    lines += ["", "Possible unsafe scenario:", "", *_columns(names, found), ""]
    for name, part in zip(names, found, strict=True):
        lines.append(f"context {name}'s detail ({part.who})")
        if part.start is not None:
            lines += [f"[S] lock({part.start.cls}):", *_trace(part.start.stack)]
        lines += [f"[W] {part.wait}:", *_trace(part.wait_stack)]
        if part.event_stack is not (part.start.stack if part.start is not None else None):
            lines += [f"[E] {part.event}:", *_trace(part.event_stack)]
        lines.append("")
    return lines


def _ends(found: list[Part], names: list[str], name: str) -> str:
    return found[names.index(name)].event


def _trace(stack: Stack) -> list[str]:
    """The lines of a stack, as far as it is the kernel's or the user's."""
    return [f" {place(at)}" for at in stack if not _beneath(at[0])]


def _beneath(code: CodeType) -> bool:
    name = code.co_filename.replace("\\", "/")
    return "kport/arch/" in name or name.endswith(("/threading.py", "kport/linux/fork.py"))


def _columns(names: list[str], found: list[Part]) -> list[str]:
    """What each context does, one row after the other, a column for each."""
    rows = [[f"context {name}" for name in names], ["-" * 9 for _ in names]]
    count = len(found)

    def row(number: int, text: str) -> None:
        cells = [""] * count
        cells[number] = text
        rows.append(cells)

    for number, part in enumerate(found):
        if part.start is not None:
            row(number, f"lock({_short(part.start.cls)});")
    for number, part in enumerate(found):
        row(number, f"{_short(part.wait)};")
    for number, part in enumerate(found):
        row(number, f"<{_short(part.event)};>")
    text = ["  " + "".join(cell.ljust(_WIDTH) for cell in cells).rstrip() for cells in rows]
    return [*text, "", " *** DEADLOCK ***"]


def _short(text: str) -> str:
    return text if len(text) < _WIDTH - 2 else text[: _WIDTH - 6] + "..."
