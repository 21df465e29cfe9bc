# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The tests in this folder are those of the 6.1 scheduler alone."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pytest

from kport.drm.scheduler import v6_1
from kport.linux.init import Kernel
from tests.drm.scheduler.v6_1.driver import Driver61


@pytest.fixture
def baseline() -> ModuleType:
    """The scheduler package."""
    return v6_1


@pytest.fixture
def driver(kernel: Kernel) -> Iterator[Driver61]:
    """A driver whose schedulers, entities and jobs are taken down in order after the test."""
    made = Driver61()
    yield made
    if not kernel.machine.dead:
        made.close()
