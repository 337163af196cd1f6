"""Writes the network as ONNX, layer by layer.

Example:
  import onnxruntime

  session = onnxruntime.InferenceSession("model.onnx")
  (probabilities,) = session.run(None, {"images": images})  # float32 (N, 28, 28, 1)
  class_names = json.loads(
      session.get_modelmeta().custom_metadata_map["class_names"]
  )
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cnn.exporting.metadata import INPUT_NAME, OUTPUT_NAME
from cnn.keras_h5 import Params

# The operators used here have not changed since opset 13 and 14. Opset 17 with IR 8 is
# that of ONNX 1.12 (2022), which ONNX Runtime opens from 1.12 on.
OPSET_VERSION = 17
_IR_VERSION = 8
# Height, width and channels before the first dense layer.
_FLATTENED_SHAPE = (3, 3, 64)

# Operator, inputs, output and attributes. A second input is a layer with weights.
_NODES: tuple[tuple[str, tuple[str, ...], str, dict[str, Any]], ...] = (
    ("Transpose", (INPUT_NAME,), "nchw", {"perm": [0, 3, 1, 2]}),
    ("Conv", ("nchw", "conv2d"), "conv2d_out", {}),
    ("Relu", ("conv2d_out",), "relu", {}),
    ("MaxPool", ("relu",), "pool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("Conv", ("pool", "conv2d_1"), "conv2d_1_out", {}),
    ("Relu", ("conv2d_1_out",), "relu_1", {}),
    ("MaxPool", ("relu_1",), "pool_1", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("Conv", ("pool_1", "conv2d_2"), "conv2d_2_out", {}),
    ("Relu", ("conv2d_2_out",), "relu_2", {}),
    ("Flatten", ("relu_2",), "flatten", {"axis": 1}),
    ("Gemm", ("flatten", "dense"), "dense_out", {}),
    ("Relu", ("dense_out",), "relu_3", {}),
    ("Gemm", ("relu_3", "dense_1"), "logits", {}),
    ("Softmax", ("logits",), OUTPUT_NAME, {"axis": 1}),
)


def encode(params: Params, metadata: Mapping[str, Any]) -> bytes:
    """Encodes the network as an ONNX model.

    Args:
      params: of `cnn.model.CNN`.
      metadata: JSON values by name, which become `metadata_props`.

    Returns:
      The file's content. Its input `images` is `float32 (N, 28, 28, 1)` in [0, 1], its
      output `probabilities` is `float32 (N, num_classes)`.
    """
    num_classes = np.asarray(params["dense_1"]["bias"]).size
    graph = helper.make_graph(
        [_make_node(*node) for node in _NODES],
        "cnn",
        [_make_value(INPUT_NAME, 28, 28, 1)],
        [_make_value(OUTPUT_NAME, num_classes)],
        _make_weights(params),
    )
    model = helper.make_model(
        graph,
        producer_name="cnn",
        producer_version=str(metadata["producer"]).removeprefix("cnn "),
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET_VERSION)],
    )
    helper.set_model_props(model, {name: _to_text(metadata[name]) for name in metadata})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _make_node(
    operator: str, inputs: tuple[str, ...], output: str, attributes: dict[str, Any]
) -> onnx.NodeProto:
    """Makes a node. Its second input is the layer whose weights it has."""
    names = list(inputs[:1])
    for layer in inputs[1:]:
        names += [f"{layer}/kernel", f"{layer}/bias"]
    return helper.make_node(operator, names, [output], name=output, **attributes)


def _make_value(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])


def _make_weights(params: Params) -> list[onnx.TensorProto]:
    """Makes the weights, in ONNX's order of axes."""
    weights = []
    for layer, tensors in params.items():
        kernel = np.asarray(tensors["kernel"], np.float32)
        if kernel.ndim == 4:  # Height, width, in, out: to out, in, height, width.
            kernel = kernel.transpose(3, 2, 0, 1)
        if layer == "dense":  # Its inputs are flattened with the channels first.
            kernel = kernel.reshape(*_FLATTENED_SHAPE, -1).transpose(2, 0, 1, 3)
            kernel = kernel.reshape(-1, kernel.shape[-1])
        bias = np.asarray(tensors["bias"], np.float32)
        for name, array in (("kernel", kernel), ("bias", bias)):
            contiguous = np.ascontiguousarray(array)
            weights.append(numpy_helper.from_array(contiguous, f"{layer}/{name}"))
    return weights


def _to_text(value: Any) -> str:
    """Returns the text of a property: a text itself, and JSON of other values."""
    if not isinstance(value, str):
        return json.dumps(value)
    # The name of a file may have bytes that are not UTF-8, which ONNX refuses.
    return value.encode(errors="backslashreplace").decode()
