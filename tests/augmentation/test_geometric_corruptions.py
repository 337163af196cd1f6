import numpy as np
import pytest
from scipy import ndimage

from cnn.augmentation import geometric_corruptions


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (geometric_corruptions.dilate_cross, ndimage.grey_dilation),
        (geometric_corruptions.erode_cross, ndimage.grey_erosion),
    ],
)
def test_dilation_and_erosion_are_scipys(ours, theirs, digits):
    cross = ndimage.generate_binary_structure(2, 1)[None]
    expected = theirs(digits[:3], footprint=cross, mode="nearest")
    np.testing.assert_allclose(ours(digits[:3]), expected, atol=1e-6)
