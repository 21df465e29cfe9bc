# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Frames: in pieces, too long, no JSON."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kport.trace.wire import FRAME_MAX, VERSION, Decoder, WireError, check_hello, encode


def all_of(decoder):
    out = []
    while (message := decoder.next()) is not None:
        out.append(message)
    return out


@given(st.lists(st.integers(1, 40)), st.lists(st.text(max_size=5), max_size=6))
def test_messages_come_through_however_they_are_cut(cuts, texts):
    messages = [{"t": "reply", "text": text} for text in texts]
    data = b"".join(encode(message) for message in messages)
    decoder, found = Decoder(), []
    for cut in cuts:
        decoder.add(data[:cut])
        data = data[cut:]
        found += all_of(decoder)
    decoder.add(data)
    assert found + all_of(decoder) == messages
    assert len(decoder) == 0


@pytest.mark.parametrize(
    "body",
    [b"x", b"", b"[]", b"5", b'{"x":1}', b'{"t":1}', b"\xff\xff", b"[" * 100_000],
)
def test_what_is_no_message_is_refused(body):
    decoder = Decoder()
    decoder.add(len(body).to_bytes(4, "big") + body)
    with pytest.raises(WireError, match="this is no kport socket"):
        decoder.next()


def test_a_frame_without_end_is_refused_before_it_is_read():
    decoder = Decoder()
    decoder.add((FRAME_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(WireError, match="a frame of 16777217 bytes"):
        decoder.next()
    http = Decoder()
    http.add(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(WireError):
        http.next()


def test_hello():
    check_hello({"t": "hello", "kport": VERSION}, "the port")
    for message, what in (
        ({"t": "events"}, "the port does not say hello"),
        ({"t": "hello"}, "the port speaks version None of the protocol, not 1"),
        ({"t": "hello", "kport": 2}, "the port speaks version 2"),
        ({"t": "bye", "why": "full"}, "the port says: full"),
    ):
        with pytest.raises(WireError, match=what):
            check_hello(message, "the port")
