# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port is what it says it is; and whatever is changed in it, `check` says so."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tools.cdiff import texts as texts_module
from tools.cdiff.check import check
from tools.cdiff.config import portlist
from tools.cdiff.errors import CdiffError
from tools.cdiff.project import Project
from tools.cdiff.pysource import parse
from tools.cdiff.texts import Texts

MAIN = "kport/drm/scheduler/v7_2/sched_main.py"


def findings(project: Project) -> list[str]:
    """What check has to say."""
    return [str(problem) for problem in check(project, Texts(project))]


def test_the_port_is_clean(project: Project) -> None:
    assert findings(project) == []


@pytest.fixture
def no_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """No kernel tree is in the cache folder."""
    monkeypatch.setattr(texts_module, "open_tree", lambda *given: None)


def with_text(project: Project, path: str, text: str) -> Project:
    """The project with another text of one file."""
    made = Project(project.root)
    vars(made).update(vars(project))
    vars(made)["files"] = {**project.files, path: parse(path, text)}
    vars(made).pop("ported", None)
    return made


def changed(project: Project, path: str, old: str, new: str) -> list[str]:
    """The findings after one change of the port."""
    text = project.files[path].text
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    found = findings(with_text(project, path, text.replace(old, new)))
    return [line for line in found if "line map is stale" not in line]


CHANGES = {
    "a condition": (
        MAIN,
        "    if s_job.credits > sched.credit_limit:",
        "    if s_job.credits >= sched.credit_limit:",
        r"sched_main\.py:\d+: drm_sched_can_queue: differs from C \(.*sched_main\.c:\d+\)",
    ),
    "a statement less": (
        MAIN,
        "    atomic_dec(sched.score)\n",
        "",
        r"drm_sched_job_done: differs from C \(.*sched_main\.c:169\)\n.*\n.*has nothing here",
    ),
    "a statement in another block": (
        MAIN,
        "    sched_timeout = sched.work_tdr.timer.expires\n",
        "    if now:\n        sched_timeout = sched.work_tdr.timer.expires\n",
        "drm_sched_suspend_timeout: differs from C",
    ),
    "a parameter": (
        MAIN,
        "def drm_sched_start(sched: drm_gpu_scheduler, errno: int)",
        "def drm_sched_start(sched: drm_gpu_scheduler, error: int)",
        r"drm_sched_start: has other parameters .*\n +C +\d+: drm_sched_start\(sched, errno\)",
    ),
    "an export": (
        MAIN,
        "EXPORT_SYMBOL(drm_sched_fault)\n",
        "",
        r"EXPORT_SYMBOL\(drm_sched_fault\)",
    ),
    "an export too many": (
        MAIN,
        "EXPORT_SYMBOL(drm_sched_fault)\n",
        "EXPORT_SYMBOL(drm_sched_fault)\n\n\nEXPORT_SYMBOL(drm_sched_wakeup)\n",
        r"drm_sched_wakeup: C has no EXPORT_SYMBOL\(drm_sched_wakeup\)",
    ),
    "a function": (
        "kport/drm/scheduler/v7_2/sched_rq.py",
        "def drm_sched_rq_pop_entity(",
        "def drm_sched_rq_take_entity(",
        "drm_sched_rq_pop_entity: missing",
    ),
    "a function too many": (
        "kport/drm/scheduler/v7_2/sched_rq.py",
        "def drm_sched_rq_pop_entity(",
        "def helper() -> None:\n    return\n\n\ndef drm_sched_rq_pop_entity(",
        "helper: is no function of",
    ),
    "a docstring": (
        MAIN,
        "    drivers/gpu/drm/scheduler/sched_main.c:163-177, Linux 7.2.13\n",
        "    drivers/gpu/drm/scheduler/sched_main.c:163-178, Linux 7.2.13\n",
        "drm_sched_job_done: the docstring says .*163-178.*, not .*163-177",
    ),
    "a tag too many": (
        MAIN,
        "    atomic_dec(sched.score)\n",
        "    atomic_dec(sched.score)  # kport: cursor\n",
        "does not need the tag 'cursor'",
    ),
    "a tag less": (
        MAIN,
        "            else:  # kport: cursor\n",
        "            else:\n",
        "drm_sched_increase_karma: differs from C",
    ),
    "another reason": (
        MAIN,
        "            else:  # kport: cursor\n",
        "            else:  # kport: model\n",
        "drm_sched_increase_karma: is tagged, but this difference was never accepted",
    ),
    "a reason of one's own": (
        MAIN,
        "            else:  # kport: cursor\n",
        "            else:  # kport: style\n",
        "'style' is no known reason",
    ),
    "a tag on nothing": (
        MAIN,
        'module_param_named("sched_policy"',
        '# kport: config\nmodule_param_named("sched_policy"',
        "the tag 'config' belongs to no statement",
    ),
    "a tagged statement": (
        MAIN,
        "                entity = None  # kport: cursor\n",
        "                entity = rq  # kport: cursor\n",
        "drm_sched_increase_karma: is tagged, but",
    ),
    "a number": (
        "kport/drm/scheduler/v7_2/gpu_scheduler.py",
        "DRM_SCHED_PRIORITY_LOW = 3\n",
        "DRM_SCHED_PRIORITY_LOW = 4\n",
        r"DRM_SCHED_PRIORITY_LOW: is 4, in C 3 \(include/drm/gpu_scheduler\.h:\d+\)",
    ),
    "a table": (
        "kport/drm/scheduler/v7_2/sched_rq.py",
        "vruntime_shift = (1, 2, 4, 7)",
        "vruntime_shift = (1, 2, 4, 8)",
        r"vruntime_shift: differs from C \(.*sched_rq\.c:\d+\)",
    ),
    "a member": (
        "kport/drm/scheduler/v7_2/gpu_scheduler.py",
        "    submit_ts: ktime_t\n    sched: drm_gpu_scheduler | None\n",
        "    sched: drm_gpu_scheduler | None\n    submit_ts: ktime_t\n",
        "struct drm_sched_job: has other members than C: submit_ts sched",
    ),
    "a trace event": (
        "kport/drm/scheduler/v7_2/gpu_scheduler_trace.py",
        '"fence=%llu:%llu signaled"',
        '"fence=%llu:%llu signalled"',
        "event drm_sched_job_done: differs from C",
    ),
    "the first value of a parameter of the module": (
        MAIN,
        "drm_sched_policy = 1  #",
        "drm_sched_policy = 2  #",
        "drm_sched_policy: is 2, in C 1",
    ),
    "an initcall": (
        "kport/drm/scheduler/v7_2/sched_fence.py",
        "module_exit(drm_sched_fence_slab_fini)\n",
        "",
        r"drm_sched_fence_slab_fini: module_exit\(drm_sched_fence_slab_fini\) is missing",
    ),
    "a decorator": (
        MAIN,
        "def drm_sched_wakeup(",
        "@cache\ndef drm_sched_wakeup(",
        "drm_sched_wakeup: the decorator 'cache' is none of C's",
    ),
    "a default value": (
        MAIN,
        "def drm_sched_start(sched: drm_gpu_scheduler, errno: int)",
        "def drm_sched_start(sched: drm_gpu_scheduler, errno: int = 0)",
        "drm_sched_start: C has no default values",
    ),
    "a function that C does not have": (
        "kport/dma_buf/dma_fence.py",
        "    dma_fence_context_counter.counter = 1\n",
        "    dma_fence_context_counter.counter = 2\n",
        "_reset_fences: is no function of .*, and it was changed",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found(project: Project, no_tree: None, name: str) -> None:
    path, old, new, message = CHANGES[name]
    found = changed(project, path, old, new)
    assert any(re.search(message, line) for line in found), found


def test_a_version_without_a_baseline_is_bad_input(project: Project) -> None:
    with pytest.raises(CdiffError, match=r"Linux 7\.2\.12 has no baseline"):
        changed(project, MAIN, "sched_main.c, Linux 7.2.13, on", "sched_main.c, Linux 7.2.12, on")


def test_a_finding_has_both_lines_and_both_statements(project: Project) -> None:
    found = changed(project, MAIN, "    atomic_dec(sched.score)\n", "    atomic_inc(sched.score)\n")
    assert len(found) == 1
    first, c, python = found[0].split("\n")
    match = re.fullmatch(
        r"kport/drm/scheduler/v7_2/sched_main\.py:(\d+): drm_sched_job_done: differs from C "
        r"\(drivers/gpu/drm/scheduler/sched_main\.c:(\d+)\)",
        first,
    )
    assert match is not None
    assert re.fullmatch(rf"    C +{match[2]}: .+", c)
    assert re.fullmatch(rf"    py +{match[1]}: atomic_inc\(sched\.score\)", python)


def test_git_knows_what_c_says(project: Project, no_tree: None) -> None:
    if not (project.root / ".git").exists():
        pytest.skip("no git here")
    pair = project.find("drm_sched_job_done")
    found = Texts(project).of(pair, pair.fact.statements)
    assert found == [item.text for item in pair.function.statements]


def test_order(project: Project, no_tree: None) -> None:
    text = project.files[MAIN].text
    start = text.index("def drm_sched_can_queue")
    end = text.index("def drm_sched_run_job_queue")
    later = text.index("def drm_sched_job_done(")
    moved = text[:start] + text[end:later] + text[start:end] + text[later:]
    found = findings(with_text(project, MAIN, moved))
    assert any("stands behind" in line and "in C before it" in line for line in found), found


def test_a_stale_line_map(project: Project, no_tree: None) -> None:
    old = "    dma_fence_get(s_fence.finished)\n    drm_sched_fence_finished"
    text = project.files[MAIN].text.replace(old, f"\n{old}")
    found = findings(with_text(project, MAIN, text))
    assert [line for line in found if "line map is stale" in line] == found
    assert len(found) == 1


def test_lists_that_fit_nothing(project: Project, no_tree: None) -> None:
    made = with_text(project, MAIN, project.files[MAIN].text)
    left_out = {**project.port.left_out, "kernel/kthread.c": {"numa": ("no_such_function",)}}
    vars(made)["port"] = replace(project.port, left_out=left_out)
    found = findings(made)
    assert any("kernel/kthread.c: 'no_such_function' fits no function" in line for line in found)
    assert any("kthread_bind: missing" in line for line in found)


def test_a_listed_function_must_not_be_ported(project: Project, no_tree: None) -> None:
    made = with_text(project, MAIN, project.files[MAIN].text)
    left_out = {**project.port.left_out, "lib/llist.c": {"unused": ("llist_del_first",)}}
    vars(made)["port"] = replace(project.port, left_out=left_out)
    message = "llist_del_first: listed as left out of lib/llist.c, but ported"
    assert any(message in line for line in findings(made))


def test_a_missing_baseline_and_a_damaged_one(copied: Path) -> None:
    (copied / "baseline/v7_2.json").write_text("{}")
    with pytest.raises(CdiffError, match=r"v7_2\.json: not a baseline"):
        findings(Project(copied, copied / "baseline"))
    (copied / "baseline/v7_2.json").unlink()
    with pytest.raises(CdiffError, match="make it with 'cdiff baseline'"):
        findings(Project(copied, copied / "baseline"))


def test_a_c_file_that_is_in_no_baseline(project: Project) -> None:
    with pytest.raises(CdiffError, match=r"sched_new\.c is not in the baseline v7_2; run"):
        changed(project, MAIN, "sched_main.c, Linux", "sched_new.c, Linux")


def test_the_port_list_of_this_checkout() -> None:
    assert portlist().by_version("7.2.13") is not None
    assert portlist().reason("kernel/kthread.c", "kthread_bind") == "numa"
    assert portlist().reason("kernel/kthread.c", "kthread_stop") == ""
