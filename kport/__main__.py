# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`python -m kport` and the command `kport`."""

from __future__ import annotations

import sys

from kport.cli import main

if __name__ == "__main__":
    sys.exit(main())
