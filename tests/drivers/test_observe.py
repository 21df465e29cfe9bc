# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What an observer sees of a running port, and what he can do to it."""

from __future__ import annotations

import json

import pytest

from kport.dma_buf.dma_fence import dma_fence_get_status, dma_fence_put, dma_fence_wait
from kport.drivers.compat import drm_sched_entity_destroy
from kport.drivers.observe import COMMANDS, PortObserver
from kport.drivers.observe_sched import Changed, in_order, members, steadily
from kport.linux import printk
from kport.linux.err import ENODATA, ESRCH
from kport.linux.list import LIST_HEAD, list_add_tail, list_head
from kport.linux.mutex import mutex, mutex_init, mutex_lock, mutex_unlock
from kport.linux.printk import pr_info, pr_warn
from kport.linux.rbtree import rb_node
from kport.linux.slab import kfree
from kport.linux.spinlock import spin_lock, spin_unlock
from kport.linux.struct import struct
from kport.trace.registry import Pace
from kport.trace.snapshot import RingKey, plain, port_from
from tests.drivers.gpu import Gpu
from tests.support import MS, Thread, eventually, sleep_ms

GFX = RingKey("0000:03:00.0", "gfx")
STOPPED = ("stopped", "parked")  # 6.1 parks the thread


@pytest.fixture
def noted():
    return []


@pytest.fixture
def observer(noted):
    made = PortObserver()
    made.start(lambda *event: noted.append(event))
    yield made
    made.stop()


@pytest.fixture
def gpu(kernel, observer):
    made = Gpu("gfx", "sdma0", timeout=2500, credit_limit=[2, 5])
    yield made
    observer.release()
    made.close()


def look(observer):
    port, _ = observer.observe(0, Pace())
    assert port is not None
    return port


def ring(observer, name="gfx"):
    return next(ring for ring in look(observer).rings if ring.key.ring == name)


def hold(gpu, jobs=1, entity=None):
    """Jobs that do not end: fences."""
    entity = entity or gpu.entity()
    return [gpu.submit(entity, None) for _ in range(jobs)]


def put(*fences):
    for fence in fences:
        dma_fence_put(fence)


def test_nothing_is_known_without_a_kernel(observer):
    assert observer.observe(0, Pace()) == (None, 0)
    assert observer.clock() == 0
    with pytest.raises(ValueError, match="no kernel is booted"):
        observer.command("pause", {})


def test_rings_of_the_device_are_known_from_its_first_job(gpu, observer, scheduler):
    assert look(observer).rings == ()
    fences = hold(gpu, 4)
    eventually(lambda: ring(observer).hardware == "runs a batch" and ring(observer).credits == 2)
    gfx = ring(observer)
    policy = "fifo" if scheduler == "v7_2" else "rr"
    assert (gfx.key, gfx.state, gfx.policy) == (GFX, "running", policy)
    assert (gfx.credits, gfx.credit_limit, gfx.timeout_ns) == (2, 2, 10_000 * MS)
    assert 0 < gfx.tdr_left_ns <= 10_100 * MS
    assert gfx.wptr > gfx.rptr
    sdma = ring(observer, "sdma0")
    assert (sdma.credits, sdma.credit_limit, sdma.tdr_left_ns) == (0, 5, None)
    assert sdma.hardware == "idle"
    put(*fences)


def test_entities_in_the_order_of_the_run_queue(gpu, observer, scheduler):
    first, second, idle = gpu.entity(), gpu.entity(), gpu.entity()
    fences = hold(gpu, 2, gpu.entity())  # these take the credits
    eventually(lambda: ring(observer).credits == 2)
    fences += [gpu.submit(second, 0), gpu.submit(first, 0), gpu.submit(first, 0)]
    places = {e.context: e for e in look(observer).entities if e.place is not None}
    assert [e.place for e in places.values()] == sorted(e.place for e in places.values())
    one, two = places[first.fence_context + 1], places[second.fence_context + 1]
    if scheduler == "v7_2":
        assert two.place < one.place
        assert two.key < one.key
        assert one.key_kind == "submit"
    assert (one.waiting, one.wants, one.priority) == (2, 1, "normal")
    assert (one.guilty, one.stopped) == (False, False)
    assert idle.fence_context + 1 not in places
    put(*fences)


def test_whose_turn_was_last_is_the_last_in_turn(gpu, observer, scheduler):
    a, b, c = gpu.entity(), gpu.entity(), gpu.entity()
    fences = hold(gpu, 1, a)
    eventually(lambda: ring(observer).credits == 1)
    fences += hold(gpu, 1, b)
    eventually(lambda: ring(observer).credits == 2)
    fences += [gpu.submit(entity, 0) for entity in (a, b, c)]
    told = {e.context - 1: e.place for e in look(observer).entities}
    places = [told[entity.fence_context] for entity in (a, b, c)]
    assert places == ([0, 1, 2] if scheduler == "v7_2" else [1, 2, 0])
    put(*fences)


def test_jobs_and_fences_on_the_hardware(gpu, observer):
    (fence,) = hold(gpu)
    port = eventually(lambda: (p := look(observer)) and len(p.fences) == 3 and p)
    (job,) = port.jobs
    assert (job.key, job.credits, job.karma) == ((fence.context, fence.seqno), 1, 0)
    finished = next(f for f in port.fences if f.key == job.key)
    assert finished.refcount >= 2
    assert [f.error for f in port.fences] == [0, 0, 0]
    parent = next(f for f in port.fences if f.key[0] == gpu.rings[0].adev.fence_context)
    assert parent.refcount >= 1
    put(fence)


def test_threads_and_where_they_stand(gpu, observer, arch):
    (fence,) = hold(gpu)
    waiter = Thread(lambda: dma_fence_wait(fence, False), name="waiter")
    eventually(lambda: ("waiter", "blocked") in [(t.name, t.state) for t in look(observer).threads])
    threads = {thread.name: thread for thread in look(observer).threads}
    found = threads["waiter"]
    assert found.kind == "kthread"
    if arch == "threads":
        assert found.function == "dma_fence_default_wait"
        assert found.place.startswith("drivers/dma-buf/dma-fence.c:")
        assert "finished" in found.wanted
        assert {thread.kind for thread in threads.values()} >= {"kthread", "irq"}
    gpu.batches[0].end(gpu.adev.gpu.machine)
    assert waiter.join() == 0
    put(fence)


def test_who_holds_a_lock(gpu, observer):
    (fence,) = hold(gpu)
    eventually(lambda: look(observer).jobs)
    lock = gpu.rings[0].sched.job_list_lock
    spin_lock(lock)
    holders = [thread.held for thread in look(observer).threads if thread.held]
    spin_unlock(lock)
    assert ("gfx job_list_lock",) in holders
    put(fence)


def test_work_items(gpu, observer):
    (fence,) = hold(gpu)
    (timeout,) = eventually(lambda: [w for w in look(observer).works if w.state == "delayed"])
    assert timeout.function == "drm_sched_job_timedout"
    assert 0 < timeout.left_ns <= 10_100 * MS  # it was set after the clock was read
    put(fence)


def test_the_log_from_a_line_on(kernel, observer):
    pr_info("one\n")
    port, end = observer.observe(0, Pace())
    assert port.dmesg[-1].endswith("] one")
    pr_info("two\n")
    port, later = observer.observe(end, Pace())
    assert [line.split("] ")[1] for line in port.dmesg] == ["two"]
    assert later == end + 1
    assert observer.observe(later, Pace())[0].dmesg == ()


def test_a_line_that_is_stored_late_is_not_left_out(kernel, observer):
    since = observer.observe(0, Pace())[1]
    late = next(observer._numbers)  # as a thread that is about to store its line
    pr_warn("early")
    port, end = observer.observe(since, Pace())
    assert (port.dmesg, end) == ((), since)
    observer._log.append((late, printk.record(printk.WARNING, 0, "late")))
    port, end = observer.observe(since, Pace())
    assert [line.split("] ")[1] for line in port.dmesg] == ["late", "early"]
    assert end == since + 2


def test_of_a_log_that_ran_over_the_rest_is_shown(kernel, observer):
    since = observer.observe(0, Pace())[1]
    for n in range(printk.LOG_LINES + 7):
        pr_warn("line %d", n)
    port, end = observer.observe(since, Pace())
    assert end == since + printk.LOG_LINES + 7
    assert [port.dmesg[at].split("] ")[1] for at in (0, -1)] == ["line 7", f"line {n}"]


def test_what_is_seen_goes_through_the_protocol(gpu, observer):
    fences = hold(gpu, 3)
    eventually(lambda: look(observer).jobs)
    port = look(observer)
    assert port_from(json.loads(json.dumps(plain(port)))) == port
    assert port.commands == COMMANDS
    put(*fences)


def test_events_of_older_schedulers_are_told_as_those_of_today(gpu, observer, noted, scheduler):
    first, second = gpu.entity(), gpu.entity(1)
    done = gpu.job(second, MS)
    fence = gpu.job(first, 0, after=[done.finished])
    assert fence.wait() == 1
    if scheduler == "v7_2":
        assert noted == []  # the server hears them itself
        return
    key, other = ((f.finished.context, f.finished.seqno) for f in (fence, done))
    told = {(name, values) for name, _, _, values in noted}
    assert ("drm_sched_job_unschedulable", (*key, *other)) in told
    assert ("drm_sched_job_done", key) in told
    for name in ("drm_sched_job_queue", "drm_sched_job_run"):
        (values,) = [v for n, v in told if n == name and v[1:3] == key]
        assert (values[0], values[3], values[6]) == (GFX.dev, "gfx", 0)


def test_what_is_freed_is_forgotten(gpu, observer):
    entity = gpu.entity()
    fence = gpu.submit(entity, 0)
    dma_fence_wait(fence, False)
    context = entity.fence_context + 1
    assert context in [e.context for e in look(observer).entities]
    drm_sched_entity_destroy(entity)
    gpu.entities.remove(entity)
    kfree(entity)
    assert context not in [e.context for e in look(observer).entities]
    put(fence)


def test_observing_while_everything_changes(gpu, observer):
    entities = [gpu.entity(i % 2) for i in range(4)]
    order = mutex()
    mutex_init(order)  # arming and pushing are one step, or fences of an entity are out of order

    def submit():
        for i in range(60):
            mutex_lock(order)
            fence = gpu.submit(entities[i % 4], MS // 20)
            mutex_unlock(order)
            put(fence)
        return True

    threads = [Thread(submit, name=f"client/{i}") for i in range(3)]
    seen = 0
    while not all(thread.done for thread in threads):
        seen = max(seen, len(look(observer).entities))
        sleep_ms(1)
    assert all(thread.join() for thread in threads)
    eventually(lambda: len(gpu.done) == 180)
    assert seen <= 4
    assert len(look(observer).entities) == 4


# -- commands --------------------------------------------------------------------------------------


def test_stopping_and_starting_a_scheduler(gpu, observer):
    put(gpu.submit(gpu.entity(), 0))
    assert observer.command("stop", {"ring": "gfx"}) == "gfx: stopped"
    assert ring(observer).state in STOPPED
    fence = gpu.submit(gpu.entities[0], 0)
    sleep_ms(5)
    assert dma_fence_get_status(fence) == 0
    assert observer.command("start", {"ring": "gfx"}) == "gfx: started"
    dma_fence_wait(fence, False)
    assert ring(observer).state == "running"
    put(fence)


@pytest.mark.parametrize("order", [("stop", {"ring": "gfx"}), ("pause", {})])
def test_what_a_viewer_stopped_goes_on_when_he_goes(gpu, observer, order):
    put(gpu.submit(gpu.entity(), 0))
    observer.command(*order)
    fence = gpu.submit(gpu.entities[0], 0)
    assert ring(observer).state in STOPPED
    observer.release()
    dma_fence_wait(fence, False)
    put(fence)


def test_pausing_leaves_alone_what_was_stopped(gpu, observer):
    put(gpu.submit(gpu.entity(), 0))
    observer.command("stop", {"ring": "sdma0"})
    assert observer.command("pause", {}) == "1 schedulers are stopped"
    assert look(observer).paused
    assert observer.command("resume", {}) == "1 schedulers go on"
    assert ring(observer).state == "running"
    assert ring(observer, "sdma0").state in STOPPED


def test_killing_an_entity(gpu, observer, scheduler):
    entity = gpu.entity()
    fences = hold(gpu, 2)
    eventually(lambda: ring(observer).credits == 2)
    fences.append(gpu.submit(entity, 0))
    context = entity.fence_context + 1
    assert observer.command("kill", {"context": context}) == f"entity {context} is killed"
    if scheduler == "v7_2":  # the older ones do that when the entity goes
        dma_fence_wait(fences[-1], False)
        assert dma_fence_get_status(fences[-1]) == -ESRCH
    assert next(e for e in look(observer).entities if e.context == context).stopped
    put(*fences)


def test_a_hang_and_its_timeout(gpu, observer, scheduler):
    entity = gpu.entity()
    put(gpu.submit(entity, 0))
    eventually(lambda: len(gpu.done) == 1)
    assert observer.command("hang", {"ring": "gfx"}) == "gfx: hang is to strike next"
    fence = gpu.submit(entity, MS)
    eventually(lambda: ring(observer).hardware == "hangs (hang)")
    assert dma_fence_get_status(fence) == 0
    assert observer.command("timeout", {"ring": "gfx"}) == "gfx: the timeout handler runs"
    dma_fence_wait(fence, False)
    # Schedulers before 7.2 do not pass the error of the hardware's fence on.
    assert dma_fence_get_status(fence) == (-ENODATA if scheduler == "v7_2" else 1)
    put(fence)


def test_losing_an_interrupt(gpu, observer):
    entity = gpu.entity()
    put(gpu.submit(entity, 0))
    eventually(lambda: len(gpu.done) == 1)
    observer.command("lose", {"ring": "gfx"})
    fence = gpu.submit(entity, 0)
    dma_fence_wait(fence, False)  # the driver's fallback timer finds it
    assert gpu.adev.gpu.struck().total() == 1
    put(fence)


def test_changing_credits_and_priority(gpu, observer):
    entity = gpu.entity()
    put(gpu.submit(entity, 0))
    assert observer.command("credits", {"ring": "gfx", "credits": 7}) == "gfx: 7 credits"
    assert ring(observer).credit_limit == 7
    context = entity.fence_context + 1
    text = observer.command("priority", {"context": context, "priority": "high"})
    assert text == f"entity {context}: priority high from its next idle moment"
    assert next(e for e in look(observer).entities if e.context == context).priority == "high"


def test_what_cannot_be_done_is_said_in_one_line(gpu, observer):
    put(gpu.submit(gpu.entity(), 0))
    for name, args, what in (
        ("explode", {}, "there is no command 'explode'; commands: hang, lose"),
        ("stop", {"ring": "rcs"}, "there is no ring 'rcs'; rings: gfx, sdma0"),
        ("stop", {"ring": "gfx", "dev": "x"}, "there is no ring 'gfx'"),
        ("stop", {}, "stop: missing 1 required positional argument: 'ring'"),
        ("stop", {"ring": "gfx", "x": 1}, "stop: got an unexpected keyword argument 'x'"),
        ("strike", {"ring": "gfx", "kind": "boom"}, "there is no fault 'boom'; faults: hang,"),
        ("hang", {"ring": "gfx", "us": "x"}, "'x' is no number of us"),
        ("kill", {"context": 99999}, "there is no entity with fence context 99999"),
        ("priority", {"context": 1, "priority": "top"}, "there is no priority 'top'"),
        ("credits", {"ring": "gfx", "credits": 0}, "0 is no number of credits; 1 or more"),
        ("credits", {"ring": "gfx", "credits": "x"}, "'x' is no number of credits"),
    ):
        with pytest.raises(ValueError) as error:
            observer.command(name, args)
        assert str(error.value).startswith(what)
        assert "\n" not in str(error.value)


# -- reading what changes ------------------------------------------------------------------------


class item(struct):
    link: list_head
    node: rb_node


def test_a_walk_that_runs_in_a_circle_is_given_up(kernel):
    head, inside = LIST_HEAD(), item()
    list_add_tail(inside.link, head)
    assert list(members(head, item, "link")) == [inside]
    inside.link.next = inside.link
    with pytest.raises(Changed):
        list(members(head, item, "link"))


def test_a_tree_that_has_become_a_circle_is_given_up():
    one, two = item(), item()
    one.node.rb_left = two.node
    assert list(in_order(one.node)) == [two.node, one.node]
    two.node.rb_left = one.node
    with pytest.raises(Changed):
        list(in_order(one.node))


def test_reading_is_tried_again():
    answers = [Changed(), AttributeError(), 5]

    def read():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert steadily(None, read) == 5
    answers[:] = [Changed()] * 4
    assert steadily("gave up", read) == "gave up"
