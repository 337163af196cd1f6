import numpy as np
import pytest

from cnn.augmentation.simulated_pages import printed_lines


@pytest.mark.parametrize("seed", range(10))
def test_a_vertical_line_is_as_long_as_asked_and_near_its_column(seed):
    rng = np.random.default_rng(seed)
    coverage = printed_lines.render_vertical_line(rng, (200, 100), 50, max_width=3)
    assert coverage.shape == (200, 100)
    assert coverage.min() >= 0
    assert coverage.max() <= 1
    rows, columns = np.nonzero(coverage)
    assert np.ptp(rows) >= 0.25 * 200  # A stitch may be missing at each end.
    assert np.abs(columns - 50).max() < 0.5 * 260 * np.tan(np.deg2rad(6)) + 20


def test_a_horizontal_line_is_the_transposed_vertical_one():
    vertical = printed_lines.render_vertical_line(
        np.random.default_rng(1), (90, 60), 20, max_width=3
    )
    horizontal = printed_lines.render_horizontal_line(
        np.random.default_rng(1), (60, 90), 20, max_width=3
    )
    np.testing.assert_array_equal(horizontal, vertical.T)


@pytest.mark.parametrize("seed", range(4))
def test_black_edges_leave_the_middle_of_the_page(seed):
    page = np.full((100, 80), 0.8, np.float32)
    result = printed_lines.blacken_edges(np.random.default_rng(seed), page)
    assert result.shape == page.shape
    assert result.min() < 0.2
    np.testing.assert_allclose(result[30:70, 25:55], 0.8, atol=1e-6)
