# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The kernel's selftests, which are programs in user space (tools/testing/selftests).

`libc` is what such a program is linked with, `kselftest` how it reports; both are modelled. A
program is a folder: its files are translated, and its tests are also cases of a KUnit suite.
"""
