# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Debug options of a kernel: what is hooked, when it starts and stops, and where its report goes.

An option of the kernel's configuration (CONFIG_PROVE_LOCKING, CONFIG_KASAN) is a `Facility` here.
`boot(check=...)` puts its hooks around instructions and functions (`kport.arch.hook`), lets it
begin with a kernel and look at what is left at the end. It says what it found with `splat()`: the
lines go to the log, as in the kernel, and the report is kept for `Kernel.reports()`.

A facility never raises into the code it watches, except where the kernel would have died there too
(a use after free ends in a fault).

`finders` answers names: `kport.check` fills it when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kport.arch.hook import Hook
from kport.linux import printk
from kport.linux.module import boot_data

if TYPE_CHECKING:
    from kport.arch.api import Machine
    from kport.linux.field import Watcher

Hooks = Mapping[str | Callable[..., Any], Hook]


class Facility:
    """One debug option. Made once per kernel; the hooks should be the same objects each time.

    The linker binds names anew only where code has changed: hooks that are functions of a module,
    not methods of a fresh object, make booting with the option as cheap as without.
    """

    name = ""

    def hooks(self, machine: Machine) -> Hooks:
        """What to run around which instruction, alias (by name) or function of the port."""
        return {}

    def variants(self) -> Mapping[str, Callable[..., Any]]:
        """Linkable functions (`kport.arch.link`) that this option replaces by others, by name."""
        return {}

    def fields(self, machine: Machine) -> Sequence[Watcher]:
        """Who is called before each plain access to a member of a struct (`kport.linux.field`)."""
        return ()

    def start(self, machine: Machine) -> None:
        """The machine is on and nothing is initialised yet: forget the last kernel."""

    def begin(self) -> None:
        """A new execution of the same kernel begins (`Virt.run()`): threads and time are new."""

    def finish(self) -> None:
        """A healthy kernel has been taken down: report what is left."""

    def fail(self) -> None:
        """A kernel that met an oops or an error ends here; every thread stands where it stood."""

    def stop(self) -> None:
        """The kernel is gone, healthy or not: undo what `start()` changed."""


@dataclass(frozen=True)
class Report:
    """What a facility found: its name, the headline, and all lines as they stand in the log."""

    facility: str
    headline: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The whole report."""
        return "\n".join(self.lines)

    @property
    def counted(self) -> str:
        """The title of a data race that the kernel itself has and that was only counted, or ""."""
        if self.facility != "races" or not self.lines[1:]:
            return ""
        _, known, title = self.lines[1].partition(" known: ")
        return title if known else ""


reports: list[Report] = []

finders: dict[str, Callable[[], Sequence[Facility]]] = {}


@boot_data
def _reset_reports() -> None:
    reports.clear()


def splat(facility: str, headline: str, lines: Iterable[str]) -> Report:
    """Log a report and keep it. `lines` are all of it, the headline among them."""
    report = Report(facility, headline, tuple(lines))
    for line in report.lines:
        printk.emit(printk.WARNING, line)
    reports.append(report)
    return report


class Standing:
    """What watches a kernel whose `boot()` does not say: the checks, and what they have found."""

    checks: tuple[str | Facility, ...] = ()
    found: list[Report] | None = None


@contextmanager
def standing(check: Iterable[str | Facility]) -> Iterator[list[Report]]:
    """Watch each kernel that boots in the block and names no checks itself; yields the reports.

    A command has this around what it runs, so that nothing between it and the boot need know.
    """
    before = Standing.checks, Standing.found
    found: list[Report] = []
    Standing.checks, Standing.found = tuple(check), found
    try:
        yield found
    finally:
        Standing.checks, Standing.found = before


def left() -> None:
    """A kernel has gone: keep its reports for who watches all of them."""
    if Standing.found is not None:
        Standing.found.extend(reports)


def select(check: str | Iterable[str | Facility]) -> list[Facility]:
    """The facilities of `check`: names, separated by commas in a text; "all" is all of them.

    Raises ValueError for a name that nobody knows.
    """
    wanted = check.split(",") if isinstance(check, str) else list(check)
    found: dict[str, Facility] = {}
    for item in wanted:
        if isinstance(item, Facility):
            found[item.name] = item
            continue
        name = item.strip()
        if not name:
            continue
        if name != "all" and name not in finders:
            known = ", ".join(["all", *finders])
            raise ValueError(f"unknown check {name!r}; there is: {known}")
        for finder in finders.values() if name == "all" else (finders[name],):
            for facility in finder():
                found.setdefault(facility.name, facility)
    return list(found.values())
