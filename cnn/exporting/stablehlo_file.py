"""Writes the network as StableHLO, by `jax.export`.

JAX and flatbuffers can call the file, on CPU, CUDA, ROCm and TPU. JAX promises so for
versions that are up to six months newer than the one that wrote it, and up to three
weeks older (https://docs.jax.dev/en/latest/export/export.html).

Example:
  import json, zipfile
  from pathlib import Path

  import jax.export

  network = jax.export.deserialize(bytearray(Path("model.stablehlo").read_bytes()))
  probabilities = network.call(images)  # float32 (N, 28, 28, 1), N at least 1
  with zipfile.ZipFile("model.stablehlo") as archive:
      class_names = json.loads(archive.read("metadata.json"))["class_names"]
"""

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import flatbuffers  # noqa: F401  jax.export needs but does not declare it.
import jax
import jax.export  # Not imported by jax itself.
import jax.numpy as jnp

from cnn.exporting.metadata import append_metadata
from cnn.jax_environment import own_settings
from cnn.keras_h5 import Params
from cnn.model import CNN

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def encode(params: Params, metadata: dict[str, Any]) -> bytes:
    """Encodes the network as a serialized `jax.export.Exported`.

    Args:
      params: of `cnn.model.CNN`. They become constants.
      metadata: JSON values by name, for `append_metadata`.

    Returns:
      The file's content. The function takes `float32 (N, 28, 28, 1)` in [0, 1], and
      returns `float32 (N, num_classes)`.
    """
    network = CNN(params["dense_1"]["bias"].size)

    @jax.jit
    def predict_proba(images: jax.Array) -> jax.Array:
        logits = cast(jax.Array, network.apply({"params": params}, images))
        return jax.nn.softmax(logits)

    (batch,) = jax.export.symbolic_shape("N")
    images = jax.ShapeDtypeStruct((batch, 28, 28, 1), jnp.float32)
    with own_settings(), _no_locations():
        exported = jax.export.export(predict_proba, platforms=PLATFORMS)(images)
        return append_metadata(bytes(exported.serialize()), metadata)


@contextlib.contextmanager
def _no_locations() -> Iterator[None]:
    """Keeps the paths of source files, and so of a user's folders, out of the file."""
    name = "jax_traceback_in_locations_limit"
    previous = getattr(jax.config, name)
    jax.config.update(name, 0)
    try:
        yield
    finally:
        jax.config.update(name, previous)
