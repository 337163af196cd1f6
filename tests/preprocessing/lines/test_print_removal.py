import numpy as np
import pytest

from cnn.preprocessing.lines.print_removal import remove_all_lines, remove_print


def four(margin, level=100.0):
    """Draws a 4 of three strokes, with a bar of 100 pixels in row 80."""
    foreground = np.zeros((120 + 2 * margin, 100 + 2 * margin), np.float32)
    digit = foreground[margin : margin + 120, margin : margin + 100]
    digit[78:82] = level
    digit[:, 70:74] = level
    for row in range(80):
        left = 60 * (80 - row) // 80
        digit[row, left : left + 4] = level
    return foreground


def test_the_bar_of_a_4_that_ends_inside_the_image_stays():
    foreground = four(margin=6)
    (removal,) = remove_print(foreground, 20)
    np.testing.assert_array_equal(removal.foreground, foreground)
    assert (removal.is_ruled, removal.weight) == (False, 1)


def test_a_bar_from_edge_to_edge_is_kept_in_the_likelier_of_two_ways():
    foreground = four(margin=0)
    kept, removed = remove_print(foreground, 20)
    assert kept.keeps_doubtful
    assert not removed.keeps_doubtful
    assert kept.weight > removed.weight > 0.1
    assert kept.weight + removed.weight == pytest.approx(1)
    assert (kept.foreground[80] == 100).all()
    assert (removed.foreground[80, 30:60] == 0).all()


def test_pale_rules_are_removed_and_a_bar_of_the_pen_stays():
    foreground = four(margin=6)
    written = foreground > 0
    for row in (20, 46, 72, 112):
        foreground[row - 1 : row + 1][~written[row - 1 : row + 1]] = 40
    (removal,) = remove_print(foreground, 20)
    assert removal.is_ruled
    assert removal.foreground[85:88, 10:40].max() == 100
    assert removal.foreground[45, :20].max() == 0


def test_near_a_character_all_lines_are_removed():
    (removal,) = remove_all_lines(four(margin=6), 20)
    assert removal.is_ruled
    assert removal.foreground[86, 20:60].max() == 0


def test_an_image_without_lines_stays_as_it_is():
    foreground = np.zeros((120, 160), np.float32)
    foreground[40:80, 60:64] = 90
    for remove in (remove_print, remove_all_lines):
        (removal,) = remove(foreground, 20)
        assert removal.foreground is foreground
        assert not removal.is_ruled
