import jax
import numpy as np

from cnn.augmentation import corruption_sampling


def test_numbers_are_uniform_in_their_ranges():
    images = np.zeros((5000, 28, 28), np.float32)
    numbers = corruption_sampling.sample_uniform(
        jax.random.key(0), images, (0, 1), (-3, -1)
    )
    assert numbers.shape == (2, 5000, 1, 1)
    for sample, (low, high) in zip(
        np.asarray(numbers), [(0, 1), (-3, -1)], strict=True
    ):
        assert low <= sample.min() < sample.max() <= high
        assert abs(sample.mean() - (low + high) / 2) < 0.05


def test_transposing_twice_with_one_key_changes_nothing(digits):
    key = jax.random.key(3)
    once = corruption_sampling.random_transpose(key, digits)
    twice = corruption_sampling.random_transpose(key, once)
    np.testing.assert_array_equal(twice, digits)
    transposed = (np.asarray(once) != digits).any((1, 2)).mean()
    assert 0.3 < transposed < 0.7
