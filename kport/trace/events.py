# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The events that are written and read, by name.

An event is its name, its system and the format it prints in, as in the kernel's TP_printk. The
format serves both ways: `text()` prints values with it, `values()` is a pattern made from it. A
kernel that spells an event differently gets one more entry; a format of its own for the same name
goes into `also`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

Value = int | str
Values = tuple[Value, ...]

_CONVERSION = re.compile(r"%(?:llu|u|d|s|p)")
_PATTERNS = {
    "%s": r"(.*?)",
    "%s,": r"([^,]*)",
    "%d": r"(-?\d{1,10})",
    "%u": r"(\d{1,10})",
    "%llu": r"(\d{1,20})",
    "%p": r"([0-9a-f]{1,16}|\(null\))",
}


class Event(NamedTuple):
    """One event of a trace. `ts` is ns since boot, `flags` the five characters of the kernel."""

    ts: int
    comm: str
    pid: int
    cpu: int
    flags: str
    name: str
    values: Values


class Spelling:
    """One print format, for printing and for parsing."""

    def __init__(self, printk: str) -> None:
        conversions = _CONVERSION.findall(printk)
        literals = _CONVERSION.split(printk)
        pattern = re.escape(literals[0])
        for conversion, literal in zip(conversions, literals[1:], strict=True):
            word = _PATTERNS.get(conversion + literal[:1]) or _PATTERNS[conversion]
            pattern += word + re.escape(literal)
        if conversions and not literals[-1] and conversions[-1] != "%s":
            pattern += r"(?!\d)"
        self.printk = printk
        self.format = _CONVERSION.sub(lambda m: "%s" if m[0] in ("%s", "%p") else "%d", printk)
        self.match = re.compile(pattern).match
        self.types: tuple[Callable[[str], Value], ...] = tuple(
            str if conversion in ("%s", "%p") else int for conversion in conversions
        )


class Kind:
    """An event by name: the names of its fields, and how it prints.

    `also` are other formats that are understood: each with a function from its values to ours.
    """

    def __init__(
        self,
        system: str,
        name: str,
        fields: tuple[str, ...],
        printk: str,
        also: tuple[tuple[str, Callable[[Values], Values]], ...] = (),
    ) -> None:
        self.system = system
        self.name = name
        self.fields = fields
        self.spelling = Spelling(printk)
        self.also = tuple((Spelling(other), convert) for other, convert in also)

    def text(self, values: Values) -> str:
        """The values as the kernel prints them."""
        return self.spelling.format % values

    def values(self, text: str, start: int = 0) -> Values | None:
        """The values in `text` from `start` on, or None if it is not this event's text."""
        spelling = self.spelling
        match = spelling.match(text, start)
        if match is not None:
            return tuple(
                kind(word) for kind, word in zip(spelling.types, match.groups(), strict=True)
            )
        for spelling, convert in self.also:
            match = spelling.match(text, start)
            if match is not None:
                words = zip(spelling.types, match.groups(), strict=True)
                return convert(tuple(kind(word) for kind, word in words))
        return None


_JOB_FIELDS = (
    "dev", "fence_context", "fence_seqno", "name", "job_count", "hw_job_count", "client_id",
)  # fmt: skip
_JOB = "dev=%s, fence=%llu:%llu, ring=%s, job count:%u, hw job count:%d"
_JOB_ID = "dev=%s, id=%llu, fence=%llu:%llu, ring=%s, job count:%u, hw job count:%d"
_JOB_ALSO: tuple[tuple[str, Callable[[Values], Values]], ...] = (
    # Kernels between the first and the last patch that made these events stable.
    (f"{_JOB_ID}, client_id:%llu", lambda v: v[:1] + v[2:]),
    (_JOB_ID, lambda v: (*v[:1], *v[2:], 0)),
    (_JOB, lambda v: (*v, 0)),
)
_DEP_FIELDS = ("fence_context", "fence_seqno", "ctx", "seqno")
_FENCE_FIELDS = ("driver", "timeline", "context", "seqno")
_FENCE = "driver=%s timeline=%s context=%u seqno=%u"

_KINDS = (
    *(
        Kind("gpu_scheduler", name, _JOB_FIELDS, f"{_JOB}, client_id:%llu", _JOB_ALSO)
        for name in ("drm_sched_job_queue", "drm_sched_job_run")
    ),
    Kind(
        "gpu_scheduler",
        "drm_sched_job_done",
        ("fence_context", "fence_seqno"),
        "fence=%llu:%llu signaled",
    ),
    Kind(
        "gpu_scheduler",
        "drm_sched_job_add_dep",
        _DEP_FIELDS,
        "fence=%llu:%llu depends on fence=%llu:%llu",
    ),
    Kind(
        "gpu_scheduler",
        "drm_sched_job_unschedulable",
        _DEP_FIELDS,
        "fence=%llu:%llu depends on unsignalled fence=%llu:%llu",
    ),
    *(
        Kind("dma_fence", f"dma_fence_{what}", _FENCE_FIELDS, _FENCE)
        for what in (
            "emit", "init", "destroy", "enable_signal", "signaled", "wait_start", "wait_end",
        )
    ),
)  # fmt: skip

EVENTS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}

# The events of kernels before 6.17. They print pointers instead of fence numbers. Where dma_fence
# events tell the numbers, kport.trace.numbering finds them.
_OLD_JOB_FIELDS = ("entity", "id", "fence", "name", "job_count", "hw_job_count")
_OLD_JOB = "entity=%p, id=%llu, fence=%p, ring=%s, job count:%u, hw job count:%d"

BEFORE_6_17: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *(
            Kind("gpu_scheduler", name, _OLD_JOB_FIELDS, _OLD_JOB)
            for name in ("drm_sched_job", "drm_run_job")
        ),
        Kind("gpu_scheduler", "drm_sched_process_job", ("fence",), "fence=%p signaled"),
        Kind(
            "gpu_scheduler",
            "drm_sched_job_wait_dep",
            ("name", "id", "fence", "ctx", "seqno"),
            "job ring=%s, id=%llu, depends fence=%p, context=%llu, seq=%u",
        ),
    )
}

# What a recorder writes.
WRITTEN: dict[str, Kind] = EVENTS | BEFORE_6_17
