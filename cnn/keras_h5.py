"""Saves and loads the network's parameters in the HDF5 file that Keras opens.

The file has the layout of Keras 2, which Keras 3 and tf_keras 2 both open. `load` reads
the files of Keras 2 and of Keras 3. Format:
https://github.com/keras-team/keras/blob/master/keras/src/legacy/saving/legacy_h5_format.py

`load` takes only numbers and JSON from a file. No code in a file is ever run.
"""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cnn import keras_architecture
from cnn.atomic_write import atomic_write
from cnn.errors import Error
from cnn.keras_architecture import ArchitectureError

# Parameters of a layer: {"kernel": float32, "bias": float32}.
Tensors = Mapping[str, np.ndarray]
# Parameters of `cnn.model.CNN` by layer name.
Params = Mapping[str, Tensors]
# The description of a model that travels in its file: JSON values by name.
Metadata = dict[str, Any]

_Shape = tuple[int, ...]
_TensorsByShape = dict[_Shape, h5py.Dataset]

# Groups at the top of a file with the tensors of an optimizer or a metric.
_NOT_LAYERS = {"optimizer", "optimizer_weights", "metrics"}
# The numbers in the metadata that predictions depend on: name → lowest, highest.
_METADATA_RANGES = {"unsure_below": (0, 1), "temperature": (1e-3, 1e3)}
# The errors by which h5py, and JSON of another form, report a damaged file.
_HDF5_ERRORS = (OSError, RuntimeError, KeyError)
_JSON_ERRORS = (ValueError, TypeError, AttributeError)


class ModelFileError(Error):
    """A model file that is missing, damaged, or of another network."""


def save(path: str | Path, params: Params, metadata: Metadata) -> None:
    """Saves a model that `keras.models.load_model` opens, atomically.

    Args:
      path: the file, by convention `*.h5`.
      params: of `cnn.model.CNN`: layer name → `{"kernel": float32, "bias": float32}`.
      metadata: the description of the model, written as JSON. Keras ignores it.

    Raises:
      ModelFileError: the file cannot be written.
    """
    arrays = _to_float32(params)
    text = json.dumps(metadata)
    try:
        with atomic_write(path) as partial, h5py.File(partial, "w") as file:
            _write_model(file, arrays)
            file.attrs["cnn"] = text
            file.attrs["cnn_checksum"] = _checksum(arrays, text)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ModelFileError(
            f"{path}: the model cannot be written there: {reason}"
        ) from error


def load(path: str | Path) -> tuple[Params, Metadata]:
    """Loads the parameters of this network from an HDF5 file of ours or of Keras.

    Args:
      path: a whole model or its weights alone. The names of the layers do not matter.

    Returns:
      Parameters as `save` takes them, and the metadata. A file of Keras has no
      metadata: its `class_names` are "0", "1", and so on.

    Raises:
      ModelFileError: the problem with the file, or the first layer that differs.
    """
    path = Path(path)
    _check_is_hdf5(path)
    try:
        with h5py.File(path, "r") as file:
            return _load_model(path, file)
    except ArchitectureError as error:
        raise ModelFileError(f"{path}: another network: {error}") from None
    except (*_HDF5_ERRORS, *_JSON_ERRORS) as error:
        reason = str(error).partition("\n")[0]
        raise ModelFileError(
            f"{path}: damaged or truncated model file ({reason})"
        ) from error


def check_metadata(path: Path, metadata: Any, num_classes: int) -> None:
    """Checks the parts of a model's metadata that predictions depend on.

    Args:
      path: path of the model, for the error.
      metadata: the JSON value from the model's file.
      num_classes: the number of outputs of the network.

    Raises:
      ModelFileError: the path, the wrong entry and its value.
    """
    names = metadata.get("class_names") if isinstance(metadata, dict) else None
    if not _is_list_of_str(names, num_classes):
        raise ModelFileError(
            f"{path}: expected {num_classes} class names, found {names!r}"
        )
    for name, (low, high) in _METADATA_RANGES.items():
        value = metadata.get(name, high)
        is_number = type(value) in (int, float)
        if not is_number or not low <= value <= high:
            raise ModelFileError(
                f"{path}: {name}: expected a number from {low} to {high}, "
                f"found {value!r}"
            )


def _is_list_of_str(value: Any, length: int) -> bool:
    if not isinstance(value, list) or len(value) != length:
        return False
    return all(isinstance(item, str) for item in value)


def _to_float32(params: Params) -> Params:
    """Copies parameters of NumPy or JAX to NumPy arrays of `float32`."""
    arrays: dict[str, Tensors] = {}
    for layer, tensors in params.items():
        arrays[layer] = {
            name: np.asarray(values, np.float32) for name, values in tensors.items()
        }
    return arrays


def _write_model(file: h5py.File, params: Params) -> None:
    num_classes = params["dense_1"]["bias"].size
    layers = keras_architecture.model_layers(num_classes)
    names = [layer.config["name"] for layer in layers]
    weights = file.create_group("model_weights")
    weights.attrs["layer_names"] = names
    for name in names:
        group = weights.create_group(name)
        tensors = params.get(name, {})
        _write_layer(group, name, tensors)
    for attributes in (file.attrs, weights.attrs):
        attributes["backend"] = "tensorflow"
        attributes["keras_version"] = "2.15.0"
    training_config = json.dumps(keras_architecture.TRAINING_CONFIG)
    file.attrs["model_config"] = keras_architecture.model_config(num_classes)
    file.attrs["training_config"] = training_config


def _write_layer(group: h5py.Group, layer: str, tensors: Tensors) -> None:
    order = sorted(tensors, reverse=True)  # Keras' order: kernel, bias.
    weight_names = [f"{layer}/{name}:0" for name in order]
    group.attrs["weight_names"] = weight_names
    for name, values in tensors.items():
        group.create_dataset(f"{layer}/{name}:0", data=values)


def _checksum(params: Params, metadata: str | None) -> int:
    """Computes a CRC-32, since HDF5 does not notice a changed byte on the disk."""
    checksum = 0
    for layer in sorted(params):
        tensors = params[layer]
        for name in sorted(tensors):
            values = tensors[name].tobytes()
            checksum = zlib.crc32(values, checksum)
    text = str(metadata).encode()
    return zlib.crc32(text, checksum)


def _check_is_hdf5(path: Path) -> None:
    if not path.is_file():
        problem = "is no file" if path.exists() else "no such model file"
        raise ModelFileError(
            f"{path}: {problem}; train one with bin/train, or name one with --model"
        )
    if not h5py.is_hdf5(path):
        raise ModelFileError(
            f"{path}: not an HDF5 model, as bin/train and Keras' save('x.h5') write"
        )


def _load_model(path: Path, file: h5py.File) -> tuple[Params, Metadata]:
    config = file.attrs.get("model_config")
    if config is not None:  # A file of weights alone has no description.
        keras_architecture.check_architecture(config)
    params = _load_params(file)
    _check_values(path, params, file.attrs)
    num_classes = params["dense_1"]["bias"].size
    text = file.attrs.get("cnn")
    metadata = _load_metadata(path, text, num_classes)
    return params, metadata


def _load_params(file: h5py.File) -> Params:
    """Finds each layer by the shape of its kernel, which no two layers may share."""
    layers = _layers_by_kernel_shape(file)
    params = {}
    known = set()
    for name, expected in keras_architecture.kernel_shapes().items():
        shape = _find_kernel_shape(layers, name, expected)
        known.add(shape)
        tensors = layers[shape]
        params[name] = {
            "kernel": np.asarray(tensors[shape], np.float32),
            "bias": np.asarray(tensors[shape[-1:]], np.float32),
        }
    for shape in layers:
        if shape not in known:
            raise ArchitectureError(f"a further layer has a kernel {shape}")
    return params


def _layers_by_kernel_shape(file: h5py.File) -> dict[_Shape, _TensorsByShape]:
    layers = _list_layers(file)
    # The kernel is the tensor with the most axes.
    shapes = [max(tensors, key=len) for tensors in layers]
    for shape in shapes:
        count = shapes.count(shape)
        if count > 1:
            raise ArchitectureError(f"{count} layers have a kernel {shape}")
    return dict(zip(shapes, layers, strict=True))


def _list_layers(file: h5py.File) -> list[_TensorsByShape]:
    layers: dict[str, _TensorsByShape] = {}

    def collect(name: str, item: h5py.Group | h5py.Dataset) -> None:
        top_group, _, _ = name.partition("/")
        if top_group in _NOT_LAYERS or not isinstance(item, h5py.Dataset):
            return
        tensors = layers.setdefault(item.parent.name, {})
        tensors[item.shape] = item

    file.visititems(collect)  # `visititems` follows no link to another file.
    return list(layers.values())


def _find_kernel_shape(
    layers: dict[_Shape, _TensorsByShape], name: str, expected: tuple[int | None, ...]
) -> _Shape:
    for shape, tensors in layers.items():
        bias_shape = shape[-1:]
        if _matches(shape, expected) and bias_shape in tensors:
            return shape
    wanted = str(expected).replace("None", "num_classes")
    shapes = [str(shape) for shape in layers]
    found = ", ".join(shapes) or "none"
    raise ArchitectureError(
        f"layer {name}: expected a kernel {wanted} with its bias, found kernels {found}"
    )


def _matches(shape: _Shape, expected: tuple[int | None, ...]) -> bool:
    """Compares the shape of a kernel. An expected length of None matches any."""
    if shape[:-1] != expected[:-1]:
        return False
    outputs = expected[-1]
    return outputs is None or outputs == shape[-1]


def _check_values(
    path: Path, params: Params, attributes: h5py.AttributeManager
) -> None:
    for layer, tensors in params.items():
        if not all(np.isfinite(values).all() for values in tensors.values()):
            raise ModelFileError(
                f"{path}: layer {layer} holds numbers that are not finite"
            )
    saved = attributes.get("cnn_checksum")
    if saved is not None and int(saved) != _checksum(params, attributes.get("cnn")):
        raise ModelFileError(
            f"{path}: damaged model file: "
            "its parameters or its description are not those that were saved"
        )


def _load_metadata(path: Path, text: str | None, num_classes: int) -> Metadata:
    if text is None:
        return {"class_names": [str(label) for label in range(num_classes)]}
    metadata: Metadata = json.loads(text)
    check_metadata(path, metadata, num_classes)
    return metadata
