# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reads the kernel's own litmus tests (tools/memory-model/litmus-tests): herd7's dialect of C.

What is read: READ_ONCE and its kin, barriers, spin locks, RCU, atomics that linux-kernel.def knows
and the machine has, registers, `if`. A plain access is read if its variable belongs to one thread:
then it is a register. Loops, SRCU and shared plain accesses are refused, in one line that says
where.
"""

from __future__ import annotations

import re
from pathlib import Path

from kport.explore.litmus.program import (
    Expr,
    Fence,
    If,
    Let,
    LitmusError,
    Lock,
    Place,
    Program,
    Read,
    Statement,
    Tokens,
    Update,
    Write,
    parse_condition,
)

_LOADS = {
    "READ_ONCE": "once",
    "rcu_dereference": "once",
    "atomic_read": "once",
    "smp_load_acquire": "acquire",
    "atomic_read_acquire": "acquire",
}
_STORES = {
    "WRITE_ONCE": "once",
    "atomic_set": "once",
    "smp_store_release": "release",
    "rcu_assign_pointer": "release",
    "atomic_set_release": "release",
}
_FENCES = {
    "smp_mb": "mb",
    "smp_rmb": "rmb",
    "smp_wmb": "wmb",
    "smp_mb__before_atomic": "before-atomic",
    "smp_mb__after_atomic": "after-atomic",
    "smp_mb__after_spinlock": "after-spinlock",
    "smp_mb__after_unlock_lock": "after-unlock-lock",
    "rcu_read_lock": "rcu-lock",
    "rcu_read_unlock": "rcu-unlock",
    "synchronize_rcu": "sync-rcu",
    "synchronize_rcu_expedited": "sync-rcu",
}
_MODES = ("relaxed", "acquire", "release")
_TYPES = {"int", "long", "unsigned", "intptr_t", "uintptr_t", "atomic_t", "spinlock_t", "volatile"}
_PLAIN = "own_"  # the register that stands for a variable with plain accesses


def read_file(path: Path) -> Program:
    """The test in a file. Raises LitmusError for one that cannot be read, OSError."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LitmusError(f"{path}: not a text file") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Program:
    """The test in a text; `where` names it in errors. Raises LitmusError."""
    told = re.search(r"Result:\s*(Never|Sometimes|Always)", text)
    # (* begins a comment of herd7's, (*x dereferences
    bare = re.sub(r"\(\*\s.*?\*\)|/\*.*?\*/", " ", text, flags=re.DOTALL)
    bare = re.sub(r"//[^\n]*", "", bare)
    head = re.match(r"\s*C\s+(\S+)", bare)
    if head is None:
        raise LitmusError(f"{where}: no litmus test in C: the first line is not 'C NAME'")
    end = re.search(r"(~\s*exists|\bexists|\bforall)\b", bare)
    if end is None:
        raise LitmusError(f"{where}: there is no 'exists' clause")
    body = re.sub(r"\blocations\s*\[[^]]*\]", " ", bare[head.end() : end.start()])
    first = re.search(r"\bP\d+\s*\(", body)
    if first is None:
        raise LitmusError(f"{where}: there is no thread P0")
    question = bare[end.end() :]
    condition = parse_condition(question, where)
    only = re.search(r"\bfilter\b(.*)$", body, flags=re.DOTALL)
    if only is not None:
        body = body[: only.start()]
        condition = ("&", parse_condition(only.group(1), where), condition)
    quantifier = re.sub(r"\s", "", end.group(1))
    if quantifier == "forall":
        condition = ("!", condition)
    init = _initial(body[: first.start()], where)
    threads: list[tuple[Statement, ...]] = []
    pieces = re.split(r"\bP(\d+)\s*\(", body[first.start() :])
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if int(number) != len(threads):
            raise LitmusError(f"{where}: thread P{len(threads)} is missing")
        threads.append(_Thread(piece, f"{where}: P{number}").body)
    threads = _owned(threads, init, where)
    sometimes = None if told is None else told.group(1) != "Never"
    return Program(
        head.group(1), threads, condition, text.strip(), init, sometimes, quantifier
    )


def _initial(text: str, where: str) -> dict[str, Expr]:
    init: dict[str, Expr] = {}
    for piece in text.strip().strip("{}").split(";"):
        if "=" not in piece:
            continue
        left, _, right = piece.partition("=")
        name, value = left.split()[-1].lstrip("*"), right.strip().lstrip("&")
        value = value.removeprefix("ATOMIC_INIT(").rstrip(")")
        if ":" in name or not name.isidentifier():
            raise LitmusError(f"{where}: cannot read the initial value {piece.strip()!r}")
        init[name] = int(value, 0) if value[:1].isdigit() or value[:1] == "-" else ("addr", value)
    return init


class _Thread:
    """The parser of one thread, from behind its `P0(`."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        head, _, rest = text.partition(")")
        self.shared = {part.split()[-1].lstrip("*") for part in head.split(",") if part.strip()}
        self.tokens = Tokens(rest, where)
        self.tokens.take("{")
        self.body = tuple(self._block())

    def _error(self, what: str) -> LitmusError:
        return LitmusError(f"{self.where}: {what}")

    def _block(self) -> list[Statement]:
        out: list[Statement] = []
        while not self.tokens.accept("}"):
            out += self._statement()
        return out

    def _statement(self) -> list[Statement]:
        tokens = self.tokens
        token = tokens.peek()
        if token == "(" and tokens.peek(1) == "void":
            for part in ("(", "void", ")"):
                tokens.take(part)
            return self._call("")
        if token == ";":
            tokens.take()
            return []
        if token == "{":
            tokens.take()
            return self._block()
        if token == "if":
            tokens.take()
            tokens.take("(")
            test = self._expression()
            tokens.take(")")
            then = self._statement()
            other = self._statement() if tokens.accept("else") else []
            return [If(test, tuple(then), tuple(other))]
        if token in ("while", "for", "do"):
            raise self._error(f"{token!r}: loops cannot be read")
        if token in _TYPES:
            while tokens.peek() in _TYPES or tokens.peek() == "*":
                tokens.take()
            if tokens.peek(1) == ";":
                tokens.take()
                tokens.take(";")
                return []
        elif token == "*" or tokens.peek(1) != "=":
            if token == "*":
                tokens.take()
                target = tokens.take()
                tokens.take("=")
                value = self._expression()
                tokens.take(";")
                return [Let(_PLAIN + target, value)]
            return self._call("")
        reg = tokens.take()
        tokens.take("=")
        if tokens.peek(1) == "(" and tokens.peek().isidentifier():
            return self._call(reg)
        value = self._expression()
        tokens.take(";")
        return [Let(reg, value)]

    def _arguments(self) -> list[tuple[bool, Expr]]:
        """(dereferenced, expression) of each argument."""
        tokens, out = self.tokens, []
        tokens.take("(")
        while not tokens.accept(")"):
            star = tokens.accept("*")
            out.append((star, self._expression()))
            tokens.accept(",")
        return out

    def _call(self, reg: str) -> list[Statement]:
        name = self.tokens.take()
        arguments = self._arguments()
        self.tokens.take(";")
        try:
            return self._meaning(name, reg, [value for _, value in arguments])
        except LitmusError:
            raise
        except (IndexError, ValueError):
            raise self._error(f"{name}() with these arguments cannot be read") from None

    def _meaning(self, name: str, reg: str, values: list[Expr]) -> list[Statement]:
        if name in _LOADS:
            return [Read(reg, _LOADS[name], self._place(values[0]))]
        if name in _STORES:
            return [Write(_STORES[name], self._place(values[0]), values[1])]
        if name == "smp_store_mb":
            return [Write("once", self._place(values[0]), values[1]), Fence("mb")]
        if name in _FENCES:
            return [Fence(_FENCES[name])]
        if name == "barrier":
            return []
        if name in ("spin_lock", "spin_unlock", "spin_is_locked"):
            what = name.removeprefix("spin_")
            return [Lock(what, self._place(values[0])[1], reg)]
        return [self._update(name, reg, values)]

    def _update(self, name: str, reg: str, values: list[Expr]) -> Statement:
        base, mode = name.removeprefix("atomic_"), "mb"
        for suffix in _MODES:
            if base.endswith("_" + suffix):
                base, mode = base.removesuffix("_" + suffix), suffix
        if base in ("xchg", "cmpxchg"):
            wanted = 2 if base == "xchg" else 3
            if len(values) != wanted:
                raise ValueError
            return Update(base, mode, reg, self._place(values[0]), tuple(values[1:]))
        signs = {"add": 1, "sub": -1, "inc": 1, "dec": -1}
        for verb, sign in signs.items():
            short = verb in ("inc", "dec")
            for what, made in ((verb, "add"), (f"fetch_{verb}", "fetch_add"), (f"{verb}_return",
                               "add_return")):  # fmt: skip
                if base == what:
                    amount = sign if short else ("*", sign, values[0])
                    place = self._place(values[0 if short else 1])
                    return Update(made, "" if made == "add" else mode, reg, place, (amount,))
        raise self._error(f"{name}() is not known")

    def _place(self, value: Expr) -> Place:
        if isinstance(value, tuple) and value[0] in ("reg", "addr"):
            name = value[1].removeprefix(_PLAIN)
            return ("var" if name in self.shared else "reg", name)
        raise ValueError

    def _expression(self) -> Expr:
        return self._resolve(self.tokens.expression())

    def _resolve(self, value: Expr) -> Expr:
        """A parameter of the thread is an address."""
        if isinstance(value, int):
            return value
        if value[0] == "reg":
            if value[1].startswith("*"):
                return ("reg", _PLAIN + value[1][1:])
            return ("addr", value[1]) if value[1] in self.shared else value
        if value[0] == "addr":
            return value
        return (value[0], *(self._resolve(part) for part in value[1:]))


def _owned(
    threads: list[tuple[Statement, ...]], init: dict[str, Expr], where: str
) -> list[tuple[Statement, ...]]:
    """A variable with plain accesses must belong to one thread, which has it as a register."""
    owners: dict[str, set[int]] = {}
    marked: set[str] = set()
    for number, body in enumerate(threads):
        for name in _names(body):
            if name.startswith(_PLAIN):
                owners.setdefault(name, set()).add(number)
            else:
                marked.add(name)
    out = list(threads)
    for name, who in owners.items():
        variable = name.removeprefix(_PLAIN)
        if len(who) > 1 or variable in marked:
            raise LitmusError(
                f"{where}: plain accesses to {variable}, which is shared, cannot be read"
            )
        number = min(who)
        out[number] = (Let(name, init.get(variable, 0)), *out[number])
    return out


def _names(body: tuple[Statement, ...]) -> list[str]:
    """The variables of marked accesses, and the registers of those with plain ones."""
    found: list[str] = []
    for s in body:
        if isinstance(s, If):
            found += _plain(s.test) + _names(s.then) + _names(s.other)
        elif isinstance(s, Let):
            found += _plain(("reg", s.reg)) + _plain(s.value)
        elif isinstance(s, Read | Write | Update):
            if s.place[0] == "var":
                found.append(s.place[1])
            for value in getattr(s, "operands", (getattr(s, "value", 0),)):
                found += _plain(value)
    return found


def _plain(value: Expr) -> list[str]:
    if not isinstance(value, tuple) or value[0] == "addr":
        return []
    if value[0] == "reg":
        return [value[1]] if value[1].startswith(_PLAIN) else []
    return [name for part in value[1:] for name in _plain(part)]
