# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The linker: gives the functions of `kport.arch.asm` the code of one machine.

`spin_lock` is imported by name into some fifty modules, so the *function object* must stay; its code
is exchanged instead (`f.__code__ = g.__code__`), which every importer sees at once and which costs
nothing per call. Code finds its globals in the namespace of `asm`, so the names it uses are copied
there: symbol resolution, as ld does it. Two rules keep this simple and are checked here: a machine
defines every instruction, and two helpers never share a name unless they are the same object.

The museum and the explorers patch ported functions by the same means (`patched`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from kport.arch import asm
from kport.arch.api import INSTRUCTIONS

_linked: str | None = None


def _names(code: CodeType) -> set[str]:
    """Every global name that `code` or a function nested in it may look up."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            found |= _names(const)
    return found


def _function(module: ModuleType, name: str) -> FunctionType:
    function = getattr(module, name, None)
    if not isinstance(function, FunctionType):
        raise TypeError(f"{module.__name__} has no instruction {name}")
    if function.__closure__:
        raise TypeError(f"{module.__name__}.{name} is a closure and cannot be linked")
    return function


def link(module: ModuleType, **data: Any) -> None:
    """Make `module` the machine behind `kport.arch.asm` and set its `data` symbols.

    Relinking the machine that is already there only sets the data, so a boot stays cheap. Must not
    be called while kernel threads run. Raises TypeError for a module that is not a whole machine.
    """
    global _linked
    symbols = vars(asm)
    if _linked != module.__name__:
        source = vars(module)
        wanted: set[str] = set()
        codes: dict[str, FunctionType] = {}
        for name in INSTRUCTIONS:
            codes[name] = _function(module, name)
            wanted |= _names(codes[name].__code__)
        for name in wanted & source.keys() - set(INSTRUCTIONS):
            symbols[name] = source[name]
        for name, function in codes.items():
            _set_code(symbols[name], function)
        _linked = module.__name__
    for name, value in data.items():
        symbols[name] = value
        setattr(module, name, value)


def _set_code(target: FunctionType, source: FunctionType) -> None:
    target.__code__ = source.__code__
    target.__defaults__ = source.__defaults__
    target.__kwdefaults__ = source.__kwdefaults__


@contextmanager
def patched(function: Callable[..., Any], replacement: Callable[..., Any]) -> Iterator[None]:
    """Run the body with `replacement`'s code inside `function`, for every caller everywhere.

    The replacement is an ordinary module-level function; the names it uses are looked up in the
    globals of `function` (the patched file), as if its text stood there.
    """
    if not isinstance(function, FunctionType) or not isinstance(replacement, FunctionType):
        raise TypeError("patched() takes two plain functions")
    if replacement.__closure__ or function.__closure__:
        raise TypeError("patched() cannot exchange closures")
    before = (function.__code__, function.__defaults__, function.__kwdefaults__)
    _set_code(function, replacement)
    try:
        yield
    finally:
        function.__code__, function.__defaults__, function.__kwdefaults__ = before
