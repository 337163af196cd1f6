import numpy as np
import pytest

from cnn.preprocessing.lines.attached_lines import find_attached_line
from cnn.preprocessing.thresholds import THRESHOLDS


def ring_on_line(left, right, thickness=3):
    """Draws a ring of 40 pixels on a line that juts out by `left` and `right`."""
    y, x = np.mgrid[:40, :40] - 19.5
    radius = np.hypot(y, x)
    mask = np.zeros((40 + thickness, left + 40 + right), bool)
    mask[:40, left : left + 40] = (radius < 20) & (radius > 15)
    mask[40:] = True
    return mask


def test_an_underline_is_found_and_the_ring_above_it_stays():
    mask = ring_on_line(20, 15)
    found = find_attached_line(mask)
    assert found.mask[41:].all()
    assert not found.mask[:38].any()
    assert 0 < found.kept_weight < 0.5


@pytest.mark.parametrize("quarter_turns", [1, -1])
def test_a_margin_at_either_side_is_found(quarter_turns):
    mask = np.rot90(ring_on_line(20, 20), quarter_turns)
    found = np.rot90(find_attached_line(mask).mask, -quarter_turns)
    assert found[41:].all()
    assert not found[:38].any()


def test_a_dashed_margin_is_found():
    mask = ring_on_line(30, 30)
    mask[40:, ::3] = False
    mask[40:, 1::3] = True
    assert find_attached_line(mask) is not None


@pytest.mark.parametrize(("left", "right"), [(0, 30), (30, 0), (3, 30), (0, 0)])
def test_a_base_that_juts_out_on_one_side_is_a_stroke(left, right):
    assert find_attached_line(ring_on_line(left, right)) is None


def test_a_bar_that_strokes_cross_and_a_curved_stroke_are_no_underlines():
    plus = np.zeros((60, 60), bool)
    plus[28:32] = True
    plus[:, 28:32] = True
    assert find_attached_line(plus) is None
    y, x = np.mgrid[:60, :120]
    bowl = np.abs(np.hypot(y + 2, x - 60) - 58) < 2
    assert find_attached_line(bowl) is None


def test_a_slanted_underline_is_found():
    mask = np.zeros((60, 120), bool)
    mask[:50, 58:62] = True
    columns = np.arange(120)
    rows = np.rint(50 + 0.05 * (columns - 60)).astype(int)
    for offset in range(3):
        mask[rows + offset, columns] = True
    found = find_attached_line(mask)
    assert found.mask[rows + 1, columns].all()
    assert not found.mask[:45].any()


def test_an_underline_is_doubtful_if_its_ends_are_as_short_as_those_of_a_base():
    thresholds = THRESHOLDS.attached_lines
    # The ring and its line are 43 pixels high, a fourth of which is 11.
    short, long = ring_on_line(8, 9), ring_on_line(14, 13)
    kept = [find_attached_line(mask).kept_weight for mask in (short, long)]
    assert kept == [thresholds.kept_base, thresholds.kept_underline]
