# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The house: who may import whom. Every import of kport, tui and tools is held against the table.

Decisions the table needs:

- An import inside a function or under TYPE_CHECKING counts like any other: naming a type of a
  higher layer is knowing it.
- `kport.arch` is the processor. The instructions and machine words (`asm`, `types`, `api`) are what
  <asm/...> is in C, so every layer of kernel code may use them; machines, the linker and what is
  behind them only linux, which boots them, and what chooses or watches their interleavings. `hook`
  is for whoever watches.
- `import kport` is the boot, which is part of linux; exploring boots a kernel for each execution.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

KERNEL = ("arch", "linux", "dma_buf", "drm")
BELOW_7 = (*KERNEL, "hw", "drivers", "trace")

# layer: what it may import. A dotted name is one module or package only.
TABLE: dict[str, tuple[str, ...]] = {
    "arch": (),
    "linux": ("arch",),
    "dma_buf": ("arch", "linux"),
    "drm": ("arch", "linux", "dma_buf"),
    "hw": ("arch", "linux"),
    "drivers": (*KERNEL, "hw", "trace"),
    "trace": ("linux.tracepoint",),
    "workload": BELOW_7,
    "kunit": BELOW_7,
    "check": KERNEL,
    "explore": ("arch", "check", "linux.init", "linux.bug", "linux.field"),
    "museum": (*BELOW_7, "workload", "kunit", "check", "explore"),
    "cli": (*BELOW_7, "workload", "kunit", "check", "explore", "museum", "tui"),
    "__main__": ("cli",),
    "tui": ("trace",),
}

PROCESSOR = ("arch.asm", "arch.types", "arch.api")
WATCHERS = ("check",)
MACHINISTS = ("arch", "linux", "check", "explore", "museum", "cli")

# Packages of one layer that never import each other.
STRANGERS = [
    ("drm.scheduler.v6_1", "drm.scheduler.v7_2"),
    ("drm.scheduler.v3_2023", "drm.scheduler.v7_2"),
]


def modules(*tops: str) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of every module below these folders."""
    for top in tops:
        for file in sorted((ROOT / top).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), file


def imports(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything a source imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            yield from (
                (node.lineno, "." * node.level + f"{node.module or ''}.{alias.name}".strip("."))
                for alias in node.names
            )


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def layer_of(module: str) -> str:
    """The layer a module of kport or tui is in; "" for kport itself."""
    top, *rest = module.split(".")
    return "tui" if top == "tui" else rest[0] if rest else ""


def target_of(name: str) -> str | None:
    """What an imported name is in the table's terms, None if it is not ours."""
    top, _, rest = name.partition(".")
    if top in ("tui", "tools"):
        return top
    if top != "kport":
        return None
    first = rest.split(".")[0]
    if first in TABLE:
        return rest
    return "linux.init"  # kport.boot and its like


def strangers(module: str, name: str) -> bool:
    """True if `name` is in a package that the module's own never imports."""
    for pair in STRANGERS:
        for own, other in (pair, pair[::-1]):
            if inside(module, f"kport.{own}") and inside(name, f"kport.{other}"):
                return True
    return False


def forbidden(module: str, source: str) -> list[str]:
    """One line for each import that the table does not allow."""
    layer, found = layer_of(module), []
    for line, name in imports(source):
        target = target_of(name)
        if name.startswith("."):
            found.append(f"{module}:{line}: relative import")
        elif strangers(module, name):
            found.append(f"{module}:{line}: {name}: these two never import each other")
        elif target is None or inside(target, layer):
            continue
        elif not any(inside(target, entry) for entry in TABLE[layer]):
            found.append(f"{module}:{line}: {layer} may not import {name}")
        elif inside(target, "arch") and layer not in MACHINISTS:
            if layer in WATCHERS and inside(target, "arch.hook"):
                continue
            allowed = (*PROCESSOR, "arch.hook") if layer == "check" else PROCESSOR
            if not any(inside(target, part) for part in allowed):
                found.append(f"{module}:{line}: {layer} may use the processor, not {name}")
    return found


def test_every_import_is_in_the_table():
    found = [
        text
        for module, file in modules("kport", "tui")
        if layer_of(module)
        for text in forbidden(module, file.read_text())
    ]
    assert found == []


def test_every_layer_is_in_the_table():
    layers = {layer_of(module) for module, _ in modules("kport", "tui")}
    assert layers - {""} <= set(TABLE)


def test_nothing_of_the_house_imports_tests_or_tools():
    found = [
        f"{module}:{line}: {name}"
        for module, file in modules("kport", "tui")
        for line, name in imports(file.read_text())
        if inside(name, "tests") or inside(name, "tools")
    ]
    assert found == []


def test_the_package_itself_imports_nothing_before_it_is_asked_for_it():
    """`import kport` must not pull in a layer: `import kport.arch` would then have all above it."""
    tree = ast.parse((ROOT / "kport" / "__init__.py").read_text())
    at_once = [
        node
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) and "kport" in ast.unparse(node)
    ]
    assert at_once == []


def test_sortedcontainers_stays_out_of_the_kernel():
    """Apache-2.0 beside GPL-2.0-only: the trace, the tui and the tests may use it."""
    found = [
        module
        for module, file in modules("kport")
        for _, name in imports(file.read_text())
        if inside(name, "sortedcontainers") and layer_of(module) not in ("trace",)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "statement", "part"),
    [
        ("kport.arch.x", "from kport.linux.list import list_head", "arch may not import"),
        ("kport.arch.x", "import kport", "arch may not import"),
        ("kport.linux.x", "from kport.dma_buf import dma_fence", "linux may not import"),
        ("kport.dma_buf.x", "from kport.drm.spsc_queue import spsc_queue", "dma_buf may not"),
        ("kport.hw.x", "from kport.dma_buf.dma_fence import dma_fence", "hw may not import"),
        ("kport.hw.x", "from kport.arch.threads import Threads", "hw may use the processor, not"),
        ("kport.drm.x", "from kport.arch import link", "drm may use the processor, not"),
        ("kport.trace.x", "from kport.linux.list import list_head", "trace may not import"),
        ("kport.explore.x", "from kport.linux.list import list_head", "explore may not import"),
        ("tui.x", "from kport.linux.init import boot", "tui may not import"),
        ("tui.x", "import kport", "tui may not import"),
        ("kport.workload.x", "from kport.cli.run import run", "workload may not import"),
        ("kport.linux.x", "from tools.cdiff import x", "linux may not import"),
        ("kport.linux.x", "from . import list", "relative import"),
        (
            "kport.drm.scheduler.v7_2.x",
            "from kport.drm.scheduler.v6_1.sched_main import drm_sched_init",
            "never import each other",
        ),
        (
            "kport.linux.x",
            "if TYPE_CHECKING:\n    from kport.drm.spsc_queue import spsc_queue",
            "linux may not import",
        ),
        (
            "kport.linux.x",
            "def f():\n    import kport.hw.gpu",
            "linux may not import",
        ),
    ],
)
def test_what_the_table_forbids_is_found(module, statement, part):
    (text,) = forbidden(module, statement)
    assert part in text


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("kport.linux.x", "from kport.arch.threads import Threads"),
        ("kport.linux.x", "import heapq\nfrom collections import deque"),
        ("kport.linux.x", "from kport.linux.list import list_head"),
        ("kport.hw.x", "from kport.arch.api import Machine"),
        ("kport.trace.x", "from kport.linux.tracepoint import tracepoint"),
        ("kport.drm.scheduler.v7_2.x", "from kport.drm.scheduler.v7_2 import sched_main"),
        ("tui.x", "from kport.trace.snapshot import Snapshot\nimport textual"),
        ("kport.cli.x", "import kport\nfrom kport.workload.replay import replay"),
    ],
)
def test_what_the_table_allows_is_not(module, statement):
    assert forbidden(module, statement) == []
