import cv2
import numpy as np
import pytest

from cnn.preprocessing import background


def uniform_page(height=120, width=160, level=200):
    return np.full((height, width), level, np.uint8)


def test_downscale_keeps_the_aspect_ratio_and_leaves_small_images():
    assert background.downscale(uniform_page(400, 100), 100).shape == (200, 50)
    small = np.arange(1200, dtype=np.uint8).reshape(30, 40)
    np.testing.assert_array_equal(background.downscale(small, 100), small)


def test_upper_median_of_an_even_number_is_the_upper_one():
    assert background.upper_median(np.array([[4, 1], [3, 2]])) == 3
    assert background.upper_median(np.array([5, 1, 3])) == 3


def test_border_pixels_are_those_of_the_four_edges():
    image = np.arange(12).reshape(3, 4)
    expected = [0, 1, 2, 3, 8, 9, 10, 11, 0, 4, 8, 3, 7, 11]
    assert background.border_pixels(image).tolist() == expected
    batch = background.border_pixels_batch(np.stack([image, image + 100]))
    assert batch[1].tolist() == [100 + pixel for pixel in expected]


@pytest.mark.parametrize("slope", [0, 0.5])
def test_polarity_is_known_on_shaded_paper(slope):
    gray = uniform_page() - (slope * np.arange(160)).astype(np.uint8)
    gray[40:80, 60:66] -= 60
    assert background.estimate_polarity(gray) == [1]
    assert background.estimate_polarity(255 - gray) == [-1]


def test_both_polarities_are_returned_for_equally_strong_dark_and_light_marks():
    gray = uniform_page(level=128)
    gray[40:80, 60:66] = 40
    gray[40:80, 100:106] = 216
    assert sorted(background.estimate_polarity(gray)) == [-1, 1]


def test_the_narrowest_window_has_a_veto_against_a_patch_of_light():
    gray = uniform_page(level=120)
    gray[:40, :60] = 170  # Light that falls through a gap.
    gray[50:100, 120:122] = 70
    assert background.estimate_polarity(gray) == [-1, 1]
    gray[50:100, 120:122] = 120
    assert background.estimate_polarity(gray) == [-1]


def test_ink_is_measured_as_a_fraction_of_its_illumination():
    """The same ink, which absorbs half the light, in a shadow and beside it."""
    light = np.where(np.arange(160) < 80, 100.0, 200.0) * np.ones((120, 1))
    light[50:70, 30:34] /= 2
    light[50:70, 120:124] /= 2
    levels = background.subtract_background(light.astype(np.uint8), 1, 0.33)
    in_shadow = levels[60, 31]
    in_light = levels[60, 121]
    assert in_light == pytest.approx(110, abs=3)  # Half of the white level, 220.
    assert in_shadow == pytest.approx(in_light, abs=3)
    assert levels[:40, :76].max() < 3  # The shadow is no ink, except at its edge.


def test_an_area_wider_than_strokes_is_background():
    gray = uniform_page()
    gray[:, :30] = 20  # A table beyond the page.
    gray[50:70, 100:104] = 20
    levels = background.subtract_background(gray, 1, 0.33)
    assert levels[:, :26].max() < 3
    assert levels[60, 101] > 150


def test_light_ink_is_the_white_top_hat():
    gray = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    kernel = np.ones((15, 15), np.uint8)
    levels = background.subtract_background(gray, -1, 0.33)
    top_hat = cv2.morphologyEx(gray, cv2.MORPH_TOPHAT, kernel).astype(np.float32)
    inner = slice(15, -15)  # OpenCV's top-hat treats the border in another way.
    difference = levels[inner, inner] - top_hat[inner, inner]
    assert difference.min() == difference.max()
