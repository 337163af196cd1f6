"""Computes logits and probabilities of any number of images, in batches of one size."""

import functools
from collections.abc import Callable
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np

from cnn.jax_environment import own_settings
from cnn.keras_h5 import Params
from cnn.model import CNN
from cnn.parallel import cpu_count

# Images per call of the network on an accelerator. XLA compiles once per size, and
# may sum in another order for another size. All batches of a machine have one size, so
# the probabilities of an image are the same, bit for bit, however many images are
# computed together.
_ACCELERATOR_BATCH_SIZE = 256
# The same on a CPU, by its number of cores: a batch should fit their caches, and the
# blank images that fill up a small one cost as much as others.
_IMAGES_PER_CORE = 8
_MIN_CPU_BATCH_SIZE = 16

_IMAGE_SHAPE = (28, 28, 1)
# Values may exceed their range by a rounding error.
_RANGE_TOLERANCE = 1e-6


@own_settings()
def forward_in_batches(
    params: Params,
    images: np.ndarray,
    num_classes: int,
    batch_size: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Computes the logits and the probabilities of images.

    Several batches are computed on all devices of this process.

    Args:
      params: of `cnn.model.CNN`.
      images: `(N, 28, 28)` or `(N, 28, 28, 1)`, as integers in [0, 255] or floats in
        [0, 1].
      num_classes: the number of outputs of the network.
      batch_size: images per call of the network. None is that of this machine.

    Returns:
      The logits and their softmax, both `float32 (N, num_classes)`.

    Raises:
      ValueError: the images have another shape or range.

    Example:
      >>> from cnn.model import CNN
      >>> images = np.zeros((3, 28, 28), np.uint8)
      >>> variables = CNN(10).init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
      >>> _, probabilities = forward_in_batches(variables["params"], images, 10)
      >>> probabilities.shape
      (3, 10)
    """
    images = _as_batch(images)
    batch_size = batch_size or _batch_size()
    forward = _jitted_forward(num_classes)
    logits = np.empty((len(images), num_classes), np.float32)
    probabilities = np.empty_like(logits)
    starts = range(0, len(images), batch_size)
    devices = jax.local_devices()[: len(starts)]
    copies = [jax.device_put(params, device) for device in devices]
    for first in range(0, len(starts), max(1, len(devices))):
        group = starts[first : first + len(devices)]
        # A call returns before its result is computed, so all devices work at once.
        outputs = [
            forward(copy, _take_batch(images, start, batch_size))
            for copy, start in zip(copies, group, strict=False)
        ]
        for start, (batch_logits, batch_probabilities) in zip(
            group, outputs, strict=True
        ):
            rows = slice(start, min(start + batch_size, len(images)))
            logits[rows] = np.asarray(batch_logits)[: rows.stop - start]
            probabilities[rows] = np.asarray(batch_probabilities)[: rows.stop - start]
    return logits, probabilities


def images_per_call() -> int:
    """Returns the number of images that keeps all devices of this process busy."""
    return _batch_size() * jax.local_device_count()


@functools.cache
def _batch_size() -> int:
    """Returns the number of images per call of the network on this machine."""
    if jax.default_backend() != "cpu":
        return _ACCELERATOR_BATCH_SIZE
    size = max(_MIN_CPU_BATCH_SIZE, _IMAGES_PER_CORE * cpu_count())
    return min(size, _ACCELERATOR_BATCH_SIZE)


def _as_batch(images: np.ndarray) -> np.ndarray:
    """Checks images, and converts them to `uint8` or `float32 (N, 28, 28, 1)`."""
    images = np.asarray(images)
    if images.shape[1:] not in (_IMAGE_SHAPE, _IMAGE_SHAPE[:2]):
        raise ValueError(
            f"images: expected shape (N, 28, 28) or (N, 28, 28, 1), got {images.shape}"
        )
    is_integer = np.issubdtype(images.dtype, np.integer)
    _check_range(images, highest=255 if is_integer else 1)
    dtype = np.uint8 if is_integer else np.float32
    return images.astype(dtype).reshape(-1, *_IMAGE_SHAPE)


def _check_range(images: np.ndarray, highest: int) -> None:
    if not images.size:
        return
    low = images.min()
    high = images.max()
    if not -_RANGE_TOLERANCE <= low <= high <= highest + _RANGE_TOLERANCE:
        raise ValueError(
            "images: expected integers from 0 to 255 or floats from 0 to 1, "
            f"got {low} to {high} as {images.dtype}"
        )


def _take_batch(images: np.ndarray, start: int, batch_size: int) -> np.ndarray:
    """Returns the images from `start` on, and blank ones up to the size of a batch."""
    batch = images[start : start + batch_size]
    missing = batch_size - len(batch)
    if not missing:
        return batch
    blank = np.zeros((missing, *_IMAGE_SHAPE), images.dtype)
    return np.concatenate([batch, blank])


@functools.cache
def _jitted_forward(
    num_classes: int,
) -> Callable[[Params, np.ndarray], tuple[jax.Array, jax.Array]]:
    """Returns the jitted network, which all models of as many classes share."""
    model = CNN(num_classes)

    @jax.jit
    def forward(params: Params, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        if images.dtype == jnp.uint8:
            images = images.astype(jnp.float32) / 255
        logits = cast(jax.Array, model.apply({"params": params}, images))
        return logits, jax.nn.softmax(logits)

    return forward
