# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The driver of the scheduler's tests."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from kport.linux.init import Kernel
from tests.drm.scheduler.driver import Driver


@pytest.fixture
def driver(
    kernel: Kernel, baseline: ModuleType, request: pytest.FixtureRequest
) -> Iterator[Driver]:
    """A driver whose schedulers, entities and jobs are taken down in order after the test."""
    made = Driver(baseline)
    yield made
    if not kernel.machine.dead:
        made.close()
