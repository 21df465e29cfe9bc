# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""The command line: its reports, and one line with exit code 2 for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.cdiff import cli, tree
from tools.cdiff.pysource import ROOT

SCHEDULER = ("kport/drm/scheduler/v7_2", "kport/drm/spsc_queue.py")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    try:
        code = cli.main(arguments)
    except SystemExit as leave:
        code = int(str(leave.code))
    out, err = capsys.readouterr()
    return code, out, err


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check") == (0, "", "")


def test_check_needs_no_parser_of_c() -> None:
    code = (
        "import sys\n"
        "sys.modules['tree_sitter'] = sys.modules['tree_sitter_c'] = None\n"
        "from tools.cdiff.cli import main\n"
        "assert main(['summary', 'spsc']) == 0\n"
        "sys.exit(main(['check']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_commands_that_need_the_parser_say_so(tmp_path: Path) -> None:
    for command in (["baseline", "--kernel", "."], ["drift", ".", "."]):
        code = (
            "import sys\n"
            "sys.modules['tree_sitter'] = sys.modules['tree_sitter_c'] = None\n"
            f"from tools.cdiff.cli import main\nsys.exit(main({command!r}))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 2
        assert done.stderr == b"cdiff: tree-sitter is missing: pip install -e '.[cdiff]'\n"


def test_the_scheduler_is_ported_to_the_last_function(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "summary", "--json", *SCHEDULER)
    assert code == 0
    made = json.loads(out)
    total = made["total"]
    assert made["sets"]["scheduler 7.2.13"] == total
    assert total["functions"] == total["ported"] == 106
    assert total["ported_percent"] == 100.0
    assert total["equal_percent"] >= 97.0
    assert total["untagged"] == 0
    assert total["equal"] + total["tagged_total"] == total["statements"]
    assert total["left_out"] == {}


def test_the_old_scheduler_is_ported_to_the_last_function(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "summary", "--json", "kport/drm/scheduler/v6_1")
    assert code == 0
    made = json.loads(out)
    total = made["total"]
    assert made["sets"]["scheduler 6.1.192"] == total
    assert total["functions"] == total["ported"] == 65
    assert total["equal_percent"] >= 97.0
    assert total["untagged"] == 0
    assert total["left_out"] == {"unused": 1}


def test_the_whole_port_has_no_untagged_statement(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "summary", "--json")
    assert code == 0
    made = json.loads(out)
    assert all(file["untagged"] == 0 for file in made["files"].values())
    total = made["total"]
    left_out = sum(total["left_out"].values())
    assert total["functions"] <= total["ported"] + left_out
    assert total["equal"] + total["tagged_total"] == total["statements"]


def test_summary_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "summary", "sched_rq")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == [
        "file", "functions", "statements", "equal", "%", "tagged", "untagged",
    ]  # fmt: skip
    assert lines[1].split()[:2] == ["kport/drm/scheduler/v7_2/sched_rq.py", "15/15"]
    assert [line.split()[0] for line in lines[2:4]] == ["(scheduler", "total"]


def test_show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    code, out, _ = run(capsys, "show", "drm_sched_job_done", "drm_sched_increase_karma")
    assert code == 0
    assert "\033[" not in out
    assert "drm_sched_job_done: 9 equal" in out
    assert "drm_sched_increase_karma: 13 equal, 2 pinned" in out
    row = next(line for line in out.splitlines() if "atomic_dec(sched.score)" in line)
    number, c, mark, line, python = row.split()
    assert (number, c, mark, python) == ("169", "atomic_dec(sched.score)", "=", c)
    assert line.isdecimal()


def test_show_with_a_tree(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    root = tree.cached("7.2.13")
    if root is None:
        pytest.skip("no kernel tree here")
    code, out, _ = run(capsys, "show", "drm_sched_job_done", "--kernel", str(root))
    assert code == 0
    assert "atomic_dec(sched->score);" in out
    assert "  163 static void drm_sched_job_done(struct drm_sched_job *s_job, int result)" in out
    assert "v6_1" not in out
    root = tree.cached("6.1.192")
    if root is not None:
        code, out, _ = run(capsys, "show", "drm_sched_job_done", "--kernel", str(root))
        assert code == 0
        assert "  172 static void drm_sched_job_done(struct drm_sched_job *s_job)" in out
        assert "v7_2" not in out


def test_drift_from_the_old_scheduler(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "drift", "v6_1", "v7_2")
    assert (code, err) == (0, "")
    assert out.startswith("scheduler: 65 functions in 6.1.192, 106 in 7.2.13: 56 common")
    assert "sched_main.c:926: drm_sched_main  [ported: kport/drm/scheduler/v6_1/" in out


def test_show_as_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    path = "kport/drm/scheduler/v7_2/sched_main.py"
    code, out, _ = run(capsys, "show", path, "--html", str(page))
    assert (code, out) == (0, f"{page}: 42 functions\n")
    text = page.read_text(encoding="utf-8")
    assert text.count("<table>") == text.count("</table>") == 42
    assert text.count("<tr>") == text.count("</tr>")
    assert '<tbody class="pinned" title="cursor">' in text
    assert "http" not in text


@pytest.mark.parametrize("command", ["unported", "traps", "undef"])
def test_listings(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, err = run(capsys, command)
    assert (code, err) == (0, "")
    expected = {
        "unported": "kthread_bind:",
        "traps": "drm_sched_increase_karma: cursor: entity:",
        "undef": "trace_sched_kthread_stop ",
    }[command]
    assert expected in out


def test_undef_of_everything_is_longer(capsys: pytest.CaptureFixture[str]) -> None:
    _, some, _ = run(capsys, "undef")
    _, everything, _ = run(capsys, "undef", "--all")
    assert {line.split()[0] for line in some.splitlines()} < {
        line.split()[0] for line in everything.splitlines()
    }


def test_the_line_map_that_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "linemap")
    assert code == 0
    assert out == (ROOT / "kport/linux/linemap.json").read_text(encoding="utf-8")


def test_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "sources") == (0, "0 docstrings without their source\n", "")


BAD = {
    "no command": ((), "the following arguments are required: COMMAND"),
    "an unknown command": (("chekc",), "invalid choice: 'chekc'"),
    "an unknown option": (("check", "--fast"), "unrecognized arguments: --fast"),
    "an unknown function": (
        ("show", "drm_sched_job_don"),
        "no ported function has this name; did you mean drm_sched_job_done or ",
    ),
    "a function nobody could mean": (("show", "x"), "no ported function has this name; 'cdiff"),
    "accepting an unknown function": (("accept", "nosuch"), "no ported function has this name"),
    "an unknown file": (("summary", "nosuch.py"), "no ported file; 'cdiff summary' lists them all"),
    "no tree": (("baseline", "--kernel", "/nonexistent"), "/nonexistent: not a kernel tree"),
    "no tree to check with": (("check", "--kernel", "/"), "/: not a kernel tree"),
    "no tree to show": (("show", "drm_sched_init", "--kernel", "/"), "/: not a kernel tree"),
    "an unknown set": (
        ("drift", "v7_2", "v7_2", "--set", "net"),
        "net: no set of files in port.toml; there is: scheduler, dma-buf",
    ),
    "an unknown baseline": (
        ("drift", "v7_2", "v9_9"),
        "v9_9: neither a kernel tree nor a baseline",
    ),
    "no number": (("mutants", "--count", "many"), "'many' is no number above 0"),
    "a page nobody can write": (
        ("show", "drm_sched_init", "--html", "/nonexistent/page.html"),
        "/nonexistent/page.html: No such file or directory; name another file",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, message = BAD[name]
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("cdiff: ")
    assert err.count("\n") == 1
    assert message in err


def test_a_tree_of_another_version(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "include/linux").mkdir(parents=True)
    (tmp_path / "Makefile").write_text("VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\n")
    code, _, err = run(capsys, "check", "--kernel", str(tmp_path))
    assert code == 2
    assert err == (
        f"cdiff: {tmp_path}: is Linux 7.3.0; the baselines are 7.2.13, linux-source-7.2 7.2.13-1 "
        "and 6.1.192, linux-source-6.1 6.1.192-2\n"
    )
    code, _, err = run(capsys, "baseline", "--kernel", str(tmp_path))
    assert code == 2
    assert err == f"cdiff: {tmp_path}: is Linux 7.3.0; port.toml knows 7.2.13, 6.1.192\n"


def test_a_tree_with_other_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "include/linux").mkdir(parents=True)
    (tmp_path / "Makefile").write_text("VERSION = 7\nPATCHLEVEL = 2\nSUBLEVEL = 13\n")
    code, _, err = run(capsys, "check", "--kernel", str(tmp_path))
    assert code == 2
    assert "is not the file of linux-source-7.2 7.2.13-1; unpack that package" in err
    assert err.count("\n") == 1
