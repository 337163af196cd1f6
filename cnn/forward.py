"""Computes logits and probabilities of any number of images, in batches of one size."""

import functools

import numpy as np

from cnn import compiled_forward
from cnn.compiled_forward import Params, Shape
from cnn.jax_environment import check_devices
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


def forward_in_batches(
    params: Params, images: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Computes the logits and the probabilities of images.

    JAX computes several batches on all devices of this process, or a program that it
    has compiled before computes them on the CPU.

    Args:
      params: of `cnn.model.CNN`. They may not be changed afterwards.
      images: `(N, 28, 28)` or `(N, 28, 28, 1)`, as integers in [0, 255] or floats in
        [0, 1].
      num_classes: the number of outputs of the network.

    Returns:
      The logits and their softmax, both `float32 (N, num_classes)`.

    Raises:
      ValueError: the images have another shape or range.
      JaxError: JAX cannot start.

    Example:
      >>> import jax
      >>> from cnn.model import CNN
      >>> images = np.zeros((3, 28, 28), np.uint8)
      >>> variables = CNN(10).init(jax.random.key(0), np.zeros((1, 28, 28, 1)))
      >>> _, probabilities = forward_in_batches(variables["params"], images, 10)
      >>> probabilities.shape
      (3, 10)
    """
    images = _as_batch(images)
    if not len(images):
        none = np.zeros((0, num_classes), np.float32)
        return none, none
    size = _cpu_batch_size()
    run = compiled_forward.load(Shape(num_classes, size, images.dtype.name), params)
    if run is not None:
        outputs = [run(params, batch) for batch in _take_batches(images, size)]
    else:
        check_devices()
        # Imported late: JAX takes a second to import, and may not be able to start.
        from cnn import jax_forward

        batches = _take_batches(images, _batch_size())
        outputs = jax_forward.compute_batches(params, batches, num_classes)
    logits, probabilities = map(np.concatenate, zip(*outputs, strict=True))
    return logits[: len(images)], probabilities[: len(images)]


def images_per_call() -> int:
    """Returns the number of images that keeps all devices of this process busy."""
    if compiled_forward.is_usable():
        return _cpu_batch_size()
    check_devices()
    from cnn import jax_forward

    return _batch_size() * jax_forward.count_devices()


def check_network() -> None:
    """Starts JAX on its devices, unless the network may need no JAX.

    Raises:
      JaxError: JAX cannot start.
    """
    if not compiled_forward.is_usable():
        check_devices()


@functools.cache
def _batch_size() -> int:
    """Returns the number of images per call of JAX on this machine."""
    from cnn import jax_forward

    return _cpu_batch_size() if jax_forward.is_on_cpu() else _ACCELERATOR_BATCH_SIZE


@functools.cache
def _cpu_batch_size() -> int:
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


def _take_batches(images: np.ndarray, size: int) -> list[np.ndarray]:
    """Divides images into batches of one size. Blank ones fill up the last."""
    batches = [images[start : start + size] for start in range(0, len(images), size)]
    missing = size - len(batches[-1])
    if missing:
        blank = np.zeros((missing, *_IMAGE_SHAPE), images.dtype)
        batches[-1] = np.concatenate([batches[-1], blank])
    return batches
