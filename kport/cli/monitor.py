# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport monitor`: what a scheduler does, or did, on a screen, as JSON, or held to assertions."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from kport.cli.inputs import STDIN, kind_of
from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.terminal import Bar
from kport.workload.errors import InputError
from tui.view import SCREENS

if TYPE_CHECKING:
    from kport.trace.client import Attachment
    from kport.trace.expr import Comparison
    from kport.trace.model import Model

SCREEN_SECONDS = 120  # that the built-in workloads play to be looked at

Make = Callable[[], "Model"]

_USAGE = """\
kport monitor [options] [RECORDING]
       kport monitor [options] [WORKLOAD]... [-- OPTIONS OF kport run]
       kport monitor [options] --attach SOCKET"""
_EPILOG = """\
A RECORDING is looked at as it is (trace text of gpu_scheduler and dma_fence
events; those of kernels before 6.17 too); to play it, use --play. Workloads,
by default the built-in ones, run in a process of their own, which is watched.
SOCKET is that of a `kport run --serve SOCKET`.

--json and --assert need no terminal. They look at a recording as a whole, at a
workload when it has ended, at an attached port when it has ended or after
--seconds. An assertion compares a figure of the jobs' lives:
    kport monitor --assert 'p99(wait, ring=rcs) < 5ms' game.wsim
figures   p50 p90 p99 (any p up to 100), min, mean, max of a stage; count
stages    wait (queued to run), depend (to the end of its dependencies), pick
          (from there to run), run, hw, signal, free, latency, pass
filters   ring=NAME, client=N; several comparisons are joined by: and

--json prints one object; its keys are stable, new ones may come:
    source      the file, socket or "workload"
    events      number of events, and lost: those that never arrived
    snapshot    all that is known at the end, or at --at
    stats       {stage: {count, mean, p50, p90, p99, max}}, ns
    rings       [{dev, ring, jobs, stats}]
    clients     [{client, jobs, stats}]
    assertions  [{text, holds, value}]
    notes       [text]

On a terminal the built-in workloads play for 120 s. When the monitor is left,
what a workload of its own did is printed as by kport run. ? shows all keys.
--svg draws the screen of --screen at --at, of a workload when it has ended.

--at TIME is s since boot (12.5), since the first event (+1.25), or an event by
its number (#4711).

Exit codes: 0; 1 if an assertion is false or the port broke; 2 for bad input;
130 after Ctrl-C.
"""


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport monitor",
        usage=_USAGE,
        description="See what the scheduler does, or did.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("files", nargs="*", metavar="FILE", help="a recording, or workloads")
    add("--attach", metavar="SOCKET", help="follow a running port")
    add("--play", action="store_true", help="play the recording instead of looking at it")
    add("--span", metavar="MS", type=real(0, 1e9), help="width of the window of --svg")
    add("--theme", choices=("dark", "light"), default="dark", help="of --svg, default: dark")
    add("--here", action="store_true", help="play in this process, and say what that costs")
    add("--virt", metavar="SEED", type=whole(0, 2**63 - 1), nargs="?", const=0,
        help="play on the deterministic machine, event by event")  # fmt: skip
    add("--at", metavar="TIME", type=_moment, help="the moment to show")
    add("--screen", choices=SCREENS, help="begin with this one: " + ", ".join(SCREENS))
    add("--svg", metavar="FILE", help="draw one screen into FILE, - for standard output")
    add("--size", metavar="WxH", type=_size, default=(120, 40), help="of --svg, default: 120x40")
    add("--json", action="store_true", help="print one JSON object")
    add("--assert", metavar="EXPR", action="append", default=[], dest="asserted",
        help="hold it to this; may be given again")  # fmt: skip
    add("--seconds", metavar="S", type=real(0, 1e6), help="follow for so long")
    p.set_defaults(run=[])
    return p


def _moment(text: str) -> tuple[str, float]:
    """The type of --at: how it counts, and the number."""
    match = re.fullmatch(r"([+#]?)(\d+(?:\.\d+)?)", text)
    if match is None or (match[1] == "#" and "." in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 12.5, +1.25 or #4711")
    return match[1], float(match[2])


def _size(text: str) -> tuple[int, int]:
    """The type of --size."""
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)
    if match is None or not (20 <= int(match[1]) <= 1000 and 5 <= int(match[2]) <= 500):
        raise argparse.ArgumentTypeError(f"{text!r} is no size from 20x5 to 1000x500, as 120x40")
    return int(match[1]), int(match[2])


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code. Raises InputError and UsageError."""
    arguments = list(arguments)
    rest: list[str] = []
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, rest = arguments[:cut], arguments[cut + 1 :]
    options = parser().parse_intermixed_args(arguments)
    options.run = rest
    comparisons = _comparisons(options.asserted)
    recording = _recording(options)
    _check_here(options, recording, bool(options.json or comparisons or options.svg))
    if not (options.json or comparisons or options.svg):
        return _screen(options, recording)
    with StopOnInterrupt() as interrupts:
        if recording is not None:
            model, failure = _read(recording), ""
            lost = 0
        else:
            with port_of(options) as port:
                model, failure = _follow(port, options, interrupts.stop.is_set)
                lost = port.dropped
        interrupted = interrupts.stop.is_set()
        interrupts.leaving = interrupted
    code = _report(options, model, comparisons, lost) if options.json or comparisons else 0
    if options.svg:
        _draw(options, model)
    if failure:
        print(f"kport: {failure}", file=sys.stderr)
    return 130 if interrupted else max(code, int(bool(failure)))


# -- what to look at -----------------------------------------------------------------------------


def _check_here(options: argparse.Namespace, recording: str | None, quiet: bool) -> None:
    """--here and --virt are for what is played, and looked at. Raises UsageError."""
    option = "--virt" if options.virt is not None else "--here"
    if not options.here and options.virt is None:
        return
    if quiet:
        raise UsageError(f"{option} is for the screen; leave out --json, --assert and --svg")
    if recording is not None or options.attach is not None:
        raise UsageError(f"{option} plays something itself; give workloads, or --play RECORDING")


def _comparisons(texts: list[str]) -> list[Comparison]:
    from kport.trace.expr import ExprError, parse

    found: list[Comparison] = []
    for text in texts:
        try:
            found += parse(text)
        except ExprError as error:
            raise UsageError(f"--assert: {error}; see kport monitor --help") from None
    return found


def _recording(options: argparse.Namespace) -> str | None:
    """The recording to look at; None for a port. Raises InputError and UsageError."""
    if options.attach is not None:
        if options.files or options.run or options.play:
            raise UsageError("--attach follows a port that runs; give no files with it")
        return None
    kinds = {path: kind_of(path) for path in options.files}
    if options.play or "recording" not in kinds.values():
        return None
    if len(options.files) > 1:
        raise UsageError(
            f"{' and '.join(options.files[:2])}: one recording is looked at at a time, by itself"
        )
    if options.run:
        raise UsageError("options of kport run are for what is played; give --play with them")
    path: str = options.files[0]
    return path


def _read(path: str) -> Model:
    """The model of a recording. Raises InputError."""
    from kport.trace.model import open_recording
    from kport.trace.source import TraceError

    try:
        with Bar(sys.stderr) as bar:
            return open_recording(path, bar.count)
    except TraceError as error:
        name = STDIN if path == "-" else path
        where = f"{name}:{error.line}" if error.line else name
        raise InputError(where, error.what, error.remedy or "check the file") from None


@contextmanager
def port_of(options: argparse.Namespace) -> Iterator[Attachment]:
    """The port that the options name, or one that is started. Raises InputError."""
    from kport.trace.client import AttachError, attach, spawn

    where = options.attach if options.attach is not None else "kport run"
    try:
        if options.attach is not None:
            port = attach(options.attach)
        else:
            port = spawn([*options.run, *options.files])
    except AttachError as error:
        raise InputError(where or repr(where), error.what, error.remedy) from None
    with port:
        yield port


def _follow(
    port: Attachment, options: argparse.Namespace, stopped: Callable[[], bool]
) -> tuple[Model, str]:
    """Follow to the end; returns the model, and what went wrong."""
    from kport.trace.client import Spawned
    from tui.port import LoggedModel

    model = LoggedModel(keep=None)
    end = monotonic() + options.seconds if options.seconds is not None else None
    with Bar(sys.stderr) as bar:
        while port.poll(model, 0.2):
            bar.count(port.events)
            if stopped() or (end is not None and monotonic() > end):
                model.settle()
                return model, ""
            if not port.lag:
                sleep(0.02)
    if isinstance(port, Spawned):
        code = port.process.wait(30)
        if code not in (0, 130):
            said = port.output().strip().splitlines()
            return model, f"the port ended with code {code}: {said[-1] if said else port.why}"
        return model, ""
    return model, "" if port.why == "the port has ended" else f"{options.attach}: {port.why}"


# -- what to say ---------------------------------------------------------------------------------


def number_of(model: Model, moment: tuple[str, float] | None) -> int | None:
    """The event that --at names. Raises UsageError for one that is not there."""
    if moment is None:
        return None
    sign, value = moment
    if sign == "#":
        number = int(value)
        if not model.log.first <= number < model.log.end:
            raise UsageError(
                f"--at: there is no event #{number}; they go from #{model.log.first} to "
                f"#{model.log.end - 1}"
            )
        return number
    ns = round(value * 1e9) + (model.began if sign else 0)
    number = model.at_time(ns)
    if number < model.log.first or ns > model.ended:
        raise UsageError(
            f"--at: nothing is known of {ns / 1e9:.6f} s; the events go from "
            f"{model.began / 1e9:.6f} to {model.ended / 1e9:.6f} s"
        )
    return number


def _report(
    options: argparse.Namespace, model: Model, comparisons: list[Comparison], lost: int
) -> int:
    checked = [(comparison.text, *comparison.check(model)) for comparison in comparisons]
    if options.json:
        text = json.dumps(_object(options, model, checked, lost), indent=2)
        print(text)
    else:
        for _, _, line in checked:
            print(line)
        for note in model.notes:
            print(f"kport: {note}", file=sys.stderr)
    sys.stdout.flush()
    return 0 if all(holds for _, holds, _ in checked) else 1


def _object(
    options: argparse.Namespace,
    model: Model,
    checked: list[tuple[str, bool, str]],
    lost: int,
) -> dict[str, Any]:
    """What --json prints."""
    from kport.trace.snapshot import plain
    from kport.trace.stats import STAGES

    at = number_of(model, options.at)
    source = options.attach or " ".join(options.files) or "workload"
    rings = [
        {
            "dev": ring.dev,
            "ring": ring.ring,
            "jobs": model.stats("pass", ring=ring).count,
            "stats": {stage: plain(model.stats(stage, ring=ring)) for stage in STAGES},
        }
        for ring in model.rings()
    ]
    clients = [
        {
            "client": client,
            "jobs": model.stats("pass", client=client).count,
            "stats": {stage: plain(model.stats(stage, client=client)) for stage in STAGES},
        }
        for client in model.clients()
    ]
    return {
        "source": source,
        "events": {"count": len(model.log), "lost": lost},
        "snapshot": plain(model.snapshot(at)),
        "stats": {stage: plain(model.stats(stage)) for stage in STAGES},
        "rings": rings,
        "clients": clients,
        "assertions": [
            {"text": text, "holds": holds, "value": line.removeprefix(f"{text}: ")}
            for text, holds, line in checked
        ],
        "notes": model.notes,
    }


def _screen(options: argparse.Namespace, recording: str | None) -> int:
    """Show it on the terminal. Raises UsageError where there is none."""
    served = os.environ.get("TEXTUAL_DRIVER")  # textual-serve has a browser for a terminal
    if not (served or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise UsageError("the monitor needs a terminal; without one use --json, --assert or --svg")
    from kport.trace.client import step_back
    from tui.main import show_port, show_recording

    if recording is not None:
        model = _read(recording)
        at = number_of(model, options.at)
        show_recording(model, _name(options), screen=options.screen, at=at)
        return 0
    if not (options.files or options.run or options.attach):
        options.run = ["--seconds", str(SCREEN_SECONDS)]
    if options.here or options.virt is not None:
        return _here(options)
    with port_of(options) as port:
        step_back()
        printed = show_port(port, _name(options), screen=options.screen)
    sys.stdout.write(printed)
    return 0


def _here(options: argparse.Namespace) -> int:
    """Play in this process, with the screen beside it or, in virtual time, in front of it."""
    from kport.arch.virt import Virt
    from kport.cli.here import hosted
    from tui.gate import Gate
    from tui.main import show_here

    machine = gate = None
    name = _name(options)
    if options.virt is not None:
        machine, gate = Virt(seed=options.virt), Gate()
        name += f", seed {options.virt}"
    with hosted([*options.run, *options.files], machine, gate) as host:
        with host.attach() as port:
            show_here(port, name, screen=options.screen, gate=gate)
        host.end()
        code = host.show()
        return 0 if code == 130 else code  # it was left, which is no failure


def _name(options: argparse.Namespace) -> str:
    """What is looked at, for a title."""
    return options.attach or " ".join(options.files) or "built-in workload"


def _draw(options: argparse.Namespace, model: Model) -> None:
    """Write the picture. Raises InputError."""
    from tui.main import picture

    text = picture(
        model,
        _name(options),
        screen=options.screen or "rings",
        at=number_of(model, options.at),
        size=options.size,
        theme=options.theme,
        span=None if options.span is None else max(1000, int(options.span * 1e6)),
    )
    if options.svg == "-":
        sys.stdout.write(text)
        return
    try:
        with open(options.svg, "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"--svg {options.svg}", reason, "name a file to write") from None
