# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The KUnit suites of the GPU scheduler (drivers/gpu/drm/scheduler/tests of Linux 7.2.13)."""

from __future__ import annotations

from kport.kunit.drm.tests_basic import basic_suites
from kport.kunit.drm.tests_scheduler import scheduler_suites

suites = basic_suites + scheduler_suites
