"""ONNX files, opened by ONNX Runtime."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from cnn.export_config import ExportConfig
from cnn.exporting import export_model
from tests.exporting.networks import (
    BATCH_SIZES,
    IMAGES,
    NUM_CLASSES,
    predict_proba,
    save_model,
)
from tests.reference import forward, random_params


def export(model, folder):
    output = folder / "model.onnx"
    export_model(ExportConfig(output, model=model))
    return output


@pytest.mark.parametrize("num_classes", NUM_CLASSES)
def test_onnx_runtime_gives_our_probabilities(tmp_path, num_classes):
    model = save_model(tmp_path, num_classes)
    session = onnxruntime.InferenceSession(export(model, tmp_path))
    for count in BATCH_SIZES:
        (found,) = session.run(None, {"images": IMAGES[:count]})
        assert (found.shape, found.dtype) == ((count, num_classes), np.float32)
        np.testing.assert_allclose(found, predict_proba(model, count), atol=1e-5)
    expected = forward(random_params(num_classes), IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_shipped_model_gives_our_probabilities(tmp_path):
    session = onnxruntime.InferenceSession(export("digits", tmp_path))
    (found,) = session.run(["probabilities"], {"images": IMAGES})
    np.testing.assert_allclose(found, predict_proba("digits", 300), atol=1e-5)


def test_the_file_is_valid_and_states_its_versions(tmp_path):
    model = onnx.load(export(save_model(tmp_path), tmp_path))
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    assert model.ir_version == 8
    (value,) = model.graph.input
    assert value.name == "images"
    sizes = value.type.tensor_type.shape.dim
    assert [size.dim_param or size.dim_value for size in sizes] == ["N", 28, 28, 1]


def test_names_calibration_and_input_ride_along(tmp_path):
    model = save_model(
        tmp_path, 3, unsure_below=0.75, temperature=1.5, license="CC0 1.0"
    )
    session = onnxruntime.InferenceSession(export(model, tmp_path))
    known = session.get_modelmeta().custom_metadata_map
    assert json.loads(known["class_names"]) == ["é0", "é1", "é2"]
    assert json.loads(known["unsure_below"]) == 0.75
    assert json.loads(known["temperature"]) == 1.5
    assert known["license"] == "CC0 1.0"
    assert known["name"] == "model_3"
    assert known["preprocessing"] == "mnist"
    assert "(N, 28, 28, 1) in [0, 1]: light ink 1 on dark" in known["input"]
    assert (
        "20 pixels, in 28×28 centered by its center of mass"
        in (known["preprocessing_steps"])
    )
    assert known["calibration"].startswith("temperature scaling")


def test_a_model_gives_the_same_bytes_each_time(tmp_path):
    model = save_model(tmp_path)
    first = export(model, tmp_path).read_bytes()
    assert export(model, tmp_path).read_bytes() == first
