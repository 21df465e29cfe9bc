# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport museum`: races of the past, brought back, found, shown and mended."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kport.cli.interrupt import StopOnInterrupt
from kport.cli.options import Parser, UsageError, real, whole
from kport.cli.terminal import Bar

if TYPE_CHECKING:
    from kport.explore import Result
    from kport.museum.exhibit import Exhibit
    from kport.museum.play import Visit

_EPILOG = """\
Each exhibit is a bug of drm_sched or dma-fence that shipped. The statements
that mended it are taken back in the port (in memory only), its scenario is
explored until the bug shows, the schedule is shrunk and played again, and the
mended code goes through the same search. F01 and on are no history: what was
found in the kernels as they stand, with a mend that is proposed.

    kport museum                          what there is
    kport museum R01                      find it, show it, play it again
    kport museum R02 R04 --strategy random --seed 7
    kport explore R01 --strategy dfs:2    search in any other way
    kport replay TOKEN                    the schedule once more, step by step

--json prints one object: exhibits [{id, slug, title, fix, subject, cve,
affected, sched, scenario, diff, as_it_stands}], and for those that were played
visits [{hunt {exhibit, strategy, seed, schedules, seconds, failure {kind,
headline, report, token, ...} or null, other}, replays, survived, seconds,
broke [text]}].

Exit codes: 0; 1 if a bug was not found, a replay differed or the mended code
broke; 2 for bad input; 130 after Ctrl-C.
"""


def parser() -> Parser:
    """The parser of the command's options."""
    p = Parser(
        prog="kport museum",
        usage="kport museum [options] [EXHIBIT]...",
        description="Races of the past: find them, see them, see them mended.",
        epilog=_EPILOG,
    )
    add = p.add_argument
    add("exhibits", metavar="EXHIBIT", nargs="*", help="R01, R02 ...; or all")
    add("--strategy", default="pct:3", help="how to search, default: pct:3")
    add("--seed", metavar="N", type=whole(0, 2**63), default=0, help="default: 0")
    add("--seconds", metavar="S", type=real(0, 1e6), default=60.0, help="of a search, default: 60")
    add("--replays", metavar="N", type=whole(0), default=3, help="default: 3")
    add("--survive", metavar="N", type=whole(1), default=1000, help="by mended code, default: 1000")
    add("--json", action="store_true", help="print one JSON object instead of text")
    return p


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    options = parser().parse_args(arguments)
    from kport.explore.strategies import strategy
    from kport.museum.exhibits import EXHIBITS
    from kport.museum.findings import FINDINGS

    try:
        strategy(options.strategy)
    except ValueError as error:
        raise UsageError(str(error)) from None
    shown = {**EXHIBITS, **FINDINGS}
    wanted = list(shown) if options.exhibits == ["all"] else options.exhibits
    for name in wanted:
        if name not in shown:
            raise UsageError(f"no exhibit {name!r}; there is: {', '.join(shown)}")
    if not wanted:
        _list(list(shown.values()), options.json)
        return 0
    with StopOnInterrupt() as interrupts:
        visits = []
        for name in wanted:
            if interrupts.stop.is_set():
                break
            visits.append(_visit(shown[name], options))
            if not options.json:
                _show(shown[name], visits[-1])
        interrupts.leaving = len(visits) < len(wanted)
    if options.json:
        exhibits = [_exhibit(shown[name]) for name in wanted]
        print(json.dumps({"exhibits": exhibits, "visits": [asdict(v) for v in visits]}, indent=2))
    sys.stdout.flush()
    if len(visits) < len(wanted):
        return 130
    return 0 if all(visit.good for visit in visits) else 1


def _visit(exhibit: Exhibit, options: Any) -> Visit:
    from kport.museum.play import visit

    with Bar(sys.stderr) as bar:

        def progress(what: str, result: Result) -> None:
            if what == "mended":
                bar(result.schedules, options.survive)
            else:
                bar(int(10 * result.seconds), int(10 * options.seconds))

        return visit(
            exhibit,
            options.strategy,
            seed=options.seed,
            seconds=options.seconds,
            replays=options.replays,
            survive=options.survive,
            progress=progress,
        )


def _exhibit(exhibit: Exhibit) -> dict[str, Any]:
    return {
        "id": exhibit.id,
        "slug": exhibit.slug,
        "title": exhibit.title,
        "fix": exhibit.fix,
        "subject": exhibit.subject,
        "cve": exhibit.cve,
        "affected": exhibit.affected,
        "sched": exhibit.sched,
        "scenario": (exhibit.scenario.__doc__ or "").strip(),
        "diff": "\n".join(edit.diff() for edit in exhibit.edits()),
        "mend": "\n".join(edit.diff() for edit in exhibit.mend()),
        "as_it_stands": exhibit.as_it_stands,
    }


def _list(exhibits: Sequence[Exhibit], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"exhibits": [_exhibit(e) for e in exhibits]}, indent=2))
        return
    wide = max(len(e.title) for e in exhibits)
    for e in exhibits:
        print(f"{e.id}  {e.title:{wide}}  {e.affected}")
    print(f"\n{len(exhibits)} exhibits; `kport museum R01` plays one")


def _show(exhibit: Exhibit, shown: Visit) -> None:
    hunt = shown.hunt
    print(f"{exhibit.id} {exhibit.slug}: {exhibit.title}")
    if exhibit.fix or not exhibit.as_it_stands:
        print(f"mended by {exhibit.fix or '?'} {exhibit.subject}".rstrip())
    if exhibit.note:
        print(exhibit.note)
    if exhibit.as_it_stands:
        print(f"the scheduler of {exhibit.sched} has it as it stands")
    for edit in (*exhibit.edits(), *exhibit.mend()):
        print(edit.diff())
    print()
    if hunt.failure is None:
        print(f"not found in {hunt.schedules:,} schedules, {hunt.seconds:.1f} s", hunt.other)
    else:
        print(hunt.failure.report)
        many = "schedule" if hunt.schedules == 1 else "schedules"
        print(f"\nfound by {hunt.strategy} in {hunt.schedules:,} {many}, {hunt.seconds:.2f} s")
        print(f"played again {shown.replays} times, the same each time")
    print(f"mended: {shown.survived:,} schedules in {shown.seconds:.1f} s", end="")
    print(", none of which fails" if not shown.broke else "")
    for line in shown.broke:
        print(f"BROKE: {line}")
    if hunt.failure is not None:
        print(f"kport replay {hunt.failure.token}")
    print()
