# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The port's tracepoints into a file: complete, in order, whatever the length of the run."""

from __future__ import annotations

import threading
import time
from collections import deque
from types import SimpleNamespace

import pytest

import kport
import kport.drm.scheduler.v7_2.sched_main
from kport.arch.asm import local_irq_restore, local_irq_save, preempt_disable, preempt_enable
from kport.dma_buf.dma_fence import dma_fence_get_stub, dma_fence_put
from kport.dma_buf.dma_fence_trace import trace_dma_fence_emit
from kport.linux.interrupt import free_irq, request_irq
from kport.linux.kthread import kthread_run
from kport.linux.tracepoint import tracepoint_probe_unregister, tracepoints
from kport.trace.events import EVENTS
from kport.trace.reader import Reader
from kport.trace.recorder import Recorder, event_of, probes_into, recording_to
from tests.support import Thread, eventually

DONE = tracepoints["drm_sched_job_done"]


def hit(number, ts, comm="task", tp=DONE):
    """Call the probes of an event as a tracepoint does, at a time of our choice."""
    task = SimpleNamespace(comm=comm, pid=7)
    ti = SimpleNamespace(task=task, cpu=1, irqs_off=0, preempt_count=0)
    for func in tuple(tp.funcs):
        func(tp, ti, ts, (1, number))


def numbers(path):
    return [event.values[1] for _, event in Reader(str(path)) if event.name == DONE.name]


def test_the_block_s_events_are_written_when_it_ends(tmp_path):
    path = tmp_path / "trace"
    hit(0, 5)
    with recording_to(str(path), cpus=3):
        hit(1, 1_000)
        hit(2, 3_000)
        hit(3, 2_000)
    hit(4, 9_000)
    assert numbers(path) == [1, 3, 2]
    assert "entries-written: 3/3   #P:3\n" in path.read_text()
    assert not DONE.funcs


def test_they_are_written_when_the_block_raises(tmp_path):
    path = tmp_path / "trace"
    with pytest.raises(ZeroDivisionError), recording_to(str(path)):
        hit(1, 1_000)
        raise ZeroDivisionError
    assert numbers(path) == [1]
    assert not DONE.funcs


def test_every_event_of_the_table_is_recorded(tmp_path):
    with recording_to(str(tmp_path / "trace")):
        assert all(tracepoints[name].funcs for name in EVENTS)
    assert not any(tracepoints[name].funcs for name in EVENTS)


def test_a_file_that_cannot_be_written_is_an_error_at_once(tmp_path):
    with pytest.raises(IsADirectoryError), recording_to(str(tmp_path)):
        raise AssertionError("the block was entered")


def test_a_long_run_goes_to_disk_and_stays_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("kport.trace.recorder._PERIOD", 0.001)
    monkeypatch.setattr("kport.trace.recorder.SETTLE", 100_000)
    recorder = Recorder(in_memory=50)
    recorder.attach()
    for number in range(3000):
        hit(number, number * 1000 + (500_000 if number % 100 == 7 else 0))
        if number % 500 == 0:
            time.sleep(0.01)
    end = time.monotonic() + 10
    while recorder.entries < 2500:
        assert time.monotonic() < end
        time.sleep(0.001)
    recorder.detach()
    path = tmp_path / "trace"
    with open(path, "w") as out:
        recorder.save(out)
    recorder.close()
    times = [event.ts for _, event in Reader(str(path))]
    assert len(times) == 3000
    assert times == sorted(times)
    assert sorted(numbers(path)) == list(range(3000))


def test_an_event_that_comes_later_than_the_spool_is_merged(tmp_path):
    recorder = Recorder(in_memory=2)
    recorder.attach()
    for number in range(10):
        hit(number, 10_000_000_000 * number)
    recorder._flush(keep=1)
    assert recorder.entries == 9
    hit(100, 5)
    hit(101, 35_000_000_000)
    hit(102, 35_000_000_000)
    recorder._flush(keep=1)
    recorder.detach()
    path = tmp_path / "trace"
    with open(path, "w") as out:
        recorder.save(out)
    recorder.close()
    reader = [event.values[1] for _, event in Reader(str(path))]
    assert reader == [0, 100, 1, 2, 3, 101, 102, 4, 5, 6, 7, 8, 9]


def test_a_full_disk_is_told_at_the_end_and_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("kport.trace.recorder._PERIOD", 0.001)

    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    with pytest.raises(OSError, match="No space left"), recording_to(str(tmp_path / "t")) as rec:
        rec.in_memory = 10
        rec._spool.close()
        rec._spool = Full()
        for number in range(1000):
            hit(number, number * 10**9)
        end = time.monotonic() + 10
        while rec._error is None or rec._raw:
            assert time.monotonic() < end
            time.sleep(0.001)


def test_events_of_many_threads_are_all_there(tmp_path):
    path = tmp_path / "trace"
    began = time.monotonic_ns()

    def worker(number):
        for turn in range(500):
            hit(number * 1000 + turn, time.monotonic_ns() - began)

    with recording_to(str(path)) as recorder:
        recorder.in_memory = 100
        threads = [threading.Thread(target=worker, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    lines = path.read_text().splitlines()[12:]
    assert len(lines) == 2000
    seen = [int(line.split("fence=1:")[1].split()[0]) for line in lines]
    for number in range(4):  # each thread's own order is kept
        mine = [value for value in seen if value // 1000 == number]
        assert mine == sorted(mine)
        assert len(mine) == 500


def test_what_the_columns_say_of_tasks_and_interrupts(tmp_path):
    path = tmp_path / "trace"
    with recording_to(str(path)), kport.boot() as kernel:
        fence = dma_fence_get_stub()

        def emit(data):
            trace_dma_fence_emit(fence)
            preempt_disable()
            flags = local_irq_save()
            trace_dma_fence_emit(fence)
            local_irq_restore(flags)
            preempt_enable()

        Thread(emit, None, name="a thread with a long name").join()
        fired = []

        def handler(irq, dev):
            trace_dma_fence_emit(fence)
            fired.append(irq)
            return 1

        line = request_irq(handler, "test", None)
        kernel.machine.raise_line(line)
        eventually(lambda: fired)
        free_irq(line)
        dma_fence_put(fence)
    events = [event for event in all_events(path) if event.name == "dma_fence_emit"]
    assert [(event.comm, event.flags) for event in events] == [
        ("a thread with a", "....."),
        ("a thread with a", "d..1."),
        ("<idle>", "d.h1."),
    ]
    assert events[0].pid == events[1].pid != 0 == events[2].pid
    assert all(0 <= event.cpu < kernel.machine.cpus for event in events)


def all_events(path):
    """Without the reader's demand for scheduler events."""
    with open(path, "a") as out:
        out.write("x-1 [000] ..... 99999.000000: drm_sched_job_done: fence=1:1 signaled\n")
    return [event for _, event in Reader(str(path))][:-1]


def test_a_thread_s_name_is_recorded_when_the_event_happens(tmp_path):
    path = tmp_path / "trace"
    with recording_to(str(path)), kport.boot():
        fence = dma_fence_get_stub()
        gone = []

        def run(data):
            trace_dma_fence_emit(fence)
            gone.append(True)
            return 0

        kthread_run(run, None, "short-lived")
        eventually(lambda: gone)
        dma_fence_put(fence)
    comms = [event.comm for event in all_events(path) if event.name == "dma_fence_emit"]
    assert comms == ["short-lived"]


def test_an_interrupt_may_find_its_cpu_idle():
    raw = deque()
    probes = probes_into(raw)
    try:
        tp, probe = next(pair for pair in probes if pair[0].name == "drm_sched_job_done")
        idle = SimpleNamespace(task=None, cpu=1, irqs_off=True, preempt_count=1 << 16)
        probe(tp, idle, 1000, (3, 1))
    finally:
        for tp, probe in probes:
            tracepoint_probe_unregister(tp, probe)
    event = event_of(raw.pop())
    assert (event.comm, event.pid, event.cpu) == ("<idle>", 0, 1)
