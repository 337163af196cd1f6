"""The network, and its table of layers."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

max_pool = partial(nn.max_pool, window_shape=(2, 2), strides=(2, 2))


class CNN(nn.Module):
    """Convolutional network for 28×28 images of one handwritten character.

    It returns logits. `jax.nn.softmax` makes probabilities of them.

    Attributes:
      num_classes: number of classes.
      dtype: dtype of the computation. Parameters and logits are `float32`.

    Example:
      >>> variables = CNN(10).init(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
      >>> CNN(10).apply(variables, jnp.zeros((5, 28, 28, 1))).shape
      (5, 10)
    """

    num_classes: int = 10
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Computes the logits of a batch.

        Args:
          images: `float32 (batch, 28, 28, 1)` in [0, 1], ink 1 on background 0.

        Returns:
          `float32 (batch, num_classes)`.
        """
        conv = partial(
            nn.Conv,
            kernel_size=(3, 3),
            padding="VALID",
            dtype=self.dtype,
        )
        dense = partial(nn.Dense, dtype=self.dtype)
        x = conv(32, name="conv2d")(images)
        x = nn.relu(x)
        x = max_pool(x)
        x = conv(64, name="conv2d_1")(x)
        x = nn.relu(x)
        x = max_pool(x)
        x = conv(64, name="conv2d_2")(x)
        x = nn.relu(x)
        x = x.reshape(x.shape[0], -1)
        x = dense(64, name="dense")(x)
        x = nn.relu(x)
        logits = dense(self.num_classes, name="dense_1")(x)
        return logits.astype(jnp.float32)


class Layer(NamedTuple):
    """A row of the table of layers.

    Attributes:
      name: name of the layer in Keras and in the parameters.
      output_shape: shape of the output, without the batch axis.
      num_params: number of parameters.
    """

    name: str
    output_shape: tuple[int, ...]
    num_params: int


def summary(num_classes: int = 10) -> str:
    """Formats the table of layers, output shapes and parameter counts.

    Example:
      >>> print(summary(10).splitlines()[-1])
      Total parameters: 93,322
    """
    header = _format_row("Layer", "Output shape", "Parameters")
    rule = "-" * len(header)
    lines = [header, rule]
    total = 0
    for layer in _list_layers(num_classes):
        shape = str(layer.output_shape)
        count = f"{layer.num_params:,}"
        row = _format_row(layer.name, shape, count)
        lines.append(row)
        total += layer.num_params
    lines.append(rule)
    lines.append(f"Total parameters: {total:,}")
    return "\n".join(lines)


def _format_row(name: str, output_shape: str, num_params: str) -> str:
    return f"{name:<18}{output_shape:<16}{num_params:>12}"


def _list_layers(num_classes: int) -> list[Layer]:
    """Traces the network, and lists its layers with pooling and flattening.

    Flax reports no layers without parameters, because they are functions. Such a layer
    is detected where the input of a layer differs in shape from the output before it.
    Its name is that of Keras.
    """
    layers: list[Layer] = []
    function_names = iter(["max_pooling2d", "max_pooling2d_1", "flatten"])

    def record_layer(layer: Callable, args: Any, kwargs: Any, context: Any) -> Any:
        output = layer(*args, **kwargs)
        name = context.module.name
        # Under `python -O`, Flax forgets to end the interception.
        is_listed = name in {layer.name for layer in layers}
        if not name or is_listed:
            return output
        input_shape = args[0].shape[1:]
        output_shape = output.shape[1:]
        if layers and layers[-1].output_shape != input_shape:
            function_name = next(function_names)
            layers.append(Layer(function_name, input_shape, 0))
        layers.append(Layer(name, output_shape, 0))
        return output

    with nn.intercept_methods(record_layer):
        params = _trace_params(num_classes)
    counted_layers = []
    for layer in layers:
        layer_params = params.get(layer.name, {})
        num_params = _count_params(layer_params)
        counted_layers.append(layer._replace(num_params=num_params))
    return counted_layers


def _trace_params(num_classes: int) -> Any:
    """Returns the shapes of the parameters, by layer, without computing any."""
    model = CNN(num_classes)
    rng = jax.random.key(0)
    images = jnp.zeros((1, 28, 28, 1))
    variables = jax.eval_shape(model.init, rng, images)
    return variables["params"]


def _count_params(params: Any) -> int:
    leaves = jax.tree.leaves(params)
    return sum(leaf.size for leaf in leaves)
