# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""`kport litmus`: what it prints, and what it says of bad input."""

from __future__ import annotations

import json

import pytest

from kport.cli import main

FILE = """\
C MP
(* Result: {result} *)
{{}}
P0(int *x, int *y) {{ WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 1); }}
P1(int *x, int *y) {{ int a = READ_ONCE(*y); int b = READ_ONCE(*x); }}
exists (1:a=1 /\\ 1:b=0)
"""


@pytest.fixture
def tree(tmp_path):
    """A kernel tree with one litmus test, which says `result`."""

    def tree(result):
        folder = tmp_path / "tools/memory-model/litmus-tests"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "MP.litmus").write_text(FILE.format(result=result))
        return str(tmp_path)

    return tree


def test_built_in_tests_are_run_and_summed_up(capsys):
    assert main(["litmus", "MP+po*s", "LB+poonceonces"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["Never", "Sometimes", "Never", "Sometimes"]
    assert lines[-1].startswith("4 tests under lkmm: 2 Never, 2 not; 0 not as expected; ")


def test_a_memory_shows_what_it_can(capsys):
    assert main(["litmus", "SB+poonceonces", "MP+poonceonces", "--memory", "tso"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("Sometimes ")
    assert out.splitlines()[1].startswith("Never ")


def test_a_kernel_tree_is_judged_by_what_its_files_say(capsys, tree):
    assert main(["litmus", "--kernel", tree("Sometimes")]) == 0
    assert main(["litmus", "--kernel", tree("Never")]) == 1
    assert "(expected: Never)" in capsys.readouterr().out


def test_json_has_it_all(capsys, tree):
    assert main(["litmus", "--kernel", tree("Sometimes"), "--json"]) == 0
    (test,) = json.loads(capsys.readouterr().out)["tests"]
    assert (test["name"], test["verdict"], test["expected"]) == ("MP", "Sometimes", "Sometimes")
    assert (test["same"], test["refused"], test["exhausted"]) == (True, 0, True)
    assert {"1:a": "1", "1:b": "0"} in [end["state"] for end in test["ends"]]


def test_show_prints_what_runs_and_its_ends(capsys):
    assert main(["litmus", "SB+poonceonces", "--show"]) == 0
    out = capsys.readouterr().out
    assert '    WRITE_ONCE(x, "counter", 1)\n' in out
    assert " x  0:a=0 1:a=0\n" in out


def test_list_prints_the_names(capsys):
    assert main(["litmus", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 35


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["SB+poonce"], "no test matches 'SB+poonce'; the nearest: SB+poonceonces"),
        (["--kernel", "nowhere"], "nowhere: no kernel tree: it has no litmus-tests"),
        (["nowhere.litmus"], "nowhere.litmus: No such file or directory"),
        (["--memory", "weak"], "argument --memory: invalid choice: 'weak'"),
        (["--limit", "0"], "argument --limit: '0' is not a whole number"),
    ],
)
def test_bad_input_gets_one_line(capsys, arguments, message):
    assert main(["litmus", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_folder_without_tests(capsys, tmp_path):
    assert main(["litmus", str(tmp_path)]) == 2
    assert "there is no .litmus file in this folder" in capsys.readouterr().err
