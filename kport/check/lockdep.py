# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""CONFIG_PROVE_LOCKING: which operation of a kernel the lock validator sees, and how.

The validator is in kport.linux.lockdep*; here it is bound to the operations. It reports once in a
kernel, as the kernel does, and on `virt` once in each execution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kport.arch.hook import Hook
from kport.linux import (
    bottom_half,
    fork,
    hrtimer,
    interrupt,
    local_lock,
    lockdep,
    lockdep_state,
    mutex,
    rcupdate,
    rtmutex,
    rwlock,
    rwsem,
    slab,
    spinlock,
    syscalls,
    timer,
    workqueue,
    ww_mutex,
)
from kport.linux import (
    lockdep_asserts as asserts,
)
from kport.linux import (
    lockdep_hooks as spin,
)
from kport.linux import (
    lockdep_maps as maps,
)
from kport.linux import (
    lockdep_others as other,
)
from kport.linux.facility import Facility
from kport.linux.lockdep_class import forget_chains, lockdep_init

if TYPE_CHECKING:
    from kport.arch.api import Machine

INSTRUCTIONS: dict[str, Hook] = {
    "spin_lock_init": Hook(None, spin.on_spin_lock_init),
    "raw_spin_lock_init": Hook(None, spin.on_raw_spin_lock_init),
    "spin_lock": Hook(spin.on_spin_lock),
    "spin_trylock": Hook(None, spin.on_spin_trylock),
    "spin_unlock": Hook(spin.on_spin_unlock),
    "spin_lock_irq": Hook(spin.on_spin_lock_irq),
    "spin_unlock_irq": Hook(spin.on_spin_unlock_irq),
    "spin_lock_irqsave": Hook(spin.on_spin_lock_irq),
    "spin_unlock_irqrestore": Hook(spin.on_spin_unlock_irqrestore),
    "local_irq_save": Hook(spin.on_local_irq_save),
    "local_irq_restore": Hook(spin.on_local_irq_restore),
    "rcu_read_lock": Hook(asserts.on_rcu_read_lock),
    "rcu_read_unlock": Hook(asserts.on_rcu_read_unlock),
    "rcu_dereference": Hook(asserts.on_rcu_dereference),
    "lockdep_assert_held": Hook(asserts.assert_held),
}

FUNCTIONS: dict[Callable[..., Any], Hook] = {
    spinlock.spin_lock_nested: Hook(spin.on_spin_lock_nested),
    spinlock.spin_lock_nest_lock: Hook(spin.on_spin_lock_nest_lock),
    mutex.mutex_init: Hook(None, other.init_sleeping),
    mutex.mutex_lock: Hook(other.take),
    mutex.mutex_lock_nested: Hook(other.take_nested),
    mutex.mutex_lock_nest_lock: Hook(other.take_nest_lock),
    mutex.mutex_lock_interruptible: Hook(other.take, other.failed),
    mutex.mutex_lock_killable: Hook(other.take, other.failed),
    mutex.mutex_trylock: Hook(None, other.tried),
    mutex.mutex_unlock: Hook(other.drop),
    ww_mutex.ww_mutex_init: Hook(None, other.ww_mutex_init),
    ww_mutex.ww_acquire_init: Hook(None, other.ww_acquire_init),
    ww_mutex.ww_acquire_done: Hook(other.ww_acquire_done),
    ww_mutex.ww_acquire_fini: Hook(other.ww_acquire_fini),
    ww_mutex.ww_mutex_lock: Hook(other.ww_mutex_lock, other.ww_mutex_locked),
    ww_mutex.ww_mutex_lock_interruptible: Hook(other.ww_mutex_lock, other.ww_mutex_locked),
    ww_mutex.ww_mutex_trylock: Hook(None, other.ww_mutex_tried),
    rwsem.init_rwsem: Hook(None, other.init_sleeping),
    rwsem.down_read: Hook(other.take_shared),
    rwsem.down_read_killable: Hook(other.take_shared, other.failed),
    rwsem.up_read: Hook(other.drop),
    rwsem.down_write: Hook(other.take),
    rwsem.down_write_killable: Hook(other.take, other.failed),
    rwsem.up_write: Hook(other.drop),
    rwsem.down_read_nested: Hook(other.take_shared_nested),
    rwsem.down_write_nested: Hook(other.take_nested),
    rwsem.down_read_trylock: Hook(None, other.tried_shared),
    rwsem.down_write_trylock: Hook(None, other.tried),
    rtmutex.rt_mutex_init: Hook(None, other.init_sleeping),
    rtmutex.rt_mutex_lock: Hook(other.take),
    rtmutex.rt_mutex_lock_interruptible: Hook(other.take, other.failed),
    rtmutex.rt_mutex_trylock: Hook(None, other.tried),
    rtmutex.rt_mutex_unlock: Hook(other.drop),
    rwlock.rwlock_init: Hook(None, other.init_rwlock),
    rwlock.read_lock: Hook(other.take_read),
    rwlock.write_lock: Hook(other.take),
    rwlock.read_trylock: Hook(None, other.tried_read),
    rwlock.write_trylock: Hook(None, other.tried),
    rwlock.read_unlock: Hook(other.drop),
    rwlock.write_unlock: Hook(other.drop),
    local_lock.local_lock_init: Hook(None, other.init_percpu),
    local_lock.local_lock_acquire: Hook(other.take),
    local_lock.local_lock_release: Hook(None, other.dropped),
    rcupdate.rcu_read_lock_bh: Hook(None, asserts.on_rcu_read_lock_bh),
    rcupdate.rcu_read_unlock_bh: Hook(asserts.on_rcu_read_unlock_bh),
    rcupdate.rcu_read_lock_sched: Hook(None, asserts.on_rcu_read_lock_sched),
    rcupdate.rcu_read_unlock_sched: Hook(asserts.on_rcu_read_unlock_sched),
    workqueue.INIT_WORK: Hook(None, maps.init_work),
    workqueue.INIT_DELAYED_WORK: Hook(None, maps.init_delayed_work),
    workqueue.call_work: Hook(maps.call_work, maps.called_work),
    timer.timer_setup: Hook(None, maps.timer_setup),
    timer.call_timer_fn: Hook(maps.call_timer_fn, maps.called_timer_fn),
    getattr(timer, "__timer_delete_sync"): Hook(maps.timer_delete_sync),
    bottom_half.local_bh_disable: Hook(spin.on_local_bh_disable),
    bottom_half.local_bh_enable: Hook(spin.on_local_bh_enable),
    interrupt.do_IRQ: Hook(asserts.interrupt, asserts.interrupted),
    hrtimer.hrtimer_interrupt: Hook(asserts.interrupt, asserts.interrupted),
    fork._exit: Hook(asserts.task_exits),
    syscalls.sys_open: Hook(None, asserts.returns_to_user),
    syscalls.sys_close: Hook(None, asserts.returns_to_user),
    syscalls.sys_ioctl: Hook(None, asserts.returns_to_user),
    syscalls.sys_read: Hook(None, asserts.returns_to_user),
    syscalls.sys_poll: Hook(None, asserts.returns_to_user),
    syscalls.sys_fcntl: Hook(None, asserts.returns_to_user),
    slab.release: Hook(asserts.memory_freed),
    lockdep.lockdep_assert_not_held: Hook(asserts.assert_not_held),
    lockdep.lockdep_assert_held_write: Hook(asserts.assert_held_write),
    lockdep.lockdep_assert_held_read: Hook(asserts.assert_held_read),
    lockdep.lockdep_assert_held_once: Hook(asserts.assert_held_once),
    lockdep.lockdep_assert_none_held_once: Hook(asserts.assert_none_held_once),
    lockdep.lock_acquire: Hook(maps.lock_acquire),
    lockdep.lock_release: Hook(maps.lock_release),
    lockdep.lock_sync: Hook(maps.lock_sync),
    lockdep.lock_map_acquire: Hook(maps.lock_map_acquire),
    lockdep.lock_map_release: Hook(maps.lock_map_release),
    lockdep.lock_downgrade: Hook(maps.lock_downgrade),
    lockdep.lock_set_class: Hook(maps.lock_set_class),
    lockdep.lockdep_set_notrack_class: Hook(maps.lockdep_set_notrack_class),
    lockdep.might_lock: Hook(maps.might_lock),
    lockdep.might_lock_read: Hook(maps.might_lock_read),
    lockdep.lockdep_init_map: Hook(maps.lockdep_init_map),
    lockdep.lockdep_set_class: Hook(maps.lockdep_set_class),
    lockdep.lockdep_set_class_and_name: Hook(maps.lockdep_set_class_and_name),
    lockdep.lockdep_set_subclass: Hook(maps.lockdep_set_subclass),
    lockdep.lockdep_set_novalidate_class: Hook(maps.lockdep_set_novalidate_class),
    lockdep.lockdep_register_key: Hook(maps.lockdep_register_key),
    lockdep.lockdep_unregister_key: Hook(maps.lockdep_unregister_key),
    lockdep.lock_set_cmp_fn: Hook(maps.lock_set_cmp_fn),
}

HOOKS: dict[str | Callable[..., Any], Hook] = dict(INSTRUCTIONS.items())
HOOKS |= dict(FUNCTIONS.items())


class Lockdep(Facility):
    """The lock validator of one kernel."""

    name = "lockdep"

    def hooks(self, machine: Machine) -> dict[str | Callable[..., Any], Hook]:
        # The first lock of a kernel is taken when its machine is powered on, before start().
        lockdep_init()
        lockdep_state.debug_locks_on()
        return HOOKS

    def begin(self) -> None:
        """What has been learnt of the order of locks stays; each execution may report."""
        if not lockdep_state.debug_locks:
            forget_chains()
            lockdep_state.debug_locks_on()

    def stop(self) -> None:
        lockdep_state.debug_locks_stop()
        lockdep_init()


def facilities() -> Sequence[Facility]:
    """The validator."""
    return [Lockdep()]
