"""Size, position and stroke width of a character in the network input."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnn.preprocessing import centering
from tests.preprocessing.drawings import center_of_mass, extent, preprocess, seven


def test_ink_is_scaled_to_20_pixels_keeps_its_shape_and_is_centered_by_mass(expected):
    height, width = extent(expected)
    assert height in (20, 21)
    # The strokes' outlines are 176 high (60 - 8 to 220 + 8) and about 96 wide.
    assert abs(width - 20 * 96 / 176) <= 1.5
    assert np.abs(np.subtract(center_of_mass(expected), 14)).max() <= 0.6


def test_anti_aliased(expected):
    assert len(np.unique(expected.round(2))) > 20


def test_mnist_images_go_through_almost_unchanged_in_both_polarities(
    mnist_test, tmp_path
):
    errors = []
    for pixels in mnist_test.images[:200, ..., 0]:
        dark = Image.fromarray(pixels)
        for image in (dark, ImageOps.invert(dark)):
            candidate = preprocess(image, tmp_path / "m.png")
            errors.append(np.abs(candidate - pixels / 255).mean())
    assert np.quantile(errors, 0.95) < 0.004
    assert np.mean(errors) < 0.003


def test_thin_strokes_are_given_a_width_that_mnists_have(tmp_path):
    hair, pen = (
        preprocess(seven(width=width), tmp_path / "a.png") for width in (2, 16)
    )
    assert 0.5 < hair.sum() / pen.sum() < 1.1


def bar(top, left, height, width, shape=(60, 70)):
    mask = np.zeros(shape, np.float32)
    mask[top : top + height, left : left + width] = 1
    return mask


MNIST = centering.Placement(box=20, by_center_of_mass=True)
EMNIST = centering.Placement(box=24, by_center_of_mass=False)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (39, 66), (20, 30)])
def test_a_bar_of_the_boxs_size_is_moved_without_resampling(top, left):
    """Its 20×4 pixels are centered on the center of pixel (14, 14), at 14.5."""
    [image] = centering.scale_and_center(bar(top, left, 20, 4)[None], MNIST)
    rows, columns = np.nonzero(image)
    assert (rows.min(), rows.max()) in [(4, 23), (5, 24)]
    assert (columns.min(), columns.max()) in [(12, 15), (13, 16)]
    assert set(image.ravel().tolist()) == {0.0, 1.0}


def test_a_bar_is_scaled_to_the_box_and_centered_by_it():
    [image] = centering.scale_and_center(bar(5, 50, 48, 12)[None], EMNIST)
    expected = bar(2, 11, 24, 6, shape=(28, 28))
    np.testing.assert_array_equal(image > 0.5, expected > 0)
    # The bicubic filter rounds the corners.
    np.testing.assert_allclose(image, expected, atol=0.2)


def test_the_center_of_mass_is_that_of_the_ink_and_not_of_its_box():
    mask = bar(10, 10, 20, 20)
    mask[10:20, 20:30] = 0
    [image] = centering.scale_and_center(mask[None], MNIST)
    assert np.abs(np.subtract(center_of_mass(image), 14)).max() <= 0.5


def test_masks_are_scaled_alike_alone_and_in_a_batch():
    masks = np.stack([bar(3, 3, 20, 9), bar(9, 9, 50, 20), bar(1, 40, 30, 30)])
    together = centering.scale_and_center(masks, MNIST)
    for mask, image in zip(masks, together, strict=True):
        [alone] = centering.scale_and_center(mask[None], MNIST)
        np.testing.assert_array_equal(alone, image)


def test_thin_strokes_are_thickened_and_others_left():
    thin = np.zeros((200, 200), np.float32)
    thin[20:180, 99:101] = 1
    wide = centering.thicken_strokes(thin)
    # 2.2 of 20 pixels, of a stroke 160 pixels high, are 17.6 pixels.
    assert 15 <= (wide[100] > 0.5).sum() <= 20
    broad = np.pad(np.ones((160, 30), np.float32), 20)
    np.testing.assert_array_equal(centering.thicken_strokes(broad), broad)
    small = thin[80:110, 80:110]
    np.testing.assert_array_equal(centering.thicken_strokes(small), small)
