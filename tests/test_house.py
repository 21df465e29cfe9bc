# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""House rules a machine can hold: headers, licences, docstrings, names, exports, threads."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import kport
from kport.arch.api import INSTRUCTIONS
from kport.linux import module

ROOT = Path(__file__).parent.parent
HOUSE = sorted(p for top in ("kport", "tui", "tools") for p in (ROOT / top).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
KERNEL = [
    p for p in HOUSE if p.relative_to(ROOT).parts[1] in ("linux", "dma_buf", "drm", "drivers")
]

LICENCES = ("MIT", "GPL-2.0-only", "GPL-2.0-or-later")
DATE = r"\d{4}-\d{2}-\d{2}"
TRANSLATED = re.compile(rf"^# Translated to Python from .+, Linux \d+\.\d+\.\d+, on {DATE}\.$")
AFTER = re.compile(rf"^# After .+, Linux \d+\.\d+\.\d+, on {DATE}\.$")

# Where a translation must keep the licence of its C file; the scheduler and dma-resv are MIT there.
KEPT = {
    "GPL-2.0-only": (
        "kport/dma_buf/dma_fence*.py",
        "kport/linux/list.py",
        "kport/linux/llist.py",
        "kport/linux/wait.py",
        "kport/linux/swait.py",
        "kport/linux/completion.py",
        "kport/linux/kthread.py",
        "kport/linux/kref.py",
        "kport/linux/refcount.py",
        "kport/linux/irq_work.py",
        "kport/linux/ww_mutex.py",
        "kport/linux/average.py",
        "kport/linux/err.py",
        "kport/linux/mutex.py",
        "kport/linux/workqueue.py",
        "kport/linux/prandom.py",
        "kport/kunit/lib/list_test.py",
        "kport/kunit/lib/rbtree_test.py",
        "kport/kunit/lkdtm/refcount.py",
    ),
    "GPL-2.0-or-later": ("kport/linux/rbtree.py", "kport/kunit/lib/test_xarray.py"),
    "MIT": (
        "kport/dma_buf/dma_resv.py",
        "kport/drm/spsc_queue.py",
        "kport/drm/drm_syncobj.py",
        "kport/drm/drm_exec.py",
        "kport/kunit/drm/drm_exec_test.py",
        "kport/drm/scheduler/v*/*.py",
    ),
}
# REUSE-IgnoreStart
LICENCE = "SPDX-License-Identifier: "
# REUSE-IgnoreEnd


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def header(path: Path) -> list[str]:
    """The comment lines at the top of a file."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line)
    return lines


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def one_line(lines: list[str]) -> str:
    """The comment behind the licence lines, with its line breaks taken out."""
    text = [line.removeprefix("#").strip() for line in lines if "SPDX-" not in line]
    return "# " + " ".join(part for part in text if part)


# -- headers ---------------------------------------------------------------------------------------


def test_every_file_names_its_copyright_and_licence():
    bad = []
    for path in (*HOUSE, *TESTS):
        lines = header(path)
        licences = [line.split(": ")[1] for line in lines if LICENCE in line]
        holders = [line for line in lines if line.startswith("# SPDX-FileCopyrightText: ")]
        ours = [line for line in holders if line.endswith("2026 kport contributors")]
        if len(licences) != 1 or licences[0] not in LICENCES or len(ours) != 1:
            bad.append(name(path))
    assert bad == []


def test_a_translation_says_from_what_and_when():
    """Whoever holds a copyright beside us wrote the C; then the file says what was translated."""
    bad = []
    for path in HOUSE:
        lines = header(path)
        others = [
            line
            for line in lines
            if "SPDX-FileCopyrightText" in line and "kport contributors" not in line
        ]
        gpl = any("License-Identifier: GPL" in line for line in lines)
        origin = one_line(lines)
        if (others or gpl) and not (TRANSLATED.match(origin) or AFTER.match(origin)):
            bad.append(f"{name(path)}: {origin}")
    assert bad == []


def test_the_files_of_the_scheduler_and_the_fences_are_translations():
    files = [
        path
        for folder in ("kport/dma_buf", "kport/drm/scheduler")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py"
    ]
    assert len(files) >= 12
    bad = [name(path) for path in files if not TRANSLATED.match(one_line(header(path)))]
    assert bad == []


@pytest.mark.parametrize("licence", LICENCES)
def test_a_translation_keeps_the_licence_of_its_source(licence):
    bad = []
    for pattern in KEPT[licence]:
        found = list(ROOT.glob(pattern))
        assert found, pattern
        bad += [name(path) for path in found if f"# {LICENCE}{licence}" not in header(path)]
    assert bad == []


# -- documentation ---------------------------------------------------------------------------------


def test_every_module_opens_with_what_it_is():
    bad = [name(path) for path in (*HOUSE, *TESTS) if not ast.get_docstring(tree(path))]
    assert bad == []


def test_every_public_function_and_class_has_a_docstring():
    """Instructions are documented once, in kport.arch.asm; machines only implement them."""
    bad = []
    for path in HOUSE:
        machine = path.parent.name == "arch" and path.name.endswith("_asm.py")
        for node in tree(path).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or ast.get_docstring(node):
                continue
            public = not node.name.startswith("_") or mangled(node.name)  # C has such names
            if public and not (machine and node.name in INSTRUCTIONS):
                bad.append(f"{name(path)}:{node.lineno} {node.name}")
    assert bad == []


# -- names -----------------------------------------------------------------------------------------


def mangled(identifier: str) -> bool:
    """True for a name that Python changes inside a class body."""
    return identifier.startswith("__") and not identifier.endswith("__")


def test_no_field_begins_with_two_underscores():
    """`__state` would become `_task_struct__state`; fields drop to one."""
    bad = []
    for path in HOUSE:
        for cls in ast.walk(tree(path)):
            if not isinstance(cls, ast.ClassDef):
                continue
            for node in cls.body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    fields = [node.target.id]
                elif isinstance(node, ast.Assign) and "__slots__" in ast.unparse(node.targets[0]):
                    fields = [c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)]
                else:
                    continue
                bad += [f"{name(path)}: {cls.name}.{f}" for f in fields if mangled(str(f))]
    assert bad == []


def test_no_kernel_function_is_called_by_a_mangled_name_inside_a_class():
    """`__queue_work()` in a method is a NameError that only shows when it runs."""
    bad = []
    for path in (*HOUSE, *TESTS):
        for cls in ast.walk(tree(path)):
            if not isinstance(cls, ast.ClassDef):
                continue
            # Annotations are text that nobody mangles.
            texts = {
                id(node)
                for field in ast.walk(cls)
                if isinstance(field, ast.AnnAssign)
                for node in ast.walk(field.annotation)
            }
            bad += [
                f"{name(path)}:{node.lineno} {node.id}"
                for node in ast.walk(cls)
                if isinstance(node, ast.Name) and mangled(node.id) and id(node) not in texts
            ]
    assert bad == []


def test_structs_hold_data_and_no_methods():
    """Functions, never methods: a kernel struct has fields only (and names Python asks for)."""
    bad = []
    for path in KERNEL:
        for cls in ast.walk(tree(path)):
            if not isinstance(cls, ast.ClassDef) or cls.name == "struct":
                continue
            if any(isinstance(b, ast.Name) and b.id == "struct" for b in cls.bases):
                bad += [
                    f"{name(path)}: {cls.name}.{node.name}"
                    for node in cls.body
                    if isinstance(node, ast.FunctionDef)
                ]
    assert bad == []


def test_struct_fields_named_in_strings_exist():
    """container_of(p, T, "member") and list_for_each_entry(h, T, "member") name a field of T."""
    fields: dict[str, set[str]] = {}
    for path in KERNEL:
        for cls in ast.walk(tree(path)):
            if isinstance(cls, ast.ClassDef):
                own = {
                    node.target.id
                    for node in cls.body
                    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
                }
                fields.setdefault(cls.name, set()).update(own)
    bad = []
    for path in KERNEL:
        for call in ast.walk(tree(path)):
            if not isinstance(call, ast.Call) or len(call.args) < 3:
                continue
            called = ast.unparse(call.func)
            if called != "container_of" and not called.startswith("list_"):
                continue
            kind, member = call.args[-2:]
            if isinstance(kind, ast.Name) and isinstance(member, ast.Constant):
                known = fields.get(kind.id)
                if known and str(member.value).split(".")[0] not in known:
                    bad.append(f"{name(path)}:{call.lineno} {kind.id}.{member.value}")
    assert bad == []


# -- exports ---------------------------------------------------------------------------------------


def test_what_is_exported_exists_and_stands_before_its_export():
    bad = []
    for path in KERNEL:
        defined: set[str] = set()
        for node in tree(path).body:
            if isinstance(node, ast.FunctionDef):
                defined.add(node.name)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                call = node.value
                if ast.unparse(call.func) in ("EXPORT_SYMBOL", "EXPORT_SYMBOL_GPL"):
                    symbol = ast.unparse(call.args[0])
                    if symbol not in defined:
                        bad.append(f"{name(path)}:{node.lineno} {symbol}")
    assert bad == []


def test_every_export_is_recorded_for_its_module():
    for info in pkgutil.walk_packages(kport.__path__, "kport."):
        if not info.name.endswith("__main__"):
            importlib.import_module(info.name)
    assert len(module.exported) > 15
    for where, symbols in module.exported.items():
        namespace = vars(importlib.import_module(where))
        assert len(symbols) == len(set(symbols)), where
        for symbol in symbols:
            assert callable(namespace.get(symbol)), f"{where}.{symbol}"


# -- the machine below -----------------------------------------------------------------------------


def test_kernel_code_uses_no_thread_clock_or_chance_of_pythons():
    """Everything comes from the machine, or the deterministic one could not carry the code."""
    forbidden = {"threading", "_thread", "time", "random", "asyncio", "queue", "concurrent"}
    allowed = {
        ("kport/linux/init.py", "_thread"),  # one boot at a time, before there is a kernel
        ("kport/linux/module.py", "_thread"),  # Python's imports, which are not the kernel's
        # The observer is no kernel code: it looks from beside, and lets the port go first.
        ("kport/drivers/observe.py", "time"),
        ("kport/drivers/observe_system.py", "time"),
        ("kport/drivers/observe_system.py", "threading"),
    }
    bad = []
    for path in KERNEL:
        for node in ast.walk(tree(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            bad += [
                f"{name(path)}:{node.lineno} {n}"
                for n in names
                if n.split(".")[0] in forbidden and (name(path), n.split(".")[0]) not in allowed
            ]
    assert bad == []


def test_tests_are_functions():
    """In a class `__kernel_functions` would be mangled."""
    bad = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in tree(path).body
        if isinstance(node, ast.ClassDef)
        and (node.name.startswith("Test") or any("TestCase" in ast.unparse(b) for b in node.bases))
    ]
    assert bad == []
