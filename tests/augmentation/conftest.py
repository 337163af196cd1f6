import numpy as np
import pytest
from scipy import ndimage


def draw_digits(count=64):
    """Thick strokes with soft edges: rings and bars."""
    rng = np.random.default_rng(0)
    images = np.zeros((count, 28, 28), np.float32)
    for image in images:
        row, column = rng.integers(6, 12, 2)
        image[row : row + 12, column : column + 3] = 1
        image[row + 5 : row + 8, column : column + 9] = 1
    return ndimage.gaussian_filter(images, (0, 0.5, 0.5))


@pytest.fixture(scope="session")
def digits():
    return draw_digits()
