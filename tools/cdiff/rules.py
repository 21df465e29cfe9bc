# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""How the macros of the kernel are written in Python: the tables behind the translation.

A rule that changes more than spelling has a name, and the statement it makes must carry that name
as a tag (`# kport: out-param`); such a statement is compared like any other.
"""

from __future__ import annotations

from typing import NamedTuple

# The closed list of reasons for a tag. The first ones name rules of the translation: such a
# statement is compared like any other, and must have the tag. The others are deviations: C and
# Python differ, and the pair is pinned by its hashes (see accepted.py).
RULES = {
    "out-param": "C returns through a pointer, Python returns a tuple",
    "walrus": "an assignment to a member inside a condition stands before it",
    "side-effect": "++ and -- inside an expression stand before or behind it",
    "pointer-to-pointer": "a pointer to a pointer is the pair of object and member",
    "addressed": "a number whose address is taken is an object, assigned in place",
    "struct-copy": "a struct is assigned by value",
    "string": "a buffer of characters is a str",
    "rcu-value": "a local that was read under RCU is printed: it is the value already",
}
DEVIATIONS = {
    "cursor": "a loop's cursor is read behind it; Python does not leave the list head in it",
    "implicit-cast": "C converts between signed and unsigned by itself",
    "wrap": "C's arithmetic wraps by itself",
    "bounds": "C reads beyond an array, or at a negative index",
    "packed": "what shares a word in C is a pair or a class here",
    "union": "members that share memory in C have their own here",
    "first-member": "a pointer to the first member is one to the struct, NULL included",
    "pointer-difference": "the difference of two pointers into an array is an index",
    "flexible-array": "the array at the end of a struct is a list of its own",
    "initialiser": "an initialiser refers to the object it initialises",
    "variadic": "variable arguments are a tuple",
    "inlined": "a small function stands expanded where C calls it",
    "condition": "the condition of a wait macro is a function",
    "generator": "a loop macro is a generator",
    "annotation": "the C only tells a compiler or a checker something",
    "config": "an option that is fixed in kconfig.py decides at run time in C",
    "per-cpu": "one instance instead of one per CPU",
    "model": "calls into a part that is modelled, not ported",
    "left-out": "the part it belongs to is not ported",
    "patch": "a patch changes it that was proposed and not merged in this form",
    "leak": "C forgets to free it",
    "boot": "the C does it at boot, or the linker does",
}
# The closed list of reasons why a function is left out, or why the port has one more; some of the
# reasons for a deviation serve here, too.
LEFT_OUT = {
    "unused": "nothing that is ported calls it",
    "folded": "its body stands in its callers",
    "compiler": "it serves the compiler, the linker or a checker, or initialises at compile time",
    "numa": "NUMA and CPU affinity",
    "cgroup": "control groups",
    "freezer": "suspend to disk and RAM",
    "kernel-mm": "address spaces and pages",
    "user-space": "system calls, files and file descriptors",
    "augmented": "augmented trees",
    "rcu": "readers of the structure under RCU",
    "hlist": "hash lists",
    "rt": "PREEMPT_RT",
    "poll": "poll, select and epoll",
    "hrtimer": "waits on an hrtimer",
    "timer-tick": "work for the next timer tick",
    "tracing": "what a trace event records",
    "variant": "the variant of a debug option, which C chooses when it compiles",
    "elsewhere": "the C has it in another file",
    "multi-index": "entries of several indices in an xarray",
    "advanced-api": "the states and nodes of an xarray",
    "timing": "it only takes the time of billions of operations",
    **{
        reason: DEVIATIONS[reason]
        for reason in (
            "boot",
            "condition",
            "config",
            "generator",
            "initialiser",
            "inlined",
            "model",
            "packed",
            "patch",
            "per-cpu",
        )
    },
}

# What a tag may say.
REASONS = {**RULES, **DEVIATIONS, **LEFT_OUT}

# Calls outside of functions that both sides must have for a function: exports stand behind it,
# initcalls anywhere.
EXPORTS = ("EXPORT_SYMBOL", "EXPORT_SYMBOL_GPL")
INITCALLS = (
    "early_initcall",
    "core_initcall",
    "subsys_initcall",
    "late_initcall",
    "module_init",
    "module_exit",
)

# Decorators of the port that do not change what a function does, or are part of a macro in it.
DECORATORS = frozenset(("linkable", "ASSERTS"))

# (argument index: m is a member name, t a type) of macros that take such things.
NAMED = {
    "container_of": {1: "t", 2: "m"},
    "container_of_const": {1: "t", 2: "m"},
    "list_entry": {1: "t", 2: "m"},
    "list_first_entry": {1: "t", 2: "m"},
    "list_last_entry": {1: "t", 2: "m"},
    "list_first_entry_or_null": {1: "t", 2: "m"},
    "list_last_entry_or_null": {1: "t", 2: "m"},
    "list_entry_is_head": {2: "m"},
    "list_next_entry": {1: "m"},
    "list_prev_entry": {1: "m"},
    "rb_entry": {1: "t", 2: "m"},
    "rb_entry_safe": {1: "t", 2: "m"},
    "llist_entry": {1: "t", 2: "m"},
    "hlist_entry": {1: "t", 2: "m"},
    "kfree_rcu": {1: "m"},
    "timer_container_of": {2: "m"},
    "max_t": {0: "t"},
    "min_t": {0: "t"},
    "KMEM_CACHE": {0: "t"},
}

# Loop macros: (arguments that are targets, the rest; T is the type of the first target, a number
# followed by m is a member name).
LOOPS = {
    "list_for_each": ("0", "1"),
    "list_for_each_prev": ("0", "1"),
    "list_for_each_safe": ("0 1", "2"),
    "list_for_each_prev_safe": ("0 1", "2"),
    "list_for_each_entry": ("0", "1 T 2m"),
    "list_for_each_entry_reverse": ("0", "1 T 2m"),
    "list_for_each_entry_safe": ("0 1", "2 T 3m"),
    "list_for_each_entry_safe_reverse": ("0 1", "2 T 3m"),
    "list_for_each_entry_safe_from": ("0 1", "0 2 T 3m"),
    "list_for_each_entry_continue": ("0", "0 1 T 2m"),
    "list_for_each_entry_from": ("0", "0 1 T 2m"),
    "llist_for_each_entry_safe": ("0 1", "2 T 3m"),
    "llist_for_each_entry": ("0", "1 T 2m"),
    "rbtree_postorder_for_each_entry_safe": ("0 1", "2 T 3m"),
    "xa_for_each": ("1 2", "0"),
    "dma_resv_for_each_fence": ("3", "0 1 2"),
    "dma_resv_for_each_fence_unlocked": ("1", "0"),
    "dma_fence_chain_for_each": ("0", "1"),
    "dma_fence_array_for_each": ("1 0", "2"),
    "drm_exec_for_each_locked_object": ("1", "0"),
    "drm_exec_for_each_locked_object_reverse": ("1", "0"),
    "drm_exec_until_all_locked": ("", "0"),
    "dma_fence_unwrap_for_each": ("0", "1 2"),
}

# Loop macros that begin again, and macros that jump to their head: `if f(x): continue`.
RESTARTED = frozenset(("drm_exec_until_all_locked",))
JUMPS = frozenset(("drm_exec_retry_on_contention",))

# Macros whose first argument is an lvalue.
LVALUE = frozenset(
    "READ_ONCE WRITE_ONCE rcu_dereference rcu_dereference_check rcu_dereference_protected "
    "rcu_access_pointer rcu_assign_pointer rcu_replace_pointer RCU_INIT_POINTER smp_store_release "
    "smp_load_acquire smp_store_mb cmpxchg xchg try_cmpxchg".split()
)

# Macros whose last argument is set: flags = f(lock).
FLAGS = frozenset(
    "spin_lock_irqsave raw_spin_lock_irqsave local_irq_save dma_fence_lock_irqsave "
    "xa_lock_irqsave".split()
)


class Out(NamedTuple):
    """The out-parameters of a function.

    `positions` in C's parameter list, their `names`; `both`: Python passes the old value, too;
    `result`: the name that holds the return value where C uses it inside an expression.
    """

    positions: tuple[int, ...]
    names: tuple[str, ...]
    both: bool = False
    result: str = ""


OUT_PARAMS = {
    "xa_alloc": Out((1,), ("id",), result="ret"),
    "xa_alloc_cyclic": Out((1, 4), ("id", "next"), True, "ret"),
    "__xa_alloc_cyclic": Out((1, 4), ("id", "next"), True, "ret"),
    "xa_find": Out((1,), ("indexp",), True, "entry"),
    "xa_find_after": Out((1,), ("indexp",), True, "entry"),
    "check_sub_overflow": Out((2,), ("d",), result="overflow"),
    "drm_syncobj_find_fence": Out((4,), ("fence",)),
    "drm_syncobj_create": Out((0,), ("out_syncobj",)),
    "drm_syncobj_get_handle": Out((2,), ("handle",)),
    "drm_syncobj_create_as_handle": Out((1,), ("handle",)),
    "dma_fence_chain_find_seqno": Out((0,), ("pfence",), both=True),
    "dma_fence_wait_any_timeout": Out((4,), ("idx",)),
    "dma_fence_test_signaled_any": Out((2,), ("idx",), result="any"),
    "dma_resv_list_entry": Out((3, 4), ("fence", "usage")),
    "dma_resv_get_fences": Out((2, 3), ("num_fences", "fences")),
    "dma_resv_get_singleton": Out((2,), ("fence",)),
    "kthread_cancel_delayed_work_timer": Out((1,), ("flags",), both=True),
    "refcount_dec_and_lock_irqsave": Out((2,), ("flags",)),
    "atomic_try_cmpxchg_relaxed": Out((1,), ("old",), True, "ok"),
    "atomic_try_cmpxchg_release": Out((1,), ("old",), True, "ok"),
    "atomic_try_cmpxchg_acquire": Out((1,), ("old",), True, "ok"),
    "try_cmpxchg": Out((1,), ("old",), True, "ok"),
}

# Numbers whose address is taken somewhere, so that they are objects: (struct, member).
ADDRESSED = frozenset((("dma_fence", "flags"), ("kthread", "flags")))

# Annotations for the compiler, the sanitizers or sparse: only the argument is left.
TRANSPARENT = frozenset("likely unlikely data_race unrcu_pointer RCU_INITIALIZER".split())

# Objects of the kernel that are read through a macro or a volatile.
CALLED = frozenset(("current", "jiffies"))

# Macros that allocate what their first argument, an expression, points to.
ALLOCATORS = frozenset(
    "kzalloc_obj kmalloc_obj kzalloc_objs kmalloc_objs kvmalloc_objs kzalloc_flex "
    "krealloc_array".split()
)

# Macros whose condition is evaluated again and again.
WAITS = ("wait_event", "wait_var_event", "io_wait_event", "swait_event")

INTEGER_CASTS = {
    "int": "s32",
    "signed int": "s32",
    "s32": "s32",
    "__s32": "s32",
    "unsigned": "u32",
    "unsigned int": "u32",
    "u32": "u32",
    "__u32": "u32",
    "u8": "u8",
    "long": "long",
    "signed long": "s64",
    "s64": "s64",
    "long long": "s64",
    "unsigned long": "unsigned_long",
    "unsigned long long": "u64",
    "u64": "u64",
    "__u64": "u64",
    "size_t": "unsigned_long",
}
