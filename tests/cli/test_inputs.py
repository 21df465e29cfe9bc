# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What a file is."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from kport.cli.inputs import kind_of
from kport.workload.errors import InputError

RECORDING = Path(__file__).parents[1] / "data" / "linux-7.2-kunit-basic-fifo.trace.xz"
TRACE = (
    b"# tracer: nop\n#\n"
    b"  kworker/u2:0-15      [000] d..1.  1.000001: drm_sched_job_done: fence=1:1 signaled\n"
)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"1.RCS.5.0.1\n", "workload"),
        (b"# a comment\n\nw.1.4k\n", "workload"),
        (b"z.1\n", "workload"),  # a wrong one, which the parser explains
        (TRACE, "recording"),
        (gzip.compress(TRACE), "recording"),
        (b"\x1f\x8b broken", "recording"),  # a damaged one, which the reader explains
    ],
)
def test_the_content_decides(data, kind, tmp_path):
    path = tmp_path / "name.txt"
    path.write_bytes(data)
    assert kind_of(str(path)) == kind


def test_a_text():
    assert kind_of("1.RCS.5.0.1,d.3") == "workload"


def test_a_recording():
    assert kind_of(str(RECORDING)) == "recording"


@pytest.mark.parametrize(("data", "kind"), [(b"d.1\n", "workload"), (TRACE, "recording")])
def test_standard_input_is_looked_at_and_not_read(data, kind, monkeypatch):
    stream = io.BufferedReader(io.BytesIO(data))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    assert kind_of("-") == kind
    assert stream.read() == data


def test_a_pipe_is_refused(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(InputError, match="is not a regular file; use - for standard input"):
        kind_of(str(path))
