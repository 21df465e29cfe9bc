# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Trace events of C: what they record and how they print it.

A TRACE_EVENT is no C that a parser of C could read, so it has a small parser of its own. Both sides
become one expression per event, `event(parameters, fields, values, format)`, with the fields in the
order they are printed; its hash is compared like a table of data.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.cdiff.canon import digest
from tools.cdiff.control import Control
from tools.cdiff.csource import CFunction, parser
from tools.cdiff.ctype import UNKNOWN, Types, parameter_list
from tools.cdiff.pydata import event_key
from tools.cdiff.text import Text, closing

_EVENT = re.compile(r"\b(DECLARE_EVENT_CLASS|TRACE_EVENT|DEFINE_EVENT)\s*\(")
_ENTRY = re.compile(r"__entry\s*->\s*(\w+)|__get_str\(\s*(\w+)\s*\)")
_ASSIGN = re.compile(r"__entry\s*->\s*(\w+)\s*=\s*(.*?);", re.DOTALL)
_FIELD = re.compile(r"\b(__field|__string)\s*\(")
_WIDE = frozenset(("u64", "unsigned long", "s64", "long"))
_NARROW = frozenset(("u32", "unsigned", "unsigned int"))


def _split(text: str) -> list[str]:
    """The arguments of a macro call, at its top level."""
    parts, depth, start, quoted = [], 0, 0, False
    for at, char in enumerate(text):
        if char == '"' and text[at - 1] != "\\":
            quoted = not quoted
        if quoted:
            continue
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts]


def _calls(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, list[str], int]]:
    """(macro, arguments, line) of every call that a pattern finds."""
    for match in pattern.finditer(text):
        end = closing(text, match.end())
        line = text.count("\n", 0, match.start()) + 1
        yield match.group(1), _split(text[match.end() : end - 1]), line


def _inside(arguments: list[str], macro: str) -> str:
    for argument in arguments:
        if argument.startswith(macro):
            return argument[argument.index("(") + 1 : argument.rindex(")")]
    return ""


class _Event:
    """One event class of C, translated."""

    def __init__(self, arguments: list[str], types: Types) -> None:
        self._types = types
        root = parser().parse(f"void f({_inside(arguments, 'TP_PROTO')}) {{}}".encode()).root_node
        declarator = root.children[0].child_by_field_name("declarator")
        listed = declarator.child_by_field_name("parameters") if declarator is not None else None
        self.parameters = parameter_list(listed)
        printk = _split(_inside(arguments, "TP_printk"))
        self.format = str(ast.literal_eval(" ".join(printk[0].split())))
        self.fields = [next(filter(None, m)) for m in _ENTRY.findall(", ".join(printk[1:]))]
        self._values: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        for macro, given, _ in _calls(_FIELD, _inside(arguments, "TP_STRUCT__entry")):
            if macro == "__string":
                self._values[given[0]] = given[1]
            else:
                self._kinds[given[1]] = given[0]
        self._values.update(_ASSIGN.findall(_inside(arguments, "TP_fast_assign")))

    def _expression(self, field: str) -> ast.expr:
        text = self._values[field]
        root = parser().parse(f"void f(void) {{ {text}; }}".encode()).root_node
        body = root.children[0].child_by_field_name("body")
        assert body is not None
        node = body.named_children[0].named_children[0]
        owner = CFunction("event", "data", "", 0, 0, tuple(self.parameters), UNKNOWN, body)
        control = Control(owner, self._types, {})
        made = control.translate(node)
        kind = control.infer.of(node)
        if self._kinds.get(field) in _NARROW and kind.base in _WIDE:
            return ast.Call(ast.Name("u32", ast.Load()), [made], [])
        return made

    def canonical(self) -> str:
        """The event in canonical form."""
        names = [name for name, _ in self.parameters]
        values = [self._expression(field) for field in self.fields]
        return event_key(names, self.fields, values, self.format)


def events(text: Text, types: Types) -> dict[str, tuple[int, str]]:
    """(line, hash) of each event of a header, as `event NAME`."""
    found: dict[str, tuple[int, str]] = {}
    classes: dict[str, str] = {}
    for macro, arguments, line in _calls(_EVENT, text.code):
        if macro == "DEFINE_EVENT":
            found[f"event {arguments[1]}"] = (line, digest(f"0 {classes[arguments[0]]}"))
            continue
        made = _Event(arguments, types).canonical()
        if macro == "TRACE_EVENT":
            found[f"event {arguments[0]}"] = (line, digest(f"0 {made}"))
        else:
            classes[arguments[0]] = made
    return found
