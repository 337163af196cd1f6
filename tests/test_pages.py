"""Digits on simulated pages are seen as the digits that they were drawn from."""

import numpy as np
import pytest
from PIL import Image

from cnn import images
from tests import pages

# Of 8 pages, the median likeness to MNIST's own picture, the strokes of which have another width; some are
# stretched or slanted, too.
LEAST = dict.fromkeys(pages.KINDS, 0.6) | {"mnist": 0.99}
LEAST |= {"historic": 0.4, "stretched": 0.4, "binary_16": 0.4, "register": 0.35}


@pytest.mark.parametrize("kind", pages.KINDS)
def test_what_is_seen_of_a_page_is_like_its_digit(mnist_test, tmp_path, kind):
    likenesses = []
    for i, digit in enumerate(mnist_test.images[:8, ..., 0] / np.float32(255)):
        page = pages.KINDS[kind](np.random.default_rng(i), digit)
        Image.fromarray(page).save(tmp_path / "a.png")
        seen = images.load(tmp_path / "a.png")[..., 0]
        likenesses.append(np.corrcoef(seen.ravel(), digit.ravel())[0, 1] if seen.any() else 0)
    assert np.median(likenesses) > LEAST[kind]
