# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The tests in this folder are those of the scheduler that was proposed in 2023."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from kport.drm.scheduler import v3_2023
from kport.linux.init import Kernel
from tests.drm.scheduler.v6_1.driver import Driver61


class Driver2023(Driver61):
    """The driver of 6.1 on the scheduler of 2023, whose callbacks are the same."""

    def __init__(self) -> None:
        super().__init__(v3_2023)

    def kick(self, sched: object) -> None:
        """There may be a job to free."""
        self.main.drm_sched_submit_queue(sched)


@pytest.fixture
def baseline() -> ModuleType:
    """The scheduler package."""
    return v3_2023


@pytest.fixture
def driver(kernel: Kernel) -> Iterator[Driver2023]:
    """A driver whose schedulers, entities and jobs are taken down in order after the test."""
    made = Driver2023()
    yield made
    if not kernel.machine.dead:
        made.close()
