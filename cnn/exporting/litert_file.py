"""Writes the network for LiteRT (TensorFlow Lite), layer by layer.

LiteRT's own package has the schema of the format, and needs no TensorFlow.

Example:
  from ai_edge_litert.interpreter import Interpreter

  network = Interpreter("model.tflite")
  network.resize_tensor_input(network.get_input_details()[0]["index"], images.shape)
  predict_proba = network.get_signature_runner()
  probabilities = predict_proba(images=images)["probabilities"]
  with zipfile.ZipFile("model.tflite") as archive:
      class_names = json.loads(archive.read("metadata.json"))["class_names"]
"""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cnn.exporting.metadata import INPUT_NAME, OUTPUT_NAME, append_metadata
from cnn.keras_h5 import Params, Tensors

_SCHEMA_VERSION = 3
_FILE_IDENTIFIER = b"TFL3"
_INITIAL_BYTES = 1 << 20

_IMAGE_SHAPE = (28, 28, 1)
_POOL = 2
_RELU = schema.ActivationFunctionType.RELU
_VALID = schema.Padding.VALID


def encode(params: Params, metadata: dict[str, Any]) -> bytes:
    """Encodes the network as a LiteRT model.

    Args:
      params: of `cnn.model.CNN`.
      metadata: JSON values by name, for `append_metadata`.

    Returns:
      The file's content. Its signature takes `images`, `float32 (N, 28, 28, 1)` in
      [0, 1], and returns `probabilities`, `float32 (N, num_classes)`. N is 1 until the
      input is resized.
    """
    network = _Network()
    network.convolve(params["conv2d"])
    network.pool()
    network.convolve(params["conv2d_1"])
    network.pool()
    network.convolve(params["conv2d_2"])
    network.flatten()
    network.connect(params["dense"], is_last=False)
    network.connect(params["dense_1"], is_last=True)
    network.normalize()
    builder = flatbuffers.Builder(_INITIAL_BYTES)
    builder.Finish(network.to_model().Pack(builder), _FILE_IDENTIFIER)
    return append_metadata(bytes(builder.Output()), metadata)


class _Network:
    """A network to which layers are added one after the other."""

    def __init__(self) -> None:
        self._buffers = [_make(schema.BufferT)]  # The first one stands for no content.
        self._tensors: list[Any] = []
        self._codes: list[int] = []
        self._layers: list[Any] = []
        self._last = self._add_activations(_IMAGE_SHAPE)

    def convolve(self, tensors: Tensors) -> None:
        """Adds a 3×3 convolution and a ReLU."""
        # Height, width, in, out: to out, height, width, in.
        kernel = np.asarray(tensors["kernel"]).transpose(3, 0, 1, 2)
        height, width, _ = self._last_shape()
        shape = (height - 2, width - 2, len(kernel))
        options = _make(
            schema.Conv2DOptionsT,
            padding=_VALID,
            strideW=1,
            strideH=1,
            fusedActivationFunction=_RELU,
        )
        weights = self._add_weights(kernel, tensors["bias"])
        self._add_layer("CONV_2D", options, shape, weights)

    def pool(self) -> None:
        """Adds the maximum of 2×2 pixels."""
        height, width, channels = self._last_shape()
        options = _make(
            schema.Pool2DOptionsT,
            padding=_VALID,
            strideW=_POOL,
            strideH=_POOL,
            filterWidth=_POOL,
            filterHeight=_POOL,
        )
        shape = (height // _POOL, width // _POOL, channels)
        self._add_layer("MAX_POOL_2D", options, shape)

    def flatten(self) -> None:
        """Joins height, width and channels."""
        size = int(np.prod(self._last_shape()))
        new_shape = self._add_constant(np.array([-1, size], np.int32))
        options = _make(schema.ReshapeOptionsT, newShape=[-1, size])
        self._add_layer("RESHAPE", options, (size,), [new_shape])

    def connect(self, tensors: Tensors, is_last: bool) -> None:
        """Adds a dense layer, and a ReLU unless it is the last one."""
        activation = schema.ActivationFunctionType.NONE if is_last else _RELU
        options = _make(
            schema.FullyConnectedOptionsT, fusedActivationFunction=activation
        )
        kernel = np.asarray(tensors["kernel"]).T
        weights = self._add_weights(kernel, tensors["bias"])
        self._add_layer("FULLY_CONNECTED", options, (len(kernel),), weights)

    def normalize(self) -> None:
        """Adds the softmax."""
        options = _make(schema.SoftmaxOptionsT, beta=1.0)
        self._add_layer("SOFTMAX", options, self._last_shape())

    def to_model(self) -> Any:
        """Returns the model, with the first tensor as input and the last as output."""
        self._tensors[0].name = INPUT_NAME
        self._tensors[self._last].name = OUTPUT_NAME
        graph = _make(
            schema.SubGraphT,
            tensors=self._tensors,
            inputs=[0],
            outputs=[self._last],
            operators=self._layers,
            name="main",
        )
        signature = _make(
            schema.SignatureDefT,
            inputs=[_make(schema.TensorMapT, name=INPUT_NAME, tensorIndex=0)],
            outputs=[
                _make(schema.TensorMapT, name=OUTPUT_NAME, tensorIndex=self._last)
            ],
            signatureKey="serving_default",
        )
        return _make(
            schema.ModelT,
            version=_SCHEMA_VERSION,
            operatorCodes=[_make_code(code) for code in self._codes],
            subgraphs=[graph],
            buffers=self._buffers,
            signatureDefs=[signature],
        )

    def _last_shape(self) -> tuple[int, ...]:
        """Returns the shape of the last layer's output for one image."""
        return tuple(self._tensors[self._last].shape[1:])

    def _add_layer(
        self,
        operator: str,
        options: Any,
        shape: tuple[int, ...],
        weights: Sequence[int] = (),
    ) -> None:
        code = getattr(schema.BuiltinOperator, operator)
        if code not in self._codes:
            self._codes.append(code)
        output = self._add_activations(shape)
        layer = _make(
            schema.OperatorT,
            opcodeIndex=self._codes.index(code),
            inputs=[self._last, *weights],
            outputs=[output],
            builtinOptionsType=_options_type(options),
            builtinOptions=options,
        )
        self._layers.append(layer)
        self._last = output

    def _add_activations(self, shape: tuple[int, ...]) -> int:
        """Adds a tensor that is computed, for one image or any number of them."""
        return self._add_tensor(
            shape=[1, *shape],
            shapeSignature=[-1, *shape],
            type=schema.TensorType.FLOAT32,
        )

    def _add_weights(self, kernel: np.ndarray, bias: np.ndarray) -> list[int]:
        arrays = (np.asarray(kernel, np.float32), np.asarray(bias, np.float32))
        return [self._add_constant(array) for array in arrays]

    def _add_constant(self, array: np.ndarray) -> int:
        """Adds a tensor of `float32` or `int32` that is part of the file."""
        is_float = array.dtype == np.float32
        content = np.frombuffer(array.tobytes(), np.uint8)
        self._buffers.append(_make(schema.BufferT, data=content))
        return self._add_tensor(
            shape=list(array.shape),
            type=schema.TensorType.FLOAT32 if is_float else schema.TensorType.INT32,
            buffer=len(self._buffers) - 1,
        )

    def _add_tensor(self, **fields: Any) -> int:
        index = len(self._tensors)
        self._tensors.append(_make(schema.TensorT, name=f"tensor_{index}", **fields))
        return index


def _make(kind: type, **fields: Any) -> Any:
    """Makes an object of the schema. Older versions take no fields when it is made."""
    made = kind()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _make_code(code: int) -> Any:
    return _make(
        schema.OperatorCodeT, deprecatedBuiltinCode=code, builtinCode=code, version=1
    )


def _options_type(options: Any) -> int:
    """Returns the number of the options' type in the schema."""
    name = type(options).__name__.removesuffix("T")
    number: int = getattr(schema.BuiltinOptions, name)
    return number
