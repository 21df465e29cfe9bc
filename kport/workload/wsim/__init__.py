# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Workload files (.wsim), the format of gem_wsim: text in, checked steps out.

`engines` knows the names of engines and the rings they mean, `steps` what a step is, `parse` turns
text into steps, `contexts` says which rings each batch may use, `check` refuses what cannot run,
`holds` finds waits that cannot end, and `load` puts them together and reads files.
"""
