import cv2
import numpy as np
import pytest

from cnn.augmentation.simulated_pages import strokes


def make_bar():
    """A vertical bar, 20 pixels high and 4 wide."""
    digit = np.zeros((28, 28), np.float32)
    digit[4:24, 12:16] = 1
    return digit


def test_a_small_loop_stays_open_when_a_digit_is_written_with_a_thin_pen():
    """In the middle of the loop of this 9, MNIST's ink is hardly lighter than around."""
    digit = np.zeros((28, 28), np.float32)
    digit[4:11, 9:16] = 1
    digit[11:24, 13:16] = 1
    digit[7, 12] = 0.4
    paper = (strokes.render_strokes(digit, 0.04) < 0.5).astype(np.uint8)
    num_labels, _ = cv2.connectedComponents(paper, connectivity=4)
    num_loops = num_labels - 2  # The ink and the paper around it are labels, too.
    assert num_loops == 1


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2])
def test_strokes_have_the_given_width(width):
    coverage = strokes.render_strokes(make_bar(), width)
    middle = coverage[len(coverage) // 2].sum()
    assert middle == pytest.approx(width * strokes.DIGIT_HEIGHT, abs=4)


def test_a_width_of_zero_keeps_the_digits_own_strokes():
    coverage = strokes.render_strokes(make_bar(), 0)
    own_width = 4 / 20 * strokes.DIGIT_HEIGHT
    assert coverage[len(coverage) // 2].sum() == pytest.approx(own_width, rel=0.15)


def test_bounding_slices_by_hand():
    mask = np.zeros((5, 6), bool)
    mask[1, 2] = mask[3, 4] = True
    assert strokes.bounding_slices(mask) == (slice(1, 4), slice(2, 5))
