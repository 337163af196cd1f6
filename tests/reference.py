"""A second formulation of the network: NumPy in float64, straight from the definition.

It shares no code with `cnn`, so that an error in one of the two shows in the tests.
"""

import numpy as np


def forward(params: dict, images: np.ndarray) -> np.ndarray:
    """Computes the probabilities of images.

    Args:
      params: layer name → `{"kernel": ..., "bias": ...}`.
      images: `(N, 28, 28, 1)` in [0, 1].

    Returns:
      `float64 (N, num_classes)`.
    """
    x = np.asarray(images, np.float64)
    for name in ("conv2d", "conv2d_1", "conv2d_2"):
        x = np.maximum(convolution(x, **params[name]), 0)
        x = x if name == "conv2d_2" else pooling(x)
    x = x.reshape(len(x), np.prod(x.shape[1:]))
    x = np.maximum(x @ params["dense"]["kernel"] + params["dense"]["bias"], 0)
    x = x @ params["dense_1"]["kernel"] + params["dense_1"]["bias"]
    x = np.exp(x - x.max(-1, keepdims=True))
    return x / x.sum(-1, keepdims=True)


def convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolves `(N, height, width, in)` with `(3, 3, in, out)`, without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return (
        np.einsum("nhwcij,ijcf->nhwf", windows, np.asarray(kernel, np.float64)) + bias
    )


def pooling(x: np.ndarray) -> np.ndarray:
    """Takes the maximum of each 2×2 block; an odd last row or column is dropped."""
    n, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))


def random_params(num_classes: int = 10, seed: int = 0) -> dict:
    """Draws parameters of the network, with He-normal kernels."""
    rng = np.random.default_rng(seed)
    shapes = {
        "conv2d": (3, 3, 1, 32),
        "conv2d_1": (3, 3, 32, 64),
        "conv2d_2": (3, 3, 64, 64),
        "dense": (576, 64),
        "dense_1": (64, num_classes),
    }
    params = {}
    for name, shape in shapes.items():
        kernel = rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)
        bias = rng.normal(0, 0.1, shape[-1])
        params[name] = {
            "kernel": kernel.astype(np.float32),
            "bias": bias.astype(np.float32),
        }
    return params
