"""Random corruptions of training images, computed on the device.

The names follow MNIST-C (Mu & Gilmer, "MNIST-C: A robustness benchmark for computer
vision", 2019) and kornia. All corruptions keep the polarity: on average, ink stays
brighter than paper.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from cnn.augmentation import (
    blur_corruptions,
    geometric_corruptions,
    occlusion_corruptions,
    photometric_corruptions,
)

# Computes images of `float32 (batch, side, side)` in [0, 1] from a random key and such
# images.
Corruption = Callable[[jax.Array, jax.Array], jax.Array]

# How to add a corruption: write a function in one of these modules, and list it here.
# The order is part of the random sequence. After a change, models are no longer
# reproduced by their seed.
CORRUPTIONS: dict[str, Corruption] = {
    function.__name__: function
    for function in (
        geometric_corruptions.random_affine,
        geometric_corruptions.scale,
        geometric_corruptions.elastic_transform,
        blur_corruptions.gaussian_blur,
        blur_corruptions.motion_blur,
        blur_corruptions.glass_blur,
        blur_corruptions.pixelate,
        geometric_corruptions.dilate,
        geometric_corruptions.erode,
        geometric_corruptions.morphological_gradient,
        photometric_corruptions.threshold,
        photometric_corruptions.contrast,
        photometric_corruptions.brightness,
        photometric_corruptions.linear_illumination,
        photometric_corruptions.fog,
        photometric_corruptions.stripe,
        occlusion_corruptions.dotted_line,
        occlusion_corruptions.zigzag,
        occlusion_corruptions.spatter,
        occlusion_corruptions.random_erasing,
        photometric_corruptions.gaussian_noise,
        photometric_corruptions.shot_noise,
        photometric_corruptions.impulse_noise,
    )
}

# Each image passes through this many rounds, and is corrupted at most once in each.
_ROUNDS = 2


def random_corruptions(
    keys: jax.Array,
    images: jax.Array,
    probs: jax.Array,
    batch_map: Callable[[Callable], Callable] = jax.vmap,
) -> jax.Array:
    """Applies up to two random corruptions to each image.

    Args:
      keys: `(batch,)`, JAX random keys.
      images: `float32 (batch, side, side)` in [0, 1].
      probs: `float32 (batch,)` in [0, 1], the probability of a corruption in each of
        two rounds. A share of `(1 - prob)**2` of the images stays unchanged.
      batch_map: a transform that maps a per-image function over a batch.

    Returns:
      `float32 (batch, side, side)` in [0, 1].
    """
    # Sampled for the whole batch, since sampling per image would take longer.
    sample_batch = jax.vmap(_sample_rounds)
    indices, corruption_keys = sample_batch(keys, probs)
    corrupt_batch = batch_map(_corrupt_image)
    return corrupt_batch(indices, corruption_keys, images)


def _sample_rounds(key: jax.Array, prob: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Samples indices and keys of the corruptions of one image, `(rounds,)` each."""
    rounds = jnp.arange(_ROUNDS)
    fold_in_rounds = jax.vmap(jax.random.fold_in, (None, 0))
    round_keys = fold_in_rounds(key, rounds)
    sample_corruptions = jax.vmap(_sample_corruption, (0, None))
    return sample_corruptions(round_keys, prob)


def _sample_corruption(key: jax.Array, prob: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Samples the index of a corruption, 0 for none, and the corruption's key."""
    choice_key, corruption_key = jax.random.split(key)
    # Uniform in [0, 1) with probability `prob`, else 1 or more.
    uniform = jax.random.uniform(choice_key)
    choice = uniform / jnp.maximum(prob, 1e-9)
    num_corruptions = len(CORRUPTIONS)
    chosen = 1 + jnp.floor(choice * num_corruptions)
    index = jnp.where(choice < 1, chosen, 0)
    return index.astype(jnp.int32), corruption_key


def _corrupt_image(indices: jax.Array, keys: jax.Array, image: jax.Array) -> jax.Array:
    """Applies the corruption of each round to `float32 (side, side)`."""
    branches = [_identity, *CORRUPTIONS.values()]

    def corrupt_once(round_: int, image: jax.Array) -> jax.Array:
        index = indices[round_]
        key = keys[round_]
        (corrupted,) = lax.switch(index, branches, key, image[None])
        return corrupted

    return lax.fori_loop(0, _ROUNDS, corrupt_once, image)


def _identity(_: jax.Array, images: jax.Array) -> jax.Array:
    return images
