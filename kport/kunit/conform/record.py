# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Files of scenarios: a JSON object per line, plain, gzip or xz (the content decides).

Everything is checked while it is read, so what `scenarios()` gives can be run. What is wrong is a
RecordError that says in which line.
"""

from __future__ import annotations

import gzip
import json
import lzma
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from kport.kunit.conform.operations import Operation, OperationError, check
from kport.trace.source import printable

LINE_MAX = 1 << 26  # bytes of a scenario
POLICIES = {"rr": 0, "fifo": 1, "fair": 2}
GZIP = b"\x1f\x8b"
XZ = b"\xfd7zXZ\x00"
STDIN = "standard input"


class RecordError(Exception):
    """A file that cannot be used: where, what is wrong, what to do about it."""

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        super().__init__(where, what, remedy)
        self.where = where
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True)
class Scenario:
    """A scenario and what the kernel did: for each operation its events, at some the state."""

    line: int
    id: str
    doc: str
    policy: str
    tags: tuple[str, ...]
    ops: tuple[Operation, ...]
    events: list[list[list[Any]]]
    states: dict[int, dict[str, Any]]


def scenarios(path: str) -> Iterator[Scenario]:
    """The scenarios of a file, "-" for standard input. Raises RecordError."""
    name = STDIN if path == "-" else path
    number = 0
    empty = True
    for line in _lines(path, name):
        number += 1
        if line.strip():
            empty = False
            yield parse(line, f"{name}:{number}", number)
    if empty:
        raise RecordError(name, "there is no scenario in it", "give a file of JSON lines")


def _lines(path: str, name: str) -> Iterator[bytes]:
    number = 1
    try:
        with _opened(path) as file:
            stream = _unpacked(file)
            while line := stream.readline(LINE_MAX + 1):
                if len(line) > LINE_MAX:
                    raise RecordError(
                        f"{name}:{number}", f"a line of more than {LINE_MAX} bytes", "split it"
                    )
                yield line
                number += 1
    except FileNotFoundError:
        raise RecordError(name or "''", "no such file") from None
    except IsADirectoryError:
        raise RecordError(name, "is a directory", "name a file in it") from None
    except EOFError:
        raise RecordError(
            f"{name}:{number}", "the compressed file ends in the middle", "copy it again"
        ) from None
    except (lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
        what = f"the compressed file is damaged ({str(error).lower() or type(error).__name__})"
        raise RecordError(f"{name}:{number}", what, "copy it again") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise RecordError(name, f"cannot be read ({reason})") from None


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    if path == "-":
        yield sys.stdin.buffer
        return
    with open(path, "rb") as file:
        yield file


def _unpacked(file: Any) -> BinaryIO:
    head = file.peek(len(XZ))
    if head.startswith(GZIP):
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if head.startswith(XZ):
        return cast("BinaryIO", lzma.LZMAFile(file))
    return cast("BinaryIO", file)


def parse(line: bytes, where: str, number: int = 1) -> Scenario:
    """The scenario of a line. Raises RecordError."""
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        raise RecordError(where, "is no text in UTF-8", "is the file compressed twice?") from None
    except json.JSONDecodeError as error:
        at = f"{error.msg.lower()}, column {error.colno}"
        raise RecordError(where, f"is no JSON ({at})", "each line must be an object") from None
    except (RecursionError, ValueError) as error:
        raise RecordError(where, f"is no JSON ({error})", "each line must be an object") from None
    if not isinstance(record, dict):
        raise RecordError(where, "is no JSON object", "each line must be an object")
    try:
        return _scenario(record, number)
    except OperationError as error:
        what = f"operation {error.index} of {record['id']}: {error.what}"
        raise RecordError(where, what, error.remedy) from None
    except ValueError as error:
        raise RecordError(where, str(error), "is it a file of conformance scenarios?") from None


def _scenario(record: dict[str, Any], number: int) -> Scenario:
    """Check everything that is not about a single operation. Raises ValueError."""
    name = _text(_field(record, "id", str))
    policy = _field(record, "policy", str)
    if policy not in POLICIES:
        raise ValueError(f"{name}: unknown policy {policy!r}; there is: {', '.join(POLICIES)}")
    ops = _operations(_field(record, "ops", list), name)
    check(ops)
    events = _field(record, "events", list)
    if len(events) != len(ops):
        raise ValueError(f"{name}: events of {len(events)} operations, and {len(ops)} operations")
    for index, happened in enumerate(events):
        if not isinstance(happened, list) or not all(
            isinstance(e, list) and e and isinstance(e[0], str) for e in happened
        ):
            raise ValueError(f"{name}: the events of operation {index} are no list of events")
    return Scenario(
        line=number,
        id=name,
        doc=_text(_field(record, "doc", str, "")),
        policy=policy,
        tags=tuple(_text(str(tag)) for tag in _field(record, "tags", list, [])),
        ops=ops,
        events=events,
        states=_states(record, ops, name),
    )


def _field(record: dict[str, Any], key: str, type_: type, default: Any = None) -> Any:
    value = record.get(key, default)
    if not isinstance(value, type_):
        names = {"str": "text", "list": "a list", "dict": "an object"}
        what = "is missing" if value is None else f"is not {names[type_.__name__]}"
        raise ValueError(f"the field {key!r} {what}")
    return value


def _text(text: str) -> str:
    """Text of a file that may go to a terminal: one line, printable."""
    return printable(" ".join(text.split()).encode("utf-8", "backslashreplace"))


def _operations(ops: list[Any], name: str) -> tuple[Operation, ...]:
    for index, op in enumerate(ops):
        if not isinstance(op, list) or not op or not isinstance(op[0], str):
            raise ValueError(f"{name}: operation {index} is no list that begins with a name")
    return tuple(Operation(op[0], tuple(op[1:])) for op in ops)


def _states(
    record: dict[str, Any], ops: tuple[Operation, ...], name: str
) -> dict[int, dict[str, Any]]:
    """The recorded state of each snapshot, and of final."""
    snapshots = _field(record, "snapshots", dict, {})
    states: dict[int, dict[str, Any]] = {}
    for index, op in enumerate(ops):
        if op.name == "snapshot":
            state = snapshots.get(str(index))
        elif op.name == "final":
            state = record.get("final")
        else:
            continue
        if not isinstance(state, dict) or not all(isinstance(v, dict) for v in state.values()):
            raise ValueError(f"{name}: there is no state for operation {index} ({op.name})")
        states[index] = state
    if len(snapshots) != sum(op.name == "snapshot" for op in ops):
        raise ValueError(f"{name}: there are more states in snapshots than operations snapshot")
    return states
