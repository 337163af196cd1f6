import cv2
import numpy as np
import pytest

from cnn.augmentation.simulated_pages import thin_strokes


def make_bar():
    """A vertical bar, 20 pixels high and 4 wide."""
    digit = np.zeros((28, 28), np.float32)
    digit[4:24, 12:16] = 1
    return digit


@pytest.mark.parametrize("height", [200, 900])
@pytest.mark.parametrize("width", [1, 1.5, 2.5])
def test_strokes_have_the_given_width_at_any_height(height, width):
    coverage = thin_strokes.render_thin_strokes(make_bar(), height, width)
    rows = np.flatnonzero(coverage.max(1) > 0.3)
    # The middle line ends half of a stroke before the bar does.
    assert 0.75 * height <= np.ptp(rows) <= height + 2 * width
    middle = coverage[len(coverage) // 2 - 20 : len(coverage) // 2 + 20].sum(1)
    assert middle.mean() == pytest.approx(width, abs=1.2)
    assert coverage.max() <= 1


def test_a_loop_stays_one_closed_line():
    digit = np.zeros((28, 28), np.float32)
    cv2.ellipse(digit, (14, 14), (6, 9), 0, 0, 360, 1.0, 3)
    coverage = thin_strokes.render_thin_strokes(digit, 500, 2)
    paper = (coverage < 0.4).astype(np.uint8)
    num_labels, _ = cv2.connectedComponents(paper, connectivity=4)
    assert num_labels == 3  # The ink, the paper inside and the paper around it.


def test_thinning_by_hand():
    mask = np.zeros((9, 9), bool)
    mask[3:6, 1:8] = True
    thinned = thin_strokes.thin(mask)
    assert thinned[4, 2:6].all()
    assert not thinned[[0, 1, 2, 3, 5, 6, 7, 8]].any()
