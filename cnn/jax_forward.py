"""Computes the network by JAX, on all devices of this process."""

import functools
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache

from cnn.compiled_forward import Outputs, Params, Shape, keep
from cnn.jax_environment import own_settings
from cnn.model import CNN

# The default of XLA. JAX keeps what it compiles in memory, too, by the options.
_DEFAULT_OPTIONS: dict[str, str | bool] = {"xla_embed_ir_in_executable": False}


@own_settings()
def compute_batches(
    params: Params, batches: list[np.ndarray], num_classes: int
) -> list[Outputs]:
    """Computes batches of one size, on all devices at once.

    Args:
      params: of `cnn.model.CNN`.
      batches: `uint8` or `float32 (batch, 28, 28, 1)` each.
      num_classes: the number of outputs of the network.

    Returns:
      The logits and the probabilities of each batch.
    """
    forward = _jitted_forward(num_classes)
    devices = jax.local_devices()[: len(batches)]
    copies = [jax.device_put(params, device) for device in devices]
    results: list[Outputs] = []
    for first in range(0, len(batches), max(1, len(devices))):
        group = batches[first : first + len(devices)]
        # A call returns before its result is computed, so all devices work at once.
        outputs = [forward(*inputs) for inputs in zip(copies, group, strict=False)]
        results += [(np.asarray(logits), np.asarray(p)) for logits, p in outputs]
    if batches and is_on_cpu() and count_devices() == 1:
        batch = batches[0]
        shape = Shape(num_classes, len(batch), batch.dtype.name)
        keep(shape, lambda: _serialize(forward.lower(params, batch)))
    return results


def is_on_cpu() -> bool:
    """Tells whether JAX computes on the CPU."""
    return jax.default_backend() == "cpu"


def count_devices() -> int:
    """Returns the number of devices of this process."""
    return jax.local_device_count()


def _serialize(lowered: jax.stages.Lowered) -> bytes:
    """Compiles a program, and returns its bytes.

    It is compiled anew, since one that JAX has loaded from its cache lacks functions
    when it is serialized again.
    """
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    try:
        compiled = lowered.compile(_DEFAULT_OPTIONS)
    finally:
        jax.config.update("jax_enable_compilation_cache", True)
        compilation_cache.reset_cache()
    executable: Any = compiled.runtime_executable()
    return bytes(executable.serialize())


@functools.cache
def _jitted_forward(num_classes: int) -> Any:
    """Returns the jitted network, which all models of as many classes share."""
    model = CNN(num_classes)

    @jax.jit
    def forward(params: Params, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        if images.dtype == jnp.uint8:
            images = images.astype(jnp.float32) / 255
        logits = cast(jax.Array, model.apply({"params": params}, images))
        return logits, jax.nn.softmax(logits)

    return forward
