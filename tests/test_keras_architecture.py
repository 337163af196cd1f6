import json

import jax
import jax.numpy as jnp
import pytest

from cnn import keras_architecture
from cnn.keras_architecture import ArchitectureError, check_architecture
from cnn.model import CNN, summary


def config(num_classes=10):
    return json.loads(keras_architecture.model_config(num_classes))


@pytest.mark.parametrize("num_classes", [10, 62])
def test_kernel_shapes_are_those_of_the_flax_model(num_classes):
    images = jnp.zeros((1, 28, 28, 1))
    variables = jax.eval_shape(CNN(num_classes).init, jax.random.key(0), images)
    shapes = {
        name: layer["kernel"].shape for name, layer in variables["params"].items()
    }
    expected = {
        name: tuple(num_classes if size is None else size for size in shape)
        for name, shape in keras_architecture.kernel_shapes().items()
    }
    assert shapes == expected
    assert list(shapes) == list(expected)


def test_layers_have_the_names_of_the_summary():
    layers = keras_architecture.model_layers(10)
    rows = [line.split()[0] for line in summary(10).splitlines()[2:-2]]
    assert [layer.config["name"] for layer in layers] == rows


@pytest.mark.parametrize("num_classes", [2, 10, 62])
def test_our_own_config_is_accepted(num_classes):
    check_architecture(keras_architecture.model_config(num_classes))


def test_comparing_does_not_depend_on_names_types_or_training():
    model = config()
    for layer in model["config"]["layers"]:
        layer["config"] |= {"name": "x", "trainable": False, "dtype": "float16"}
    check_architecture(json.dumps(model))


def test_the_config_of_keras_before_2_2_3_is_a_list():
    model = config()
    model["config"] = model["config"]["layers"]
    check_architecture(json.dumps(model))
    model["config"][1]["config"]["filters"] = 48
    with pytest.raises(ArchitectureError, match="filters 32, found 48"):
        check_architecture(json.dumps(model))


@pytest.mark.parametrize("size", [3, [3, 3]])
def test_a_size_is_one_number_or_one_per_axis(size):
    model = config()
    model["config"]["layers"][1]["config"]["kernel_size"] = size
    check_architecture(json.dumps(model))


@pytest.mark.parametrize(
    ("layer", "setting", "value", "words"),
    [
        (1, "groups", 2, "layer 1 (conv2d): expected Conv2D with groups 1, found 2"),
        (2, "strides", [1, 1], "layer 2 (max_pooling2d): expected MaxPooling2D with"),
        (8, "activation", "relu", "expected Dense with activation softmax, found relu"),
        (0, "batch_input_shape", [None, 32, 32, 1], "its input is (32, 32, 1), not"),
    ],
)
def test_a_setting_that_differs_is_named(layer, setting, value, words):
    model = config()
    model["config"]["layers"][layer]["config"][setting] = value
    with pytest.raises(ArchitectureError) as error:
        check_architecture(json.dumps(model))
    assert words in str(error.value)


def test_the_first_of_several_settings_that_differ_is_named():
    model = config()
    model["config"]["layers"][1]["config"] |= {"padding": "same", "filters": 48}
    with pytest.raises(ArchitectureError, match="filters 32, found 48"):
        check_architecture(json.dumps(model))


def test_a_further_layer_is_named():
    model = config()
    extra = {"class_name": "Reshape", "config": {"name": "extra"}}
    model["config"]["layers"].append(extra)
    with pytest.raises(ArchitectureError, match=r"expected the end, found Reshape \(e"):
        check_architecture(json.dumps(model))
