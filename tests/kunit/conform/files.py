# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The recorded scenarios, and small ones of the tests' own."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

from kport.kunit.conform.record import Scenario, parse

DATA = Path(__file__).parent.parent.parent / "data" / "conformance"
FILES = {policy: DATA / f"linux-7.2-{policy}.jsonl.xz" for policy in ("rr", "fifo", "fair")}


def records(policy: str) -> dict[str, dict[str, Any]]:
    """The records of a file as they are there, by id."""
    with lzma.open(FILES[policy]) as file:
        found = [json.loads(line) for line in file]
    return {record["id"]: record for record in found}


def record(*ops: list[Any], **fields: Any) -> dict[str, Any]:
    """A record with these operations, no events, and empty states."""
    made = {
        "id": "test",
        "policy": "fifo",
        "doc": "",
        "ops": list(ops),
        "events": [[] for _ in ops],
        "snapshots": {str(i): {} for i, op in enumerate(ops) if op[0] == "snapshot"},
        "final": {},
    }
    return {**made, **fields}


def scenario(*ops: list[Any], **fields: Any) -> Scenario:
    """The scenario of such a record."""
    return parse(json.dumps(record(*ops, **fields)).encode(), "test:1")
