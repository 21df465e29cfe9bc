# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The report: what a reader finds in it, within 80 columns."""

from __future__ import annotations

import io

from kport.cli.report import MANY, report
from kport.cli.terminal import Style
from kport.workload.result import (
    ClientResult,
    EntityResult,
    Figures,
    JobCount,
    Result,
    RingResult,
    Run,
    Waits,
)

PLAIN = Style(io.StringIO())


def result(**changes) -> Result:
    made = Result(
        jobs=JobCount(12, 9, 1, 2),
        rings=[
            RingResult("0000:03:00.0", "rcs", 10, 98.7, Waits(29300.0, 39800.0, 57000.0)),
            RingResult("0000:03:00.0", "bcs"),
        ],
        entities=[EntityResult(9, "ui-1:1", "ui-1", "rcs", 10, 160.25, 3.2, Waits(50, 60, 70))],
        makespan_s=5.0321,
        clients=[
            ClientResult("ui-1", 5.0, 143, 28.6, 143, 142, Waits(34.5, 45.2, 58.6)),
            ClientResult("hog-1", 5.0, 0, 0.0),
        ],
        order=[Run("rcs", 1, 0, 2_000_000), Run("rcs", 2, 2_000_000, 4_000_000)],
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def lines(made: Result, heading: str = "heading") -> list[str]:
    text = report(heading, made, 80, PLAIN)
    assert all(len(line) <= 80 for line in text if not line.startswith("warning: "))
    return text


def test_who_waited_how_long_who_got_the_gpu_and_in_which_order():
    text = "\n".join(lines(result()))
    assert text.splitlines()[0] == "heading"
    for row in (
        "ui-1           5.00     143   28.6  142/143  34.5  45.2  58.6",
        "hog-1          5.00       0   0.00        -     -     -     -",
        "rcs         10    98.7      29.3  39.8  57.0",
        "ui-1:1           rcs    10     160      3.2      0.05  0.06  0.07",
        "rcs  a",
        "12 jobs: 9 finished, 1 failed, 2 cancelled",
        "makespan 5.032 s, 0 leaks",
    ):
        assert row in text
    assert "bcs" not in text  # a ring without jobs


def test_what_is_wrong_is_at_the_end():
    text = lines(result(leaks=3, warnings=["WARNING: x", "note"], interrupted=True))
    assert text[-4].endswith(", 3 leaks")
    assert text[-3].startswith("interrupted")
    assert text[-2:] == ["warning: WARNING: x", "warning: note"]
    assert "1 unaccounted for" in lines(result(jobs=JobCount(13, 9, 1, 2)))[-2]


def test_many_entities_are_cut_to_the_largest():
    entities = [
        EntityResult(n, f"client-with-a-long-name-{n}:1", "", "rcs", 1, float(n)) for n in range(50)
    ]
    text = "\n".join(lines(result(entities=entities)))
    assert f"and {50 - MANY} more; --json has them all" in text
    assert "-49:1" in text
    assert "-30:1" in text
    assert "-29:1" not in text


def test_an_empty_run():
    assert lines(Result()) == [
        "heading",
        "",
        "0 jobs: 0 finished, 0 failed, 0 cancelled",
        "makespan 0.000 s, 0 leaks",
    ]


def test_a_long_heading_is_cut():
    assert len(lines(Result(), "h" * 200)[0]) == 80


def test_kernel_against_port():
    name = "drm_sched_basic_entity_cleanup.drm-mock-scheduler-5"
    waits = Waits(520, 560, 570)
    kernel = Figures(
        rings=[RingResult(name, "drm-mock-scheduler", 100, 1.0, waits)],
        entities=[EntityResult(3, "kunit", "1", f"{name} ring", 100, 1.0, 1.0, waits)],
        makespan_s=5.285,
    )
    port = [RingResult(name, "drm-mock-scheduler", 100, 1.0, Waits(900, 1200, 1300), 7)]
    made = result(recorded=kernel, rings=port, entities=kernel.entities, clients=[], order=[])
    text = "\n".join(lines(made))
    assert "entity_cleanu..r-5   100           7   0.52   0.90   0.56   1.20" in text
    assert "makespan: kernel 5.285 s, port 5.032 s" in text
    assert "3 drm_sched_basic_entity..r-5 " in text


def test_rings_of_one_device_are_told_apart():
    rings = [RingResult("card0", "gfx", 1, inversions=0), RingResult("card0", "sdma0", 1)]
    made = result(recorded=Figures(rings=rings), rings=rings, clients=[], entities=[], order=[])
    text = "\n".join(lines(made))
    assert "card0 gfx " in text
    assert "card0 sdma0 " in text
