# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""C becomes Python by the table "How C becomes Python": one case per row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.cdiff.translate import Translation

Statements = Callable[..., list[str]]
Translate = Callable[..., Translation]

EXPRESSIONS = [
    ("job->sched->lock = 3;", "job.sched.lock = 3"),
    ("spin_lock(&sched->lock);", "spin_lock(sched.lock)"),
    ("job->next = NULL;", "job.next = None"),
    ("n = job == sched->current_job;", "n = job is sched.current_job"),
    ("n = job->next != NULL;", "n = job.next is not None"),
    ("n = job->next == 0;", "n = job.next is None"),
    ("n = !job || n != 3;", "n = not job or n != 3"),
    ("n = n ?: count(sched);", "n = n or count(sched)"),
    ("n = job->done ? 1 : 2;", "n = 1 if job.done else 2"),
    ("n = (int)job->flags + (u32)n;", "n = s32(job.flags) + u32(n)"),
    ("job = (struct job *)sched->table[n];", "job = sched.table[n]"),
    ("n = likely(n) / 2 % 3;", "n = n // 2 % 3"),
    ("n = sizeof(void *) * sizeof(struct job);", "n = sizeof(pointer) * sizeof(job)"),
    ("n = !!job->flags;", "n = bool(job.flags)"),
    ("n = ~n & 0x0FUL;", "n = ~n & 15"),
    ("job = container_of(x, struct job, ref);", "job = container_of(x, job, 'ref')"),
    ("kfree_rcu(job, ref);", "kfree_rcu(job, 'ref')"),
    ("job = kzalloc_obj(*job);", "job = kzalloc_obj(job)"),
    ("job = kzalloc_obj(*job, GFP_KERNEL | __GFP_NOFAIL);", "job = kzalloc_obj(job)"),
    ("sched->table = kzalloc_objs(*sched->table, n);", "sched.table = kzalloc_objs(pointer, n)"),
    ("memset(job, 0, sizeof(*job));", "memset(job, 0, sizeof(job))"),
    ("n = READ_ONCE(job->credits);", "n = READ_ONCE(job, 'credits')"),
    ("WRITE_ONCE(sched->table[n], job);", "WRITE_ONCE(sched.table, n, job)"),
    ("cmpxchg(&sched->current_job, job, NULL);", "cmpxchg(sched, 'current_job', job, None)"),
    ("spin_lock_irqsave(&sched->lock, flags);", "flags = spin_lock_irqsave(sched.lock)"),
    ("n = current->pid + jiffies;", "n = current().pid + jiffies()"),
    ('pr_err("%s: " "x\\n", __func__);', "pr_err('%s: x\\n', 'f')"),
    ("wait_event(sched->wq, count(sched) > n);", "wait_event(sched.wq, lambda: count(sched) > n)"),
    ("f(job + n);", "f(job[n])"),
    ("f(n + 1);", "f(n + 1)"),
    ("n++;", "n += 1"),
    ("f(n, -1);", "f(n, -1)"),
    ("--n;", "n -= 1"),
    ("n <<= 2;", "n <<= 2"),
    ("job->next = job->next->next = NULL;", "job.next = job.next.next = None"),
    ("(void)count(sched);", "count(sched)"),
    ("int x;", None),
    ("struct job j;", "j = job()"),
    ("struct job j = { .credits = 1, .done = true };", "j = job(credits=1, done=True)"),
    ("struct job *jobs[4];", "jobs = [pointer] * 4"),
    ("int numbers[4] = { };", "numbers = [0] * 4"),
    ("LIST_HEAD(todo);", "todo = LIST_HEAD()"),
    ("DEFINE_WAIT(w, x);", "w = DEFINE_WAIT(x)"),
    ("sched->__state = 1;", "sched._state = 1"),
    ("job->run(job);", "job.run(job)"),
    ("BUG_ON(IS_ENABLED(CONFIG_OFF) && n);", "BUG_ON(False)"),
]


@pytest.mark.parametrize(("c", "python"), EXPRESSIONS, ids=[c for c, _ in EXPRESSIONS])
def test_a_statement(statements: Statements, c: str, python: str | None) -> None:
    assert statements(c) == ([] if python is None else [python])


BLOCKS = {
    "if": (
        "if (n) { f(n); } else if (job) g(); else h();",
        ["if n:", "    f(n)", "elif job:", "    g()", "else:", "    h()"],
    ),
    "while": ("while (n) n--;", ["while n:", "    n -= 1"]),
    "assignment in a condition": (
        "while ((job = first(sched))) f(job);",
        ["while (job := first(sched)):", "    f(job)"],
    ),
    "assignment of a member in a condition": (
        "while ((sched->current_job = first(sched))) f(job);",
        [
            "while True:",
            "    sched.current_job = first(sched)",
            "    if not sched.current_job:",
            "        break",
            "    f(job)",
        ],
    ),
    "do": (
        "do { f(n); } while (n > 0);",
        ["while True:", "    f(n)", "    if not n > 0:", "        break"],
    ),
    "do with a negation": (
        "do { f(n); } while (!n);",
        ["while True:", "    f(n)", "    if n:", "        break"],
    ),
    "endless": ("for (;;) { if (n) break; }", ["while True:", "    if n:", "        break"]),
    "range": (
        "int i; for (i = 0; i < n; i++) f(i);",
        ["for i in range(0, n):", "    f(i)"],
    ),
    "range up to": (
        "for (int i = 1; i <= n; ++i) f(i);",
        ["for i in range(1, n + 1):", "    f(i)"],
    ),
    "index read behind its loop": (
        "int i; for (i = 0; i < n; i++) if (f(i)) break; g(i);",
        [
            "i = 0",
            "while i < n:",
            "    if f(i):",
            "        break",
            "    i += 1",
            "g(i)",
        ],
    ),
    "index written behind its loop": (
        "int i; for (i = 0; i < n; i++) f(i); i = 0; g(i);",
        ["for i in range(0, n):", "    f(i)", "i = 0", "g(i)"],
    ),
    "continue in a loop with a step": (
        "for (; job; job = job->next) { if (n) continue; f(job); }",
        [
            "while job:",
            "    if n:",
            "        job = job.next",
            "        continue",
            "    f(job)",
            "    job = job.next",
        ],
    ),
    "two indices": (
        "int i, j; for (i = 0, j = 3; i < n; i++) f(i, j);",
        ["j = 3", "for i in range(0, n):", "    f(i, j)"],
    ),
    "list": (
        "struct job *pos; list_for_each_entry(pos, &sched->jobs, list) f(pos);",
        ["for pos in list_for_each_entry(sched.jobs, job, 'list'):", "    f(pos)"],
    ),
    "safe list": (
        "struct job *p, *q; list_for_each_entry_safe(p, q, &sched->jobs, list) { f(p); }",
        ["for (p, q) in list_for_each_entry_safe(sched.jobs, job, 'list'):", "    f(p)"],
    ),
    "array": (
        "xa_for_each(&sched->xa, index, job) f(job);",
        ["for (index, job) in xa_for_each(sched.xa):", "    f(job)"],
    ),
    "macro loop without a cursor": (
        "drm_exec_until_all_locked(&sched->exec) { g(n); drm_exec_retry_on_contention(&exec); }",
        [
            "for _ in drm_exec_until_all_locked(sched.exec):",
            "    g(n)",
            "    if drm_exec_retry_on_contention(exec):",
            "        continue",
        ],
    ),
    "text from a position on": (
        'char name[] = "xyz"; f(name + n);',
        ["name = 'xyz'", "f(name[n:])"],
    ),
    "jump out of an inner loop": (
        "drm_exec_until_all_locked(&exec) while (n) drm_exec_retry_on_contention(&exec);",
        [
            "for _ in drm_exec_until_all_locked(exec):",
            "    while n:",
            "        unsupported('drm_exec_retry_on_contention')",
        ],
    ),
    "local label": ("{ __label__ out; f(n); }", ["f(n)"]),
    "truth of a result": ("if (n) return !!job->flags;", ["if n:", "    return job.flags"]),
    "empty loop": (
        "dma_fence_chain_for_each(job, sched);",
        ["for job in dma_fence_chain_for_each(sched):", "    continue"],
    ),
    "switch": (
        "switch (n) { case ONE: case TWO: f(); break; case THREE: return; default: g(); }",
        [
            "match n:",
            "    case ONE | TWO:",
            "        f()",
            "    case THREE:",
            "        return",
            "    case _:",
            "        g()",
        ],
    ),
    "goto": (
        "if (n) goto out; f(n); out: g(n); err: h();",
        ["if n:", "    goto('out')", "f(n)", "label('out')", "g(n)", "label('err')", "h()"],
    ),
    "goto back": (
        "f(n); again: if (g(n)) goto again; h(n);",
        ["f(n)", "while True:", "    if g(n):", "        continue", "    h(n)", "    break"],
    ),
    "guard": (
        "f(n); guard(mutex)(&sched->lock); g(n); h(n);",
        ["f(n)", "with guard('mutex', sched.lock):", "    g(n)", "    h(n)"],
    ),
    "scoped guard": (
        "scoped_guard(mutex, &sched->lock) { g(n); } h(n);",
        ["with guard('mutex', sched.lock):", "    g(n)", "h(n)"],
    ),
    "step before": (
        "f(sched->table[--n]);",
        ["n -= 1", "f(sched.table[n])"],
    ),
    "step behind": ("f(sched, n++);", ["f(sched, n)", "n += 1"]),
    "step behind a return": ("return f(n++);", ["n += 1", "return f(n - 1)"]),
    "step before a return": ("return f(--n);", ["n -= 1", "return f(n)"]),
    "step in a condition": (
        "while (n--) f(n);",
        ["while n:", "    n -= 1", "    f(n)"],
    ),
    "step behind and": (
        "if (job && !--n) return;",
        ["if job:", "    n -= 1", "    if not n:", "        return"],
    ),
    "out-parameter": (
        "n = xa_alloc(&sched->xa, &id, job, limit, GFP_KERNEL);",
        ["n, id = xa_alloc(sched.xa, job, limit, GFP_KERNEL)"],
    ),
    "out-parameters without a result": (
        "dma_resv_list_entry(list, n, NULL, &fence, NULL);",
        ["fence, _ = dma_resv_list_entry(list, n, None)"],
    ),
    "out-parameter in a condition": (
        "if (!atomic_try_cmpxchg_relaxed(&sched->ref, &n, 1)) f(n);",
        [
            "ok, n = atomic_try_cmpxchg_relaxed(sched.ref, n, 1)",
            "if not ok:",
            "    f(n)",
        ],
    ),
    "code behind a jump": ("if (n) { return; f(n); } g(n);", ["if n:", "    return", "g(n)"]),
    "an option that is off": (
        "if (IS_ENABLED(CONFIG_OFF)) f(n); else g(n);",
        ["g(n)"],
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block(statements: Statements, name: str) -> None:
    c, python = BLOCKS[name]
    assert statements(c) == python


RULES = {
    "out-param": "n = xa_alloc(&sched->xa, &id, job, limit, GFP_KERNEL);",
    "walrus": "while ((sched->current_job = first(sched))) f(job);",
    "side-effect": "f(sched, n++);",
    "pointer-to-pointer": "f(&job->next);",
    "struct-copy": "*job = *job->next;",
    "rcu-value": "struct job *p; f(rcu_dereference(p));",
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_noted_on_one_statement(translate: Translate, rule: str) -> None:
    made = translate(f"void f(struct sched *sched, struct job *job, int n)\n{{ {RULES[rule]} }}")
    assert [item.rules for item in made.statements if item.rules] == [frozenset((rule,))]


def test_lines_are_those_of_the_c(translate: Translate) -> None:
    made = translate("\nvoid f(struct job *job)\n{\n\tif (job &&\n\t    job->done)\n\t\tg(job);\n}")
    assert [(item.line, item.text) for item in made.statements] == [
        (4, "if job and job.done:"),
        (6, "g(job)"),
    ]


def test_a_macro_is_a_function(translate: Translate) -> None:
    made = translate("#define f(a, b) \\\n({ int __x = (a); \\\n __x + b; })", "f")
    assert made.parameters == ("a", "b")
    assert [item.text for item in made.statements] == ["__x = a", "return __x + b"]
    assert [item.line for item in made.statements] == [2, 3]


def test_a_loop_macro_is_a_generator(translate: Translate) -> None:
    made = translate(
        "#define list_for_each(pos, head) \\\n"
        "\tfor (pos = (head)->next; !list_is_head(pos, (head)); pos = pos->next)",
        "list_for_each",
    )
    assert made.parameters == ("head",)
    assert [item.text for item in made.statements] == [
        "pos = head.next",
        "while not list_is_head(pos, head):",
        "yield pos",
        "pos = pos.next",
    ]


def test_a_macro_that_defines_functions_is_kept_as_a_hash(translate: Translate) -> None:
    code = "#define MAKE(name) static int name##_init(void) { return %d; }"
    first, second = translate(code % 1, "MAKE"), translate(code % 2, "MAKE")
    assert first.function.kind == "text"
    assert len(first.statements) == 1
    assert first.statements[0].hash != second.statements[0].hash


def test_out_parameters_are_returned(translate: Translate) -> None:
    made = translate(
        "int drm_syncobj_get_handle(struct file *file, struct obj *obj, u32 *handle)\n"
        "{ if (handle) *handle = 3; return 0; }"
    )
    assert made.parameters == ("file", "obj")
    assert [item.text for item in made.statements] == ["handle = 3", "return (0, handle)"]


def test_what_is_unknown_is_said(translate: Translate) -> None:
    made = translate("void f(void) { if (a == b) g(); }")
    assert made.unsure == ((1, "a and b"),)


def test_locals_and_outside_names(translate: Translate) -> None:
    made = translate("void f(struct job *job) { int x = g(job), unused; h(x, LIMIT); }")
    assert made.locals == ("x",)
    assert made.uses == ("LIMIT", "g", "h")


def test_traps(translate: Translate) -> None:
    made = translate(
        """void f(struct sched *sched, int n)
        {
                struct job *pos;
                int i, m;

                list_for_each_entry(pos, &sched->jobs, list)
                        if (pos->done)
                                break;
                if (&pos->list != &sched->jobs)
                        g(&m);
                for (i = 0; i < n; i++)
                        if (h(i))
                                break;
                while (i-- > 0)
                        k(i);
                for (; n; n = next(n))
                        if (h(n))
                                continue;
        }"""
    )
    assert [(trap.kind, trap.line, trap.name) for trap in made.traps] == [
        ("cursor", 9, "pos"),
        ("address", 10, "m"),
        ("index", 14, "i"),
        ("continue", 16, "n = next(n)"),
    ]
