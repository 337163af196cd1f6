import numpy as np
import pytest

from cnn.preprocessing.lines.line_detection import Line, find_ruled_lines


def test_a_tilted_line_crosses_each_column_at_its_row():
    rows = Line(middle=20.0, slope=0.5).rows_at(np.array([0, 2, 4]), width=5)
    assert rows.tolist() == [19, 20, 21]


@pytest.mark.parametrize("slope", [-0.15, -0.05, 0, 0.1])
def test_middle_and_slope_of_a_line_are_measured(slope):
    ink = np.zeros((90, 240), np.float32)
    columns = np.arange(240)
    path = np.rint(Line(44.0, slope).rows_at(columns, 240)).astype(int)
    ink[path, columns] = 1
    (line,) = find_ruled_lines(ink)
    assert line.middle == pytest.approx(44, abs=2)
    assert line.slope == pytest.approx(slope, abs=0.02)


def test_short_and_steep_strokes_are_no_lines():
    ink = np.zeros((90, 120), np.float32)
    ink[40:43, 20:80] = 1
    ink[:, 60:63] = 1
    assert find_ruled_lines(ink) == []


def test_rules_are_found_where_they_are():
    page = np.zeros((120, 160), np.float32)
    page[30:32] = 1
    page[90, :] = 1
    page[50:80, 60:64] = 1  # A stroke, which does not reach the edges.
    assert sorted(round(line.middle) for line in find_ruled_lines(page)) in (
        [30, 90],
        [31, 90],
    )
    assert find_ruled_lines(np.ascontiguousarray(page.T)) == []


def test_rules_that_leave_by_the_top_are_found_and_strokes_in_the_middle_are_none():
    page = np.zeros((60, 180), np.float32)
    page[25:35, 60:120] = (
        1  # Five of the twelve pieces of a line, and none of its ends.
    )
    assert find_ruled_lines(page) == []
    columns = np.arange(
        40, 180
    )  # It rises to the left, and leaves by the top at column 40.
    page[np.rint(0.1 * (columns - 40)).astype(int), columns] = 1
    (line,) = find_ruled_lines(page)
    assert line.middle == pytest.approx(0.1 * (89.5 - 40), abs=1.5)
    assert line.slope == pytest.approx(0.1, abs=0.02)
