"""Digits on simulated pages are segmented as the digits that were written."""

import numpy as np
import pytest
from PIL import Image

from cnn.augmentation.simulated_pages import PAGE_KINDS
from cnn.preprocessing import pipeline

# Least median correlation of 24 pages with MNIST's own images. Their strokes have
# another width, and some are stretched or slanted, too.
LEAST = dict.fromkeys(PAGE_KINDS, 0.6) | {"mnist": 0.99}
LEAST |= {
    "cropped_number": 0.5,
    "historic": 0.45,
    "stretched": 0.5,
    "binary_16": 0.45,
    "register": 0.45,
    "table_cell": 0.45,
    "margin_line": 0.45,
}
# These lean by up to 45° more.
LEAST |= {"slanted": 0.25}


@pytest.mark.parametrize("kind", PAGE_KINDS)
def test_the_image_that_is_read_of_a_page_is_like_its_digit(mnist_test, kind):
    correlations = []
    for i, digit in enumerate(mnist_test.images[:24, ..., 0] / np.float32(255)):
        page = Image.fromarray(PAGE_KINDS[kind](np.random.default_rng(i), digit))
        candidates = pipeline.preprocess_image(page, "mnist").images
        correlation = 0
        if len(candidates):
            correlation = np.corrcoef(candidates[0].ravel(), digit.ravel())[0, 1]
        correlations.append(correlation)
    assert np.median(correlations) > LEAST[kind]
