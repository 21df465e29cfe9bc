# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Litmus tests: the judge of the machine's weak memory.

- `program`: a test, in a compact notation; `kernel_file`: in the kernel's own
- `tasks`: a test as functions over the port's primitives
- `search`: all executions of it on the machine virt
- `axioms`: the memory model itself, for one execution; `candidates`: all executions it allows
- `catalog`: the tests of the kernel's tools/memory-model/litmus-tests, in our notation
"""
