# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port, its baselines and its port list, put together: which C function is which of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from tools.cdiff import accepted, facts, pysource
from tools.cdiff.canon import Statement, digest
from tools.cdiff.compare import Comparison, Row, added, compare, judge
from tools.cdiff.config import BASELINES, PortList, load
from tools.cdiff.errors import CdiffError
from tools.cdiff.facts import Facts, FileFact, FunctionFact, StatementFact
from tools.cdiff.pydata import PyEvents
from tools.cdiff.pysource import ROOT, PyClass, PyFile, PyFunction
from tools.cdiff.syntax import field


@dataclass(frozen=True)
class Pair:
    """A function of the port and the C it is translated from."""

    file: PyFile
    function: PyFunction
    source: FileFact
    fact: FunctionFact


def _struct(members: tuple[str, ...], made: PyClass, pins: list[str]) -> Row:
    wanted = " ".join(field(member) for member in members)
    fact = StatementFact(made.line, 0, digest(f"0 ({wanted})"))
    found = " ".join(made.members)
    item = Statement(0, f"({found})", f"{made.name}: {found}", made.line, made.line, made.tags)
    row = judge(fact, item, pins)
    return (
        replace(row, problem=f"has other members than C: {wanted}")
        if (row.problem == "differs")
        else row
    )


class Project:
    """Everything that a comparison without a kernel tree needs; read when first asked for."""

    def __init__(self, root: Path = ROOT, baselines: Path = BASELINES) -> None:
        self.root = root
        self._baselines = baselines

    @cached_property
    def port(self) -> PortList:
        """port.toml."""
        return load()

    @cached_property
    def files(self) -> dict[str, PyFile]:
        """The ported files, by path.

        Those of the first baseline of port.toml come first, those of a patch last of their kernel.
        """
        found = [
            pysource.read(path, self.root)
            for path in pysource.ported_files(self.root)
            if path not in self.port.not_covered
        ]
        versions = [baseline.linux for baseline in self.port.baselines.values()]
        order = {version: number for number, version in enumerate(versions)}
        found.sort(
            key=lambda file: (
                order.get(file.version, len(order)),
                file.path.startswith(self.port.patched),
            )
        )
        return {file.path: file for file in found}

    @cached_property
    def pins(self) -> accepted.Pins:
        """The deviations that were accepted."""
        return accepted.load(self._baselines / accepted.PATH.name)

    @cached_property
    def _facts(self) -> dict[str, Facts]:
        return {}

    def facts(self, version: str) -> Facts:
        """The facts of a kernel version. CdiffError if there is no baseline for it."""
        if version not in self._facts:
            baseline = self.port.by_version(version)
            if baseline is None:
                known = ", ".join(item.linux for item in self.port.baselines.values())
                raise CdiffError(f"Linux {version} has no baseline in port.toml; there is: {known}")
            self._facts[version] = facts.load(self._baselines / f"{baseline.name}.json")
        return self._facts[version]

    def sources(self, file: PyFile) -> list[FileFact]:
        """The facts of the C files a ported file is made from, in the order of its header."""
        known = self.facts(file.version)
        found = []
        for path in file.sources:
            if path not in known.files:
                raise CdiffError(
                    f"{file.path}: {path} is not in the baseline {known.name}; "
                    "run 'cdiff baseline --kernel DIR' with a tree of that version"
                )
            found.append(known.files[path])
        return found

    def pairs(self, file: PyFile) -> Iterator[Pair]:
        """The functions of a file that have a counterpart in C, in the order of the port."""
        sources = self.sources(file)
        for name, function in file.functions.items():
            for source in sources:
                if name in source.functions:
                    yield Pair(file, function, source, source.functions[name])
                    break

    def compare(self, pair: Pair) -> Comparison:
        """Both sides of a function, judged."""
        pins = self.pins.get(pair.file.path, {}).get(pair.function.name, [])
        return compare(pair.fact, pair.function, pins)

    def added(self, file: PyFile) -> Iterator[tuple[PyFunction, Row]]:
        """The functions of a file that C does not have."""
        known = {name for source in self.sources(file) for name in source.functions}
        pins = self.pins.get(file.path, {})
        for name, function in file.functions.items():
            if name not in known:
                yield function, added(function, pins.get(name, []))

    @cached_property
    def ported(self) -> dict[tuple[str, str], frozenset[str]]:
        """The names that the port has, by version and C file."""
        found: dict[tuple[str, str], frozenset[str]] = {}
        for file in self.files.values():
            for path in file.sources:
                names = found.get((file.version, path), frozenset())
                found[file.version, path] = names | file.functions.keys() | file.data.keys()
        return found

    def owns(self, file: PyFile, path: str) -> bool:
        """True for the first ported file that names a C file: it answers for what is missing."""
        others = (
            other
            for other in self.files.values()
            if path in other.sources and other.version == file.version
        )
        return next(others, file) is file

    def parts(self, file: PyFile) -> Iterator[tuple[str, FileFact, Row]]:
        """(label, C file, judgement) of the structs and tables that both sides have."""
        pins = self.pins.get(file.path, {})
        found = {name: (item.line, item) for name, item in file.data.items()}
        for name, (line, key) in PyEvents(file.tree).found().items():
            found[name] = (line, Statement(0, key, name, line, line))
        for source in self.sources(file):
            for name, members in source.structs.items():
                made = file.classes.get(f"struct_{name}") or file.classes.get(name)
                if made is not None and made.members:
                    label = f"struct {name}"
                    row = _struct(members, made, list(pins.get(label, ())))
                    yield label, source, row
            for name, (line, value) in source.data.items():
                if name in found:
                    fact = StatementFact(line, 0, value)
                    yield name, source, judge(fact, found[name][1], list(pins.get(name, ())))

    def select(self, name: str) -> list[Pair]:
        """The functions of a name, one per kernel, or all functions of a ported file.

        CdiffError, with the nearest names, if there is none.
        """
        if name in self.files:
            return list(self.pairs(self.files[name]))
        found = [
            pair
            for file in self.files.values()
            if name in file.functions
            for pair in self.pairs(file)
            if pair.function.name == name
        ]
        if found:
            return found
        names = [pair.function.name for f in self.files.values() for pair in self.pairs(f)]
        near = get_close_matches(name, names, 3, 0.5)
        hint = (
            f"; did you mean {' or '.join(near)}?" if near else "; 'cdiff summary' lists the files"
        )
        raise CdiffError(f"{name}: no ported function has this name{hint}")

    def find(self, name: str) -> Pair:
        """The first function of a name, as select()."""
        return self.select(name)[0]
