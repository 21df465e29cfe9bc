# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Fixtures for the tests of cdiff: C snippets, ported snippets, and a copy of the port."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tools.cdiff import csource, pysource
from tools.cdiff.config import BASELINES, PortList, load
from tools.cdiff.ctype import Types
from tools.cdiff.project import Project
from tools.cdiff.pysource import ROOT, PyFunction
from tools.cdiff.text import preprocess
from tools.cdiff.translate import Translation, Translator


@pytest.fixture(scope="session", autouse=True)
def parse_once() -> Iterator[None]:
    """Parse each text of a ported file once: most tests read the whole port, few change it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pysource, "parse", cache(pysource.parse))
        yield


# Types that the snippets use.
TYPES = """
struct list_head { struct list_head *next, *prev; };
struct kref { int refcount; };
struct job { struct list_head list; struct job *next; struct sched *sched; int credits;
             unsigned long flags; struct kref ref; int (*run)(struct job *job); bool done; };
struct sched { struct list_head jobs; struct job *current_job; int lock; struct job **table;
               const char *name; u64 stamp; };
struct job *first(struct sched *sched);
int count(struct sched *sched);
"""

HEADER = """# SPDX-License-Identifier: MIT
#
# Translated to Python from lib/snippet.c, Linux 7.2.13, on 2026-11-20.
"""


@pytest.fixture(scope="session")
def port() -> PortList:
    """The port list of this checkout."""
    return load()


def c_file(code: str, port: PortList, config: dict[str, int] | None = None) -> csource.CFile:
    """A parsed snippet of C."""
    return csource.parse(preprocess("lib/snippet.c", textwrap.dedent(code), config or {}))


@pytest.fixture
def translate(port: PortList) -> Callable[..., Translation]:
    """Translate the last function (or the macro of a name) of a snippet."""

    def run(code: str, name: str = "", config: dict[str, int] | None = None) -> Translation:
        types = Types()
        types.add(csource.parse(preprocess("types.h", TYPES, {})).root)
        file = c_file(code, port, config)
        types.add(file.root)
        functions = {**file.macros, **file.functions}
        function = functions[name] if name else list(functions.values())[-1]
        port.files.setdefault(file.path, port.rules(file.path))
        return Translator({file.path: file}, types, port).translate(function)

    return run


@pytest.fixture
def statements(translate: Callable[..., Translation]) -> Callable[..., list[str]]:
    """The statements of a function whose body is given, indented by their depth."""

    def run(
        body: str, head: str = "void f(struct sched *sched, struct job *job, int n)"
    ) -> list[str]:
        made = translate(f"{head}\n{{\n{textwrap.dedent(body)}\n}}")
        return ["    " * item.depth + item.text for item in made.statements]

    return run


@pytest.fixture
def python() -> Callable[[str], PyFunction]:
    """The last function of a snippet of the port."""

    def run(code: str) -> PyFunction:
        file = pysource.parse("kport/snippet.py", HEADER + textwrap.dedent(code))
        return list(file.functions.values())[-1]

    return run


@pytest.fixture(scope="session")
def project() -> Project:
    """This checkout."""
    return Project()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the port and its baselines: (root)/kport and (root)/baseline."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "kport", tmp_path / "kport", ignore=ignore)
    shutil.copytree(BASELINES, tmp_path / "baseline")
    return tmp_path
