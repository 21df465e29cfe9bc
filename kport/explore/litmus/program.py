# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""A litmus test: a few threads of a few accesses, and a question about how they can end.

The compact notation is one string per thread, statements separated by `;`:

    x = 1                WRITE_ONCE()           a := x              READ_ONCE()
    x =release 1         smp_store_release()    a :=acquire x       smp_load_acquire()
    mb, rmb, wmb, after-spinlock, ...           lock s, unlock s    a := is_locked s
    a :=xchg x 1         xchg() and its kin     inc x               atomic_inc()
    a :=fetch_add x 1    (xchg.relaxed ...)     a :=cmpxchg x 0 1   cmpxchg()
    rcu-lock, rcu-unlock, sync-rcu              if a { x = 1 }      a conditional
    p = &x; a := *r      pointers               b = a ^ 1           (`let b = ...`) registers

The question is a condition on registers (`1:a`) and on memory (`x`): `1:a=1 & x=2`, with `&`, `|`
and `!`. Values are numbers, or `&x` for an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Expr = Any  # int | ("reg", name) | ("addr", variable) | (operator, Expr, Expr)
Place = tuple[str, str]  # ("var", name) or ("reg", name): through a pointer


class LitmusError(ValueError):
    """A litmus test that cannot be read; the text says what and where."""


class Read(NamedTuple):
    """A load into a register."""

    reg: str
    mode: str
    place: Place


class Write(NamedTuple):
    """A store."""

    mode: str
    place: Place
    value: Expr


class Fence(NamedTuple):
    """A barrier, or an end of an RCU section, or a grace period."""

    kind: str


class Lock(NamedTuple):
    """lock, unlock or is_locked."""

    what: str
    lock: str
    reg: str = ""


class Update(NamedTuple):
    """An atomic read-modify-write: xchg, add (returns nothing), fetch_add, add_return, cmpxchg."""

    what: str
    mode: str
    reg: str
    place: Place
    operands: tuple[Expr, ...]


class Let(NamedTuple):
    """A register gets the value of an expression."""

    reg: str
    value: Expr


class If(NamedTuple):
    """A conditional."""

    test: Expr
    then: tuple[Any, ...]
    other: tuple[Any, ...] = ()


Statement = Read | Write | Fence | Lock | Update | Let | If
Condition = Any  # ("=", thread or None, name, value) | ("&"|"|", a, b) | ("!", a)


@dataclass
class Program:
    """A litmus test. `sometimes` is what its author says; None where he says nothing."""

    name: str
    threads: list[tuple[Statement, ...]]
    condition: Condition
    text: str = ""
    init: dict[str, Expr] = field(default_factory=dict)
    sometimes: bool | None = None
    quantifier: str = "exists"

    def variables(self) -> list[str]:
        """The shared variables, in order of appearance."""
        names: dict[str, None] = dict.fromkeys(self.init)
        for statement in self.statements():
            for part in _parts(statement):
                names.update(dict.fromkeys(part))
        for _, thread, name, value in atoms(self.condition):
            if thread is None:
                names[name] = None
            names.update(dict.fromkeys(_addresses(value)))
        for value in self.init.values():
            names.update(dict.fromkeys(_addresses(value)))
        return list(names)

    def locks(self) -> list[str]:
        """The spin locks, in order of appearance."""
        return list(dict.fromkeys(s.lock for s in self.statements() if isinstance(s, Lock)))

    def statements(self) -> Iterator[Statement]:
        """Every statement of every thread, inner ones included."""

        def walk(body: Sequence[Statement]) -> Iterator[Statement]:
            for statement in body:
                yield statement
                if isinstance(statement, If):
                    yield from walk(statement.then)
                    yield from walk(statement.other)

        for thread in self.threads:
            yield from walk(thread)

    def registers(self) -> list[tuple[int, str]]:
        """The registers that the condition asks for."""
        found = [(t, name) for _, t, name, _ in atoms(self.condition) if t is not None]
        return sorted(set(found))

    def holds(self, registers: Mapping[tuple[int, str], Any], memory: Mapping[str, Any]) -> bool:
        """Whether an end is the one that the condition describes."""

        def value(c: Condition) -> bool:
            if c[0] == "=":
                _, thread, name, wanted = c
                got = memory[name] if thread is None else registers[thread, name]
                return bool(got == wanted)
            if c[0] == "!":
                return not value(c[1])
            if c[0] == "&":
                return value(c[1]) and value(c[2])
            return value(c[1]) or value(c[2])

        return value(self.condition)


def atoms(condition: Condition) -> Iterator[tuple[str, int | None, str, Expr]]:
    """The comparisons in a condition."""
    if condition[0] == "=":
        yield condition
    else:
        for part in condition[1:]:
            yield from atoms(part)


def _addresses(value: Expr) -> list[str]:
    if isinstance(value, tuple):
        if value[0] == "addr":
            return [value[1]]
        return [name for part in value[1:] for name in _addresses(part)]
    return []


def _parts(statement: Statement) -> Iterator[list[str]]:
    place = getattr(statement, "place", None)
    if place is not None and place[0] == "var":
        yield [place[1]]
    for name in ("value", "test"):
        yield _addresses(getattr(statement, name, 0))
    for operand in getattr(statement, "operands", ()):
        yield _addresses(operand)


# -- expressions: shared by both notations ---------------------------------------------------------

_TOKEN = re.compile(r"\s*(==|!=|/\\|\\/|&&|\|\||[A-Za-z_]\w*|\d+|[-+^&|!~*()=:;{}\[\],<>@])")
_LEVELS = (("|", "^"), ("==", "!="), ("&",), ("+", "-"), ("*",))


class Tokens:
    """The tokens of a text, taken from the front."""

    def __init__(self, text: str, where: str = "") -> None:
        self.where = where
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise LitmusError(f"{where}: cannot read {text[at : at + 20].strip()!r}")
            self.tokens.append(match.group(1))
            at = match.end()
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        """A token to come; "" behind the last."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        """The next token; raises LitmusError if it is not the wanted one."""
        token = self.peek()
        if wanted and token != wanted:
            near = " ".join(self.tokens[max(0, self.at - 4) : self.at + 3])
            raise LitmusError(f"{self.where}: {wanted!r} expected, not {token!r}, near {near!r}")
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        """Take the token if it is the next."""
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def expression(self, level: int = 0) -> Expr:
        """A C expression over registers, numbers and addresses."""
        if level == len(_LEVELS):
            return self._operand()
        left = self.expression(level + 1)
        while self.peek() in _LEVELS[level]:
            operator = self.take()
            left = (operator, left, self.expression(level + 1))
        return left

    def _operand(self) -> Expr:
        token = self.take()
        if token == "(":
            value = self.expression()
            self.take(")")
            return value
        if token == "!":
            return ("==", self._operand(), 0)
        if token == "-":
            return ("-", 0, self._operand())
        if token == "&":
            return ("addr", self.take())
        if token == "*":
            return ("reg", "*" + self.take())
        if token.isdigit():
            return int(token)
        if token.isidentifier():
            return ("reg", token)
        raise LitmusError(f"{self.where}: a value expected, not {token!r}")


def parse_condition(text: str, where: str) -> Condition:
    """A condition in either notation. Raises LitmusError."""
    tokens = Tokens(text, where)
    condition = _disjunction(tokens)
    if tokens.peek():
        raise LitmusError(f"{where}: nothing expected behind the condition, not {tokens.peek()!r}")
    return condition


def _disjunction(tokens: Tokens) -> Condition:
    left = _conjunction(tokens)
    while tokens.peek() in ("|", "\\/"):
        tokens.take()
        left = ("|", left, _conjunction(tokens))
    return left


def _conjunction(tokens: Tokens) -> Condition:
    left = _atom(tokens)
    while tokens.peek() in ("&", "/\\"):
        tokens.take()
        left = ("&", left, _atom(tokens))
    return left


def _atom(tokens: Tokens) -> Condition:
    if tokens.peek() in ("!", "~"):
        tokens.take()
        return ("!", _atom(tokens))
    if tokens.accept("("):
        inside = _disjunction(tokens)
        tokens.take(")")
        return inside
    thread: int | None = None
    if tokens.peek().isdigit() and tokens.peek(1) == ":":
        thread = int(tokens.take())
        tokens.take(":")
    tokens.accept("*")
    name = tokens.take()
    tokens.take("=")
    sign = -1 if tokens.accept("-") else 1
    address = tokens.accept("&")
    token = tokens.take()
    value: Expr = sign * int(token) if token.isdigit() and not address else ("addr", token)
    return ("=", thread, name, value)


# -- the compact notation --------------------------------------------------------------------------

_PLACE = re.compile(r"\*?[a-z]\w*")
_READ = re.compile(r"(\w+) :=(\w[\w.]*)? (\*?\w+)((?: \S+)*)$")
_WRITE = re.compile(r"(\*?\w+) =(release)? (.+)$")
_LOCK = re.compile(r"(lock|unlock) (\w+)$")
FENCES = (
    "mb",
    "rmb",
    "wmb",
    "before-atomic",
    "after-atomic",
    "after-spinlock",
    "after-unlock-lock",
    "rcu-lock",
    "rcu-unlock",
    "sync-rcu",
)


def program(
    name: str,
    threads: Sequence[str],
    question: str,
    sometimes: bool | None = None,
    init: Mapping[str, Expr] | None = None,
) -> Program:
    """A litmus test in the compact notation. Raises LitmusError."""
    bodies = [_body(text, f"{name}, P{number}") for number, text in enumerate(threads)]
    text = "\n".join(f"P{n}: {t}" for n, t in enumerate(threads)) + f"\nexists {question}"
    return Program(
        name, bodies, parse_condition(question, name), text, dict(init or {}), sometimes
    )


def _body(text: str, where: str) -> tuple[Statement, ...]:
    statements = []
    for piece in re.findall(r"\s*if [^{]+\{[^}]*\}|[^;]+", text):
        piece = piece.strip()
        if piece:
            statements.append(_statement(piece, where))
    return tuple(statements)


def _place(text: str) -> Place:
    return ("reg", text[1:]) if text.startswith("*") else ("var", text)


def _value(text: str, where: str) -> Expr:
    tokens = Tokens(text, where)
    value = tokens.expression()
    if tokens.peek():
        raise LitmusError(f"{where}: nothing expected behind {text!r}")
    return value


def _statement(text: str, where: str) -> Statement:
    if text in FENCES:
        return Fence(text)
    if text.startswith("if "):
        test, _, rest = text[3:].partition("{")
        return If(_value(test, where), _body(rest.rstrip("} "), where))
    if match := _LOCK.match(text):
        return Lock(match[1], match[2])
    if text.startswith(("inc ", "dec ")):
        return Update("add", "", "", _place(text[4:]), (1 if text[0] == "i" else -1,))
    if text.startswith("let "):
        reg, _, value = text[4:].partition("=")
        return Let(reg.strip(), _value(value, where))
    if match := _READ.match(text):
        reg, how, target, rest = match.groups()
        operands = tuple(_value(each, where) for each in rest.split())
        if target == "is_locked":
            return Lock("is_locked", rest.strip(), reg)
        if how in (None, "acquire") and not operands:
            return Read(reg, how or "once", _place(target))
        what, _, mode = (how or "").partition(".")
        wanted = {"xchg": 1, "fetch_add": 1, "add_return": 1, "cmpxchg": 2}.get(what)
        if wanted != len(operands) or mode not in ("", "relaxed", "acquire", "release"):
            raise LitmusError(f"{where}: cannot read {text!r}")
        return Update(what, mode or "mb", reg, _place(target), operands)
    if match := _WRITE.match(text):
        return Write(match[2] or "once", _place(match[1]), _value(match[3], where))
    raise LitmusError(f"{where}: cannot read {text!r}")


Task = Callable[[], None]
