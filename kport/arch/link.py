# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The linker: binds the names of the instruction set to the code of one machine.

An instruction is imported by name into some fifty modules, and must cost no more than a call: no
object in between, no branch. So the names are *relocated*, as a loader does it: wherever a loaded
module has a global with the name of an instruction that is bound to any machine's code for it, the
name is bound to the machine that boots. This happens when the machine changes, not at every boot;
a module loaded later binds the right code when it imports. An instruction may be any callable, and
where a machine needs nothing more than C's getattr() it is getattr().

A debug option puts hooks around instructions and around functions of the port (`kport.arch.hook`);
`watch()` makes the table of both, and the linker binds that like any other. An alias may be hooked
by itself: then it no longer follows the instruction it is another name of.

Known limit: a copy of an instruction under a name of your own, or in a closure, stays as it was.

Explorers and exhibits change single functions of the port with `patched()`. There the function
object stays and its code is exchanged, so that every caller sees it, however it got hold of the
function.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from kport.arch import asm
from kport.arch.api import ALIASES, INSTRUCTIONS
from kport.arch.hook import Hook, hooked

F = TypeVar("F", bound=Callable[..., Any])

_bound: dict[str, Any] = {name: getattr(asm, name) for name in INSTRUCTIONS}
_bound |= {alias: _bound[name] for alias, name in ALIASES.items()}
_known: dict[str, list[Any]] = {name: [code] for name, code in _bound.items()}
_default: dict[str, Any] = {}


def linkable(function: F) -> F:
    """Let a function of the port have variants, for debug options: link() may bind its name."""
    name = function.__name__
    if name in _bound:
        raise ValueError(f"{name} is linkable already")
    _bound[name] = function
    _known[name] = [function]
    _default[name] = function
    return function


def defaults() -> dict[str, Any]:
    """The table of all linkable functions as they are without any debug option."""
    return dict(_default)


def _key(function: Callable[..., Any]) -> str:
    """The name under which a function of the port is linked; it is made linkable if it is not."""
    function = inspect.unwrap(function)
    short = function.__name__
    if _default.get(short) is function:
        return short
    key = f"{function.__module__}:{short}"
    if key not in _bound:
        _bound[key] = _default[key] = function
        _known[key] = [function]
    return key


def watch(
    machine: Mapping[str, Any],
    functions: Mapping[str, Any],
    hooks: Sequence[Mapping[str | Callable[..., Any], Hook]],
) -> dict[str, Any]:
    """The table in which everything that has hooks is bound to what the hooks make of it.

    `machine` has the code of the instructions, `functions` that of the linkable functions. Each
    of `hooks` is what one option asks for: by the name of an instruction or of an alias, or by a
    function of the port, which becomes linkable by that. Raises KeyError for an unknown name.
    """
    asked: list[dict[str, Hook]] = [
        {what if isinstance(what, str) else _key(what): hook for what, hook in option.items()}
        for option in hooks
    ]
    found: dict[str, list[Hook]] = {}
    for key in dict.fromkeys(key for option in asked for key in option):
        # An option that does not name an alias means it with the instruction.
        names = [key, ALIASES[key]] if key in ALIASES else [key]
        found[key] = [
            next(option[name] for name in names if name in option)
            for option in asked
            if any(name in option for name in names)
        ]
    table = dict(machine) | dict(functions)
    for key, around in found.items():
        if key in ALIASES:
            code = machine[ALIASES[key]]
        elif key in table:
            code = table[key]
        else:
            code = _default[key]
        table[key] = hooked(code, around)
    return table


def link(table: Mapping[str, Any]) -> None:
    """Bind instructions to the callables of `table`, by name, in every loaded module.

    The table may hold some instructions only; the others stay as they are. Must not be called while
    kernel threads run. Raises KeyError for a name that is neither instruction nor linkable.
    """
    wanted = {name: code for name, code in table.items() if name not in ALIASES}
    apart = {alias for alias in table if alias in ALIASES}
    for alias, name in ALIASES.items():
        if name in wanted or alias in apart:
            wanted[alias] = table[alias] if alias in apart else wanted[name]
    changed = {}
    for name, code in wanted.items():
        if _bound[name] is not code:
            changed[name] = code
    if not changed:
        return
    for name, code in changed.items():
        _bound[name] = code
        if not any(code is old for old in _known[name]):
            _known[name].append(code)
    names = [(name.rpartition(":")[2], name) for name in changed]
    for module in list(sys.modules.values()):
        symbols = getattr(module, "__dict__", None)
        if isinstance(symbols, dict):
            _relocate(symbols, names)


def code_of_today(name: str, code: Any) -> Any:
    """What a module would have under `name` that imported `code` long ago: its code of today."""
    known = _known.get(name, ())
    return _bound[name] if any(code is old for old in known) else code


def _relocate(symbols: dict[str, Any], names: list[tuple[str, str]]) -> None:
    for alias, name in names:
        if alias in symbols:
            here = symbols[alias]
            if any(here is old for old in _known[name]):
                symbols[alias] = _bound[name]


def instructions(module: ModuleType) -> dict[str, Any]:
    """The table of a module that defines every instruction. Raises TypeError if one is missing."""
    missing = [name for name in INSTRUCTIONS if not callable(getattr(module, name, None))]
    if missing:
        raise TypeError(f"{module.__name__} lacks the instructions {', '.join(missing)}")
    return {name: getattr(module, name) for name in INSTRUCTIONS}


@contextmanager
def patched(function: Callable[..., Any], replacement: Callable[..., Any]) -> Iterator[None]:
    """Run the body with `replacement`'s code inside `function`, for every caller everywhere.

    The replacement is an ordinary module-level function; the names it uses are looked up in the
    globals of `function` (the patched file), as if its text stood there.
    """
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType) or not isinstance(replacement, FunctionType):
        raise TypeError("patched() takes two plain functions")
    if replacement.__closure__ or function.__closure__:
        raise TypeError("patched() cannot exchange closures")
    before = (function.__code__, function.__defaults__, function.__kwdefaults__)
    function.__code__ = replacement.__code__
    function.__defaults__ = replacement.__defaults__
    function.__kwdefaults__ = replacement.__kwdefaults__
    try:
        yield
    finally:
        function.__code__, function.__defaults__, function.__kwdefaults__ = before
