# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What is shared between threads, and changed without a lock: found in the source, each explained.

Nothing in kport may lean on the GIL. On a Python without it a single call on a list or dict is
whole (append, pop, setdefault, an item stored or deleted), and nothing longer is: not `x += 1`, not
"if it is not there, put it there". So three things are looked for:

- a container of a module that functions change, and a global that they assign;
- `a.b += c` and `a[b] += c` outside of `with <lock>` (in code of our own: the ported files do it
  under the kernel's locks, which the check `races` watches);
- `if self.a is None: self.a = ...` and `if k not in d: d[k] = ...` outside of `with <lock>`.

Each must be explained in one of the tables below, by file and function, and an explanation that
nothing needs any more is an error, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ALL = ("arch", "linux", "dma_buf", "drm", "drivers", "hw", "trace", "workload")
OURS = ("arch", "hw", "trace", "workload", "drivers")

MUTATORS = frozenset(
    "add append appendleft clear discard extend insert pop popitem popleft remove setdefault "
    "update".split()
)
MAKERS = frozenset(("Counter", "WeakKeyDictionary", "defaultdict", "deque", "dict", "list", "set"))

BOOT = "only while a kernel is booted or left, when none of its threads runs"
OWN = "only the thread that it is about changes it"
ONE = "one thread uses the object: "
CALL = "one call on a dict or list, which is whole; no two of them belong together"

# "file::function::what": why it is right. `*` stands for anything.
GLOBALS = {
    "kport/arch/hook.py::hooked::_made": BOOT,
    "kport/arch/link.py::*": BOOT,
    "kport/arch/patch.py::*::_in_force": "who edits the port is one thread; edits are nested",
    "kport/linux/*::_reset_*::*": BOOT,
    "kport/linux/*::_init*::*": BOOT,
    "kport/linux/*::workqueue_init::*": BOOT,
    "kport/linux/field.py::*": BOOT,
    "kport/linux/module.py::*": BOOT + ", or when a module is imported",
    "kport/linux/tracepoint.py::DEFINE_EVENT::tracepoints": "when a module is imported",
    "kport/linux/ww_mutex.py::_define::_classes": "when a module is imported",
    "kport/linux/init.py::_collect::_wrecks": "by who leaves the only kernel; a lost count is none",
    "kport/linux/init.py::boot::_booted": "under _boot_lock, and by the booting thread at the end",
    "kport/linux/bug.py::report::warnings": CALL,
    "kport/linux/facility.py::splat::reports": CALL,
    "kport/linux/printk.py::first_time::_once": CALL,
    "kport/linux/printk.py::emit::log_buf": CALL,
    "kport/linux/printk.py::clear_warn_once::_once": CALL,
    "kport/linux/interrupt.py::*::irq_desc": CALL + "; the key is a new line's number",
    "kport/linux/irq_work.py::arch_irq_work_raise::_line": "under _line_lock",
    "kport/linux/irq_work.py::_irq_work_interrupt::_running": OWN + ": one interrupt line",
    "kport/linux/kthread.py::_need_kthreadd::kthreadd_task": "under kthread_create_lock",
    "kport/linux/sched.py::new_task::tasks": CALL + "; the key is a new pid",
    "kport/linux/sched.py::reset_tasks::tasks": BOOT,
    "kport/linux/slab.py::*::_failing": CALL + "; the key is the thread's own",
    "kport/linux/slab.py::*::live": CALL + "; the key is the object's own",
    "kport/linux/tick.py::tick_*::*": "under clockevents_lock",
    "kport/linux/vsprintf.py::pointer::*": "under XCHG_LOCK",
    "kport/linux/workqueue.py::*::workqueues": "under wq_pool_mutex",
    "kport/linux/workqueue.py::*::creation_failures": "a test sets it; under the lock of the pool",
    "kport/linux/workqueue.py::*::workqueue_freezing": "under wq_pool_mutex",
    "kport/linux/xarray.py::xa_mk_value::_values": CALL + ": of two, setdefault() takes one",
    "kport/linux/lockdep*.py::*": "under the lock of the graph; see kport/linux/lockdep_state.py",
    "kport/linux/kasan*.py::*": CALL + "; the key is the object's own",
    "kport/linux/debugobjects.py::*": CALL + ": a report is said once or, rarely, twice",
    "kport/linux/atomic_sleep.py::*": CALL,
    "kport/linux/wq_watchdog.py::*": "a watchdog: what two store at once is almost the same",
    "kport/linux/hung_task.py::*": "one watchdog at a time looks",
    "kport/drivers/compat.py::*::_now": BOOT,
    "kport/drivers/compat_6_1.py::interface::*": BOOT,
    "kport/drivers/compat_6_1.py::*::_cancel": CALL + "; the key is the scheduler's own",
    "kport/drivers/mock/mock_scheduler.py::*::instance": "`instance++` of the C file: only a name",
    "kport/trace/registry.py::show::_drivers": "when a module is imported",
    "kport/trace/snapshot.py::_object::_hints": CALL + ": two threads store the same",
    "kport/drm/scheduler/*/sched_fence.py::*::sched_fence_slab": BOOT,
    "kport/dma_buf/sync_debug.py::*::dbgfs": BOOT,
}

CHANGES = {
    "kport/arch/carrier.py::switch::self._thread": "the stack that starts another hands over to it",
    "kport/arch/link.py::_key::*": BOOT,
    "kport/arch/virt*.py::*": ONE + "the machine virt runs in one OS thread",
    "kport/arch/threads_asm.py::*::*preempt_count": OWN,
    "kport/arch/threads_asm.py::*::*rcu_nesting": OWN,
    "kport/arch/threads_asm.py::*::*rcu_passes": OWN,
    "kport/hw/batch.py::end::self.stop_at": "whoever submitted the batch ends it",
    "kport/hw/engine.py::*": ONE + "the engine's own; others read",
    "kport/hw/faults.py::advance::self.at": ONE + "the engine's own",
    "kport/hw/gpu.py::*": "resets of a GPU come from its ordered reset queue, one at a time",
    "kport/trace/bulk.py::*": ONE + "a reader belongs to whoever reads",
    "kport/trace/client.py::*": ONE + "the client's",
    "kport/trace/history.py::*": ONE + "a history belongs to whoever feeds it",
    "kport/trace/lanes.py::*": ONE + "built by whoever asks",
    "kport/trace/reader.py::*": ONE + "a reader belongs to whoever reads",
    "kport/trace/recorder.py::_flush::*": ONE + "the recorder's writer",
    "kport/trace/server.py::*": ONE + "the server's",
    "kport/trace/source.py::*": ONE + "a reader belongs to whoever reads",
    "kport/trace/wire.py::*": ONE + "a connection belongs to its thread",
    "kport/workload/eras/*::*": "probes run in a kernel on virt, in one OS thread",
    "kport/workload/player/batch.py::data::self._buffer": "while the workload is set up",
    "kport/workload/player/client.py::*": ONE + "the client's",
    "kport/workload/player/play.py::*": ONE + "the player's main thread",
    "kport/workload/player/process.py::*::task.flags": OWN,
    "kport/workload/player/tally.py::*": "called with Tally._lock held: by closed() and its like",
    "kport/workload/rec_*.py::*": ONE + "a recording is built and replayed by one thread",
    "kport/workload/stress/*::*": ONE + "a client's own counts, summed when all have ended",
    "kport/workload/wsim/*::*": ONE + "a workload is read and compiled by one thread",
    "kport/drivers/amdgpu/amdgpu_device.py::*": "while the device is set up",
    "kport/drivers/amdgpu/amdgpu_fence.py::*": "in the ordered reset queue",
    "kport/drivers/amdgpu/amdgpu_job.py::*reset_stats*": "in the ordered reset queue",
    "kport/drivers/amdgpu/amdgpu_job.py::amdgpu_job_timedout::*": "in the ordered reset queue",
    "kport/drivers/amdgpu/amdgpu_job.py::amdgpu_job_run::*": "the job's scheduler runs it",
    "kport/drivers/amdgpu/amdgpu_recover.py::*": "in the ordered reset queue",
    "kport/drivers/amdgpu/amdgpu_ring.py::*": "one scheduler writes to a ring at a time",
    "kport/drivers/amdgpu/amdgpu_debugfs.py::*": "with the ring's scheduler stopped",
    "kport/drivers/mock/mock_scheduler.py::*::job.flags": "as in C; the check races knows it",
    "kport/drivers/observe*.py::*": ONE + "who starts and stops to observe",
}


def _files(layers: tuple[str, ...]) -> Iterator[tuple[str, ast.Module]]:
    for layer in layers:
        for file in sorted((ROOT / "kport" / layer).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text())


def _containers(tree: ast.Module) -> set[str]:
    """The names of a module that are bound to a list, dict or set of its own."""
    found = set()
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        value = node.value
        made = isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            made = value.func.id in MAKERS
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        found |= {t.id for t in targets if made and isinstance(t, ast.Name)}
    return found


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return list(node.targets)
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def module_state(path: str, tree: ast.Module) -> set[str]:
    """Containers of the module that functions change, and globals that they assign."""
    names, found = _containers(tree), set()
    for function in _functions(tree):
        for node in ast.walk(function):
            changed: list[str] = []
            if isinstance(node, ast.Global):
                changed = list(node.names)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if node.func.attr in MUTATORS and isinstance(owner, ast.Name):
                    changed = [owner.id] if owner.id in names else []
            for target in _targets(node):
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    changed += [target.value.id] if target.value.id in names else []
            found |= {f"{path}::{function.name}::{name}" for name in changed}
    return found


def _locks(node: ast.With) -> bool:
    text = " ".join(ast.unparse(item.context_expr).lower() for item in node.items)
    return "lock" in text or "cond" in text


def _check_then_set(node: ast.If) -> str:
    """What an `if` looks for and its body then stores, or ""."""
    test = node.test
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return ""
    wanted = ""
    if isinstance(test.ops[0], ast.Is) and ast.unparse(test.comparators[0]) == "None":
        wanted = ast.unparse(test.left)
    elif isinstance(test.ops[0], ast.NotIn):
        wanted = f"{ast.unparse(test.comparators[0])}[{ast.unparse(test.left)}]"
    if not wanted.startswith(("self.", "_")):
        return ""
    stored = {ast.unparse(t) for s in node.body for t in _targets(s)}
    return wanted if wanted in stored else ""


def compound_changes(path: str, tree: ast.Module) -> set[str]:
    """Changes of a member or an item that take more than one step, outside of `with <lock>`."""
    found: set[str] = set()

    def visit(node: ast.AST, function: str, locked: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside, name = locked, function
            if isinstance(child, ast.FunctionDef):
                inside, name = False, child.name
            elif isinstance(child, ast.With) and _locks(child):
                inside = True
            elif not inside and isinstance(child, ast.AugAssign):
                if isinstance(child.target, ast.Attribute | ast.Subscript):
                    found.add(f"{path}::{name}::{ast.unparse(child.target)}")
            elif not inside and isinstance(child, ast.If) and (what := _check_then_set(child)):
                found.add(f"{path}::{name}::{what}")
            visit(child, name, inside)

    visit(tree, "", False)
    return found


def unexplained(found: set[str], table: dict[str, str]) -> tuple[list[str], list[str]]:
    """(what no entry explains, the entries that explain nothing)."""
    left = sorted(f for f in found if not any(fnmatch(f, entry) for entry in table))
    idle = sorted(e for e in table if not any(fnmatch(f, e) for f in found))
    return left, idle


def test_what_a_module_shares_is_explained():
    found = set().union(*(module_state(path, tree) for path, tree in _files(ALL)))
    assert unexplained(found, GLOBALS) == ([], [])


def test_what_is_changed_in_steps_is_explained():
    found = set().union(*(compound_changes(path, tree) for path, tree in _files(OURS)))
    assert unexplained(found, CHANGES) == ([], [])


PLANTED = [
    (module_state, "seen = []\ndef f(x): seen.append(x)", "x::f::seen"),
    (module_state, "d: dict[int, int] = {}\ndef f(x): d[x] = 1", "x::f::d"),
    (module_state, "d = {}\ndef f(x): del d[x]", "x::f::d"),
    (module_state, "n = 0\ndef f():\n global n\n n += 1", "x::f::n"),
    (module_state, "q = deque()\ndef f(): q.popleft()", "x::f::q"),
    (compound_changes, "def f(self): self.n += 1", "x::f::self.n"),
    (compound_changes, "def f(c, k): c[k] += 1", "x::f::c[k]"),
    (compound_changes, "def f(self):\n if self.a is None: self.a = 1", "x::f::self.a"),
    (compound_changes, "def f(k):\n if k not in _d: _d[k] = 1", "x::f::_d[k]"),
    (compound_changes, "def f(s):\n with s.lock:\n  def g(): s.n += 1", "x::g::s.n"),
]


@pytest.mark.parametrize(("look", "source", "found"), PLANTED)
def test_a_planted_one_is_found(look, source, found):
    assert look("x", ast.parse(source)) == {found}


@pytest.mark.parametrize(
    "source",
    [
        "def f(self):\n with self._lock:\n  self.n += 1",
        "def f(self):\n with self.cond:\n  if self.a is None: self.a = 1",
        "def f():\n n = 0\n n += 1",
        "def f(self):\n if self.a is None: return 1",
    ],
)
def test_what_is_right_is_not_found(source):
    assert compound_changes("x", ast.parse(source)) == set()
    assert module_state("x", ast.parse(source)) == set()
