# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Kernel trees: which version they are, and their files as facts."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tools.cdiff.canon import digest, flatten
from tools.cdiff.config import PortList
from tools.cdiff.constants import constants
from tools.cdiff.control import Control
from tools.cdiff.csource import CFile, CFunction, line_of, read
from tools.cdiff.ctype import Types, base_type, text_of
from tools.cdiff.errors import CdiffError
from tools.cdiff.events import events
from tools.cdiff.facts import Facts, FileFact, FunctionFact, StatementFact
from tools.cdiff.normal import normal
from tools.cdiff.translate import Translation, Translator

_MAKEFILE = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)", re.MULTILINE)
CACHE = Path(os.environ.get("KPORT_KERNELS", "~/.cache/kport-linux")).expanduser()


def version(root: Path) -> str:
    """The version of a kernel tree, "7.2.13". CdiffError if it is none."""
    try:
        text = (root / "Makefile").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = dict(_MAKEFILE.findall(text))
    if len(found) != 3 or not (root / "include/linux").is_dir():
        raise CdiffError(f"{root}: not a kernel tree: name the folder that has Kbuild and Makefile")
    return ".".join(found[name] for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def cached(linux: str) -> Path | None:
    """The tree of a version in the cache folder, if it is there."""
    for place in sorted(CACHE.glob("linux-source-*")):
        try:
            if version(place) == linux:
                return place
        except CdiffError:
            continue
    return None


class Tree:
    """Some files of a kernel tree, parsed, with the types they know of each other."""

    def __init__(
        self, root: Path, port: PortList, paths: Sequence[str], headers: Sequence[str] = ()
    ) -> None:
        self.root = root
        self.port = port
        self.linux = version(root)
        self.types = Types()
        self.files: dict[str, CFile] = {}
        for path in headers:
            if (root / path).exists():
                self.types.add(read(root, path, port.defines).root)
        for path in paths:
            self.files[path] = read(root, path, port.defines)
            self.types.add(self.files[path].root)
        self._numbers: dict[str, int] = {}
        for source in self.files.values():
            found = constants(source, {})
            self._numbers.update((name, value) for name, (_, value) in found.items())
        self._translator = Translator(self.files, self.types, port)

    def translate(self, function: CFunction) -> Translation:
        """A function as the port must have it. CdiffError if it does not parse."""
        broken = function.broken
        if broken is not None:
            raise CdiffError(
                f"{function.path}:{line_of(broken)}: cannot parse {function.name}(); "
                "list it as left out, or teach cdiff the construct"
            )
        return self._translator.translate(function)

    def fact(self, function: CFunction) -> FunctionFact:
        """A function as facts."""
        made = self.translate(function)
        for line, text in made.unsure:
            raise CdiffError(
                f"{function.path}:{line}: cannot tell whether {text} are pointers; "
                "name the header with the type in port.toml"
            )
        return FunctionFact(
            function.name,
            function.kind,
            function.line,
            function.end,
            made.parameters,
            made.locals,
            tuple(
                StatementFact(item.line, item.depth, item.hash, item.rules)
                for item in made.statements
            ),
            made.uses,
            tuple(made.traps),
        )

    def file(self, path: str, ported: frozenset[str]) -> FileFact:
        """A file as facts: all functions, the macros and data that the port has."""
        source = self.files[path]
        raw = (self.root / path).read_bytes()
        made = FileFact(path, sha256(raw).hexdigest(), raw.count(b"\n"), exports=source.exports)
        wanted = {**source.macros, **source.functions}
        for name, function in sorted(wanted.items(), key=lambda item: item[1].line):
            unparsed = function.broken is not None
            if name not in ported and (unparsed or self.port.reason(path, name)):
                made.functions[name] = _outline(function, () if unparsed else self._uses(function))
            else:
                made.functions[name] = self.fact(function)
        made.structs = {name: members for name, members in source.structs.items() if members}
        made.data = dict(self._data(source))
        made.data.update(events(source.text, self.types))
        made.constants = constants(source, self._numbers)
        return made

    def _uses(self, function: CFunction) -> tuple[str, ...]:
        return self.translate(function).uses if function.kind == "function" else ()

    def _data(self, source: CFile) -> list[tuple[str, tuple[int, str]]]:
        """Tables and arrays with an initialiser, as one canonical assignment each."""
        found = []
        for name, (kind, value) in source.data.items():
            if value.type != "initializer_list":
                continue
            nobody = CFunction(
                name, "data", source.path, line_of(value), 0, (), base_type(None), value
            )
            control = Control(nobody, self.types, self.port.defines)
            made = control.initial(kind, value)
            statement = ast.Assign([ast.Name(name, ast.Store())], made)
            statement.lineno = line_of(value)
            flat = next(flatten(normal([statement])))
            found.append((name, (flat.line, flat.hash)))
        return found


def _outline(function: CFunction, uses: tuple[str, ...]) -> FunctionFact:
    """A function that is left out: where it is, and one hash of its tokens."""
    text = " ".join(text_of(function.body).split())
    whole = StatementFact(function.line, 0, digest(text))
    return FunctionFact(
        function.name, function.kind, function.line, function.end, (), (), (whole,), uses
    )


def facts_of(tree: Tree, name: str, package: str, ported: frozenset[str]) -> Facts:
    """All files of a tree as facts."""
    made = Facts(name, tree.linux, package, dict(tree.port.defines))
    for path in tree.files:
        made.files[path] = tree.file(path, ported)
    return made
