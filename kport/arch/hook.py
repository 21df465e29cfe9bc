# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Watching a function of the kernel without a line in it: what runs before it and after it.

A debug option of the kernel (lockdep, KCSAN) is code that the compiler puts around every lock and
every access. Here it is put around them when a kernel boots: `hooked()` makes one function out of
the function and the hooks of all the options that are on, and the linker binds its name to that.
The text of the new function is generated for its signature, so a hook costs one call and nothing
else, and an option that is off costs nothing. What little an option does at every lock may be
`Lines` instead of a function: text that stands in the new function itself and costs no call.

`before` is called with the arguments, `after` with the result and the arguments. On `virt` an
instruction counts its step first and acts then: `after` runs in the same step as the action, while
between `before` and the action another task may run. A function that raises has no `after`.

The frames of generated functions have the file name `HOOK`; whoever prints a stack leaves them out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

HOOK = "<hook>"


class Lines:
    """Lines of Python: `$0`, `$1` are the function's parameters, `_result` is the result.

    `names` are the globals they use; names and local variables are shared by all hooks of a
    function. Equal is only the same object.
    """

    __slots__ = ("names", "text")

    def __init__(self, text: str, **names: Any) -> None:
        self.text = text
        self.names = names

    def put(self, arguments: Sequence[str]) -> list[str]:
        """The lines, with the parameters in them."""
        text = self.text
        for number, argument in enumerate(arguments):
            text = text.replace(f"${number}", argument)
        return text.strip("\n").splitlines()


class Hook(NamedTuple):
    """What one option does around a function: either may be None."""

    before: Callable[..., Any] | Lines | None = None
    after: Callable[..., Any] | Lines | None = None


_made: dict[tuple[Any, tuple[Hook, ...]], Callable[..., Any]] = {}


def hooked(function: Callable[..., Any], hooks: Sequence[Hook]) -> Callable[..., Any]:
    """`function` with hooks around it: the first hook's `before` is first, its `after` last.

    The same function and hooks give the same object. Keyword-only parameters are not supported:
    C has none.
    """
    key = (function, tuple(hooks))
    made = _made.get(key)
    if made is None:
        made = _made[key] = _make(function, hooks)
    return made


def _make(function: Callable[..., Any], hooks: Sequence[Hook]) -> Callable[..., Any]:
    names: dict[str, Any] = {"_base": function}
    parameters, arguments = [], []
    for p in _parameters(function):
        if p.kind is p.VAR_POSITIONAL:
            parameters.append(f"*{p.name}")
            arguments.append(f"*{p.name}")
            continue
        if p.default is not p.empty:
            names[f"_default_{p.name}"] = p.default
            parameters.append(f"{p.name}=_default_{p.name}")
        else:
            parameters.append(p.name)
        arguments.append(p.name)
    given = ", ".join(arguments)
    lines = []
    for number, hook in enumerate(hooks):
        if isinstance(hook.before, Lines):
            names |= hook.before.names
            lines += hook.before.put(arguments)
        elif hook.before is not None:
            names[f"_before{number}"] = hook.before
            lines.append(f"_before{number}({given})")
    lines.append(f"_result = _base({given})")
    for number, hook in reversed(list(enumerate(hooks))):
        if isinstance(hook.after, Lines):
            names |= hook.after.names
            lines += hook.after.put(arguments)
        elif hook.after is not None:
            names[f"_after{number}"] = hook.after
            lines.append(f"_after{number}({', '.join(['_result', *arguments])})")
    lines.append("return _result")
    name = getattr(function, "__name__", "hooked")
    text = f"def {name}({', '.join(parameters)}):\n    " + "\n    ".join(lines)
    exec(compile(text, HOOK, "exec"), names)
    made: Callable[..., Any] = names[name]
    made.__module__ = getattr(function, "__module__", "")
    made.__doc__ = function.__doc__
    made.__wrapped__ = function  # type: ignore[attr-defined]
    return made


_BUILTINS: dict[Any, tuple[str, ...]] = {getattr: ("o", "f"), setattr: ("o", "f", "v")}


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function; a machine may use a builtin for an instruction."""
    if function is bool:  # stands for any function that does nothing
        return [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]
    names = ("v",) if isinstance(function, attrgetter) else _BUILTINS.get(function)
    if names is not None:
        kind = inspect.Parameter.POSITIONAL_ONLY
        return [inspect.Parameter(name, kind) for name in names]
    return list(inspect.signature(function).parameters.values())
