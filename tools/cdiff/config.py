# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is declared about the port: `port.toml`, and the kernel configuration in kconfig.py.

`port.toml` says, per C file, which functions are left out and why, which macros stand expanded,
whose bodies are folded into their callers, and which parameters do nothing here. Per baseline it
names the kernel and the headers that are read for their types.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from tools.cdiff.errors import CdiffError
from tools.cdiff.pysource import ROOT
from tools.cdiff.rules import LEFT_OUT

HERE = Path(__file__).resolve().parent
BASELINES = HERE / "baseline"


@dataclass(frozen=True)
class FileRules:
    """How one C file is translated besides the general rules."""

    expand: dict[str, str] = field(default_factory=dict)
    fold: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Baseline:
    """One kernel the port follows."""

    name: str
    linux: str
    package: str
    headers: tuple[str, ...]


@dataclass
class PortList:
    """All of port.toml."""

    baselines: dict[str, Baseline]
    files: dict[str, FileRules]
    left_out: dict[str, dict[str, tuple[str, ...]]]
    added: dict[str, dict[str, tuple[str, ...]]]
    defines: dict[str, int]
    not_covered: dict[str, str]
    drift: dict[str, tuple[str, ...]]
    patched: tuple[str, ...] = ()
    where: str = "tools/cdiff/port.toml"

    def rules(self, path: str) -> FileRules:
        """The rules of a C file."""
        return self.files.get(path, FileRules())

    def reason(self, path: str, name: str) -> str:
        """Why a function of a C file is left out; "" if it is not."""
        for reason, patterns in self.left_out.get(path, {}).items():
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return reason
        return ""

    def added_reason(self, path: str, name: str) -> str:
        """Why the port has a function that C does not have; "" if nothing says so."""
        for reason, patterns in self.added.get(path, {}).items():
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                return reason
        return ""

    def patterns(self, path: str) -> Iterator[tuple[str, str]]:
        """(reason, pattern) of everything that is listed as left out of a C file."""
        for reason, patterns in self.left_out.get(path, {}).items():
            for pattern in patterns:
                yield reason, pattern

    def by_version(self, version: str) -> Baseline | None:
        """The baseline of a kernel version."""
        return next((b for b in self.baselines.values() if b.linux == version), None)


def kconfig(root: Path = ROOT) -> dict[str, int]:
    """The options of kport/linux/kconfig.py that are on, as the C preprocessor sees them."""
    path = root / "kport/linux/kconfig.py"
    found: dict[str, int] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            value = node.value.value
            for target in node.targets:
                if isinstance(target, ast.Name) and isinstance(value, int) and value:
                    found[target.id] = int(value)
    return found


def _reasons(table: dict[str, Any], where: str) -> dict[str, dict[str, tuple[str, ...]]]:
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for path, reasons in table.items():
        for reason in reasons:
            if reason not in LEFT_OUT:
                known = ", ".join(sorted(LEFT_OUT))
                raise CdiffError(f"{where}: {path}: unknown reason '{reason}'; there is: {known}")
        found[path] = {reason: tuple(names) for reason, names in reasons.items()}
    return found


def load(path: Path = HERE / "port.toml") -> PortList:
    """Read port.toml. CdiffError for anything that is not as it should be."""
    where = path.name
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CdiffError(f"{where}: {error}") from None
    baselines = {
        name: Baseline(
            name,
            entry["linux"],
            entry["package"],
            tuple(entry.get("headers", ())),
        )
        for name, entry in table.get("baseline", {}).items()
    }
    files = {
        name: FileRules(
            entry.get("expand", {}), tuple(entry.get("fold", ())), tuple(entry.get("drop", ()))
        )
        for name, entry in table.get("file", {}).items()
    }
    return PortList(
        baselines,
        files,
        _reasons(table.get("left-out", {}), where),
        _reasons(table.get("added", {}), where),
        {**kconfig(), **{name: int(value) for name, value in table.get("define", {}).items()}},
        table.get("not-covered", {}),
        {name: tuple(patterns) for name, patterns in table.get("drift", {}).items()},
        tuple(table.get("patched", {}).get("folders", ())),
    )


@cache
def portlist() -> PortList:
    """The one port list of this checkout."""
    return load()
