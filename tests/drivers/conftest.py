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


# That of 2023 is 6.1 with one patch: its runs are in the long suite.
PARAMS = [
    pytest.param(name, marks=pytest.mark.long) if name == "v3_2023" else name for name in SCHEDULERS
]


@pytest.fixture(params=PARAMS)
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
