# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Drivers run on every scheduler: each test of a driver is run with each of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from kport.drivers.compat import SCHEDULERS
from kport.linux.init import Kernel

Boot = Callable[..., AbstractContextManager[Kernel]]


@pytest.fixture(params=SCHEDULERS)
def scheduler(request: pytest.FixtureRequest) -> str:
    """The name of a scheduler."""
    return str(request.param)


@pytest.fixture
def boot(boot: Boot, scheduler: str) -> Boot:
    """`kport.boot()` on the machine under test, with the scheduler under test."""

    def boot_scheduler(**options: Any) -> AbstractContextManager[Kernel]:
        params = {"scheduler": scheduler} | options.pop("params", {})
        return boot(params=params, **options)

    return boot_scheduler
