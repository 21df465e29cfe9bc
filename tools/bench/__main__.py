# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command line of the measurements."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from typing import Any

from tools.bench.anchor import machine, pool_us, rounds, tell
from tools.bench.explore import explore_figures
from tools.bench.monitor import FAST, MODES, cost, opening
from tools.bench.museum import STRATEGIES, museum_figures, show_museum
from tools.bench.null_jobs import SHAPES, null_jobs
from tools.bench.overhead import NAMES, overhead
from tools.bench.points import points
from tools.bench.sampler import Sampler

POLICIES = {"rr": 0, "fifo": 1, "fair": 2}


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 0, or 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    sub = parser.add_subparsers(dest="what", required=True)
    for name in ("null-jobs", "overhead", "points", "monitor", "explore"):
        p = sub.add_parser(name)
        p.add_argument("--json", action="store_true", help="one object instead of a table")
        p.add_argument("--policy", choices=POLICIES, default="fair")
        p.add_argument("--rounds", type=_positive, default=5, help="default %(default)s")
    for name in ("null-jobs", "points"):
        p = sub.choices[name]
        p.add_argument("--jobs", type=_positive, default=20_000, help="default %(default)s")
    p = sub.choices["null-jobs"]
    p.add_argument("--profile", action="store_true", help="say where the time goes as well")
    p = sub.choices["monitor"]
    p.add_argument("--seconds", type=_positive, default=10, help="of each run, default %(default)s")
    p.add_argument("--events", type=_positive, default=1_000_000, help="default %(default)s")
    p = sub.choices["explore"]
    p.add_argument("--no-peers", action="store_true", help="do not install and run the peers")
    p = sub.add_parser("museum")
    p.add_argument("--json", action="store_true", help="one object instead of a table")
    p.add_argument("--seeds", type=_positive, default=20, help="default %(default)s")
    p.add_argument("--seconds", type=float, default=60, help="of each search, default %(default)s")
    p.add_argument("--strategies", default=",".join(STRATEGIES), help="default %(default)s")
    p.add_argument("exhibits", nargs="*", metavar="EXHIBIT", help="default: all")
    p.set_defaults(policy="-")
    args = parser.parse_args(argv)
    measure, show = _WHAT[args.what]
    figures = measure(args)
    tell("")
    figures = {"what": args.what, "machine": machine(), "policy": args.policy, **figures}
    if args.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _null_jobs(args: argparse.Namespace) -> dict[str, Any]:
    policy = POLICIES[args.policy]
    shapes = {}
    for name, (entities, chain) in SHAPES.items():

        def one(entities: int = entities, chain: bool = chain) -> float:
            return null_jobs(args.jobs, entities, chain, policy)

        shapes[name] = rounds(args.rounds, args.jobs, one, name)
    figures: dict[str, Any] = {"jobs": args.jobs, "rounds": args.rounds, "shapes": shapes}
    if args.profile:
        sampler = Sampler()
        null_jobs(args.jobs, 16, False, policy, sampler)
        figures["profile"] = [
            {"function": name, "total": round(total, 3), "self": round(own, 3)}
            for name, total, own in sampler.shares()
        ]
    return figures


def _print_null_jobs(figures: dict[str, Any]) -> None:
    print(f"{figures['jobs']:,} jobs, run_job() returns NULL, policy {figures['policy']}")
    print(f"{figures['machine']}; medians of {figures['rounds']}\n")
    print(f"{'':16}{'us per job':>12}{'us per future':>16}{'rate of pool':>15}")
    for name, row in figures["shapes"].items():
        print(f"{name:16}{row['port_us']:>12.1f}{row['pool_us']:>16.1f}{row['rate']:>15.2f}")
    if "profile" in figures:
        print(f"\n{'16 entities, samples with the function':44}{'on the stack':>14}{'on top':>9}")
        for row in figures["profile"]:
            print(f"{row['function']:44}{row['total']:>13.0%} {row['self']:>8.0%}")


def _overhead(args: argparse.Namespace) -> dict[str, Any]:
    runs: dict[str, list[float]] = {name: [] for name in NAMES}
    pool: list[float] = []
    for i in range(args.rounds):
        tell(f"round {i + 1} of {args.rounds}")
        for name, value in overhead(POLICIES[args.policy]).items():
            runs[name].append(value)
        pool.append(pool_us(1000))
    return {
        "rounds": args.rounds,
        "total_over_ideal": {k: round(statistics.median(v), 3) for k, v in runs.items()},
        "all": runs,
        "pool_us": round(statistics.median(pool), 2),
    }


def _print_overhead(figures: dict[str, Any]) -> None:
    print(f"1,000 jobs of 1 ms, one credit, policy {figures['policy']}")
    print(f"{figures['machine']}; medians of {figures['rounds']}\n")
    print(f"{'':16}{'total over ideal':>18}{'least':>9}{'most':>9}")
    for name, value in figures["total_over_ideal"].items():
        every = figures["all"][name]
        print(f"{name:16}{value:>18.3f}{min(every):>9.3f}{max(every):>9.3f}")
    print(f"\nanchor: {figures['pool_us']:.1f} us per future of a thread pool, 1,000 futures")


def _points(args: argparse.Namespace) -> dict[str, Any]:
    figures = points(
        args.jobs, POLICIES[args.policy], args.rounds, lambda: pool_us(args.jobs), tell
    )
    return {"jobs": args.jobs, **figures}


def _print_points(figures: dict[str, Any]) -> None:
    print(f"machine virt; {figures['machine']}; medians of {figures['rounds']}\n")
    print(f"{'points':>8}{'mean run':>10}{'executions per second':>24}")
    for row in figures["executions"]:
        print(f"{row['points']:>8}{row['mean']:>10}{row['per_second']:>24,}")
    print(f"\n{figures['boot_us']:.0f} us to boot a kernel and leave it")
    print(
        f"{figures['null_job_us']:.1f} us per null job ({figures['jobs']:,} jobs, 16 entities, "
        f"policy {figures['policy']})"
    )
    print(f"anchor: {figures['pool_us']:.1f} us per future of a thread pool")


def _monitor(args: argparse.Namespace) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    for i in range(args.rounds):
        for mode in MODES:
            tell(f"round {i + 1} of {args.rounds}: {mode}")
            runs[mode].append(cost(args.seconds, mode))
    tell("following a fast port")
    fast = cost(args.seconds, "watched", FAST)
    tell(f"a recording of {args.events:,} events")
    return {
        "rounds": args.rounds,
        "seconds": args.seconds,
        "cost": {
            mode: {key: statistics.median(run[key] for run in found) for key in found[0]}
            for mode, found in runs.items()
        },
        "follow": fast,
        "recording": opening(args.events),
    }


def _print_monitor(figures: dict[str, Any]) -> None:
    alone, watched = figures["cost"]["alone"], figures["cost"]["watched"]
    print(f"{figures['machine']}; medians of {figures['rounds']} runs of {figures['seconds']} s\n")
    print(f"{'queue to run, us':20}{'jobs':>9}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>10}")
    for mode, row in figures["cost"].items():
        print(
            f"{mode:20}{row['jobs']:>9,.0f}{row['p50_us']:>9.1f}{row['p90_us']:>9.1f}"
            f"{row['p99_us']:>9.1f}{row['max_us']:>10.1f}"
        )
    print(f"\np99 with a viewer over p99 without: {watched['p99_us'] / alone['p99_us']:.2f}")
    for name in ("watched", "follow"):
        row = figures["cost"][name] if name == "watched" else figures[name]
        print(
            f"{row['events_per_s']:,.0f} events/s followed, {row['dropped']:,.0f} lost: observer "
            f"{row['observer_pct']:.1f} % of a CPU, model {row['viewer_cpu_pct']:.1f} %,\n"
            f"    {row['frame_ms']:.2f} ms per frame"
        )
    row = figures["recording"]
    print(
        f"\na recording of {row['events']:,} events: open {row['open_s']:.2f} s, a lane of 200 "
        f"columns {row['lane_ms']:.2f} ms\n(first time {row['first_lane_ms']:.1f} ms), any moment "
        f"{row['moment_ms']:.1f} ms; the slowest of each"
    )


def _explore(args: argparse.Namespace) -> dict[str, Any]:
    return explore_figures(args.rounds, not args.no_peers, tell)


def _print_explore(figures: dict[str, Any]) -> None:
    print(f"exploring; {figures['machine']}; medians of {figures['rounds']}, CPU time\n")
    print(f"{'programs':12}{'checks':12}{'points':>8}{'schedules/s':>14}")
    for row in figures["programs"]:
        rate = f"{row['points']:>8.0f}{row['per_second']:>14,}"
        print(f"{row['strategy']:12}{row['check']:12}{rate}")
    print(f"\n{'scenario':12}{'checks':12}{'points':>8}{'schedules/s':>14}")
    for row in figures["scenario"]:
        print(
            f"{row['strategy']:12}{row['check']:12}{row['points']:>8.0f}{row['per_second']:>14,}"
        )
    for text in figures["failed"]:
        print(f"failed: {text}")
    print()
    for name, row in figures["proofs"].items():
        how = "proved" if row["proved"] else "not proved"
        print(f"{name}: {how} by DPOR in {row['executions']} executions, {row['ms']} ms")
    print("\ntwo tasks that add 1: schedules/s with a lock; schedules to find it missing")
    _print_small("kport", figures["small"], figures["lost_update"])
    for name, row in figures["peers"].items():
        if "skipped" in row:
            print(f"{name}: skipped, {row['skipped']}")
        else:
            _print_small(f"{name} {row['version']}", row["rates"], row["lost_update"])


def _print_small(name: str, rates: dict[str, float], found: dict[str, int]) -> None:
    for strategy in {**rates, **found}:
        rate = f"{rates[strategy]:,.0f}/s" if strategy in rates else "-"
        print(f"{name:24}{strategy:12}{rate:>12}{found.get(strategy, '-'):>8}")


def _museum(args: argparse.Namespace) -> dict[str, Any]:
    return museum_figures(args.seeds, args.seconds, args.strategies.split(","), args.exhibits)


_WHAT = {
    "explore": (_explore, _print_explore),
    "monitor": (_monitor, _print_monitor),
    "museum": (_museum, show_museum),
    "null-jobs": (_null_jobs, _print_null_jobs),
    "overhead": (_overhead, _print_overhead),
    "points": (_points, _print_points),
}


if __name__ == "__main__":
    sys.exit(main())
