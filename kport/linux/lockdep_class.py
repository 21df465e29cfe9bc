# SPDX-FileCopyrightText: 2006-2007 Red Hat, Inc., Ingo Molnar <mingo@redhat.com>
# SPDX-FileCopyrightText: 2007 Red Hat, Inc., Peter Zijlstra
# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: GPL-2.0-only
#
# After kernel/locking/lockdep.c, Linux 7.2.13, on 2026-11-20.
"""Classes of locks: which there are, by which key, under which name.

In C the macro that initialises a lock makes a static key and turns its argument into text. Here the
place of the call is the key, and its source text gives the name as C spells it
(`sched.job_list_lock` is `&sched->job_list_lock`). The text is read when a class is made, once.

All of this belongs to one kernel: `lockdep_init()` forgets it. It is guarded by `graph_lock`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import CodeType
from typing import Any

from kport.arch.types import CHECK_LOCK
from kport.linux import lockdep_state, printk, slab
from kport.linux.bug import WARN_ON_ONCE
from kport.linux.lockdep_state import DEBUG_LOCKS_WARN_ON, call_text, debug_locks_off
from kport.linux.lockdep_types import (
    LD_LOCK_NORMAL,
    LD_WAIT_INV,
    MAX_LOCKDEP_KEYS,
    MAX_LOCKDEP_SUBCLASSES,
    NO_IP,
    ip,
    lock_chain,
    lock_class,
    lock_class_key,
    lockdep_map,
    root_chain,
)

graph_lock = CHECK_LOCK

all_lock_classes: list[lock_class] = []
classhash: dict[tuple[lock_class_key, int], lock_class] = {}
lock_keys_hash: set[lock_class_key] = set()  # keys inside allocated objects
maps: dict[Any, lockdep_map] = {}
sites: dict[int, lockdep_map] = {}  # the same by place, for locks
addresses: dict[int, tuple[int, Any]] = {}
root: lock_chain = root_chain()
chains: set[tuple[Any, ...]] = set()
_numbers = 0  # never used again, in no other kernel either

__lockdep_no_validate__ = lock_class_key()
__lockdep_no_track__ = lock_class_key()


def lockdep_init() -> None:
    """Forget everything: another kernel begins."""
    for klass in all_lock_classes:
        klass.key = None  # who has it in a cache looks again
    all_lock_classes.clear()
    classhash.clear()
    lock_keys_hash.clear()
    maps.clear()
    sites.clear()
    addresses.clear()
    forget_chains()


def forget_chains() -> None:
    """No chain has been validated yet."""
    root.next.clear()
    root.enabled = 0
    chains.clear()


# -- maps ------------------------------------------------------------------------------------------


def lockdep_init_map_type(
    lock: lockdep_map,
    name: str,
    key: Any,
    subclass: int,
    inner: int,
    outer: int,
    lock_type: int,
) -> None:
    """Set up a map; with a subclass its class is made at once, and is that of subclass 0, too.

    kernel/locking/lockdep.c:4965-5022, Linux 7.2.13
    """
    global _numbers
    lock.class_cache = {}
    lock.name = name
    lock.wait_type_outer = outer
    lock.wait_type_inner = inner
    lock.lock_type = lock_type
    lock.key = None
    if not static_obj(key) and not is_dynamic_key(key):
        if lockdep_state.debug_locks:
            printk.emit(printk.ERR, f"BUG: key {address(key)} has not been registered!")
        DEBUG_LOCKS_WARN_ON(1)
        return
    lock.key = key
    with graph_lock:
        _numbers += 1
        lock.id = _numbers << 24
    if subclass and lockdep_state.debug_locks:
        register_lock_class(lock, subclass, 1)


def new_map(
    name: str,
    key: Any,
    subclass: int = 0,
    inner: int = LD_WAIT_INV,
    outer: int = LD_WAIT_INV,
    lock_type: int = LD_LOCK_NORMAL,
) -> lockdep_map:
    """A map that stands for a lock of its own, or is shared by the locks of one place."""
    lock = lockdep_map()
    lockdep_init_map_type(lock, name, key, subclass, inner, outer, lock_type)
    return lock


def ready(lock: lockdep_map) -> lockdep_map:
    """A static map, as an initialiser made it: it gets its number and its key at first use."""
    if lock.class_cache is None:
        lockdep_init_map_type(
            lock,
            lock.name,
            lock.key or lock_class_key(),
            0,
            lock.wait_type_inner,
            lock.wait_type_outer,
            lock.lock_type,
        )
    return lock


def shared_map(identity: Any, name: str, key: Any, subclass: int, like: lockdep_map) -> lockdep_map:
    """The map of all locks with this identity; wait types as those of `like`."""
    found = maps.get(identity)
    if found is None:
        with graph_lock:
            found = maps.get(identity)
            if found is None:
                found = new_map(
                    name,
                    key,
                    subclass,
                    like.wait_type_inner,
                    like.wait_type_outer,
                    like.lock_type,
                )
                maps[identity] = found
    return found


def site_map(
    code: CodeType, lasti: int, name: str, form: str, inner: int, outer: int, kind: int
) -> lockdep_map:
    """The map of the locks that are initialised at a place; see `lock_name()` for its name."""
    with graph_lock:
        identity = (id(code), lasti, form, inner)
        found = maps.get(identity)
        if found is None:
            key = lock_class_key()
            key.site = (code, lasti)
            found = new_map(form % lock_name(code, lasti, name), key, 0, inner, outer, kind)
            maps[identity] = found
            if form == "%s":
                sites[id(code) + lasti << 3 | inner] = found
        return found


_names: dict[tuple[str, int, int], str] = {}
_ARGUMENT = re.compile(r"\w+\(\s*([\w.\[\]]+)\s*(?:,\s*(f?\"[^\"]*\"))?")


def lock_name(code: CodeType, lasti: int, given: str) -> str:
    """How C prints the lock that is initialised at a place.

    A name that the call gives as a literal is that name; else its argument is spelled as in C.
    """
    at = (code.co_filename, code.co_firstlineno, lasti)
    name = _names.get(at)
    if name is None:
        match = _ARGUMENT.match(call_text(code, lasti))
        if match is None:
            name = given or "lock"
        elif match.group(2) is not None:
            name = given
        else:
            name = c_name(match.group(1))
        _names[at] = name
    return name


def c_name(text: str) -> str:
    """`a.b.c` as C writes its address, where only `a` is a pointer; a name alone stays."""
    first, dot, rest = text.partition(".")
    return f"&{first}->{rest}" if dot else text


# -- keys ------------------------------------------------------------------------------------------


def static_obj(key: lock_class_key) -> bool:
    """True for a key that is not inside an allocated object.

    kernel/locking/lockdep.c:827-861, Linux 7.2.13
    """
    at: Any = key
    while at._container is not None:
        at = at._container
    return slab.live.get(id(at)) is not at


def is_dynamic_key(key: lock_class_key) -> bool:
    """True for a key that was registered.

    kernel/locking/lockdep.c:1276-1306, Linux 7.2.13
    """
    return key in lock_keys_hash


def register_key(key: lock_class_key) -> None:
    """Let a key inside an allocated object be used.

    kernel/locking/lockdep.c:1249-1272, Linux 7.2.13
    """
    if WARN_ON_ONCE(static_obj(key)):
        return
    with graph_lock:
        WARN_ON_ONCE(key in lock_keys_hash)
        lock_keys_hash.add(key)


def unregister_key(key: lock_class_key) -> None:
    """The object with the key is about to be freed: its classes go, with all they were in.

    kernel/locking/lockdep.c:6618-6663, Linux 7.2.13
    """
    with graph_lock:
        found = key in lock_keys_hash
        WARN_ON_ONCE(not found and lockdep_state.debug_locks)
        if found:
            lock_keys_hash.discard(key)
            zap_keys([key])


def zap_keys(keys: Iterable[lock_class_key]) -> None:
    """Take the classes of these keys out of the graph and of all chains.

    kernel/locking/lockdep.c:6280-6318, Linux 7.2.13
    """
    with graph_lock:
        wanted = set(keys)
        dead = {klass for klass in all_lock_classes if klass.key in wanted}
        if not dead:
            return
        all_lock_classes[:] = [klass for klass in all_lock_classes if klass not in dead]
        for other in all_lock_classes:
            for entries in (other.locks_after, other.locks_before):
                if any(entry.class_ in dead for entry in entries):
                    entries[:] = [entry for entry in entries if entry.class_ not in dead]
        for klass in dead:
            del classhash[(klass.key, klass.subclass)]
            klass.key = None
        root.next.clear()
        for chain in [c for c in chains if any(hlock[0] in dead for hlock in c)]:
            chains.discard(chain)


# -- classes ---------------------------------------------------------------------------------------


def look_up_lock_class(lock: lockdep_map, subclass: int) -> lock_class | None:
    """The class of a map, or NULL if it has none yet or the subclass is out of range.

    kernel/locking/lockdep.c:886-948, Linux 7.2.13
    """
    if subclass >= MAX_LOCKDEP_SUBCLASSES:
        if debug_locks_off():
            headline = f"BUG: looking up invalid subclass: {subclass}"
            lockdep_state.report(
                headline, [headline, "turning off the locking correctness validator."]
            )
        return None
    if lock.key is None:
        return None
    return classhash.get((lock.key, subclass))


def count_matching_names(new_class: lock_class) -> int:
    """Which of the classes of its name a new class is.

    kernel/locking/lockdep.c:867-884, Linux 7.2.13
    """
    count = 0
    for klass in all_lock_classes:
        if new_class.key is klass.key:
            return klass.name_version
        if klass.name == new_class.name:
            count = max(count, klass.name_version)
    return count + 1


def register_lock_class(lock: lockdep_map, subclass: int, force: int) -> lock_class | None:
    """The class of a map, made if it is not there yet; NULL if that cannot be.

    kernel/locking/lockdep.c:1312-1423, Linux 7.2.13
    """
    with graph_lock:
        klass = look_up_lock_class(lock, subclass)
        if klass is None:
            if lock.key is None or subclass >= MAX_LOCKDEP_SUBCLASSES:
                return None
            if not static_obj(lock.key) and not is_dynamic_key(lock.key):
                return None
            if len(all_lock_classes) >= MAX_LOCKDEP_KEYS:
                too_low("BUG: MAX_LOCKDEP_KEYS too low!")
                return None
            klass = lock_class()
            klass.key = lock.key
            klass.name = lock.name
            klass.subclass = subclass
            klass.usage_traces = {}
            klass.locks_after = []
            klass.locks_before = []
            klass.name_version = count_matching_names(klass)
            klass.wait_type_inner = lock.wait_type_inner
            klass.wait_type_outer = lock.wait_type_outer
            klass.lock_type = lock.lock_type
            classhash[(lock.key, subclass)] = klass
            all_lock_classes.append(klass)
        if not subclass or force:
            lock.class_cache[0] = klass
        lock.class_cache[subclass] = klass
    if DEBUG_LOCKS_WARN_ON(klass.subclass != subclass):
        return None
    return klass


def class_of(lock: lockdep_map, subclass: int) -> lock_class | None:
    """The class of a map, by its cache if that is valid."""
    klass: lock_class | None = lock.class_cache.get(subclass)
    if klass is not None and klass.key is not None:
        return klass
    return register_lock_class(lock, subclass, 0)


def too_low(headline: str) -> None:
    """A limit of the validator is reached: it ends.

    kernel/locking/lockdep.c:522-530, Linux 7.2.13
    """
    if debug_locks_off():
        lockdep_state.report(headline, [headline, "turning off the locking correctness validator."])


def address(lock: Any) -> str:
    """A lock's address in a report: the same for the same lock, and in every run."""
    number, _ = addresses.setdefault(id(lock), (len(addresses) + 1, lock))
    return f"{0xFFFF888000000000 + number * 0x40:016x}"


def key_site(klass: lock_class) -> ip:
    """Where the locks of a class are initialised."""
    site = klass.key.site if klass.key is not None else None
    return site if site is not None else NO_IP
