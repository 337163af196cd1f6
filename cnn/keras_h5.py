"""Saves and loads the network's parameters in the HDF5 file that Keras opens.

The file has the layout of Keras 2, which Keras 3 and tf_keras 2 both open. `load` reads
the files of Keras 2 and of Keras 3. Format:
https://github.com/keras-team/keras/blob/master/keras/src/legacy/saving/legacy_h5_format.py

HDF5 sees bytes in memory only, since on some disks it cannot lock a file, or another
program holds the lock.
"""

import io
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnn import h5_seal, keras_architecture
from cnn.atomic_write import atomic_write
from cnn.errors import Error
from cnn.h5_layers import Layers, UnreadableError, checksum, read_layers
from cnn.h5_process import read_layers_apart
from cnn.hdf5 import h5py

# Parameters of a layer: {"kernel": float32, "bias": float32}.
Tensors = Mapping[str, np.ndarray]
# Parameters of `cnn.model.CNN` by layer name.
Params = Mapping[str, Tensors]
# The description of a model that travels in its file: JSON values by name.
Metadata = dict[str, Any]

# The largest model file that is read, in bytes. One of 10 classes has 400 kB.
_MAX_FILE_SIZE = 256 << 20
# The first bytes of an HDF5 file, or of what follows its user block.
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# What a file of another kind begins with, and what to do about it.
_OTHER_KINDS = {
    b"PK": "a .keras file or another archive; open it in Keras and save('x.h5')",
    b"version https://git-lfs": "a pointer of Git LFS; fetch the file by git lfs pull",
}
# The numbers in the metadata that predictions depend on: name → lowest, highest.
_METADATA_RANGES = {
    "unsure_below": (0, 1),
    "string_unsure_below": (0, 1),
    "temperature": (1e-3, 1e3),
}


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
    content = h5_seal.seal(_to_hdf5(params, json.dumps(metadata)))
    try:
        with atomic_write(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise ModelFileError(
            f"{path}: the model cannot be written there: {error.strerror}"
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
    content = _read_file(path)
    if h5_seal.is_sealed(content) and not h5_seal.is_intact(content):
        raise ModelFileError(
            f"{path}: damaged model file: "
            "its content is not what was saved; copy it again, or train again"
        )
    read = read_layers if h5_seal.is_sealed(content) else read_layers_apart
    try:
        params, description = read(content)
    except UnreadableError as error:
        raise ModelFileError(f"{path}: {_printable(str(error))}") from None
    return params, _load_metadata(path, params, description)


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


def _to_float32(params: Params) -> Layers:
    """Copies parameters of NumPy or JAX to NumPy arrays of `float32`."""
    arrays: Layers = {}
    for layer, tensors in params.items():
        arrays[layer] = {
            name: np.asarray(values, np.float32) for name, values in tensors.items()
        }
    return arrays


def _to_hdf5(params: Params, description: str) -> bytes:
    arrays = _to_float32(params)
    buffer = io.BytesIO()
    size = h5_seal.USER_BLOCK_SIZE
    with h5py.File(buffer, "w", libver="earliest", userblock_size=size) as file:
        _write_model(file, arrays)
        file.attrs["cnn"] = description
        file.attrs["cnn_checksum"] = checksum(arrays, description)
    return buffer.getvalue()


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


def _read_file(path: Path) -> bytes:
    try:
        _check_is_file(path)
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_SIZE + 1)
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > _MAX_FILE_SIZE:
        raise ModelFileError(
            f"{path}: not a model of this network: over {_MAX_FILE_SIZE >> 20} MiB"
        )
    for beginning, kind in _OTHER_KINDS.items():
        if content.startswith(beginning):
            raise ModelFileError(f"{path}: {kind}")
    if _HDF5_SIGNATURE not in content and not h5_seal.is_sealed(content):
        raise ModelFileError(
            f"{path}: not an HDF5 model, as bin/train and Keras' save('x.h5') write"
        )
    return content


def _check_is_file(path: Path) -> None:
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        problem = "no such model file"
    else:
        if is_file:
            return
        problem = "is no file"
    raise ModelFileError(
        f"{path}: {problem}; train one with bin/train, or name digits, the shipped one"
    )


def _printable(message: str) -> str:
    """Replaces what a name in a file of another program could do to a terminal."""
    return "".join(char if char.isprintable() else "?" for char in message)


def _load_metadata(path: Path, params: Params, description: str | None) -> Metadata:
    num_classes = params["dense_1"]["bias"].size
    if description is None:
        return {"class_names": [str(label) for label in range(num_classes)]}
    try:
        metadata: Metadata = json.loads(description)
    except (ValueError, RecursionError):
        raise ModelFileError(
            f"{path}: damaged model file: its description is not JSON"
        ) from None
    check_metadata(path, metadata, num_classes)
    return metadata
