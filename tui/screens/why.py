# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Why is this job waiting? The jobs that are not over, and the chain below the selected one."""

from __future__ import annotations

from kport.trace.snapshot import Job, JobKey, Link
from tui.scene import Scene
from tui.screens.base import Screen, choose_job
from tui.screens.fences import life
from tui.table import Column, Row, Table
from tui.text import Line, clean, fit, fit_line, short
from tui.theme import CLIENT_COLOURS, letter

KINDS = {
    "dependency": ("DEP", "accent"),
    "head-of-line": ("LINE", "warn"),
    "credits": ("CRED", "warn"),
    "policy": ("POL", "accent"),
    "stopped": ("STOP", "bad"),
    "hardware": ("HW", "good"),
    "over": ("over", "dim"),
    "unknown": ("?", "dim"),
}


def _row(scene: Scene, job: Job) -> Row:
    number = scene.number_of(job.client, job.key[0])
    blocked = job.blocked_on
    return {
        "who": letter(number),
        "job": job.name,
        "ring": scene.ring_name(job.ring),
        "client": job.client,
        "state": job.state,
        "wait": (job.run if job.run is not None else scene.now) - job.queued,
        "on_hw": None if job.run is None else scene.now - job.run,
        "ready": None if job.ready is None else scene.now - job.ready,
        "depends": len(job.depends),
        "blocked_on": "" if blocked is None else f"{blocked[0]}:{blocked[1]}",
        "submitter": job.submitter,
        "_job": job.key,
        "_id": job.key,
        "_ring": job.ring,
        "_number": number,
    }


def data(scene: Scene) -> list[Row]:
    """The jobs that are not over: those that wait first, the oldest of them first."""
    jobs = sorted(scene.snapshot.jobs, key=lambda job: (job.state == "running", job.queued))
    return [_row(scene, job) for job in jobs]


TABLE = Table(
    "why",
    (
        Column("who", 1, style=lambda row: f"b{row['_number'] % CLIENT_COLOURS}", title=" "),
        Column("job", 10),
        Column("ring", 12, grows=True, tail=True),
        Column("client", 6, right=True, rank=4),
        Column("state", 8),
        Column("wait", 8, short, right=True, title="waited"),
        Column("on_hw", 8, short, right=True, rank=2),
        Column("ready", 8, short, right=True, rank=3),
        Column("depends", 4, right=True, rank=3, title="deps"),
        Column("blocked_on", 11, rank=1),
        Column("submitter", 14, rank=5, grows=True),
    ),
    "no job waits or runs at this moment",
)


def asked(scene: Scene) -> JobKey | None:
    """The job that the question is about: the chosen one, else the selected row's."""
    if scene.view.job is not None:
        return scene.view.job
    selected = TABLE.selected(scene, data(scene))
    return None if selected is None else selected["_job"]


def paint(scene: Scene, width: int, height: int) -> list[Line]:
    """The jobs above, the question and its answer below."""
    rows = data(scene)
    if scene.view.job is not None:
        scene.view.chosen["why"] = scene.view.job
    job = asked(scene)
    below = chain(scene, job, width) if job is not None else []
    room = min(len(rows) + 2, max(4, height // 3, height - len(below)))
    out = TABLE.lines(scene, rows, width, min(room, height)) + below
    return [*out, *([fit_line([], width)] * (height - len(out)))][:height]


def chain(scene: Scene, key: JobKey, width: int) -> list[Line]:
    """The life of a job and what it waits for, as lines."""
    model, at = scene.model, scene.view.at
    job = model.job(key, at)
    name = job.name if job is not None else f"{key[0]}:{key[1]}"
    out = life(scene, f" {name} ", model.job_life(key, at), width)
    if job is None:
        return [*out, fit_line([(f"{name} is not known at this moment", "warn")], width)]
    links = model.why(key, at)
    for number, link in enumerate(links):
        last = not any(other.depth == link.depth for other in links[number + 1 :])
        out.append(fit_line(_link(scene, link, last), width))
    return out


def _link(scene: Scene, link: Link, last: bool) -> Line:
    word, style = KINDS[link.kind]
    glyphs = scene.glyphs
    branch = glyphs.last if last else glyphs.branch
    lead = "   " * link.depth + (branch if link.depth else "")
    line: Line = [(fit(word, 5), style), (lead, "rule"), (clean(link.text), "")]
    if link.since is not None:
        line.append((f"  {short(scene.now - link.since)} ago", "dim"))
    return line


SCREEN = Screen(paint, data, TABLE, choose_job)
