import numpy as np
import pytest
from scipy import ndimage

from cnn.augmentation import blur_corruptions


@pytest.mark.parametrize("sigma", [0.5, 1.5])
def test_the_filter_is_scipys_gaussian(sigma, digits):
    images = digits[:3]
    ours = blur_corruptions.filter_gaussian(images, np.full((3, 1, 1), sigma))
    expected = ndimage.gaussian_filter(images, (0, sigma, sigma), truncate=8)
    np.testing.assert_allclose(ours[:, 4:-4, 4:-4], expected[:, 4:-4, 4:-4], atol=1e-3)
