# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a port and its viewer say to each other over a unix stream socket.

A frame is four bytes, the length of what follows (big-endian, at most FRAME_MAX), and a JSON object
in UTF-8. "t" says what it is; keys that are not known are passed over. VERSION changes when an old
peer could not go on; the peers compare it in their first frame.

From the port:

    hello    {kport: VERSION, program, pid, names}   first; `names` are events by code
    events   {first, clock, dropped, events}         in order of collection, see below
    port     {port}                                  a Port (kport.trace.snapshot) as plain()
    reply    {id, ok, text}                          to a command
    bye      {why}                                   last

From the viewer:

    hello    {kport: VERSION, period}                first, within HELLO s; seconds between two
                                                     Ports, 0 for none
    command  {id, name, args}                        args is an object; the port's `commands` say
                                                     which there are

An event is [ts, code, comm, pid, cpu, irqs_off, preempt_count, values]; ts in ns, the rest as the
thread's state was (kport.trace.recorder makes the ftrace columns of it). `first` counts all events
since the port was served, `dropped` those of them that this viewer did not get because it read too
slowly, `clock` is the port's time in ns when the frame was made. Events may be a few milliseconds
out of order; Model.feed() sorts them.
"""

from __future__ import annotations

import json
import struct
from typing import Any

VERSION = 1
FRAME_MAX = 16 << 20
HELLO = 5.0  # s
_length = struct.Struct("!I")

# What a command line says of the default period, s.
PERIOD = 0.2


class WireError(Exception):
    """What came is not of this protocol; `str()` is one line."""


# A value as JSON without spaces; values have no circles.
compact = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def framed(body: str) -> bytes:
    """A message in JSON as a frame."""
    data = body.encode()
    return _length.pack(len(data)) + data


def encode(message: dict[str, Any]) -> bytes:
    """A message as a frame."""
    return framed(compact(message))


class Decoder:
    """Bytes as they come, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def __len__(self) -> int:
        """How many bytes wait."""
        return len(self._buffer)

    def add(self, data: bytes) -> None:
        """More bytes."""
        self._buffer += data

    def next(self) -> dict[str, Any] | None:
        """The next message, or None if it is not complete. Raises WireError."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        (length,) = _length.unpack_from(buffer)
        if length > FRAME_MAX:
            raise WireError(f"a frame of {length} bytes: this is no kport socket")
        if len(buffer) < 4 + length:
            return None
        try:
            message = json.loads(bytes(buffer[4 : 4 + length]))
        except (ValueError, RecursionError):
            raise WireError("a frame is not JSON: this is no kport socket") from None
        del buffer[: 4 + length]
        if not isinstance(message, dict) or not isinstance(message.get("t"), str):
            raise WireError("a frame is not a message: this is no kport socket")
        return message


def check_hello(message: dict[str, Any], peer: str) -> None:
    """Raises WireError unless the message is a hello of this version."""
    if message["t"] == "bye":
        raise WireError(f"{peer} says: {message.get('why', '')}"[:200])
    if message["t"] != "hello":
        raise WireError(f"{peer} does not say hello: this is no kport socket")
    if message.get("kport") != VERSION:
        raise WireError(
            f"{peer} speaks version {message.get('kport')!r} of the protocol, not {VERSION}"
        )
