import numpy as np
import pytest

from cnn.augmentation.glyphs import FORMS, make_glyphs
from cnn.augmentation.glyphs.rendering import render_glyph


def test_the_forms_are_drawn_in_turn():
    images, labels = make_glyphs(0, 2 * len(FORMS))
    assert (images.shape, images.dtype) == ((2 * len(FORMS), 28, 28, 1), np.uint8)
    assert labels.tolist() == 2 * [label for label, _ in FORMS]


def test_every_digit_has_a_form():
    assert {label for label, _ in FORMS} == set(range(10))


def test_the_seed_decides():
    first, again, other = (make_glyphs(seed, 30)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_digits_are_placed_as_mnists_are():
    images = make_glyphs(3, 5 * len(FORMS))[0][..., 0] / 255
    for image in images:
        rows, columns = (np.flatnonzero((image > 0.2).any(axis)) for axis in (1, 0))
        assert 19 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        y, x = np.mgrid[:28, :28]
        center = np.array([(image * y).sum(), (image * x).sum()]) / image.sum()
        assert np.abs(center - 14).max() < 0.7


@pytest.mark.parametrize(("label", "draw"), FORMS)
def test_strokes_are_in_their_box_and_run_from_top_to_foot(label, draw):
    rng = np.random.default_rng(label)
    for _ in range(50):
        points = np.concatenate(draw(rng))
        assert points.min() > -0.35
        assert points.max() < 1.5
        assert np.ptp(points[:, 1]) > 0.8


@pytest.mark.parametrize(("label", "draw"), FORMS)
def test_no_two_drawings_of_a_form_are_alike(label, draw):
    rng = np.random.default_rng(label)
    images = np.stack([render_glyph(rng, draw(rng)) for _ in range(20)])
    assert len(np.unique(images, axis=0)) == 20
