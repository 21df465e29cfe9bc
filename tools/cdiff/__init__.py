# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""cdiff compares the port with the C it is translated from, statement by statement.

Comparing what two functions call proves nothing: it misses every negated condition and every
swapped argument. So cdiff translates. A C function is parsed, turned into Python statement by
statement by the rules that the port follows (text, csource, expr, stmt, control, translate), and
brought into a canonical form (canon). The port's function is brought into the same form
(pysource). Then the two must be *equal*, statement for statement and nesting for nesting
(compare). What cannot be equal carries a tag with a reason from a closed list, and the pair is
pinned (accepted): when either side changes, somebody must look again.

The C is not in this repository. A baseline (facts, baseline/*.json) holds what the comparison needs
of it: names, lines, and a hash per statement. It is made from a kernel tree with `cdiff baseline`.
With a tree at hand the texts can be shown, too.
"""
