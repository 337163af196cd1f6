"""Gray and RGB pixels of images of any mode."""

import numpy as np
from PIL import Image

from cnn.preprocessing import grayscale


def test_pixels_of_16_bits_are_scaled_by_the_bits_that_they_use():
    ramp = np.array([[0, 1023, 4095]], np.uint16)
    gray = grayscale.to_grayscale(Image.fromarray(ramp), background=255)
    np.testing.assert_array_equal(gray, [[0, 64, 255]])


def test_transparent_pixels_show_the_background():
    image = Image.new("LA", (2, 1), (90, 0))
    image.putpixel((1, 0), (90, 255))
    assert grayscale.to_grayscale(image, background=30).tolist() == [[30, 90]]
    rgb = grayscale.to_rgb(image)
    assert [rgb.getpixel((x, 0)) for x in (0, 1)] == [(255,) * 3, (90,) * 3]
