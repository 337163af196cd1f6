"""Reads the layers of this network from an HDF5 file of ours or of Keras.

Only numbers and JSON are taken from a file. No code in a file is ever run.
"""

import io
import itertools
import zlib
from typing import NoReturn

import numpy as np

from cnn import keras_architecture
from cnn.hdf5 import h5py
from cnn.keras_architecture import ArchitectureError

# Parameters by layer: {"conv2d": {"kernel": float32, "bias": float32}, ...}.
Layers = dict[str, dict[str, np.ndarray]]

_Shape = tuple[int, ...]
# The tensors of a layer by name.
_Datasets = dict[str, h5py.Dataset]

# Groups at the top of a file with the tensors of an optimizer or a metric.
_NOT_LAYERS = {"optimizer", "optimizer_weights", "metrics"}
# The group with the random state of a dropout layer.
_RANDOM_STATE = "seed_generator"
# A description names each class.
_MAX_DESCRIPTION = 1 << 20
# How h5py shows the bfloat16 numbers of Keras: as two bytes without a meaning.
_BFLOAT16 = np.dtype("V2")
_FLOATS = {np.dtype(order + size) for order in "<>" for size in ("f2", "f4", "f8")}
# Numbers beyond come from damage, not from training.
_MAX_MAGNITUDE = 1e9
# The errors by which h5py, and JSON of another form, report a damaged file.
_DAMAGE_ERRORS = (OSError, RuntimeError, LookupError, ArithmeticError)
_JSON_ERRORS = (ValueError, TypeError, AttributeError)


class UnreadableError(Exception):
    """A file that is damaged, or of another network, without the name of the file."""


def read_layers(content: bytes) -> tuple[Layers, str | None]:
    """Reads a model from the bytes of an HDF5 file, which need no lock.

    Args:
      content: a whole model or its weights alone. The names of layers do not matter.

    Returns:
      The layers, and our description of the model as JSON, or None in a file of Keras.

    Raises:
      UnreadableError: the problem with the file, or the first layer that differs.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return _read_file(file)
    except ArchitectureError as error:
        raise UnreadableError(f"another network: {error}") from None
    except (*_DAMAGE_ERRORS, *_JSON_ERRORS) as error:
        reason = str(error).partition("\n")[0]
        raise UnreadableError(
            f"damaged or truncated model file ({reason}); copy it again"
        ) from None


def checksum(layers: Layers, description: str | None) -> int:
    """Computes a CRC-32 of a model, which remains if the seal of a file is removed."""
    crc = 0
    for _, tensors in sorted(layers.items()):
        for _, values in sorted(tensors.items()):
            crc = zlib.crc32(values.tobytes(), crc)
    return zlib.crc32(str(description).encode(), crc)


def _read_file(file: h5py.File) -> tuple[Layers, str | None]:
    config = file.attrs.get("model_config")
    if config is not None:  # A file of weights alone has no description.
        keras_architecture.check_architecture(config)
    layers = _match_layers(_list_layers(file))
    description = file.attrs.get("cnn")
    if description is not None and len(description) > _MAX_DESCRIPTION:
        raise UnreadableError(f"its description has over {_MAX_DESCRIPTION} characters")
    _check_values(layers)
    _check_checksum(file, layers, description)
    return layers, description


def _list_layers(file: h5py.File) -> list[_Datasets]:
    layers: dict[str, _Datasets] = {}

    def collect(name: str, item: h5py.Group | h5py.Dataset) -> None:
        groups = name.split("/")[:-1]
        is_state = _RANDOM_STATE in groups or not _NOT_LAYERS.isdisjoint(groups[:1])
        if isinstance(item, h5py.Dataset) and not is_state:
            layers.setdefault("/".join(groups), {})[name] = item

    file.visititems(collect)  # `visititems` follows no link to another file.
    return list(layers.values())


def _match_layers(found: list[_Datasets]) -> Layers:
    """Finds each layer by the shape of its kernel, which no two layers may share."""
    for datasets in found:
        _check_types(datasets)
    _check_places(found)
    by_shape = _layers_by_kernel_shape(found)
    layers = {}
    for name, expected in keras_architecture.kernel_shapes().items():
        shape = _find_kernel_shape(list(by_shape), name, expected)
        layers[name] = _read_layer(by_shape.pop(shape), name, shape)
    for shape in by_shape:
        raise ArchitectureError(f"a further layer has a kernel {shape}")
    return layers


def _check_types(datasets: _Datasets) -> None:
    for name, dataset in datasets.items():
        if dataset.dtype.kind in "iu":
            raise UnreadableError(
                f"a quantized model: {name} holds {dataset.dtype}; "
                "save the model in Keras without quantize()"
            )
        if not _holds_floats(dataset):
            raise UnreadableError(
                f"{name}: expected floating-point numbers, found {dataset.dtype}"
            )


def _holds_floats(dataset: h5py.Dataset) -> bool:
    if dataset.dtype == _BFLOAT16:
        return True
    # A damaged description, for example of the exponent, is like no type of NumPy.
    standard = h5py.h5t.py_create(dataset.dtype)
    return dataset.dtype in _FLOATS and standard.equal(dataset.id.get_type())


def _check_places(found: list[_Datasets]) -> None:
    """Checks that no two tensors share bytes, as after damage to an address."""
    spans = []
    for datasets in found:
        for dataset in datasets.values():
            start = dataset.id.get_offset()
            if start is not None:  # Chunks have no single place.
                spans.append((start, start + dataset.id.get_storage_size()))
    spans.sort()
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            raise UnreadableError(
                "damaged model file: two tensors share their bytes; copy it again"
            )


def _layers_by_kernel_shape(found: list[_Datasets]) -> dict[_Shape, _Datasets]:
    # The kernel is the tensor with the most axes.
    shapes = [
        max((dataset.shape for dataset in datasets.values()), key=len)
        for datasets in found
    ]
    for shape in shapes:
        count = shapes.count(shape)
        if count > 1:
            raise ArchitectureError(f"{count} layers have a kernel {shape}")
    return dict(zip(shapes, found, strict=True))


def _find_kernel_shape(
    shapes: list[_Shape], name: str, expected: tuple[int | None, ...]
) -> _Shape:
    for shape in shapes:
        if _matches(shape, expected):
            return shape
    wanted = str(expected).replace("None", "num_classes")
    found = ", ".join(map(str, shapes)) or "none"
    raise ArchitectureError(
        f"layer {name}: expected a kernel {wanted} with its bias, found kernels {found}"
    )


def _matches(shape: _Shape, expected: tuple[int | None, ...]) -> bool:
    """Compares the shape of a kernel. An expected length of None matches any."""
    if shape[:-1] != expected[:-1]:
        return False
    outputs = expected[-1]
    return outputs is None or outputs == shape[-1]


def _read_layer(
    datasets: _Datasets, layer: str, kernel_shape: _Shape
) -> dict[str, np.ndarray]:
    shapes = {"kernel": kernel_shape, "bias": kernel_shape[-1:]}
    tensors = {}
    for tensor, shape in shapes.items():
        names = [name for name in datasets if datasets[name].shape == shape]
        if not names:
            raise ArchitectureError(f"layer {layer}: no {tensor} of shape {shape}")
        tensors[tensor] = _read_float32(datasets.pop(names[0]))
    for name in datasets:
        _refuse_tensor(name, layer)
    return tensors


def _refuse_tensor(name: str, layer: str) -> NoReturn:
    if "lora" in name.rpartition("/")[-1]:
        raise UnreadableError(
            f"LoRA weights ({name}) beside the kernel of layer {layer}; "
            "save_weights('x.weights.h5') of Keras merges them"
        )
    raise UnreadableError(
        f"{name}: neither kernel nor bias of layer {layer}; "
        "a quantized model must be saved in Keras without quantize()"
    )


def _read_float32(dataset: h5py.Dataset) -> np.ndarray:
    if dataset.external or dataset.is_virtual:
        raise UnreadableError(f"{dataset.name}: its numbers are in another file")
    if not dataset.id.get_storage_size():
        raise UnreadableError(
            f"damaged model file: {dataset.name} has no numbers; copy it again"
        )
    values = dataset[()]
    if values.dtype == _BFLOAT16:  # The upper half of a float32.
        values = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # A float64 may become infinite.
        return np.asarray(values, np.float32)


def _check_values(layers: Layers) -> None:
    for layer, tensors in layers.items():
        # Not-a-number compares false.
        if not all((np.abs(v) < _MAX_MAGNITUDE).all() for v in tensors.values()):
            raise UnreadableError(
                f"layer {layer} holds numbers that are not finite or beyond "
                f"{_MAX_MAGNITUDE:.0e}"
            )


def _check_checksum(file: h5py.File, layers: Layers, description: str | None) -> None:
    saved = file.attrs.get("cnn_checksum")
    # A file of Keras has none, nor has one of version 0.1.
    is_expected = description is not None and file.userblock_size > 0
    if saved is None and not is_expected:
        return
    if saved is None or int(saved) != checksum(layers, description):
        raise UnreadableError(
            "damaged model file: "
            "its parameters or its description are not those that were saved; "
            "copy it again, or train again"
        )
