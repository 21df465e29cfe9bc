# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Exports, parameters, initcalls and static data: what the C toolchain does for a kernel module.

Static data of a C file is set by the loader; here it must be set anew for each kernel. `boot_data`
registers the function that does it. Initcalls run after it in the kernel's order of levels, exits
in the reverse order when the kernel is left. Modules imported while a kernel runs are initialised
at the end of that import, as insmod does: only then do all their functions exist.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

EARLY, CORE, SUBSYS, DEVICE, LATE = range(5)

exported: dict[str, list[str]] = {}
_resets: list[Callable[[], None]] = []
_inits: list[tuple[int, Callable[[], int]]] = []
_exits: list[Callable[[], None]] = []
_loaded: tuple[int, int] = (0, 0)  # how many resets and initcalls this kernel has run


class module_param(NamedTuple):
    """One parameter: where it lives, its type, its mode bits and the value it has at load."""

    name: str
    namespace: dict[str, Any]
    variable: str
    type: Callable[[Any], Any]
    perm: int
    default: Any


parameters: dict[str, module_param] = {}


class InitcallError(RuntimeError):
    """An initcall returned an error; the kernel cannot boot with it."""


def EXPORT_SYMBOL(function: Any) -> None:
    """Record that the C file exports the function (include/linux/export.h)."""
    exported.setdefault(function.__module__, []).append(function.__name__)


EXPORT_SYMBOL_GPL = EXPORT_SYMBOL


def boot_data(reset: F) -> F:
    """Register a function that gives the statics of its file their load-time values."""
    _resets.append(reset)
    return reset


def _initcall(level: int, function: Callable[[], int]) -> None:
    _inits.append((level, function))


def _call(function: Callable[[], int]) -> None:
    error = function()
    if error:
        raise InitcallError(f"initcall {function.__name__} returned {error}")


def early_initcall(function: Callable[[], int]) -> None:
    """Run at boot, before all others."""
    _initcall(EARLY, function)


def core_initcall(function: Callable[[], int]) -> None:
    """Run at boot, after the early ones."""
    _initcall(CORE, function)


def subsys_initcall(function: Callable[[], int]) -> None:
    """Run at boot, after the core ones."""
    _initcall(SUBSYS, function)


def module_init(function: Callable[[], int]) -> None:
    """Run when the module is loaded."""
    _initcall(DEVICE, function)


def late_initcall(function: Callable[[], int]) -> None:
    """Run at boot, last."""
    _initcall(LATE, function)


def module_exit(function: Callable[[], None]) -> None:
    """Run when the module is unloaded, that is when the kernel is left."""
    _exits.append(function)


def module_param_named(
    name: str, variable: str, type: Callable[[Any], Any], perm: int
) -> None:
    """Make the global `variable` of the calling module a parameter called `name`.

    `type` makes the value of what was given; it raises ValueError for what it cannot be.
    """
    namespace = sys._getframe(1).f_globals
    parameters[name] = module_param(name, namespace, variable, type, perm, namespace[variable])


def set_parameters(values: dict[str, Any]) -> None:
    """Give every parameter its value for the coming kernel: from `values` or its default.

    Raises ValueError for a name that no module has and for a value of the wrong type.
    """
    for name in values:
        if name not in parameters:
            known = ", ".join(parameters)
            raise ValueError(f"no module has the parameter {name}; there is: {known}")
    for param in parameters.values():
        param.namespace[param.variable] = param.type(values.get(param.name, param.default))


def load() -> None:
    """Reset all statics, then run the initcalls by level and in order of registration."""
    global _loaded
    _loaded = (0, 0)
    _initialise()
    sys.meta_path.insert(0, _insmod)


def _initialise() -> None:
    """Run the resets and initcalls that have been registered since the last time."""
    global _loaded
    resets, inits = _resets[_loaded[0] :], _inits[_loaded[1] :]
    _loaded = (len(_resets), len(_inits))
    for reset in resets:
        reset()
    for level in (EARLY, CORE, SUBSYS, DEVICE, LATE):
        for at, function in inits:
            if at == level:
                _call(function)


def unload() -> None:
    """Run the module exits, last registered first."""
    for function in reversed(_exits):
        function()


def unloaded() -> None:
    """The kernel is gone; modules imported from here on wait for the next one."""
    if _insmod in sys.meta_path:
        sys.meta_path.remove(_insmod)


class _Insmod:
    """An import hook while a kernel runs: initialise what the outermost import brought in."""

    def __init__(self) -> None:
        self._depth = 0
        self._lock = allocate_lock()  # of the depth: several threads may import at once

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The ordinary spec of a module of kport, with a loader that calls `_initialise()`."""
        spec = PathFinder.find_spec(name, path, target) if name.startswith("kport.") else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            with self._lock:
                self._depth += 1
            try:
                execute(module)
            finally:
                with self._lock:
                    self._depth -= 1
                    outermost = not self._depth
            if outermost:
                _initialise()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_insmod: Any = _Insmod()
