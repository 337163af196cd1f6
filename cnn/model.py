"""The network: small enough to read in one look."""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

max_pool = partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))


class CNN(nn.Module):
    """Three convolutions and two dense layers, for pictures of one handwritten character.

    It returns logits; take `jax.nn.softmax` of them for probabilities.

    Attributes:
      num_classes: how many characters there are to tell apart.
      dtype: in which it is computed; the parameters are `float32` all the same.

    Example:
      >>> params = CNN(10).init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
      >>> CNN(10).apply(params, jnp.zeros((5, 28, 28, 1))).shape
      (5, 10)
    """

    num_classes: int = 10
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Computes the logits of a batch.

        Args:
          images: `float32 (batch, 28, 28, 1)` in [0, 1].

        Returns:
          `float32 (batch, num_classes)` logits.
        """
        conv = partial(nn.Conv, kernel_size=(3, 3), padding="VALID", dtype=self.dtype)
        dense = partial(nn.Dense, dtype=self.dtype)
        x = nn.relu(conv(32, name="conv2d")(images))
        x = max_pool(x)
        x = nn.relu(conv(64, name="conv2d_1")(x))
        x = max_pool(x)
        x = nn.relu(conv(64, name="conv2d_2")(x))
        x = x.reshape(x.shape[0], -1)
        x = nn.relu(dense(64, name="dense")(x))
        return dense(self.num_classes, name="dense_1")(x).astype(jnp.float32)


def summary(num_classes: int = 10) -> str:
    """Draws the table of layers, output shapes and parameter counts.

    Example:
      >>> print(summary(10).splitlines()[-1])
      Total parameters: 93,322
    """
    layers = [
        (name, shape, f"{count:,}") for name, shape, count in _layers(num_classes)
    ]
    rows = [("Layer", "Output shape", "Parameters"), *layers]
    lines = [f"{name:<18}{shape!s:<16}{count:>12}" for name, shape, count in rows]
    rule = "-" * len(lines[0])
    total = sum(count for *_, count in _layers(num_classes))
    return "\n".join([lines[0], rule, *lines[1:], rule, f"Total parameters: {total:,}"])


def _layers(num_classes: int) -> list[tuple[str, tuple[int, ...], int]]:
    """Watches a picture's shape pass through the network: name, output shape, parameters."""
    outputs: list[tuple[str, tuple[int, ...]]] = []
    between = iter(["max_pooling2d", "max_pooling2d_1", "flatten"])

    def watch(layer: Callable, args: Any, kwargs: Any, context: Any) -> jax.Array:
        y = layer(*args, **kwargs)
        if context.module.name:
            if outputs and outputs[-1][1] != args[0].shape[1:]:
                outputs.append((next(between), args[0].shape[1:]))
            outputs.append((context.module.name, y.shape[1:]))
        return y

    with nn.intercept_methods(watch):
        init = CNN(num_classes).init
        params = jax.eval_shape(init, jax.random.key(0), jnp.zeros((1, 28, 28, 1)))[
            "params"
        ]
    sizes = {
        name: sum(p.size for p in jax.tree.leaves(params[name])) for name in params
    }
    return [(name, shape, sizes.get(name, 0)) for name, shape in outputs]
