import numpy as np
import pytest

from cnn.augmentation.simulated_pages import ink


def make_bar():
    """A vertical bar, 20 pixels high and 4 wide."""
    digit = np.zeros((28, 28), np.float32)
    digit[4:24, 12:16] = 1
    return digit


@pytest.mark.parametrize("tool", ["pen", "pencil", "faint", "marker", "brush"])
def test_ink_has_a_coverage_and_a_color(tool):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        coverage, color = ink.render_ink(rng, make_bar(), tool)
        assert (coverage.dtype, color.dtype) == (np.float32, np.float32)
        assert 0 <= coverage.min() < coverage.max() <= 1 + 1e-6
        assert color.shape == (3,)
        assert 0 < color.min() <= color.max() < 0.7


def test_a_marker_writes_wider_strokes_than_a_pen():
    pen, marker = (
        ink.render_ink(np.random.default_rng(0), make_bar(), tool)[0].sum()
        for tool in ("pen", "marker")
    )
    assert marker > 1.5 * pen
