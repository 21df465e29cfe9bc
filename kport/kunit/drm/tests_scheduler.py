# SPDX-FileCopyrightText: 2025 Valve Corporation
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# Translated to Python from drivers/gpu/drm/scheduler/tests/tests_scheduler.c,
# Linux 7.2.13, on 2026-11-20.
"""How the scheduler shares the GPU: its overhead, two clients of many kinds, many clients."""

from __future__ import annotations

from kport.arch.asm import READ_ONCE, WRITE_ONCE
from kport.dma_buf.dma_fence import dma_fence_get
from kport.drivers.mock.mock_scheduler import (
    drm_mock_sched_advance,
    drm_mock_sched_entity_free,
    drm_mock_sched_entity_new,
    drm_mock_sched_fini,
    drm_mock_sched_job_new,
    drm_mock_sched_new,
)
from kport.drivers.mock.sched_tests import (
    drm_mock_sched_entity,
    drm_mock_sched_job_set_duration_us,
    drm_mock_sched_job_submit,
    drm_mock_sched_job_wait_finished,
    drm_mock_sched_job_wait_scheduled,
)
from kport.drm.scheduler.v7_2 import gpu_scheduler
from kport.drivers.compat import (
    DRM_SCHED_PRIORITY_HIGH,
    DRM_SCHED_PRIORITY_LOW,
    DRM_SCHED_PRIORITY_NORMAL,
    drm_sched_job_add_dependency,
    drm_sched_priority,
)
from kport.drm.spsc_queue import spsc_queue_count
from kport.kunit.test import (
    KUNIT_ARRAY_PARAM,
    KUNIT_CASE_PARAM_ATTR,
    KUNIT_CASE_SLOW,
    KUNIT_SPEED_SLOW,
    kunit_suite,
    kunit_test_suites,
)
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.delay import fsleep, msleep
from kport.linux.err import IS_ERR
from kport.linux.jiffies import usecs_to_jiffies
from kport.linux.kconfig import HZ
from kport.linux.kthread import (
    kthread_create_worker,
    kthread_destroy_worker,
    kthread_flush_work,
    kthread_init_work,
    kthread_queue_work,
    kthread_work,
    kthread_worker,
)
from kport.linux.ktime import (
    ktime_get,
    ktime_sub,
    ktime_t,
    ktime_to_ms,
    ktime_to_us,
    ms_to_ktime,
    us_to_ktime,
)
from kport.linux.kunit import (
    KUNIT_ASSERT_EQ,
    KUNIT_ASSERT_NOT_NULL,
    KUNIT_ASSERT_TRUE,
    KUNIT_FAIL,
    kunit,
    kunit_kcalloc,
)
from kport.linux.printk import pr_info
from kport.linux.sched import MAX_SCHEDULE_TIMEOUT, cond_resched
from kport.linux.slab import pointer
from kport.linux.struct import container_of, struct
from kport.linux.types import (
    ARRAY_SIZE,
    DIV_ROUND_UP,
    UINT_MAX,
    div_u64,
    long,
    u32,
    unsigned_long,
)
from kport.linux.vsprintf import sprintf


def drm_sched_scheduler_init(test: kunit) -> int:
    """A scheduler with one credit.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:16-26, Linux 7.2.13
    """
    sched = drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)
    sched.base.credit_limit = 1

    test.priv = sched

    return 0


def drm_sched_scheduler_init2(test: kunit) -> int:
    """A scheduler with two credits.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:28-38, Linux 7.2.13
    """
    sched = drm_mock_sched_new(test, MAX_SCHEDULE_TIMEOUT)
    sched.base.credit_limit = 2

    test.priv = sched

    return 0


def drm_sched_scheduler_exit(test: kunit) -> None:
    """Take the scheduler down.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:40-45, Linux 7.2.13
    """
    sched = test.priv

    drm_mock_sched_fini(sched)


def drm_sched_scheduler_queue_overhead(test: kunit) -> None:
    """A deep queue of jobs of 1 ms: the time it takes against the time of the GPU.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:47-100, Linux 7.2.13
    """
    sched = test.priv
    job_us = 1000
    jobs = 1000
    total_us = jobs * job_us

    KUNIT_ASSERT_EQ(test, sched.base.credit_limit, 1)

    entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    for i in range(0, jobs + 1):
        job = drm_mock_sched_job_new(test, entity)
        if i == 0:
            first = job
        else:
            drm_mock_sched_job_set_duration_us(job, job_us)
        drm_mock_sched_job_submit(job)

    done = drm_mock_sched_job_wait_scheduled(first, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    start = ktime_get()
    i = drm_mock_sched_advance(sched, 1)
    KUNIT_ASSERT_EQ(test, i, 1)

    done = drm_mock_sched_job_wait_finished(job, usecs_to_jiffies(total_us) * 5)
    end = ktime_get()
    KUNIT_ASSERT_TRUE(test, done)

    pr_info("Expected %uus, actual %lldus\n", total_us, ktime_to_us(ktime_sub(end, start)))

    drm_mock_sched_entity_free(entity)


def drm_sched_scheduler_ping_pong(test: kunit) -> None:
    """The same with two entities whose jobs depend on each other in turn.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:102-162, Linux 7.2.13
    """
    prev = None
    sched = test.priv
    entity = [pointer] * 2
    job_us = 1000
    jobs = 1000
    total_us = jobs * job_us

    KUNIT_ASSERT_EQ(test, sched.base.credit_limit, 1)

    for i in range(0, ARRAY_SIZE(entity)):
        entity[i] = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    for i in range(0, jobs + 1):
        job = drm_mock_sched_job_new(test, entity[i & 1])
        if i == 0:
            first = job
        else:
            drm_mock_sched_job_set_duration_us(job, job_us)
        if prev:
            drm_sched_job_add_dependency(job.base, dma_fence_get(prev.base.s_fence.finished))
        drm_mock_sched_job_submit(job)
        prev = job

    done = drm_mock_sched_job_wait_scheduled(first, HZ)
    KUNIT_ASSERT_TRUE(test, done)

    start = ktime_get()
    i = drm_mock_sched_advance(sched, 1)
    KUNIT_ASSERT_EQ(test, i, 1)

    done = drm_mock_sched_job_wait_finished(job, usecs_to_jiffies(total_us) * 5)
    end = ktime_get()
    KUNIT_ASSERT_TRUE(test, done)

    pr_info("Expected %uus, actual %lldus\n", total_us, ktime_to_us(ktime_sub(end, start)))

    for i in range(0, ARRAY_SIZE(entity)):
        drm_mock_sched_entity_free(entity[i])


drm_sched_scheduler_overhead_tests = [
    KUNIT_CASE_SLOW(drm_sched_scheduler_queue_overhead),
    KUNIT_CASE_SLOW(drm_sched_scheduler_ping_pong),
]

drm_sched_scheduler_overhead = kunit_suite(
    name="drm_sched_scheduler_overhead_tests",
    init=drm_sched_scheduler_init,
    exit=drm_sched_scheduler_exit,
    test_cases=drm_sched_scheduler_overhead_tests,
)


class drm_sched_client_params(struct, table=True):
    """What a client does in a loop.

    Submit `job_cnt` jobs of `job_us` each, wait for the last one if `sync`, sleep `wait_us`.
    """

    priority: drm_sched_priority
    job_cnt: int
    job_us: int
    sync: bool
    wait_us: int


class drm_sched_test_params(struct, table=True):
    """The clients of a case; where they are all alike, `num_clients` of the first."""

    description: str
    num_clients: int
    client: tuple[drm_sched_client_params, ...]


drm_sched_cases = (
    drm_sched_test_params(
        description="Normal priority and normal priority",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
        ),
    ),
    drm_sched_test_params(
        description="Normal priority and low priority",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_LOW,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
        ),
    ),
    drm_sched_test_params(
        description="High priority and normal priority",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_HIGH,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
        ),
    ),
    drm_sched_test_params(
        description="High priority and low priority",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_HIGH,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_LOW,
                job_cnt=1,
                job_us=8000,
                wait_us=0,
                sync=False,
            ),
        ),
    ),
    drm_sched_test_params(
        description="50% and 50%",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=1500,
                wait_us=1500,
                sync=True,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=2500,
                wait_us=2500,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="50% and 50% low priority",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=1500,
                wait_us=1500,
                sync=True,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_LOW,
                job_cnt=1,
                job_us=2500,
                wait_us=2500,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="50% high priority and 50%",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_HIGH,
                job_cnt=1,
                job_us=1500,
                wait_us=1500,
                sync=True,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=2500,
                wait_us=2500,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="Low priority hog and interactive client",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_LOW,
                job_cnt=3,
                job_us=2500,
                wait_us=500,
                sync=False,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=500,
                wait_us=10000,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="Heavy rendering and interactive client",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=3,
                job_us=2500,
                wait_us=2500,
                sync=True,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=1000,
                wait_us=9000,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="Very heavy rendering and interactive client",
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=4,
                job_us=50000,
                wait_us=1,
                sync=True,
            ),
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=1,
                job_us=1000,
                wait_us=9000,
                sync=True,
            ),
        ),
    ),
)


def drm_sched_desc(params: drm_sched_test_params) -> str:  # kport: string
    """The text of a parameter.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:375-379, Linux 7.2.13
    """
    return params.description  # kport: string


drm_sched_scheduler_two_clients_gen_params = KUNIT_ARRAY_PARAM(drm_sched_cases, drm_sched_desc)


class test_client_stats(struct):
    """Shortest, longest and total of something measured once per cycle, in us."""

    min_us: int
    max_us: int
    tot_us: unsigned_long


class test_client(struct):
    """A client: submits from a thread of its own until its cycles are done.

    `duration` is how long it shall run, `ideal_duration` how long that takes if nothing is in its
    way, `start` and `end` what it took. `latency_time` is `cycle_time` without the GPU's time.
    """

    test: kunit | None

    entity: drm_mock_sched_entity | None
    worker: kthread_worker | None
    work: kthread_work

    params: drm_sched_client_params | None

    id: int
    duration: ktime_t
    ideal_duration: ktime_t
    cycles: int
    cycle: int
    start: ktime_t
    end: ktime_t
    done: bool

    cycle_time: test_client_stats
    latency_time: test_client_stats


def update_stats(stats: test_client_stats, us: int) -> None:
    """Take a measurement in.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:444-452, Linux 7.2.13
    """
    if us > stats.max_us:
        stats.max_us = us
    if us < stats.min_us:
        stats.min_us = us
    stats.tot_us += us


def get_stats_avg(stats: test_client_stats, cycles: int) -> int:
    """The mean over `cycles`.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:454-458, Linux 7.2.13
    """
    return div_u64(stats.tot_us, cycles)


def drm_sched_client_work(work: kthread_work) -> None:
    """The loop of a client.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:460-517, Linux 7.2.13
    """
    client = container_of(work, test_client, "work")
    sync_wait = MAX_SCHEDULE_TIMEOUT
    job = None

    work_us = client.params.job_cnt * client.params.job_us
    period_us = work_us + client.params.wait_us
    client.cycles = DIV_ROUND_UP(u32(ktime_to_us(client.duration)), period_us)
    client.ideal_duration = us_to_ktime(client.cycles * period_us)

    client.start = ktime_get()

    for cycle in range(0, client.cycles):
        if READ_ONCE(client, "done"):
            break

        cycle_time = ktime_get()
        for batch in range(0, client.params.job_cnt):
            job = drm_mock_sched_job_new(client.test, client.entity)
            drm_mock_sched_job_set_duration_us(job, client.params.job_us)
            drm_mock_sched_job_submit(job)

        if client.params.sync:
            drm_mock_sched_job_wait_finished(job, sync_wait)

        cycle_time = ktime_sub(ktime_get(), cycle_time)
        us = ktime_to_us(cycle_time)
        update_stats(client.cycle_time, us)
        if ktime_to_us(cycle_time) >= long(work_us):
            us = ktime_to_us(cycle_time) - work_us
        elif WARN_ON_ONCE(client.params.sync):
            us = 0
        update_stats(client.latency_time, us)
        WRITE_ONCE(client, "cycle", cycle)

        if READ_ONCE(client, "done"):
            break

        if client.params.wait_us:
            fsleep(client.params.wait_us)
        elif not client.params.sync:
            cond_resched()

    client.done = drm_mock_sched_job_wait_finished(job, sync_wait)
    client.end = ktime_get()


def prio_str(prio: drm_sched_priority) -> str:
    """The name of a priority.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:519-533, Linux 7.2.13
    """
    match prio:
        case gpu_scheduler.DRM_SCHED_PRIORITY_KERNEL:
            return "kernel"
        case gpu_scheduler.DRM_SCHED_PRIORITY_LOW:
            return "low"
        case gpu_scheduler.DRM_SCHED_PRIORITY_NORMAL:
            return "normal"
        case gpu_scheduler.DRM_SCHED_PRIORITY_HIGH:
            return "high"
        case _:
            return "???"


def client_done(client: test_client) -> bool:
    """Whether a client has done all its cycles.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:535-538, Linux 7.2.13
    """
    return bool(READ_ONCE(client, "done"))


def drm_sched_scheduler_two_clients_test(test: kunit) -> None:
    """Two clients at once; prints how each gets on.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:540-667, Linux 7.2.13
    """
    params = test.param_value
    sched = test.priv
    client = [test_client() for _ in range(2)]
    prev_cycle = [0] * 2

    for i in range(0, ARRAY_SIZE(client)):
        client[i].entity = drm_mock_sched_entity_new(test, params.client[i].priority, sched)

    for i in range(0, ARRAY_SIZE(client)):
        client[i].test = test
        client[i].id = i
        client[i].duration = ms_to_ktime(1000)
        client[i].params = params.client[i]  # kport: struct-copy
        client[i].cycle_time.min_us = UINT_MAX  # kport: implicit-cast
        client[i].latency_time.min_us = UINT_MAX  # kport: implicit-cast
        client[i].worker = kthread_create_worker(
            0, "%s-%u", "drm_sched_scheduler_two_clients_test", i
        )
        if IS_ERR(client[i].worker):
            for j in range(0, i):
                kthread_destroy_worker(client[j].worker)
            KUNIT_FAIL(test, "Failed to create worker!\n")

        kthread_init_work(client[i].work, drm_sched_client_work)

    for i in range(0, ARRAY_SIZE(client)):
        kthread_queue_work(client[i].worker, client[i].work)

    pr_info(
        " [pct] - Job sumission progress\n"
        " [cps] - Cycles per second\n"
        "  [qd] - Number of outstanding jobs in the client/entity\n"
    )
    pr_info("%s:\n\t            pct1 cps1 qd1;  pct2 cps2 qd2\n", params.description)
    start = ktime_get()
    while not client_done(client[0]) or not client_done(client[1]):
        period_ms = 100
        frequency = 1000 // period_ms
        pct = [0] * 2
        qd = [0] * 2
        cycle = [0] * 2
        cps = [0] * 2

        for i in range(0, ARRAY_SIZE(client)):
            qd[i] = spsc_queue_count(client[i].entity.base.job_queue)
            cycle[i] = READ_ONCE(client[i], "cycle")
            cps[i] = DIV_ROUND_UP(100 * frequency * (cycle[i] - prev_cycle[i]), 100)
            if client[i].cycles:
                pct[i] = DIV_ROUND_UP(100 * (1 + cycle[i]), client[i].cycles)
            else:
                pct[i] = 0
            prev_cycle[i] = cycle[i]

        if client_done(client[0]):
            pr_info(
                "\t+%6lldms:               ; %3u %5u %4u\n",
                ktime_to_ms(ktime_sub(ktime_get(), start)),
                pct[1],
                cps[1],
                qd[1],
            )
        elif client_done(client[1]):
            pr_info(
                "\t+%6lldms: %3u %5u %4u;\n",
                ktime_to_ms(ktime_sub(ktime_get(), start)),
                pct[0],
                cps[0],
                qd[0],
            )
        else:
            pr_info(
                "\t+%6lldms: %3u %5u %4u; %3u %5u %4u\n",
                ktime_to_ms(ktime_sub(ktime_get(), start)),
                pct[0],
                cps[0],
                qd[0],
                pct[1],
                cps[1],
                qd[1],
            )

        msleep(period_ms)

    for i in range(0, ARRAY_SIZE(client)):
        kthread_flush_work(client[i].work)
        kthread_destroy_worker(client[i].worker)

    for i in range(0, ARRAY_SIZE(client)):
        KUNIT_ASSERT_TRUE(test, client[i].done)

    for i in range(0, ARRAY_SIZE(client)):
        pr_info(
            "    %u: prio=%s sync=%u elapsed_ms=%lldms (ideal_ms=%lldms)"
            " cycle_time(min,avg,max)=%u,%u,%u us latency_time(min,avg,max)=%u,%u,%u us",
            i,
            prio_str(params.client[i].priority),
            params.client[i].sync,
            ktime_to_ms(ktime_sub(client[i].end, client[i].start)),
            ktime_to_ms(client[i].ideal_duration),
            client[i].cycle_time.min_us,
            get_stats_avg(client[i].cycle_time, client[i].cycles),
            client[i].cycle_time.max_us,
            client[i].latency_time.min_us,
            get_stats_avg(client[i].latency_time, client[i].cycles),
            client[i].latency_time.max_us,
        )
        drm_mock_sched_entity_free(client[i].entity)


drm_sched_scheduler_two_clients_tests = [  # kport: initialiser
    KUNIT_CASE_PARAM_ATTR(
        drm_sched_scheduler_two_clients_test,
        drm_sched_scheduler_two_clients_gen_params,
        KUNIT_SPEED_SLOW,
    ),
]

drm_sched_scheduler_two_clients1 = kunit_suite(
    name="drm_sched_scheduler_two_clients_one_credit_tests",
    init=drm_sched_scheduler_init,
    exit=drm_sched_scheduler_exit,
    test_cases=drm_sched_scheduler_two_clients_tests,
)

drm_sched_scheduler_two_clients2 = kunit_suite(
    name="drm_sched_scheduler_two_clients_two_credits_tests",
    init=drm_sched_scheduler_init2,
    exit=drm_sched_scheduler_exit,
    test_cases=drm_sched_scheduler_two_clients_tests,
)

drm_sched_many_cases = (
    drm_sched_test_params(
        description="2 clients",
        num_clients=2,
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=4,
                job_us=1000,
                wait_us=0,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="3 clients",
        num_clients=3,
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=4,
                job_us=1000,
                wait_us=0,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="7 clients",
        num_clients=7,
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=4,
                job_us=1000,
                wait_us=0,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="13 clients",
        num_clients=13,
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=4,
                job_us=1000,
                wait_us=0,
                sync=True,
            ),
        ),
    ),
    drm_sched_test_params(
        description="31 clients",
        num_clients=31,
        client=(
            drm_sched_client_params(
                priority=DRM_SCHED_PRIORITY_NORMAL,
                job_cnt=2,
                job_us=1000,
                wait_us=0,
                sync=True,
            ),
        ),
    ),
)

drm_sched_scheduler_many_clients_gen_params = KUNIT_ARRAY_PARAM(
    drm_sched_many_cases, drm_sched_desc
)


def drm_sched_scheduler_many_clients_test(test: kunit) -> None:
    """Many clients at once; prints how far apart they get.

    drivers/gpu/drm/scheduler/tests/tests_scheduler.c:752-855, Linux 7.2.13
    """
    params = test.param_value
    sched = test.priv
    clients = params.num_clients
    delta_total = 0
    loops = 0

    # kport: string
    client = kunit_kcalloc(test, clients, test_client)
    KUNIT_ASSERT_NOT_NULL(test, client)
    prev_cycle = kunit_kcalloc(test, clients, pointer)  # kport: model
    KUNIT_ASSERT_NOT_NULL(test, prev_cycle)

    for i in range(0, clients):
        client[i].entity = drm_mock_sched_entity_new(test, DRM_SCHED_PRIORITY_NORMAL, sched)

    for i in range(0, clients):
        client[i].test = test
        client[i].id = i
        client[i].params = params.client[0]  # kport: struct-copy
        client[i].duration = ms_to_ktime(1000 // clients)
        client[i].cycle_time.min_us = UINT_MAX  # kport: implicit-cast
        client[i].latency_time.min_us = UINT_MAX  # kport: implicit-cast
        client[i].worker = kthread_create_worker(
            0, "%s-%u", "drm_sched_scheduler_many_clients_test", i
        )
        if IS_ERR(client[i].worker):
            for j in range(0, i):
                kthread_destroy_worker(client[j].worker)
            KUNIT_FAIL(test, "Failed to create worker!\n")

        kthread_init_work(client[i].work, drm_sched_client_work)

    for i in range(0, clients):
        kthread_queue_work(client[i].worker, client[i].work)

    start = ktime_get()
    pr_info("%u clients:\n\tt\t\tcycle:\t  min    avg    max : ...\n", clients)
    while True:
        min = UINT_MAX  # kport: implicit-cast
        max = 0
        total = 0
        done = True

        buf = ""  # kport: string
        for i in range(0, clients):
            cycle = READ_ONCE(client[i], "cycle")
            cycles = READ_ONCE(client[i], "cycles")

            buf += sprintf(" %3d", cycle)  # kport: string

            total += cycle
            if cycle < min:
                min = cycle
            if cycle > max:
                max = cycle

            if not min or (cycle + 1) < cycles:
                done = False

        loops += 1
        delta_total += max - min

        pr_info(
            "\t+%6lldms\t\t  %3u  %3u  %3u :%s\n",
            ktime_to_ms(ktime_sub(ktime_get(), start)),
            min,
            DIV_ROUND_UP(total, clients),
            max,
            buf,
        )

        if done:
            break

        msleep(100)

    pr_info(
        "    avg_max_min_delta(x100)=%u\n",
        DIV_ROUND_UP(delta_total * 100, loops) if loops else 0,
    )

    for i in range(0, clients):
        kthread_flush_work(client[i].work)
        kthread_destroy_worker(client[i].worker)

    for i in range(0, clients):
        drm_mock_sched_entity_free(client[i].entity)


drm_sched_scheduler_many_clients_tests = [  # kport: initialiser
    KUNIT_CASE_PARAM_ATTR(
        drm_sched_scheduler_many_clients_test,
        drm_sched_scheduler_many_clients_gen_params,
        KUNIT_SPEED_SLOW,
    ),
]

drm_sched_scheduler_many_clients = kunit_suite(
    name="drm_sched_scheduler_many_clients_tests",
    init=drm_sched_scheduler_init2,
    exit=drm_sched_scheduler_exit,
    test_cases=drm_sched_scheduler_many_clients_tests,
)

kunit_test_suites(
    drm_sched_scheduler_overhead,
    drm_sched_scheduler_two_clients1,
    drm_sched_scheduler_two_clients2,
    drm_sched_scheduler_many_clients,
)
