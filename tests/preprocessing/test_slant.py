import numpy as np
import pytest
from PIL import Image, ImageDraw

from cnn.preprocessing.centering import Placement
from cnn.preprocessing.slant import estimate_slants, make_upright, remove_slant

MNIST = Placement(box=20, by_center_of_mass=True)


def draw_line(start, end, size=(28, 28), width=3):
    """Draws a line, `float32 (height, width)` in [0, 1]."""
    image = Image.new("L", size)
    ImageDraw.Draw(image).line([start, end], fill=255, width=width)
    return np.asarray(image, np.float32) / 255


def test_the_slant_is_pixels_to_the_right_per_pixel_upwards():
    # One pixel per row: row 2 at column 8, row 4 at column 6, and so on.
    image = np.zeros((1, 12, 12), np.float32)
    for row, column in ((2, 8), (4, 7), (6, 6), (8, 5)):
        image[0, row, column] = 1
    np.testing.assert_allclose(estimate_slants(image), [0.5])
    np.testing.assert_allclose(estimate_slants(image[:, :, ::-1]), [-0.5])


def test_ink_in_one_row_has_no_slant():
    image = np.zeros((1, 5, 8), np.float32)
    image[0, 2, 1:6] = 0.7
    assert estimate_slants(image).tolist() == [0]


def test_the_slant_does_not_depend_on_the_batch():
    images = np.random.default_rng(0).random((50, 28, 28), np.float32)
    together = estimate_slants(images)
    alone = [estimate_slants(image[None])[0] for image in images]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("slant", [0.25, 0.5, 1, -0.5, -1])
def test_a_leaning_line_becomes_upright_and_keeps_its_ink(slant):
    x = 14 - 10 * slant
    line = draw_line((28 - x, 4), (x, 24))
    assert abs(estimate_slants(line[None])[0] - slant) < 0.15
    upright = remove_slant(line, slant)
    assert abs(estimate_slants(upright[None])[0]) < 0.15
    columns = np.flatnonzero(upright.sum(0) > 0.5)
    assert np.ptp(columns) < 8
    assert abs(upright.sum() / line.sum() - 1) < 0.02


def test_an_upright_network_input_is_scaled_and_centered_again():
    line = draw_line((24, 4), (4, 24))
    upright = make_upright(line, 1.0, MNIST)
    rows, columns = np.nonzero(upright > 0.3)
    assert 19 <= np.ptp(rows) + 1 <= 21
    assert np.ptp(columns) < 8
    assert abs(columns.mean() - 14) < 1


def test_no_more_than_the_largest_slant_is_removed():
    line = draw_line((27, 12), (1, 16))
    far, farther = (make_upright(line, slant, MNIST) for slant in (3.0, 6.0))
    np.testing.assert_array_equal(far, farther)
