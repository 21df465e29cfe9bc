# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The C position at the end of docstrings is written, corrected, and left alone when right."""

from __future__ import annotations

import re
from pathlib import Path

from tools.cdiff.project import Project
from tools.cdiff.sources import expected, fix, wrong

RQ = "kport/drm/scheduler/v7_2/sched_rq.py"
_SOURCE = re.compile(r"\n\n    [\w./-]+:\d+(-\d+)?, Linux 7\.2\.13\n    \"\"\"")


def _project(root: Path) -> Project:
    return Project(root, root / "baseline")


def test_nothing_to_do(copied: Path) -> None:
    project = _project(copied)
    before = (copied / RQ).read_text(encoding="utf-8")
    assert fix(project, project.files[RQ]) == 0
    assert (copied / RQ).read_text(encoding="utf-8") == before


def test_lines_that_are_missing_or_wrong_are_written(copied: Path) -> None:
    right = (copied / RQ).read_text(encoding="utf-8")
    assert len(_SOURCE.findall(right)) == 15
    bare = _SOURCE.sub('"""', right)
    assert not _SOURCE.search(bare)
    (copied / RQ).write_text(bare, encoding="utf-8")
    project = _project(copied)
    assert len(list(wrong(project, project.files[RQ]))) == 15
    assert fix(project, project.files[RQ]) == 15
    again = _project(copied)
    assert list(wrong(again, again.files[RQ])) == []
    assert [item.text for f in again.files[RQ].functions.values() for item in f.statements] == [
        item.text for f in project.files[RQ].functions.values() for item in f.statements
    ]
    shifted = re.sub(r"sched_rq\.c:(\d+)-", r"sched_rq.c:1\1-", right)
    (copied / RQ).write_text(shifted, encoding="utf-8")
    project = _project(copied)
    assert fix(project, project.files[RQ]) == 15
    assert (copied / RQ).read_text(encoding="utf-8") == right


def test_the_form(project: Project) -> None:
    pair = project.find("drm_sched_job_done")
    assert expected(pair) == "drivers/gpu/drm/scheduler/sched_main.c:163-177, Linux 7.2.13"
    assert pair.function.docstring.rstrip().endswith(expected(pair))
