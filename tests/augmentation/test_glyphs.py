import numpy as np
import pytest

from cnn.augmentation import glyphs


def test_the_forms_are_drawn_in_turn():
    images, labels = glyphs.make_glyphs(0, 100)
    assert (images.shape, images.dtype) == ((100, 28, 28, 1), np.uint8)
    counts = np.bincount(labels, minlength=10)
    assert dict(enumerate(counts.tolist())) == {
        **dict.fromkeys(range(10), 0),
        **dict.fromkeys((1, 4, 7, 9), 25),
    }


def test_the_seed_decides():
    first, again, other = (glyphs.make_glyphs(seed, 30)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_digits_are_placed_as_mnists_are():
    images = glyphs.make_glyphs(3, 60)[0][..., 0] / 255
    for image in images:
        rows, columns = (np.flatnonzero((image > 0.2).any(axis)) for axis in (1, 0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        y, x = np.mgrid[:28, :28]
        center = np.array([(image * y).sum(), (image * x).sum()]) / image.sum()
        assert np.abs(center - 14).max() < 0.7


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
