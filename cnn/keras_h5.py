"""The network's parameters in the HDF5 file that Keras writes and opens.

Keras 2's layout is written, since Keras 3 and tf_keras 2 both open it; either's files are read.
The layout is that of https://github.com/keras-team/keras/blob/master/keras/src/legacy/saving/legacy_h5_format.py
Only numbers and JSON are ever taken from a file; nothing in it is run.
"""

import json
import os
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cnn.atomic_write import atomic_write
from cnn.errors import Error

# Kernels in the order of the network; Flax and Keras agree on their layouts, HWIO and (in, out).
_KERNELS = {
    "conv2d": (3, 3, 1, 32),
    "conv2d_1": (3, 3, 32, 64),
    "conv2d_2": (3, 3, 64, 64),
    "dense": (576, 64),
    "dense_1": (64, None),
}
# These change nothing once a network is trained.
_ACTIVATIONS = {"Activation", "ReLU", "Softmax"}
_IDLE_LAYERS = {
    "InputLayer",
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
}


class ModelFileError(Error):
    """A model file that is missing, damaged, or of another network."""


def save(path: str | Path, params: dict, metadata: dict) -> None:
    """Writes a model that `keras.models.load_model` opens, whole or not at all.

    Args:
      path: the file, by custom `*.h5`.
      params: of `cnn.model.CNN`: `{layer: {"kernel": float32, "bias": float32}}`.
      metadata: what the model is for, as JSON; Keras ignores it.

    Raises:
      ModelFileError: the file cannot be written.
    """
    arrays = {
        k: {n: np.asarray(a, np.float32) for n, a in v.items()}
        for k, v in params.items()
    }
    try:
        with atomic_write(path) as partial, h5py.File(partial, "w") as file:
            _write(file, arrays)
            file.attrs["cnn"] = json.dumps(metadata)
            file.attrs["cnn_checksum"] = _checksum(arrays, file.attrs["cnn"])
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ModelFileError(
            f"{path}: the model cannot be written there: {reason}"
        ) from error


def _checksum(params: dict[str, dict[str, np.ndarray]], metadata: Any) -> int:
    """Sums up what is ours, since HDF5 does not notice when it changes on the disk."""
    arrays = [
        params[layer][tensor]
        for layer in sorted(params)
        for tensor in sorted(params[layer])
    ]
    return zlib.crc32(
        b"".join(array.tobytes() for array in arrays) + str(metadata).encode()
    )


def _write(file: h5py.File, params: dict[str, dict[str, np.ndarray]]) -> None:
    layers = _config(num_classes=params["dense_1"]["bias"].size)
    model = {
        "class_name": "Sequential",
        "config": {"name": "sequential", "layers": layers},
    }
    names = [layer["config"]["name"] for layer in layers[1:]]
    weights = file.create_group("model_weights")
    weights.attrs["layer_names"] = names
    for name in names:
        group, tensors = weights.create_group(name), params.get(name, {})
        group.attrs["weight_names"] = [
            f"{name}/{tensor}:0" for tensor in sorted(tensors)[::-1]
        ]
        for tensor, values in tensors.items():
            group.create_dataset(f"{name}/{tensor}:0", data=values)
    for attributes in (file.attrs, weights.attrs):
        attributes["backend"], attributes["keras_version"] = "tensorflow", "2.15.0"
    file.attrs["model_config"] = json.dumps(model)
    file.attrs["training_config"] = json.dumps(_TRAINING)


# So that Keras opens the file ready to evaluate and to train on, without a warning.
_TRAINING = {
    "loss": "categorical_crossentropy",
    "metrics": ["accuracy"],
    "weighted_metrics": None,
    "loss_weights": None,
    "optimizer_config": {
        "class_name": "Adam",
        "config": {"name": "Adam", "learning_rate": 1e-3},
    },
}


def _config(num_classes: int) -> list[dict[str, Any]]:
    """Describes the network in Keras' words, layer by layer."""

    def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
        base = {"name": name, "trainable": True, "dtype": "float32"}
        return {"class_name": kind, "config": base | config}

    def conv(name: str, filters: int) -> dict[str, Any]:
        window = {
            "kernel_size": [3, 3],
            "strides": [1, 1],
            "dilation_rate": [1, 1],
            "groups": 1,
        }
        grid = {"padding": "valid", "data_format": "channels_last"}
        shape = {"filters": filters, "activation": "relu", "use_bias": True}
        return layer("Conv2D", name, **shape, **window, **grid)

    def pool(name: str) -> dict[str, Any]:
        grid = {"padding": "valid", "data_format": "channels_last"}
        return layer("MaxPooling2D", name, pool_size=[2, 2], strides=[2, 2], **grid)

    def dense(name: str, units: int, activation: str) -> dict[str, Any]:
        return layer("Dense", name, units=units, activation=activation, use_bias=True)

    start = {
        "batch_input_shape": [None, 28, 28, 1],
        "dtype": "float32",
        "sparse": False,
    }
    return [
        {"class_name": "InputLayer", "config": start | {"name": "input_1"}},
        conv("conv2d", 32),
        pool("max_pooling2d"),
        conv("conv2d_1", 64),
        pool("max_pooling2d_1"),
        conv("conv2d_2", 64),
        layer("Flatten", "flatten", data_format="channels_last"),
        dense("dense", 64, "relu"),
        dense("dense_1", num_classes, "softmax"),
    ]


def load(path: str | Path) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, Any]]:
    """Reads the parameters of this network from an h5 file of ours, of Keras 2 or of Keras 3.

    Args:
      path: a whole model or its weights alone, whatever its layers are called.

    Returns:
      Parameters as `save` takes them, and the metadata: that of the file, or for a file without,
      `class_names` that count from 0.

    Raises:
      ModelFileError: it says what is wrong with the file, or the first layer that differs.
    """
    path = Path(path)
    if not path.is_file():
        what = "is no file" if path.exists() else "no such model file"
        raise ModelFileError(
            f"{path}: {what}; train one with bin/train, or name one with --model"
        )
    if not h5py.is_hdf5(path):
        raise ModelFileError(
            f"{path}: not an HDF5 model, as bin/train and Keras' save('x.h5') write"
        )
    try:
        with h5py.File(path, "r") as file:
            _check_architecture(path, file.attrs.get("model_config"))
            params = _read_params(path, file)
            _check_values(path, params, file.attrs)
            return params, _read_metadata(
                path, file.attrs.get("cnn"), params["dense_1"]["bias"].size
            )
    except (
        OSError,
        RuntimeError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise ModelFileError(
            f"{path}: damaged or truncated model file ({reason})"
        ) from error


def _check_architecture(path: Path, model_config: Any) -> None:
    """Compares the layers that a file describes with ours; a weights-only file describes none."""
    if model_config is None:
        return
    model = json.loads(model_config)
    try:
        found = _active_layers(model["config"]["layers"])
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None
    units = next(
        (c.get("units") for kind, c in reversed(found) if kind == "Dense"), None
    )
    expected = [
        (layer["class_name"], layer["config"]) for layer in _config(units or 0)[1:]
    ]
    for i, (kind, config) in enumerate(expected):
        name = found[i][1].get("name") if i < len(found) else "nothing"
        differs = f"{path}: another network: layer {i + 1} ({name}): expected {kind}"
        if i >= len(found) or found[i][0] != kind:
            raise ModelFileError(
                f"{differs}, found {found[i][0] if i < len(found) else 'the end'}"
            )
        for setting in config.keys() - {"name", "trainable", "dtype"}:
            value = _plain(found[i][1].get(setting, config[setting]), setting, config)
            if value != config[setting]:
                raise ModelFileError(
                    f"{differs} with {setting} {config[setting]}, found {value}"
                )
    if len(found) > len(expected):
        kind, config = found[len(expected)]
        raise ModelFileError(
            f"{path}: another network: expected the end, found {kind} ({config['name']})"
        )


def _active_layers(layers: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Lists the layers that do something, with an activation of its own layer joined to the last."""
    active: list[tuple[str, dict[str, Any]]] = []
    for layer in layers:
        kind, config = layer["class_name"], layer["config"]
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if shape and not active and list(shape[1:]) != [28, 28, 1]:
            raise ModelFileError(
                f"another network: its input is {tuple(shape[1:])}, not (28, 28, 1)"
            )
        if kind in _IDLE_LAYERS:
            continue
        activation = {"ReLU": "relu", "Softmax": "softmax"}.get(
            kind, config.get("activation")
        )
        plain = not any(
            config.get(setting)
            for setting in ("max_value", "negative_slope", "threshold")
        )
        if (
            kind in _ACTIVATIONS
            and plain
            and active
            and active[-1][1].get("activation") == "linear"
        ):
            active[-1][1]["activation"] = activation
        else:
            active.append((kind, config))
    return active


def _plain(value: Any, setting: str, expected: dict[str, Any]) -> Any:
    """Writes a setting's value as `_config` does, whichever of its spellings Keras chose."""
    if setting == "activation":
        value = value.get("config") if isinstance(value, dict) else value
        # A network that ends in logits has the same parameters; its probabilities are our softmax.
        return (
            "softmax"
            if value == "linear" and expected["activation"] == "softmax"
            else value
        )
    if setting == "strides" and value is None:
        return expected["strides"]
    if setting in ("kernel_size", "pool_size", "strides", "dilation_rate"):
        return [value, value] if isinstance(value, int) else list(value)
    return value


def _read_params(path: Path, file: h5py.File) -> dict[str, dict[str, np.ndarray]]:
    """Finds each layer's kernel by its shape, which only one may have, and the bias beside it."""
    groups = [_by_shape(tensors) for tensors in _weight_groups(file)]
    kernels = {max(tensors, key=len): tensors for tensors in groups}
    if len(kernels) < len(groups):
        shapes = [max(tensors, key=len) for tensors in groups]
        twice = next(shape for shape in shapes if shapes.count(shape) > 1)
        raise ModelFileError(
            f"{path}: another network: {shapes.count(twice)} layers have a kernel {twice}"
        )
    params = {}
    for name, expected in _KERNELS.items():
        matching = [shape for shape in kernels if _fits(shape, expected)]
        bias = (matching[0][-1],) if matching else ()
        if not matching or bias not in kernels[matching[0]]:
            found = ", ".join(str(shape) for shape in kernels) or "none"
            wanted = str(expected).replace("None", "num_classes")
            raise ModelFileError(
                f"{path}: another network: layer {name}: expected a kernel {wanted} with its bias, "
                f"found kernels {found}"
            )
        tensors = kernels.pop(matching[0])
        params[name] = {"kernel": tensors[matching[0]], "bias": tensors[bias]}
    if kernels:
        raise ModelFileError(
            f"{path}: another network: a further layer has a kernel {next(iter(kernels))}"
        )
    return {
        n: {k: np.asarray(v, np.float32) for k, v in p.items()}
        for n, p in params.items()
    }


def _check_values(
    path: Path, params: dict[str, dict[str, np.ndarray]], attributes: Any
) -> None:
    for name, tensors in params.items():
        if not all(np.isfinite(values).all() for values in tensors.values()):
            raise ModelFileError(
                f"{path}: layer {name} holds numbers that are not finite"
            )
    saved = attributes.get("cnn_checksum")
    if saved is not None and int(saved) != _checksum(params, attributes.get("cnn")):
        raise ModelFileError(
            f"{path}: damaged model file: its parameters or its description are not those that were saved"
        )


def _weight_groups(file: h5py.File) -> list[list[h5py.Dataset]]:
    """Lists the tensors of each layer, leaving out what an optimizer or a metric keeps."""
    groups: dict[str, list[h5py.Dataset]] = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name.partition("/")[0] not in _NOT_LAYERS:
            groups.setdefault(item.parent.name, []).append(item)

    file.visititems(collect)  # It follows no link out of the file.
    return list(groups.values())


_NOT_LAYERS = {"optimizer", "optimizer_weights", "metrics"}


def _by_shape(tensors: list[h5py.Dataset]) -> dict[tuple[int, ...], h5py.Dataset]:
    return {tensor.shape: tensor for tensor in tensors}


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    pairs = zip(shape, expected, strict=False)
    return len(shape) == len(expected) and all(e in (None, s) for s, e in pairs)


def _read_metadata(path: Path, text: Any, num_classes: int) -> dict[str, Any]:
    if text is None:
        return {"class_names": [str(i) for i in range(num_classes)]}
    metadata = json.loads(text)
    check_metadata(path, metadata, num_classes)
    return metadata


def check_metadata(path: Path, metadata: Any, num_classes: int) -> None:
    """Checks what a model says about itself, as far as reading with it depends on that.

    Raises:
      ModelFileError: it names `path`, and what is wrong.
    """
    names = metadata.get("class_names") if isinstance(metadata, dict) else None
    if not isinstance(names, list) or [type(n) for n in names] != [str] * num_classes:
        raise ModelFileError(
            f"{path}: expected {num_classes} class names, found {names!r}"
        )
    for name, low, high in (("unsure_below", 0, 1), ("temperature", 1e-3, 1e3)):
        value = metadata.get(name, high)
        if type(value) not in (int, float) or not low <= value <= high:
            raise ModelFileError(
                f"{path}: {name}: expected a number from {low} to {high}, found {value!r}"
            )
