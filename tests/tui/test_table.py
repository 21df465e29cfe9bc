# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
"""Tables: columns that fit, rows in order, the selected one in sight."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.load import model
from tui.scene import scene_of
from tui.table import Column, Table
from tui.text import line_width, plain_text
from tui.view import View

TABLE = Table(
    "queues",
    (
        Column("name", 8, grows=True),
        Column("count", 5, right=True),
        Column("rare", 9, rank=2),
        Column("note", 7, rank=1),
    ),
    "nothing here",
)
ROWS = [{"name": f"row{n}", "count": n * 7 % 10, "rare": None, "note": "x"} for n in range(30)]
MADE = model()


def lines(view, width=40, height=8, rows=ROWS):
    return [plain_text(line) for line in TABLE.lines(scene_of(MADE, view), rows, width, height)]


@given(st.integers(1, 80), st.integers(0, 20), st.integers(0, 40), st.integers(0, 40))
def test_it_fills_its_place_and_shows_the_selected_row(width, height, row, top):
    view = View(rows={"queues": row}, tops={"queues": top})
    made = TABLE.lines(scene_of(MADE, view), ROWS, width, height)
    assert [line_width(line) for line in made] == [width] * height
    if height > 1:
        selected = [line for line in made if any("select" in style for _, style in line)]
        assert len(selected) == 1
        if width >= 8:
            assert plain_text(selected[0]).startswith(f"row{min(row, 29)}")


def test_narrow_screens_lose_the_least_important_columns_first():
    names = [[column.name for column, _ in TABLE.fitting(width)] for width in (40, 25, 15, 3)]
    assert names == [
        ["name", "count", "rare", "note"], ["name", "count", "note"], ["name", "count"], ["name"]
    ]  # fmt: skip


def test_sorted_by_a_column_and_back():
    view = View(sorts={"queues": ("count", True)})
    shown = lines(view)
    assert "coun~▼" in shown[0] or "cou~▼" in shown[0]
    assert [line.split()[1] for line in shown[1:4]] == ["9", "9", "9"]
    view.sorts["queues"] = ("count", False)
    assert [line.split()[1] for line in lines(view)[1:4]] == ["0", "0", "0"]


def test_filtered_and_the_errors_of_filters():
    view = View(filters={"queues": "count>=8"})
    assert sum("row" in line for line in lines(view, height=20)) == 6
    view.filters["queues"] = "count>many"
    assert "filter: count>many: 'many' is no number" in lines(view, width=80)[1]
    view.filters["queues"] = "nobody"
    assert "nothing passes the filter" in lines(view)[1]
    assert "nothing here" in lines(View(), rows=[])[1]


def test_the_selected_row_stays_on_what_it_is_of():
    view, rows = View(), [row | {"_id": row["name"]} for row in ROWS]
    scene = scene_of(MADE, view)
    TABLE.select(scene, rows, 4)
    assert TABLE.selected(scene, rows)["name"] == "row4"
    assert TABLE.selected(scene, rows[2:])["name"] == "row4"
    assert view.rows["queues"] == 2
    assert TABLE.selected(scene, rows[10:])["name"] == "row12"  # it is gone: the same place
    TABLE.select(scene, rows, 99)
    assert TABLE.selected(scene, rows)["name"] == "row29"
    TABLE.select(scene, [], 3)
    assert TABLE.selected(scene, []) is None
