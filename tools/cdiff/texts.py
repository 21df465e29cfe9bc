# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The texts behind the hashes of a baseline.

A baseline has no text of the C. A kernel tree has it: one that is named, or one of the right
version in the cache folder (~/.cache/kport-linux, or $KPORT_KERNELS). Without a tree git may help:
a statement of the port that was equal to the C once is what the C says, and it is found in the
history by its hash.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cdiff.errors import CdiffError
from tools.cdiff.facts import StatementFact
from tools.cdiff.project import Pair, Project
from tools.cdiff.pysource import parse

if TYPE_CHECKING:
    from tools.cdiff.tree import Tree

_COMMITS = 20
UNKNOWN = "(name a kernel tree with --kernel to see the statement)"


def open_tree(project: Project, kernel: Path | None, version: str) -> Tree | None:
    """A tree with the files of a baseline: the named one, one in the cache folder, or none.

    CdiffError if it has other files than the baseline was made of.
    """
    try:
        from tools.cdiff import tree
    except ImportError:
        if kernel is not None:
            raise CdiffError("tree-sitter is missing: pip install -e '.[cdiff]'") from None
        return None
    known = project.facts(version)
    baseline = project.port.baselines[known.name]
    root = kernel or tree.cached(version)
    if root is None:
        return None
    for path, fact in known.files.items():
        place = root / path
        raw = place.read_bytes() if place.exists() else b""
        if sha256(raw).hexdigest() != fact.sha256:
            raise CdiffError(f"{place}: is not the file of {known.package}; unpack that package")
    return tree.Tree(root, project.port, list(known.files), baseline.headers)


def named_version(project: Project, kernel: Path) -> str:
    """The version of a tree that was named. CdiffError if there is no baseline for it."""
    try:
        from tools.cdiff import tree
    except ImportError:
        raise CdiffError("tree-sitter is missing: pip install -e '.[cdiff]'") from None
    found = tree.version(kernel)
    if project.port.by_version(found) is None:
        known = " and ".join(
            f"{baseline.linux}, {baseline.package}" for baseline in project.port.baselines.values()
        )
        raise CdiffError(f"{kernel}: is Linux {found}; the baselines are {known}")
    return found


class Texts:
    """Finds the canonical text of statements of C.

    `named` is the version of the tree that was named, "" if none was.
    """

    def __init__(self, project: Project, kernel: Path | None = None) -> None:
        self._project = project
        self._kernel = kernel
        self.named = named_version(project, kernel) if kernel is not None else ""
        self._trees: dict[str, Tree | None] = {}
        self._translated: dict[tuple[str, str, str], dict[str, str]] = {}
        self._history: dict[str, dict[str, str]] = {}

    def of(self, pair: Pair, statements: Iterable[StatementFact]) -> list[str]:
        """The texts of some statements of one function."""
        wanted = list(statements)
        known = self._from_tree(pair)
        if any(item.hash not in known for item in wanted):
            known = {**self._from_history(pair, {item.hash for item in wanted}), **known}
        return [known.get(item.hash, UNKNOWN) for item in wanted]

    def tree(self, version: str) -> Tree | None:
        """The kernel tree of a version, if one was named or is in the cache folder."""
        if version not in self._trees:
            kernel = self._kernel if version == self.named else None
            self._trees[version] = open_tree(self._project, kernel, version)
        return self._trees[version]

    def _from_tree(self, pair: Pair) -> dict[str, str]:
        where = (pair.file.version, pair.source.path, pair.fact.name)
        if where not in self._translated:
            found: dict[str, str] = {}
            tree = self.tree(pair.file.version)
            if tree is not None:
                file = tree.files[pair.source.path]
                function = {**file.macros, **file.functions}[pair.fact.name]
                found = {item.hash: item.text for item in tree.translate(function).statements}
            self._translated[where] = found
        return self._translated[where]

    def _from_history(self, pair: Pair, hashes: set[str]) -> dict[str, str]:
        path = pair.file.path
        known = self._history.setdefault(path, {})
        for text in self._versions(path):
            if hashes <= known.keys():
                break
            try:
                file = parse(path, text, self._project.root)
            except CdiffError:
                continue
            for function in file.functions.values():
                for item in function.statements:
                    known.setdefault(item.hash, item.text)
        return known

    def _versions(self, path: str) -> Iterator[str]:
        """The file as the last commits had it, newest first."""
        log = self._git("log", f"-{_COMMITS}", "--format=%H", "--", path)
        for commit in log.split():
            yield self._git("show", f"{commit}:{path}")

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self._project.root), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""
