"""Noise of crops that ink covers to a large part."""

import numpy as np
import pytest

from cnn.preprocessing.crop_noise import limit_noise
from cnn.preprocessing.ink_levels import Ink


def test_a_ramp_has_no_noise_between_its_pixels():
    levels = np.tile(np.arange(40, dtype=np.float32), (40, 1))
    limited = limit_noise(Ink(levels, noise=10, contrast=40), levels)
    assert limited.noise == pytest.approx(0.085 * 40)


def test_noise_of_independent_pixels_stays():
    levels = np.random.default_rng(0).normal(0, 10, (40, 40)).astype(np.float32)
    limited = limit_noise(Ink(levels, noise=10, contrast=30), levels)
    assert limited.noise == pytest.approx(10, rel=0.1)


def test_noise_is_never_raised():
    levels = np.random.default_rng(0).normal(0, 10, (40, 40)).astype(np.float32)
    assert limit_noise(Ink(levels, noise=1, contrast=30), levels).noise == 1
