# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""All probes, in the order they are printed in."""

from __future__ import annotations

from kport.workload.eras import (
    probes_end,
    probes_error,
    probes_inside,
    probes_order,
    probes_time,
)

PROBES = [
    *probes_time.PROBES,
    *probes_order.PROBES,
    *probes_error.PROBES,
    *probes_end.PROBES,
    *probes_inside.PROBES,
]
