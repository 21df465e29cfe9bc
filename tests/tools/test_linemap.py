# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Reports name the C position of ported code, and none where the code has changed since."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kport
from kport.dma_buf.dma_fence import dma_fence_signal
from kport.linux import bug, linemap
from kport.linux.bug import WARN_ON
from tools.cdiff.linemap import build, dumps, stale
from tools.cdiff.project import Project
from tools.cdiff.pysource import ROOT

RQ = "kport/drm/scheduler/v7_2/sched_rq.py"


def test_every_statement_that_is_equal_has_its_line(project: Project) -> None:
    for file in project.files.values():
        for pair in project.pairs(file):
            for row in project.compare(pair).rows:
                if (
                    row.state == "equal"
                    and not row.head
                    and row.python[0].line == row.python[0].end
                ):
                    place = linemap.position(str(ROOT / file.path), row.python[0].line)
                    name, line = place.rsplit(":", 1)
                    assert name == pair.source.path
                    assert int(line) in {
                        c.line
                        for other in project.compare(pair).rows
                        if any(item.line == row.python[0].line for item in other.python)
                        for c in other.c
                    }, (file.path, row.python[0].line)


def test_lines_outside_of_functions_have_none() -> None:
    path = str(ROOT / RQ)
    assert linemap.position(path, 1) == ""
    assert linemap.position(path, 10**6) == ""
    assert linemap.position("/nonexistent/x.py", 3) == ""
    assert linemap.position("<string>", 3) == ""


def test_the_shipped_map_is_up_to_date(project: Project) -> None:
    assert stale(project) == []
    assert json.loads(dumps(build(project))) == build(project)


def test_a_function_that_has_changed_has_no_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "kport"
    (package / RQ).parent.mkdir(parents=True, exist_ok=True)
    copy = tmp_path / RQ
    copy.parent.mkdir(parents=True)
    shutil.copy(ROOT / RQ, copy)
    monkeypatch.setattr(linemap, "_PACKAGE", str(package))
    text = copy.read_text(encoding="utf-8")
    lines = text.split("\n")
    at = next(n for n, line in enumerate(lines, 1) if line.startswith("def drm_sched_rq_init"))
    body = at + 5
    assert linemap.position(str(copy), body).startswith("drivers/gpu/drm/scheduler/sched_rq.c:")
    linemap._functions.cache_clear()
    lines[body - 1] += "  # changed"
    copy.write_text("\n".join(["# moved", *lines]), encoding="utf-8")
    try:
        assert linemap.position(str(copy), body + 1) == ""
        other = text[: text.index("def drm_sched_rq_update_prio")].count("\n") + 1
        assert linemap.position(str(copy), other + 1).endswith("sched_rq.c:23")
    finally:
        linemap._functions.cache_clear()


def test_without_a_map_there_are_no_positions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linemap, "_HERE", str(tmp_path))
    linemap._map.cache_clear()
    linemap._functions.cache_clear()
    try:
        assert linemap.position(str(ROOT / RQ), 40) == ""
        (tmp_path / "linemap.json").write_text("{")
        linemap._map.cache_clear()
        linemap._functions.cache_clear()
        assert linemap.position(str(ROOT / RQ), 40) == ""
    finally:
        linemap._map.cache_clear()
        linemap._functions.cache_clear()


def test_a_warning_names_the_c_position() -> None:
    with kport.boot() as kernel:
        dma_fence_signal(None)
        log = kernel.dmesg()
    place = r"kport/dma_buf/dma_fence\.py:\d+ \(drivers/dma-buf/dma-fence\.c:\d+\)"
    assert any(re.search(rf"WARNING: {place} at dma_fence_signal", line) for line in log)
    assert any(re.search(rf" dma_fence_signal\+{place}$", line) for line in log)


def test_code_that_is_not_ported_has_only_its_own_place() -> None:
    with kport.boot() as kernel:
        WARN_ON(True)
        log = kernel.dmesg()
    assert any(re.search(r"WARNING: \S+test_linemap\.py:\d+ at ", line) for line in log)


def test_an_oops_names_the_c_positions(kernel_oops: Callable[[], str]) -> None:
    report = kernel_oops()
    assert re.search(
        r'File ".*dma_fence\.py", line \d+, in dma_fence_put \(include/linux/dma-fence\.h:\d+\)',
        report,
    )


@pytest.fixture
def kernel_oops() -> Callable[[], str]:
    """The report of a kernel that follows a wild pointer in ported code."""

    def run() -> str:
        from kport.dma_buf.dma_fence import dma_fence_put

        wild: Any = object()
        with pytest.raises(Exception, match="Oops") as caught, kport.boot():
            dma_fence_put(wild)
        return str(caught.value)

    return run


def test_the_hook_answers_like_the_map() -> None:
    path = str(ROOT / RQ)
    text = (ROOT / RQ).read_text(encoding="utf-8")
    at = text[: text.index("def drm_sched_rq_update_prio")].count("\n") + 1
    assert bug.positions(path, at) == linemap.position(path, at)
    assert bug.positions(path, at).endswith("sched_rq.c:23")
