import numpy as np
import pytest

from cnn.augmentation import glyphs


def test_as_many_as_asked_for_of_each_form_in_turn():
    pictures, labels = glyphs.make_glyphs(0, 100)
    assert (pictures.shape, pictures.dtype) == ((100, 28, 28, 1), np.uint8)
    assert np.bincount(labels, minlength=10).tolist() == [
        0,
        25,
        0,
        0,
        25,
        0,
        0,
        25,
        0,
        25,
    ]


def test_the_seed_decides():
    first, again, other = (glyphs.make_glyphs(seed, 30)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_digits_are_placed_as_mnists_are():
    pictures = glyphs.make_glyphs(3, 60)[0][..., 0] / 255
    for picture in pictures:
        rows, columns = (np.flatnonzero((picture > 0.2).any(axis)) for axis in (1, 0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        y, x = np.mgrid[:28, :28]
        middle = np.array([(picture * y).sum(), (picture * x).sum()]) / picture.sum()
        assert np.abs(middle - 14).max() < 0.7


@pytest.mark.parametrize("label", glyphs.GLYPHS)
def test_strokes_are_in_their_box_and_run_from_top_to_foot(label):
    rng = np.random.default_rng(label)
    for _ in range(50):
        points = np.concatenate(glyphs.GLYPHS[label](rng))
        assert points.min() > -0.35
        assert points.max() < 1.35
        assert np.ptp(points[:, 1]) > 0.8


def test_a_one_has_an_upstroke_to_its_left_and_a_seven_a_bar_or_a_hook():
    rng = np.random.default_rng(5)
    for _ in range(50):
        upstroke = glyphs.draw_one(rng)[0]
        assert upstroke[0, 0] < upstroke[-1, 0]  # From the left to the top.
        assert upstroke[0, 1] > upstroke[-1, 1]
        assert len(glyphs.draw_seven(rng)) >= 3


def test_a_four_is_open_and_its_stem_begins_near_its_bar():
    rng = np.random.default_rng(6)
    for _ in range(50):
        down, bar, stem = glyphs.draw_four(rng)
        assert down[0, 0] < stem[0, 0]
        assert down[0, 1] < stem[0, 1] <= bar[-1, 1] + 0.03
        assert stem[-1, 1] > bar[:, 1].max() + 0.1


def test_a_curve_by_hand():
    points = glyphs.quadratic_bezier(
        np.array([0.0, 0.0]), np.array([1.0, 2.0]), np.array([2.0, 0.0])
    )
    np.testing.assert_allclose(points[[0, -1]], [[0, 0], [2, 0]])
    np.testing.assert_allclose(
        points[:, 1], points[:, 0] * (2 - points[:, 0]), atol=1e-12
    )  # A parabola.
