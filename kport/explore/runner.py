# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""One execution of a scenario, and what went wrong in it.

A scenario is a function. With a parameter it gets a freshly booted kernel and is its main task: it
starts others, and when it has returned the kernel is taken down. Without one it is called before
each execution and returns what shall run at once: plain functions, or a `Program` with a function
that looks at the result. That is much faster, as no kernel is booted (unless checks are asked for,
then one kernel sees all executions).

What counts as going wrong: an oops, a deadlock, a livelock, an exception of the scenario's own, a
warning, what a debug option reports, and what the kernel leaves behind. Data races that the kernel
is known to have are told apart, and are no failure.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import kport
from kport.arch import link
from kport.arch.api import Halted, KernelBug
from kport.arch.virt import Bare
from kport.arch.virt_asm import CPU
from kport.check import select
from kport.explore import ops
from kport.explore.machine import Explorer
from kport.explore.plain import POINTS, PlainExplorer, Watch
from kport.explore.search import Search
from kport.explore.trace import of_machine
from kport.linux.bug import place_of, said
from kport.linux.init import Kernel, KernelOops, boot, current_kernel

_OPS = Watch(ops.HOOKS)
_POINTS = Watch(fields=[POINTS])
_POINTS.name = "points"

Scenario = Callable[..., Any]
ALONE = 1 << 60  # steps before the next point, while there are no tasks
BOUND_KERNEL = 100_000
BOUND_PROGRAM = 20_000


@dataclass(slots=True)
class Program:
    """Functions that run at once, and what looks at the result when all have ended."""

    functions: Sequence[Callable[[], Any]]
    check: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Trouble:
    """What went wrong: its kind, one line, the whole report."""

    kind: str
    headline: str
    report: str

    @property
    def cause(self) -> str:
        """The same for two troubles that differ in numbers and names of tasks only."""
        return f"{self.kind}: {re.sub(r'(0x)?[0-9a-f]*[0-9][0-9a-f]*', '#', self.headline)}"


@dataclass(frozen=True)
class Setup:
    """How a scenario is run; what a worker process needs to do the same."""

    sched: str = "v7_2"
    check: Iterable[Any] | str = ()
    memory: str = "sc"
    plain: bool = False
    cpus: int = 4
    bound: int = 0
    carrier: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def of_kernel(scenario: Scenario) -> bool:
    """Whether a scenario wants a kernel."""
    return bool(inspect.signature(scenario).parameters)


class Runner:
    """Runs a scenario again and again under a search; a context manager."""

    def __init__(self, scenario: Scenario, setup: Setup) -> None:
        self.scenario = scenario
        self.setup = setup
        self.kernel = of_kernel(scenario)
        self.steps = 0  # of the last execution
        self.races: list[str] = []  # of the last one with a kernel: races the kernel is known for
        self._stack: ExitStack | None = None
        self._machine: Explorer | None = None
        self._booted: Kernel | None = None
        self._for: Any = None
        self._search: Search | None = None
        self._watch: Watch | None = None
        self._judged = False

    def __enter__(self) -> Self:
        try:
            current_kernel()
        except RuntimeError:
            return self
        raise RuntimeError("a kernel is booted; explore() boots its own")

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, search: Search, watch: Watch | None = None) -> Trouble | None:
        """One execution; `watch` is what is put around the kernel for this one only."""
        if self.kernel:
            return self._run_kernel(search, self._watches(search, watch))
        if search is not self._search or watch is not self._watch or self._machine is None:
            self._ready(search, watch)
        return self._run_program()

    def _watches(self, search: Search, watch: Watch | None) -> list[Watch]:
        watches = [watch] if watch is not None else [_OPS] if search.needs_ops else []
        return [*watches, _POINTS] if self.setup.plain else watches

    # -- with a kernel -----------------------------------------------------------------------------

    def _make(self, search: Search) -> Explorer:
        setup = self.setup
        more: dict[str, Any] = {} if setup.memory == "sc" else {"memory": setup.memory}
        bound = setup.bound or (BOUND_KERNEL if self.kernel else BOUND_PROGRAM)
        return (PlainExplorer if setup.plain else Explorer)(
            search,
            cpus=setup.cpus,
            step_ns=search.step_ns,
            bound=bound,
            carrier=setup.carrier,
            **more,
        )

    def _boot(self, machine: Explorer, watches: Sequence[Watch]) -> Any:
        setup = self.setup
        check: Any = [*select(setup.check), *watches]
        params = dict(setup.params)
        if self.kernel:  # the scheduler is a parameter of a module: load it, as modprobe would
            importlib.import_module("kport.drivers.compat")
            params.setdefault("scheduler", setup.sched)
        return boot(machine, params=params, check=check)

    def _run_kernel(self, search: Search, watches: Sequence[Watch]) -> Trouble | None:
        machine = self._make(search)
        self.races = []
        kernel: Kernel | None = None
        try:
            with self._boot(machine, watches) as kernel:
                self.scenario(kernel)
                machine.settle()
        except KernelOops as oops:
            self.steps = machine.steps
            return _oops(oops.report, kernel)
        except Halted:
            if not machine.dead:
                raise
            return None  # the search has seen enough
        except Exception as error:
            if kernel is None:
                raise  # it did not come up: that is not the scenario's
            self.steps = machine.steps
            return _raised(error)
        self.steps = machine.steps
        assert kernel is not None
        self.races = [title for report in kernel.reports() if (title := report.counted)]
        return _found(kernel) or _leaked(kernel)

    # -- without -----------------------------------------------------------------------------------

    def _ready(self, search: Search, watch: Watch | None) -> None:
        """A machine for this search: the one there is, if it has the same hooks and clock."""
        mine = (search.needs_ops, watch, search.step_ns)
        if self._machine is None or self._for != mine:
            self._close()
            self._open(search, self._watches(search, watch))
            self._for = mine
        self._search, self._watch = search, watch
        machine = self._machine
        assert machine is not None
        machine.search = search
        machine.explore()
        machine.quiet = True

    def _run_program(self) -> Trouble | None:
        machine = self._machine
        assert machine is not None
        CPU.left = ALONE
        program = self.scenario()
        functions, check = program, None
        if isinstance(program, Program):
            functions, check = program.functions, program.check
        if not self._judged:
            self._judge(functions)
        trouble = None
        machine.quiet = False
        try:
            machine.run(*functions)
        except KernelBug as bug:
            trouble = _oops(str(bug))
        except Exception as error:
            trouble = _raised(error)
            if self._booted is None and isinstance(error, AttributeError) and error.obj is None:
                hint = "\nthere is no kernel: a scenario gets one by having a parameter"
                trouble = replace(trouble, report=trouble.report + hint)
        machine.quiet = True
        self.steps = machine.step
        if trouble is None and not machine.dead and check is not None:
            CPU.left = ALONE
            try:
                check()
            except Exception as error:
                trouble = _raised(error)
        if self._booted is not None and not machine.dead:
            trouble = _found(self._booted) or trouble
        if trouble is not None and self._booted is not None:
            self._close()  # debug options report once in a boot
        return trouble

    def _judge(self, functions: Any) -> None:
        """Once: is it what a program is? Raises ValueError."""
        if not isinstance(functions, Sequence) or not all(map(callable, functions)):
            name = getattr(self.scenario, "scenario_name", self.scenario.__name__)
            raise ValueError(
                f"{name} has no parameter for a kernel, so it must return functions that run at "
                f"once, and returned {functions!r}"
            )
        self._judged = True

    def _open(self, search: Search, watches: Sequence[Watch]) -> None:
        self._machine = machine = self._make(search)
        stack = self._stack = ExitStack()
        if self.setup.check or self.setup.plain:
            self._booted = stack.enter_context(self._boot(machine, watches))
            return
        if watches:
            hooks = [watch.hooks(machine) for watch in watches]
            machine.table = link.watch(machine.table, {}, hooks)
        machine.power_on(Bare())
        stack.callback(machine.power_off, 1)

    def _close(self) -> None:
        stack, self._stack = self._stack, None
        if self._booted is not None and self._machine is not None:
            self._machine.settle()
        self._machine = self._booted = None
        if stack is not None:
            try:
                stack.close()
            except (KernelOops, Halted):
                pass  # what went wrong in the last execution was told


def _oops(report: str, kernel: Kernel | None = None) -> Trouble:
    """An oops; what a debug option had to say of it stands before it."""
    headline = report.splitlines()[0] if report else "oops"
    for told in kernel.reports() if kernel is not None else ():
        if told.headline == headline:
            report = f"{told.text}\n\nOops: {report}"
            break
    kind = "oops"
    for name in ("deadlock", "livelock", "soft lockup"):
        if f"BUG: {name}" in headline:
            kind = name.split()[-1]
    return Trouble(kind, headline, _without_us(report))


_BELOW = re.compile(r"(?:^|\s)(?:_life|_run_kernel|_run_program|_powered)\+\S+:\d+")
_FRAME = re.compile(r"^(?:\[ *\d+\.\d+\])? +\S+\+\S.*:\d+")


_TRACE = re.compile(r'^  File "(.+)", line \d+, in (\S+)')
_LIFE = ("_life", "_run_kernel", "_run_program", "_powered", "boot")
_ROOT = str(Path(kport.__file__).parent.parent) + os.sep


def _without_us(report: str) -> str:
    """A report without the frames below the task's, which differ by carrier and by caller.

    Of a traceback each frame has its first line of source, and no marks below it: what more there
    is depends on the Python. Files of this installation go by their names in it.
    """
    kept: list[str] = []
    below = False
    source = -1  # lines of source since the last frame of a traceback
    for line in report.split("\n"):
        frame = _TRACE.match(line)
        if frame is not None:
            source = -1 if frame[2] in _LIFE else 0
            below = source < 0
            if not below:
                kept.append(line.replace(_ROOT, "", 1))
            continue
        if line.startswith("    ") and (below or source >= 0):
            if source == 0:
                kept.append(line)
            source += source >= 0
            continue
        source = -1
        below = (below and _FRAME.match(line) is not None) or _BELOW.search(line) is not None
        if not below:
            kept.append(line)
    return "\n\n".join(p for p in "\n".join(kept).split("\n\n") if not _EMPTY.fullmatch(p))


_EMPTY = re.compile(r"\S+/\d+: can run")  # the caller, while the functions of a program run


def _raised(error: Exception) -> Trouble:
    text = said(error).strip()
    headline = f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
    lines = [f"{type(error).__name__}: {text}"]
    lines += [f"  {name}+{place_of(file, line)}" for file, line, name in raised_at(error)]
    return Trouble("error", headline, "\n".join(lines))


def raised_at(error: Exception) -> list[tuple[str, int, str]]:
    """(file, line, function) of the frames of an error above the machine, innermost first."""
    found = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not of_machine(code.co_filename):
            found.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return found[::-1]


def _found(kernel: Kernel) -> Trouble | None:
    """What debug options have reported, or the kernel has warned of."""
    reports = [report for report in kernel.reports() if not report.counted]
    if reports:  # what was lost says more than that it was left
        reports.sort(key=lambda report: report.headline.startswith("kmemleak"))
        first, *others = reports
        text = _without_us(first.text)
        if others:
            text += "\n\n" + "\n".join(f"also: {report.headline}" for report in others)
        return Trouble(first.facility, first.headline, text)
    warnings = kernel.warnings()
    if warnings:
        return Trouble("warning", warnings[0], _without_us("\n".join(kernel.dmesg())))
    return None


def _leaked(kernel: Kernel) -> Trouble | None:
    lines = kernel.leaks.lines()
    if not lines:
        return None
    return Trouble("leak", "; ".join(lines), "\n".join(lines))
