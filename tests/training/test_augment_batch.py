from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from cnn.config import TrainConfig
from cnn.training.augment_batch import augment_batch, sample_augmentation
from tests.training.steps import CONFIG

NO_AUGMENTATION = TrainConfig(
    batch_size=4,
    rotation_degrees=0,
    scale_range=0,
    shear_factor=0,
    translate_pixels=0,
    elastic_sigma=0,
    corruption_prob=0,
)


def random_images(count=4):
    draw = np.random.default_rng(0)
    return jnp.asarray(draw.integers(0, 256, (count, 28, 28, 1), np.uint8))


def test_the_corruption_probability_changes_linearly_during_the_run():
    config = replace(CONFIG, corruption_prob=0.5, corruption_prob_final=0.1)
    probs = [
        sample_augmentation(jax.random.key(0), config, progress).corruption_prob
        for progress in (0, 0.5, 1)
    ]
    np.testing.assert_allclose(probs, [[0.5] * 32, [0.3] * 32, [0.1] * 32], atol=1e-6)
    config = replace(CONFIG, corruption_prob=0.1)
    constant = sample_augmentation(jax.random.key(0), config, 0.7).corruption_prob
    np.testing.assert_array_equal(constant, np.full(32, np.float32(0.1)))


def test_without_augmentation_images_are_only_scaled():
    params = sample_augmentation(jax.random.key(0), NO_AUGMENTATION, 0.0)
    assert (params.affine, params.elastic, params.keys) == (None, None, None)
    augmented = augment_batch(random_images(), params)
    np.testing.assert_array_equal(augmented, random_images() / np.float32(255))


def test_an_elastic_warp_needs_no_affine_range():
    config = replace(NO_AUGMENTATION, elastic_sigma=1.0)
    params = sample_augmentation(jax.random.key(0), config, 0.0)
    augmented = augment_batch(random_images(), params)
    assert np.abs(augmented - random_images() / np.float32(255)).mean() > 0.05
