# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`python -m tools.cdiff`."""

from __future__ import annotations

import sys

from tools.cdiff.cli import main

sys.exit(main())
