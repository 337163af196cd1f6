import numpy as np
import pytest

from cnn.augmentation.simulated_pages import faint_pages


@pytest.fixture(scope="module")
def digit(mnist_test):
    return mnist_test.images[0, ..., 0] / np.float32(255)


@pytest.mark.parametrize(
    ("kind", "min_side", "max_side"),
    [
        (faint_pages.photograph_pencil_on_squares, 160, 700),
        (faint_pages.photograph_pencil_on_rules, 160, 700),
        (faint_pages.photograph_thin_strokes, 300, 1600),
    ],
)
def test_a_page_is_decided_by_its_generator_and_leaves_the_digit_as_it_is(
    digit, kind, min_side, max_side
):
    before = digit.copy()
    first, again, other = (kind(np.random.default_rng(k), digit) for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape
    assert first.dtype == np.uint8
    assert min_side - 1 <= max(first.shape[:2]) <= max_side + 1
    np.testing.assert_array_equal(digit, before)


def test_squares_repeat_in_both_directions_and_rules_in_one(digit):
    """The strongest frequencies of rules have periods along the columns only."""
    ratios = []
    for kind in (
        faint_pages.photograph_pencil_on_rules,
        faint_pages.photograph_pencil_on_squares,
    ):
        of_pages = []
        for seed in range(12):
            page = kind(np.random.default_rng(seed), digit)
            gray = page.mean(2) - page.mean()
            vertical = np.abs(np.diff(gray, axis=0)).mean()
            horizontal = np.abs(np.diff(gray, axis=1)).mean()
            of_pages.append(horizontal / vertical)
        ratios.append(np.median(of_pages))
    assert ratios[0] < 0.8
    assert 0.85 < ratios[1] < 1.2
