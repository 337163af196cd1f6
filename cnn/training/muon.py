"""The Muon optimizer, which makes the update of a kernel an orthogonal matrix.

Momentum in which a few directions dominate learns these alone. Muon makes all its
singular values about equal, so that fewer steps learn the rare directions, too
(Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024).

`optax.contrib.muon` computes the same update. It multiplies the whole matrix in every
iteration, which takes five times as long for kernels of 576×64.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

# The polynomial of Jordan et al.: five iterations bring singular values to 0.68 to
# 1.13, also those of a hundredth of the norm.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_NUM_ITERATIONS = 5

# They take 0.95. In runs of a thousand steps, 0.9 reads better.
_MOMENTUM = 0.9

# Root mean square of an update's elements. Adam's is about as large, so both take the
# same learning rate (Liu et al., "Muon is scalable for LLM training", 2025).
_UPDATE_RMS = 0.2

# The input and the output of a network are no hidden layers.
_LAYERS_OF_ADAM = ("conv2d", "dense_1")


def muon(schedule: optax.Schedule, weight_decay: float) -> optax.GradientTransformation:
    """Returns Muon for the kernels of hidden layers, and Adam for all other parameters.

    Args:
      schedule: learning rate by step, of both.
      weight_decay: decoupled weight decay of the kernels.
    """
    decay = optax.add_decayed_weights(weight_decay, mask=is_kernel)
    scale = optax.scale_by_learning_rate(schedule)
    momentum = optax.trace(_MOMENTUM, nesterov=True)
    orthogonal = optax.stateless_with_tree_map(_scaled_orthogonal)
    optimizers = {
        "muon": optax.chain(momentum, orthogonal, decay, scale),
        "adam": optax.chain(optax.scale_by_adam(), decay, scale),
    }
    return optax.partition(optimizers, _optimizer_names)


def is_kernel(params: Any) -> Any:
    """Tells, for each array of a tree of parameters, whether it is a kernel."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def _optimizer_names(params: Any) -> Any:
    def name(path: tuple, leaf: jax.Array) -> str:
        is_hidden = path[0].key not in _LAYERS_OF_ADAM
        return "muon" if is_hidden and leaf.ndim > 1 else "adam"

    return jax.tree_util.tree_map_with_path(name, params)


def _scaled_orthogonal(update: jax.Array, _param: jax.Array | None) -> jax.Array:
    """Orthogonalizes the update of a kernel, whose last axis has its outputs."""
    matrix = update.reshape(-1, update.shape[-1])
    scale = _UPDATE_RMS * max(matrix.shape) ** 0.5
    return scale * orthogonalize(matrix).reshape(update.shape)


def orthogonalize(matrix: jax.Array) -> jax.Array:
    """Brings all singular values of a matrix near 1, and keeps its singular vectors.

    An iteration X ← X·(a + b·XᵀX + c·(XᵀX)²) multiplies X by a polynomial of its Gram
    matrix. The product of these factors is computed from the Gram matrix alone, and X
    is multiplied once.

    Args:
      matrix: `float32 (rows, columns)`. It is quickest with fewer columns than rows.
    """
    # Accelerators round the factors of products otherwise, and a Gram matrix has the
    # squares of the singular values.
    multiply = partial(jnp.matmul, precision="highest")
    a, b, c = _COEFFICIENTS
    matrix /= jnp.linalg.norm(matrix) + 1e-8
    gram = multiply(matrix.T, matrix)
    identity = jnp.eye(len(gram), dtype=gram.dtype)
    product = identity
    for _ in range(_NUM_ITERATIONS):
        factor = a * identity + b * gram + c * multiply(gram, gram)
        product = multiply(product, factor)
        gram = multiply(multiply(factor, gram), factor)
    return multiply(matrix, product)
