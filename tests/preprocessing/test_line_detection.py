import numpy as np
import pytest

from cnn.preprocessing.line_detection import Line, find_ruled_lines


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
