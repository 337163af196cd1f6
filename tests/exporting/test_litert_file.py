"""LiteRT files, opened by LiteRT's interpreter."""

import json
import zipfile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

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


def run(path, images):
    network = Interpreter(str(path))
    network.resize_tensor_input(network.get_input_details()[0]["index"], images.shape)
    return network.get_signature_runner()(images=images)["probabilities"]


@pytest.mark.parametrize("num_classes", NUM_CLASSES)
def test_the_interpreter_gives_our_probabilities(tmp_path, num_classes):
    model, output = save_model(tmp_path, num_classes), tmp_path / "model.tflite"
    export_model(ExportConfig(output, model=model))
    for count in BATCH_SIZES:
        found = run(output, IMAGES[:count])
        assert (found.shape, found.dtype) == ((count, num_classes), np.float32)
        np.testing.assert_allclose(found, predict_proba(model, count), atol=1e-5)
    expected = forward(random_params(num_classes), IMAGES)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_image_needs_no_resizing_and_any_number_may_follow(tmp_path):
    output = tmp_path / "model.tflite"
    export_model(ExportConfig(output, model="digits"))
    network = Interpreter(str(output))
    (details,) = network.get_input_details()
    assert details["shape"].tolist() == [1, 28, 28, 1]
    assert details["shape_signature"].tolist() == [-1, 28, 28, 1]
    network.allocate_tensors()
    network.set_tensor(details["index"], IMAGES[:1])
    network.invoke()
    found = network.get_tensor(network.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, predict_proba("digits", 1), atol=1e-5)


def test_the_description_is_an_archive_at_the_end(tmp_path):
    output = tmp_path / "model.tflite"
    export_model(ExportConfig(output, model=save_model(tmp_path, 26)))
    with zipfile.ZipFile(output) as archive:
        assert archive.testzip() is None
        metadata = json.loads(archive.read("metadata.json"))
    assert metadata["class_names"] == [f"é{i}" for i in range(26)]
