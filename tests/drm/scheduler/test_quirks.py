# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""What the 7.2 scheduler does although nobody would design it so; kept, because the kernel does.

Each of these is a line of C that a reader may check. If one of them is ever mended in the kernel,
the port changes with it and the test turns.
"""

from __future__ import annotations

import pytest

import kport
from kport.linux.atomic import ATOMIC_INIT, atomic_read
from kport.linux.err import EINVAL, ENOENT, ESRCH
from kport.linux.jiffies import msecs_to_jiffies
from kport.linux.list import list_empty
from kport.linux.rbtree import RB_EMPTY_NODE
from kport.linux.slab import kfree, kzalloc_obj
from kport.linux.spinlock import spin_lock, spin_unlock
from kport.linux.workqueue import delayed_work_pending
from tests.drm.scheduler.driver import Driver, instant, nothing
from tests.support import Gate, Thread, eventually, messages, sleep_ms


@pytest.fixture
def api(baseline):
    """The functions of sched_entity."""
    return baseline.sched_entity


def test_initialising_twice_returns_0_but_has_overwritten_the_parameters(driver, kernel):
    """sched_main.c, drm_sched_init(): the test comes after the assignments."""
    sched = driver.scheduler("first", credit_limit=3, timeout=111)
    rqs = sched.sched_rq
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(), num_rqs=2, credit_limit=9, timeout=222, hang_limit=5, name="second"
    )
    assert driver.main.drm_sched_init(sched, args) == 0
    assert messages(kernel) == ["(NULL device *): drm_sched_init: scheduler already initialized!"]
    assert (sched.name, sched.credit_limit, sched.timeout, sched.hang_limit) == (
        "second",
        9,
        222,
        5,
    )
    assert sched.dev is None
    assert (sched.sched_rq, sched.num_rqs) == (rqs, 4)
    sched.dev = driver.dev


def test_too_many_run_queues_are_refused_after_the_parameters_were_overwritten(driver):
    """sched_main.c, drm_sched_init(): the same order."""
    sched = driver.scheduler("first")
    args = driver.api.drm_sched_init_args(ops=driver.ops(), num_rqs=5, credit_limit=9, name="x")
    assert driver.main.drm_sched_init(sched, args) == -EINVAL
    assert (sched.name, sched.credit_limit) == ("x", 9)
    sched.credit_limit, sched.dev = 1, driver.dev


def test_a_job_of_an_entity_without_run_queue_is_asked_for_its_scheduler(boot, baseline):
    """sched_main.c, drm_sched_job_init(): job->sched is read before the memset, so it is garbage.

    Zeroed memory makes it a NULL pointer, which is the oops here.
    """
    with pytest.raises(kport.KernelOops, match="'NoneType' object has no attribute 'dev'"):
        with boot():
            driver = Driver(baseline)
            entity = driver.entity(driver.scheduler())
            entity.rq = None
            base = kzalloc_obj(driver.api.drm_sched_job)
            driver.main.drm_sched_job_init(base, entity, 1, None, 0)


def test_with_a_scheduler_left_in_the_job_it_is_enoent(driver, kernel):
    """sched_main.c, drm_sched_job_init(): when the memory was a job before."""
    sched = driver.scheduler()
    entity = driver.entity(sched)
    base = kzalloc_obj(driver.api.drm_sched_job)
    base.sched = sched
    rq, entity.rq = entity.rq, None
    assert driver.main.drm_sched_job_init(base, entity, 1, None, 0) == -ENOENT
    assert messages(kernel) == ["test card0: drm_sched_job_init: entity has no rq!"]
    entity.rq = rq
    kfree(base)


def test_an_uninitialised_scheduler_leaves_the_entity_without_run_queue(driver, api, kernel):
    """sched_entity.c, drm_sched_entity_init(): a warning, and success."""
    sched = kzalloc_obj(driver.api.drm_gpu_scheduler)
    entity = driver.entity(sched)
    assert entity.rq is None
    assert messages(kernel) == ["drm_sched_entity_init: called with uninitialized scheduler"]
    assert api.drm_sched_entity_flush(entity, 5) == 0
    kfree(sched)


def test_a_priority_out_of_bounds_is_clipped_but_not_where_it_counts(driver, api, kernel):
    """sched_entity.c, drm_sched_entity_init(): rq_priority is used unclipped, out of bounds."""
    sched = driver.scheduler(num_rqs=2)
    entity = driver.api.drm_sched_entity()
    with pytest.raises(IndexError):
        api.drm_sched_entity_init(entity, 3, [sched], 1, None)
    assert entity.priority == 1
    assert messages(kernel) == ["test card0: entity with out-of-bounds priority:3 num_user_rqs:2"]
    kfree(entity.stats)


def test_a_negative_priority_is_out_of_bounds_too(driver, api, kernel):
    """The comparison is unsigned there."""
    sched = driver.scheduler()
    entity = driver.api.drm_sched_entity()
    with pytest.raises(IndexError):
        api.drm_sched_entity_init(entity, -1, [sched], 1, None)
    assert messages(kernel) == [
        "test card0: entity with out-of-bounds priority:4294967295 num_user_rqs:4"
    ]
    kfree(entity.stats)


def test_with_no_scheduler_ready_arming_a_job_is_a_null_pointer(boot, baseline):
    """sched_entity.c, drm_sched_entity_select_rq(): rq = sched ? ... : NULL, and arm follows it."""
    with pytest.raises(kport.KernelOops, match="'NoneType' object has no attribute 'sched'"):
        with boot() as kernel:
            driver = Driver(baseline)
            scheds = [driver.scheduler("a"), driver.scheduler("b")]
            entity = driver.entity(*scheds)
            for sched in scheds:
                sched.ready = False
            job = driver.job(entity)
            driver.push(job)
    assert kernel.oopses


def test_setting_a_priority_moves_no_entity_to_another_run_queue(driver, api):
    """sched_entity.c, drm_sched_entity_set_priority(): rq_priority stays."""
    sched = driver.scheduler()
    entity = driver.entity(sched, priority=3)
    api.drm_sched_entity_set_priority(entity, 0)
    assert (entity.priority, entity.rq_priority) == (0, 3)
    driver.submit(entity, run=nothing).wait()
    assert entity.rq is sched.sched_rq[3]


def test_karma_marks_only_an_entity_that_is_on_a_run_queue_now(driver, api):
    """sched_main.c, drm_sched_increase_karma(): it looks through the lists of the run queues."""
    sched = driver.scheduler()
    guilty = ATOMIC_INIT(0)
    entity = driver.entity(sched, guilty=guilty)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_wqueue_stop(sched)
    with_lock = driver.baseline.sched_rq.drm_sched_rq_remove_entity
    driver.main.spin_lock(entity.lock)
    with_lock(entity.rq, entity)
    driver.main.spin_unlock(entity.lock)
    driver.main.drm_sched_increase_karma(job.base)
    assert (atomic_read(job.base.karma), atomic_read(guilty)) == (1, 0)
    driver.main.drm_sched_wqueue_start(sched)
    job.end()
    job.wait()
    assert list_empty(entity.list)


def test_karma_of_an_unknown_context_marks_nobody(driver):
    """The cursor of an exhausted list loop: the naive translation marks or stops wrongly."""
    sched = driver.scheduler(credit_limit=4)
    flags = [ATOMIC_INIT(0) for _ in range(4)]
    entities = [
        driver.entity(sched, priority=p, guilty=f) for p, f in zip((1, 2, 3, 3), flags, strict=True)
    ]
    jobs = [driver.submit(entity) for entity in entities]
    eventually(lambda: driver.ran(*jobs))
    driver.main.drm_sched_increase_karma(jobs[3].base)
    assert [atomic_read(f) for f in flags] == [0, 0, 0, 1]
    for job in jobs:
        job.end()


def test_the_hang_limit_does_not_keep_an_entity_from_being_guilty(driver):
    """sched_main.c, drm_sched_increase_karma(): hang_limit is for resubmitting only."""
    sched = driver.scheduler(hang_limit=100)
    guilty = ATOMIC_INIT(0)
    job = driver.submit(driver.entity(sched, guilty=guilty))
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_increase_karma(job.base)
    assert atomic_read(guilty) == 1
    job.end()


def test_fini_frees_run_queues_that_entities_still_point_to(boot, baseline):
    """sched_main.c, drm_sched_fini(): whoever uses such an entity uses freed memory."""
    with pytest.raises(kport.KernelOops, match="drm_sched_rq' object has no attribute"):
        with boot(check=""):
            driver = Driver(baseline)
            sched = driver.scheduler()
            entity = driver.entity(sched)
            driver.main.drm_sched_fini(sched)
            baseline.sched_entity.drm_sched_entity_destroy(entity)


def test_an_entity_killed_while_a_job_is_popped_stays_in_the_tree(driver, api, baseline):
    """sched_rq.c, drm_sched_rq_pop_entity(): it does not look at entity->stopped.

    drm_sched_entity_kill() takes the entity out of its run queue and waits until the scheduler has
    left it. But on its way out the scheduler pops the job it had chosen, and if there is another
    one, puts the entity where that one belongs: back into the tree. Kill then takes the jobs, and
    the owner frees an entity that the run queue still points to. Before that the scheduler may
    choose it again, and pop from a queue for one consumer while kill does.
    """
    gate = Gate()
    driver.prepare = lambda job: gate.enter()
    entity = driver.entity(driver.scheduler())
    popped, killed = driver.submit(entity), driver.submit(entity)
    gate.arrived()
    killer = Thread(api.drm_sched_entity_kill, entity)
    eventually(lambda: list_empty(entity.list))
    assert RB_EMPTY_NODE(entity.rb_tree_node)
    gate.open()
    killer.join()
    assert driver.ran(popped)
    assert not RB_EMPTY_NODE(entity.rb_tree_node)
    rq = entity.rq
    spin_lock(entity.lock)
    spin_lock(rq.lock)
    baseline.sched_rq.drm_sched_rq_remove_fifo_locked(entity, rq)
    spin_unlock(rq.lock)
    spin_unlock(entity.lock)
    popped.end()
    assert [popped.wait(), killed.wait()] == [0, -ESRCH]


def test_a_pending_job_does_not_know_its_entity(driver):
    """gpu_scheduler.h, drm_sched_for_each_pending_job(): with an entity it finds nothing."""
    sched = driver.scheduler()
    entity = driver.entity(sched)
    job = driver.submit(entity)
    eventually(lambda: driver.ran(job))
    driver.main.drm_sched_wqueue_stop(sched)
    loop = driver.api.drm_sched_for_each_pending_job
    assert [driver.job_of(base) for base in loop(sched, None)] == [job]
    assert list(loop(sched, entity)) == []
    driver.main.drm_sched_wqueue_start(sched)
    job.end()


def test_every_submission_arms_the_timeout_anew(driver):
    """sched_main.c, drm_sched_start_timeout(): mod_delayed_work(), in 6.1 queue_delayed_work()."""
    sched = driver.scheduler(credit_limit=8, timeout=msecs_to_jiffies(60_000))
    entity = driver.entity(sched)
    jobs, times = [], []
    for _ in range(3):
        jobs.append(driver.submit(entity))
        eventually(lambda: driver.ran(jobs[-1]) and delayed_work_pending(sched.work_tdr))
        times.append(sched.work_tdr.timer.expires)
        sleep_ms(9)
    assert times == sorted(set(times))
    for job in jobs:
        job.end()


def test_an_unknown_policy_is_not_refused(boot, baseline):
    """No validation: add uses the submission time like FIFO, pop gives turns like RR."""
    with boot(params={"sched_policy": 7}) as kernel:
        driver = Driver(baseline)
        sched = driver.scheduler(credit_limit=10)
        entities = [driver.entity(sched) for _ in range(2)]
        jobs = [driver.submit(entities[n % 2], run=instant) for n in range(10)]
        assert [job.wait() for job in jobs] == [0] * 10
        driver.close()
    assert not kernel.leaks


def test_no_run_queues_at_all_is_a_scheduler_that_is_ready(driver):
    """sched_main.c, drm_sched_init(): an array of nothing is not NULL."""
    sched = kzalloc_obj(driver.api.drm_gpu_scheduler)
    args = driver.api.drm_sched_init_args(
        ops=driver.ops(), num_rqs=0, credit_limit=1, timeout=1000, name="r", dev=driver.dev
    )
    assert driver.main.drm_sched_init(sched, args) == 0
    assert sched.ready
    driver.main.drm_sched_fini(sched)
    kfree(sched)
