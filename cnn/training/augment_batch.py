"""Random augmentation of a training batch: warps, then corruptions."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from cnn.augmentation import affine, corruptions
from cnn.config import TrainConfig


class AugmentationParams(NamedTuple):
    """Random parameters of the augmentation, one per image of a batch.

    Attributes:
      affine: affine maps, `float32 (batch, 2, 3)`, or None for no warp.
      elastic: elastic displacements, `float32 (batch, 2, 6, 6)` in pixels, or None.
      keys: data of random keys for the corruptions, `uint32 (batch, 2)`, or None.
      corruption_prob: `float32 (batch,)` in [0, 1].
    """

    affine: jax.Array | None
    elastic: jax.Array | None
    keys: jax.Array | None
    corruption_prob: jax.Array


def sample_augmentation(
    key: jax.Array, config: TrainConfig, progress: jax.Array | float
) -> AugmentationParams:
    """Samples the augmentation of one batch.

    The corruption probability changes linearly during the run. Early steps teach
    robustness, and late steps teach the clean images.

    Args:
      key: random key of the step.
      config: settings. A range of 0 turns its warp off.
      progress: `float32 ()` in [0, 1], the fraction of the run's steps before this one.
    """
    batch_size = config.batch_size
    first_prob = config.corruption_prob
    last_prob = config.resolved_corruption_prob_final
    prob = first_prob + (last_prob - first_prob) * progress
    return AugmentationParams(
        affine=_sample_affine(key, config),
        elastic=_sample_elastic(jax.random.fold_in(key, 2), config),
        keys=_split_key(jax.random.fold_in(key, 1), config),
        corruption_prob=jnp.full(batch_size, prob, jnp.float32),
    )


def augment_batch(
    images: jax.Array, params: AugmentationParams, batch_map: Callable = jax.vmap
) -> jax.Array:
    """Scales images to [0, 1], then warps and corrupts them.

    Args:
      images: `uint8 (batch, 28, 28, 1)`.
      params: parameters from `sample_augmentation`.
      batch_map: transform that maps a function of one example over a batch.

    Returns:
      `float32 (batch, 28, 28, 1)` in [0, 1].
    """
    gray = images[..., 0].astype(jnp.float32) / 255
    if params.affine is not None:
        gray = affine.warp(gray, params.affine, params.elastic)
    if params.keys is not None:
        keys = jax.random.wrap_key_data(params.keys)
        probs = params.corruption_prob
        gray = corruptions.random_corruptions(keys, gray, probs, batch_map)
    return gray[..., None]


def _sample_affine(key: jax.Array, config: TrainConfig) -> jax.Array | None:
    ranges = affine.AffineRanges(
        config.rotation_degrees,
        config.scale_range,
        config.shear_factor,
        config.translate_pixels,
    )
    # An elastic warp is applied together with an affine map, if only the identity.
    if any(ranges) or config.elastic_sigma:
        return affine.sample_affine(key, config.batch_size, ranges)
    return None


def _sample_elastic(key: jax.Array, config: TrainConfig) -> jax.Array | None:
    if not config.elastic_sigma:
        return None
    return affine.sample_elastic(key, config.batch_size, config.elastic_sigma)


def _split_key(key: jax.Array, config: TrainConfig) -> jax.Array | None:
    """Splits a key into one per image. Returns None when no image is corrupted."""
    if config.corruption_prob or config.resolved_corruption_prob_final:
        return jax.random.key_data(jax.random.split(key, config.batch_size))
    return None
