import numpy as np
from scipy import ndimage

from cnn.augmentation.glyphs.rendering import render_glyph


def test_strokes_are_scaled_and_centered_like_mnist_digits():
    stroke = np.array([[0.2, 0.0], [0.5, 0.5], [0.2, 1.0]])
    for seed in range(5):
        image = render_glyph(np.random.default_rng(seed), [stroke])
        assert image.shape == (28, 28)
        assert image.dtype == np.uint8
        assert image.max() > 200
        rows, _ = np.nonzero(image > 20)
        assert 18 <= np.ptp(rows) + 1 <= 22
        center = ndimage.center_of_mass(image)
        np.testing.assert_allclose(center, 13.5, atol=1)
