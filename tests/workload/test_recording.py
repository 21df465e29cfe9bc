# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Loading a real recording, and every way in which a file can be none."""

from __future__ import annotations

import gzip
import lzma
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kport.workload.errors import InputError
from kport.workload.recording import is_recording, load
from tests.trace.mangle import DAMAGE, mangle

RECORDING = Path(__file__).parent.parent / "data" / "linux-7.2-kunit-basic-fifo.trace.xz"
MS = 1_000_000


@pytest.fixture(scope="module")
def kunit():
    return load(str(RECORDING))


def test_devices_rings_and_jobs(kunit):
    assert kunit.warnings == []
    assert len(kunit.jobs) == 2606
    assert len(kunit.devices) == 15
    assert all(len(device.rings) == 1 for device in kunit.devices)
    assert {ring.name for ring in kunit.rings()} == {"drm-mock-scheduler"}
    per_test = Counter(device.name.split(".")[0] for device in kunit.devices)
    assert per_test["drm_sched_basic_test"] == 4
    assert per_test["drm_sched_test_modify_sched"] == 3
    jobs = {device.name.rsplit("-", 1)[1]: len(device.rings[0].jobs) for device in kunit.devices}
    assert jobs == {
        "0": 1, "1": 100, "2": 100, "3": 100, "4": 100, "5": 100, "6": 1, "7": 1, "9": 1,
        "10": 100, "11": 1000, "12": 384, "13": 308, "14": 308, "15": 2,
    }  # fmt: skip


def test_entities_are_contexts(kunit):
    assert len(kunit.entities) == 40
    assert len({entity.context for entity in kunit.entities}) == 40
    assert all(entity.name == "kunit_try_catch" for entity in kunit.entities)
    assert all(entity.killed is None for entity in kunit.entities)
    sizes = Counter(len(entity.jobs) for entity in kunit.entities)
    assert sizes[25] == 16  # four tests with four entities of 25 jobs
    assert sizes[250] == 4


def test_arrivals_are_in_order(kunit):
    assert [job.index for job in kunit.jobs] == list(range(2606))
    times = [job.arrival for job in kunit.jobs]
    assert times == sorted(times)
    for entity in kunit.entities:
        assert [job.seqno for job in entity.jobs] == list(range(1, len(entity.jobs) + 1))


def test_dependencies(kunit):
    chained = [job for job in kunit.jobs if job.depends]
    assert len(chained) == 297
    for job in chained:  # each depends on the job queued just before it, until it is finished
        (dependency,) = job.depends
        assert dependency.job is kunit.jobs[job.index - 1]
        assert not dependency.scheduled
        assert dependency.fence is None


def test_gpu_times_are_those_of_the_tests(kunit):
    rings = {ring.dev.rsplit("-", 1)[1]: ring for ring in kunit.rings()}
    for number in ("1", "2", "3", "4", "10", "11"):  # jobs of 1 ms
        times = sorted(job.gpu_ns for job in rings[number].jobs)
        assert sum(times) == pytest.approx(len(times) * MS, rel=0.002)
        assert times[len(times) // 2] == pytest.approx(MS, rel=0.05)
    (job,) = rings["6"].jobs  # ends by its timeout, a fifth of a second
    assert job.gpu_ns == pytest.approx(200 * MS, rel=0.05)


def test_credits(kunit):
    limits = {ring.dev.rsplit("-", 1)[1]: ring.credit_limit for ring in kunit.rings()}
    assert limits.pop("15") == 1
    assert set(limits.values()) == {None}
    assert {job.credits for job in kunit.jobs} == {1}


def test_progress_is_told(tmp_path):
    seen = []
    load(str(RECORDING), progress=seen.append)
    assert seen == sorted(seen)
    assert seen
    assert seen[-1] <= 31597


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_recordings_are_recognised_compressed_or_not(pack):
    text = lzma.open(RECORDING).read(200_000)
    assert is_recording(pack(text)[:8192])


@pytest.mark.parametrize(
    "head", [b"", b"1.VCS1.3000.0.1\n", b"\x1f\x8bjunk", b"\xfd7zXZ\x00junk", b"\0" * 100]
)
def test_other_files_are_not(head):
    assert not is_recording(head)


def test_binary_traces_are_recordings_that_load_refuses(tmp_path):
    path = tmp_path / "trace.dat"
    path.write_bytes(b"\x17\x08\x44tracing6\0" + bytes(100))
    assert is_recording(path.read_bytes())
    with pytest.raises(InputError, match="trace-cmd report"):
        load(str(path))


def test_truncation_is_an_error_with_the_line(tmp_path):
    path = tmp_path / "trace.xz"
    path.write_bytes(RECORDING.read_bytes()[:50_000])
    with pytest.raises(InputError) as caught:
        load(str(path))
    assert caught.value.where.startswith(f"{path}:")
    assert int(caught.value.where.rsplit(":", 1)[1]) > 1000
    assert str(caught.value).endswith(
        ": the compressed file ends in the middle; copy it again, it is incomplete"
    )


LINE = "a-1 [000] ..... {:.6f}: drm_sched_job_{}\n"
QUEUE = "queue: dev=d, fence=3:1, ring=r, job count:0, hw job count:0, client_id:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "{}: no scheduler event in 0 lines; record the events"),
        ("hello\n", "{}: no scheduler event in 1 line; record the events"),
        (LINE.format(1, "done: fence=3:1 signaled"), "{}: no job is queued or run in this rec"),
        (
            LINE.format(9, QUEUE) + LINE.format(2, "done: fence=3:1 signaled"),
            "{}:2: time goes back by 7.000 s; if these are two recordings",
        ),
        (
            "".join(LINE.format(n, QUEUE.replace("=d", f"=d{n}").replace("3:1", f"3:{n}"))
                    for n in range(300)),
            "{}: 300 rings, at most 256 can be played",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_one_line(tmp_path, text, message):
    path = tmp_path / "trace"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load(str(path))
    assert str(caught.value).startswith(message.format(path))
    assert "\n" not in str(caught.value)


SAMPLE = lzma.open(RECORDING).read().splitlines(keepends=True)[:700]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(DAMAGE), min_size=1, max_size=4))
def test_a_mangled_recording_is_a_recording_or_one_error(tmp_path_factory, seed, kinds):
    path = tmp_path_factory.getbasetemp() / "mangled"
    path.write_bytes(mangle(SAMPLE, seed, kinds))
    error = None
    try:
        recording = load(str(path))
    except InputError as caught:
        error = caught
    if error is not None:
        assert "\n" not in str(error)
        return
    assert sum(len(ring.jobs) for ring in recording.rings()) == len(recording.jobs)
    assert sum(len(entity.jobs) for entity in recording.entities) == len(recording.jobs)
    for index, job in enumerate(recording.jobs):
        assert job.index == index
        assert 0 <= job.gpu_ns <= recording.end - recording.begin
        assert recording.begin <= job.arrival <= recording.end
        assert job.credits >= 1
        assert job.ring.jobs
    assert all(warning.isprintable() for warning in recording.warnings)


def as_trace_cmd(line):
    """A line of ftrace as trace-cmd report prints it."""
    task, cpu, _, ts, rest = line.split(None, 4)
    name, text = rest.split(": ", 1)
    return f"{task:>20} {cpu} {ts:>14} {name + ':':20} {text}"


def as_perf(line):
    """The same as perf script prints it."""
    task, cpu, _, ts, rest = line.split(None, 4)
    comm, pid = task.rsplit("-", 1)
    name, text = rest.split(": ", 1)
    system = "dma_fence" if name.startswith("dma") else "gpu_scheduler"
    return f"{comm:>16} {pid:>7} {cpu} {ts:>14} {system}:{name}: {text}"


@pytest.mark.parametrize("layout", [as_trace_cmd, as_perf])
def test_every_layout_gives_the_same_recording(tmp_path, layout, kunit):
    path = tmp_path / "trace"
    with lzma.open(RECORDING, "rt") as lines, open(path, "w") as out:
        out.writelines(layout(line.rstrip("\n")) + "\n" for line in lines if line[0] != "#")
    recording = load(str(path))
    assert recording.warnings == []
    fields = ("seqno", "queued", "run", "done", "gpu_ns", "comm", "pid", "client", "index")
    for ours, theirs in zip(recording.jobs, kunit.jobs, strict=True):
        assert [getattr(ours, name) for name in fields] == [
            getattr(theirs, name) for name in fields
        ]
        assert (ours.ring.dev, ours.ring.name) == (theirs.ring.dev, theirs.ring.name)
        assert len(ours.depends) == len(theirs.depends)


def test_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load(str(tmp_path / "missing"))
    with pytest.raises(InputError, match="directory"):
        load(str(tmp_path))
