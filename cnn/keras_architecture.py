"""The layers of `cnn.model.CNN` in Keras' words, and how another Keras model differs.

A Keras model describes itself by a `model_config`: JSON with one entry per layer,
`{"class_name": "Conv2D", "config": {"filters": 32, ...}}`. Only this JSON is compared.
No class that it names is imported and no code in it is run.
"""

import json
from typing import Any, NamedTuple

INPUT_SHAPE = (28, 28, 1)

# Keras opens a file with this `training_config` ready to train, without a warning.
TRAINING_CONFIG = {
    "loss": "categorical_crossentropy",
    "metrics": ["accuracy"],
    "weighted_metrics": None,
    "loss_weights": None,
    "optimizer_config": {
        "class_name": "Adam",
        "config": {"name": "Adam", "learning_rate": 1e-3},
    },
}

# Settings of our convolution and pooling layers.
_GRID = {"padding": "valid", "data_format": "channels_last"}
# Layers without effect on a prediction.
_INFERENCE_NO_OPS = {"InputLayer", "Dropout", "SpatialDropout2D"}
_INFERENCE_NO_OPS |= {"GaussianNoise", "GaussianDropout"}
# The function of each activation layer. An `Activation` layer names its own.
_ACTIVATION_LAYERS = {"ReLU": "relu", "Softmax": "softmax", "Activation": None}
# Settings of a `ReLU` layer that make it another function if they are not zero.
_RELU_VARIANTS = ("max_value", "negative_slope", "threshold")
# Settings in a layer's `config` that do not change its output.
_IRRELEVANT_SETTINGS = {"name", "trainable", "dtype"}
# Settings that Keras writes as one number or as one number per axis.
_PER_AXIS_SETTINGS = {"kernel_size", "pool_size", "strides", "dilation_rate"}


class ArchitectureError(Exception):
    """Another network than `cnn.model.CNN`; the message names the first difference."""


class Layer(NamedTuple):
    """One layer of a Keras model.

    Attributes:
      class_name: the Keras class, for example `Conv2D`.
      config: the arguments of its constructor, as JSON values.
    """

    class_name: str
    config: dict[str, Any]


def model_layers(num_classes: int | None) -> list[Layer]:
    """Describes `cnn.model.CNN` layer by layer, without the input layer.

    Args:
      num_classes: units of the last layer, or None where the number does not matter.

    Example:
      >>> [layer.class_name for layer in model_layers(10)][-3:]
      ['Flatten', 'Dense', 'Dense']
    """
    return [
        _conv("conv2d", filters=32),
        _max_pool("max_pooling2d"),
        _conv("conv2d_1", filters=64),
        _max_pool("max_pooling2d_1"),
        _conv("conv2d_2", filters=64),
        _layer("Flatten", "flatten", data_format="channels_last"),
        _dense("dense", units=64, activation="relu"),
        _dense("dense_1", units=num_classes, activation="softmax"),
    ]


def model_config(num_classes: int) -> str:
    """Returns the `model_config` of a Keras `Sequential` model, as JSON."""
    input_config = {
        "batch_input_shape": [None, *INPUT_SHAPE],
        "dtype": "float32",
        "sparse": False,
        "name": "input_1",
    }
    input_layer = Layer("InputLayer", input_config)
    layers = [input_layer, *model_layers(num_classes)]
    config = {
        "name": "sequential",
        "layers": [layer._asdict() for layer in layers],
    }
    return json.dumps({"class_name": "Sequential", "config": config})


def kernel_shapes() -> dict[str, tuple[int | None, ...]]:
    """Computes the shape of each layer's kernel, in the order of the network.

    Flax and Keras agree on the axes: (height, width, in, out) of a convolution and
    (in, out) of a dense layer. The shapes follow from the settings of the layers, since
    tracing the Flax model for them takes half a second.

    Returns:
      Layer name → shape. The last axis of the last layer is None: one per class.

    Example:
      >>> kernel_shapes()["conv2d_1"], kernel_shapes()["dense_1"]
      ((3, 3, 32, 64), (64, None))
    """
    size, _, channels = INPUT_SHAPE
    shapes: dict[str, tuple[int | None, ...]] = {}
    for class_name, config in model_layers(num_classes=None):
        name = config["name"]
        if class_name == "Conv2D":
            height, width = config["kernel_size"]
            filters = config["filters"]
            shapes[name] = (height, width, channels, filters)
            size = size - height + 1
            channels = filters
        elif class_name == "MaxPooling2D":
            window, _ = config["pool_size"]
            size = size // window
        elif class_name == "Flatten":
            channels = size * size * channels
        else:
            units = config["units"]
            shapes[name] = (channels, units)
            channels = units
    return shapes


def check_architecture(config_json: str) -> None:
    """Compares the `model_config` of a Keras model with this network.

    The names of layers may differ. Layers that do nothing at inference are ignored, an
    activation may be a layer of its own, and the softmax at the end may be missing.

    Args:
      config_json: the JSON in the attribute `model_config` of an HDF5 file.

    Raises:
      ArchitectureError: the first layer that differs, with the expected setting.
    """
    config = json.loads(config_json)["config"]
    # Keras before 2.2.3 writes the layers of a `Sequential` without its name.
    entries = config if isinstance(config, list) else config["layers"]
    layers = [Layer(entry["class_name"], entry["config"]) for entry in entries]
    found = _inference_layers(layers)
    num_classes = _num_classes(found)
    expected = model_layers(num_classes)
    for index, layer in enumerate(expected):
        found_layer = found[index] if index < len(found) else None
        _check_layer(index, layer, found_layer)
    if len(found) > len(expected):
        extra = found[len(expected)]
        name = extra.config["name"]
        raise ArchitectureError(f"expected the end, found {extra.class_name} ({name})")


def _layer(class_name: str, name: str, **settings: Any) -> Layer:
    config = {"name": name, "trainable": True, "dtype": "float32"}
    config.update(settings)
    return Layer(class_name, config)


def _conv(name: str, filters: int) -> Layer:
    return _layer(
        "Conv2D",
        name,
        filters=filters,
        activation="relu",
        use_bias=True,
        kernel_size=[3, 3],
        strides=[1, 1],
        dilation_rate=[1, 1],
        groups=1,
        **_GRID,
    )


def _max_pool(name: str) -> Layer:
    return _layer(
        "MaxPooling2D",
        name,
        pool_size=[2, 2],
        strides=[2, 2],
        **_GRID,
    )


def _dense(name: str, units: int | None, activation: str) -> Layer:
    return _layer(
        "Dense",
        name,
        units=units,
        activation=activation,
        use_bias=True,
    )


def _num_classes(layers: list[Layer]) -> int:
    """Returns the units of the last dense layer, or 0 if there is none."""
    units = [
        layer.config.get("units") for layer in layers if layer.class_name == "Dense"
    ]
    return (units[-1] if units else None) or 0


def _inference_layers(layers: list[Layer]) -> list[Layer]:
    """Drops layers without effect, and joins activations to the layer before them."""
    kept: list[Layer] = []
    for layer in layers:
        if not kept:
            _check_input_shape(layer)
        if layer.class_name in _INFERENCE_NO_OPS:
            continue
        if kept and _is_activation(layer) and _is_linear(kept[-1]):
            kept[-1] = _with_activation(kept[-1], layer)
        else:
            kept.append(layer)
    return kept


def _check_input_shape(layer: Layer) -> None:
    # Keras 3 writes `batch_shape`, Keras 2 `batch_input_shape`.
    config = layer.config
    batch_shape = config.get("batch_shape") or config.get("batch_input_shape")
    if not batch_shape:
        return
    shape = tuple(batch_shape[1:])
    if shape != INPUT_SHAPE:
        raise ArchitectureError(f"its input is {shape}, not {INPUT_SHAPE}")


def _is_activation(layer: Layer) -> bool:
    if layer.class_name not in _ACTIVATION_LAYERS:
        return False
    is_variant = any(layer.config.get(setting) for setting in _RELU_VARIANTS)
    return not is_variant


def _is_linear(layer: Layer) -> bool:
    return layer.config.get("activation") == "linear"


def _with_activation(layer: Layer, activation: Layer) -> Layer:
    function = _ACTIVATION_LAYERS[activation.class_name]
    if function is None:
        function = activation.config.get("activation")
    config = layer.config | {"activation": function}
    return Layer(layer.class_name, config)


def _check_layer(index: int, expected: Layer, found: Layer | None) -> None:
    name = "nothing" if found is None else found.config.get("name")
    message = f"layer {index + 1} ({name}): expected {expected.class_name}"
    if found is None:
        raise ArchitectureError(f"{message}, found the end")
    if found.class_name != expected.class_name:
        raise ArchitectureError(f"{message}, found {found.class_name}")
    for setting, wanted in expected.config.items():
        if setting in _IRRELEVANT_SETTINGS or setting not in found.config:
            continue
        saved = found.config[setting]
        value = _normalize_setting(setting, saved, wanted)
        if value != wanted:
            raise ArchitectureError(f"{message} with {setting} {wanted}, found {value}")


def _normalize_setting(setting: str, value: Any, wanted: Any) -> Any:
    """Rewrites a setting to the spelling of `model_layers`: Keras has several."""
    if setting == "activation":
        return _normalize_activation(value, wanted)
    if setting == "strides" and value is None:
        return wanted
    if setting in _PER_AXIS_SETTINGS:
        return [value, value] if isinstance(value, int) else list(value)
    return value


def _normalize_activation(value: Any, wanted: Any) -> Any:
    # Keras 3 may write an object with the function's name as its `config`.
    name = value.get("config") if isinstance(value, dict) else value
    # A network that ends in logits has the same parameters.
    is_logits = name == "linear" and wanted == "softmax"
    return wanted if is_logits else name
