import json
import os
import pickle

os.environ.setdefault("KERAS_BACKEND", "jax")

import h5py
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn import keras_h5
from cnn.classifier import Classifier
from tests.reference import forward, random_params

L = keras.layers
METADATA = {"class_names": list("0123456789"), "preprocessing": "mnist"}
IMAGES = np.random.default_rng(5).random((20, 28, 28, 1)).astype(np.float32)

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


def model_layers(num_classes=10, prefix="", last="softmax"):
    return [
        L.Conv2D(32, 3, activation="relu", name=f"{prefix}a"),
        L.MaxPooling2D(2, name=f"{prefix}b"),
        L.Conv2D(64, 3, activation="relu", name=f"{prefix}c"),
        L.MaxPooling2D(2, name=f"{prefix}d"),
        L.Conv2D(64, 3, activation="relu", name=f"{prefix}e"),
        L.Flatten(name=f"{prefix}f"),
        L.Dense(64, activation="relu", name=f"{prefix}g"),
        L.Dense(num_classes, activation=last, name=f"{prefix}h"),
    ]


def keras_model(*layers, shape=(28, 28, 1)):
    model = keras.Sequential([keras.Input(shape), *layers])
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


def probabilities(path):
    return Classifier.load(path).predict_proba(IMAGES)


def test_keras_opens_our_file_and_gives_our_probabilities(tmp_path):
    params, path = random_params(), tmp_path / "m.h5"
    keras_h5.save(path, params, METADATA)
    model = keras.models.load_model(path)
    for ours in (probabilities(path), forward(params, IMAGES)):
        np.testing.assert_allclose(model.predict(IMAGES, verbose=0), ours, atol=1e-5)
    model.evaluate(IMAGES, np.eye(10)[np.arange(20) % 10], verbose=0)


def test_tf_keras_2_opens_our_file(tmp_path):
    tf_keras = pytest.importorskip("tf_keras")
    params, path = random_params(), tmp_path / "m.h5"
    keras_h5.save(path, params, METADATA)
    np.testing.assert_allclose(
        tf_keras.models.load_model(path).predict(IMAGES, verbose=0),
        forward(params, IMAGES),
        atol=1e-5,
    )


def test_kerass_summary_shows_the_users_table(tmp_path):
    keras_h5.save(tmp_path / "m.h5", random_params(), METADATA)
    lines = []
    keras.models.load_model(tmp_path / "m.h5").summary(print_fn=lines.append)
    text = "\n".join(lines)
    names = (
        "conv2d",
        "max_pooling2d",
        "conv2d_1",
        "max_pooling2d_1",
        "conv2d_2",
        "flatten",
        "dense",
        "dense_1",
    )
    for name in names:
        assert f" {name} (" in text
    for shape in (
        "(None, 26, 26, 32)",
        "(None, 13, 13, 32)",
        "(None, 11, 11, 64)",
        "(None, 5, 5, 64)",
    ):
        assert shape in text
    assert "93,322" in text


def test_a_model_is_loaded_bit_for_bit_with_its_metadata(tmp_path):
    params = random_params(12)
    metadata = {
        "class_names": [f"ż{i}" for i in range(12)],
        "dataset": "x",
        "preprocessing": "resize",
    }
    keras_h5.save(tmp_path / "m.h5", params, metadata)
    loaded, read = keras_h5.load(tmp_path / "m.h5")
    assert read == metadata
    for name, layer in params.items():
        for tensor, values in layer.items():
            np.testing.assert_array_equal(loaded[name][tensor], values)


@pytest.mark.parametrize("name", ["m.h5", "w.weights.h5"])
@pytest.mark.parametrize("num_classes", [2, 10, 62])
@pytest.mark.parametrize("compiled", [False, True])
def test_keras_files_of_this_network_are_read_whatever_the_names(
    tmp_path, name, num_classes, compiled
):
    model = keras_model(*model_layers(num_classes, prefix="zebra_"))
    # A compiled model's file holds the optimizer's moments, of the kernels' shapes.
    if compiled:
        model.compile("adam", "categorical_crossentropy")
        model.fit(IMAGES, np.eye(num_classes)[np.arange(20) % num_classes], verbose=0)
    path = tmp_path / name
    model.save_weights(path) if "weights" in name else model.save(path)
    np.testing.assert_allclose(
        probabilities(path), model.predict(IMAGES, verbose=0), atol=1e-5
    )
    assert Classifier.load(path).class_names == tuple(map(str, range(num_classes)))


def test_a_keras_2_weights_file_is_read(tmp_path):
    """Keras 2's save_weights writes the content of `model_weights` at the top."""
    keras_h5.save(tmp_path / "m.h5", random_params(), METADATA)
    with (
        h5py.File(tmp_path / "m.h5") as whole,
        h5py.File(tmp_path / "w.h5", "w") as weights,
    ):
        for name in whole["model_weights"]:
            whole.copy(f"model_weights/{name}", weights)
    np.testing.assert_array_equal(
        probabilities(tmp_path / "w.h5"), probabilities(tmp_path / "m.h5")
    )


def test_a_functional_model_with_dropout_and_separate_activations_is_the_same_network(
    tmp_path,
):
    x = inputs = keras.Input((28, 28, 1))
    for filters in (32, 64):
        x = L.MaxPooling2D(2)(L.ReLU()(L.Conv2D(filters, 3)(x)))
    x = L.Flatten()(L.Activation("relu")(L.Conv2D(64, 3)(x)))
    x = L.Dropout(0.5)(L.Dense(64, activation="relu")(x))
    model = keras.Model(inputs, L.Softmax()(L.Dense(10)(x)))
    model.save(tmp_path / "m.h5")
    np.testing.assert_allclose(
        probabilities(tmp_path / "m.h5"), model.predict(IMAGES, verbose=0), atol=1e-5
    )


def test_a_model_that_ends_in_logits_gives_their_softmax(tmp_path):
    model = keras_model(*model_layers(last=None))
    model.save(tmp_path / "m.h5")
    expected = keras.ops.softmax(model.predict(IMAGES, verbose=0))
    np.testing.assert_allclose(probabilities(tmp_path / "m.h5"), expected, atol=1e-5)


def refusal(path):
    with pytest.raises(keras_h5.ModelFileError) as error:
        keras_h5.load(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    return str(error.value)


def changed(index, layer):
    layers = model_layers()
    layers[index : index + 1] = layer if isinstance(layer, list) else [layer]
    return layers


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            changed(2, L.Conv2D(48, 3, activation="relu", name="thin")),
            "layer 3 (thin): expected Conv2D with filters 64, found 48",
        ),
        (
            changed(2, L.Conv2D(64, 5, activation="relu", name="wide")),
            "layer 3 (wide): expected Conv2D with kernel_size [3, 3], found [5, 5]",
        ),
        (
            changed(4, L.Conv2D(64, 3, activation="tanh", name="odd")),
            "layer 5 (odd): expected Conv2D with activation relu, found tanh",
        ),
        (
            changed(2, L.Conv2D(64, 3, activation="relu", padding="same", name="pad")),
            "layer 3 (pad): expected Conv2D with padding valid, found same",
        ),
        (
            changed(1, L.AveragePooling2D(2, name="mean")),
            "layer 2 (mean): expected MaxPooling2D, found AveragePooling2D",
        ),
        (
            changed(1, [L.BatchNormalization(name="norm"), L.MaxPooling2D(2)]),
            "layer 2 (norm): expected MaxPooling2D, found BatchNormalization",
        ),
        (
            changed(6, L.Dense(128, activation="relu", name="big")),
            "layer 7 (big): expected Dense with units 64, found 128",
        ),
        (
            changed(6, L.Dense(64, activation="relu", use_bias=False, name="nb")),
            "layer 7 (nb): expected Dense with use_bias True, found False",
        ),
        (model_layers()[:-2], "layer 7 (nothing): expected Dense, found the end"),
        (
            [*model_layers(last="relu"), L.Dense(3, name="more")],
            "layer 8 (h): expected Dense with",
        ),
    ],
)
def test_another_architecture_is_refused_at_the_first_layer_that_differs(
    tmp_path, layers, words
):
    keras_model(*layers).save(tmp_path / "m.h5")
    assert words in refusal(tmp_path / "m.h5")


def test_weights_of_another_architecture_are_refused(tmp_path):
    keras_model(*changed(6, L.Dense(128, activation="relu"))).save_weights(
        tmp_path / "w.weights.h5"
    )
    assert (
        "layer dense: expected a kernel (576, 64) with its bias, found kernels"
        in refusal(tmp_path / "w.weights.h5")
    )


def test_weights_of_two_layers_with_a_kernel_of_the_same_shape_are_refused(tmp_path):
    twice = changed(
        4,
        [
            L.Conv2D(64, 3, activation="relu", padding="same"),
            L.Conv2D(64, 3, activation="relu"),
        ],
    )
    keras_model(*twice).save_weights(tmp_path / "w.weights.h5")
    assert "another network: 2 layers have a kernel (3, 3, 64, 64)" in refusal(
        tmp_path / "w.weights.h5"
    )


@pytest.mark.parametrize(
    "bent", [{"max_value": 0.1}, {"negative_slope": 0.5}, {"threshold": 1.0}]
)
def test_a_relu_that_is_not_plain_is_refused(tmp_path, bent):
    layers = changed(0, [L.Conv2D(32, 3), L.ReLU(**bent, name="bent")])
    keras_model(*layers).save(tmp_path / "m.h5")
    assert "expected Conv2D with activation relu, found linear" in refusal(
        tmp_path / "m.h5"
    )


def test_another_input_size_is_refused(tmp_path):
    keras_model(*model_layers(), shape=(28, 29, 1)).save(tmp_path / "m.h5")
    assert "another network: its input is (28, 29, 1), not (28, 28, 1)" in refusal(
        tmp_path / "m.h5"
    )


def test_a_missing_file_and_a_folder_say_what_to_do(tmp_path):
    assert "no such model file; train one with bin/train" in refusal(
        tmp_path / "none.h5"
    )
    assert "is no file" in refusal(tmp_path)


def test_a_file_of_another_kind_is_refused_and_not_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    (tmp_path / "m.h5").write_bytes(pickle.dumps(Bomb()))
    assert "not an HDF5 model" in refusal(tmp_path / "m.h5")
    assert not (tmp_path / "exploded").exists()


def test_a_lambda_layer_is_refused_and_not_run(tmp_path):
    layers = [L.Lambda(lambda x: x), *model_layers()]
    keras_model(*layers).save(tmp_path / "m.h5")
    assert "expected Conv2D, found Lambda" in refusal(tmp_path / "m.h5")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_truncated_or_altered_file_is_refused_or_read_whole(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("h5")
    keras_h5.save(folder / "m.h5", random_params(), METADATA)
    content = bytearray((folder / "m.h5").read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:  # Among the first bytes are the tables that tell where everything is.
        content[data.draw(st.integers(0, 4000))] ^= data.draw(st.integers(1, 255))
    (folder / "m.h5").write_bytes(content)
    try:
        params, _ = keras_h5.load(folder / "m.h5")
    except keras_h5.ModelFileError as error:
        assert "m.h5" in str(error)
    else:
        assert [params[n]["kernel"].shape for n in params] == [
            p["kernel"].shape for p in random_params().values()
        ]


def test_parameters_that_changed_on_the_disk_or_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "m.h5"
    keras_h5.save(path, random_params(), METADATA)
    with h5py.File(path, "a") as file:
        file["model_weights/dense/dense/bias:0"][3] += 1
    assert "its parameters or its description are not those that were saved" in refusal(
        path
    )
    params = random_params()
    params["dense"]["kernel"][0, 0] = np.nan
    keras_h5.save(path, params, METADATA)
    assert "layer dense holds numbers that are not finite" in refusal(path)


@pytest.mark.parametrize(
    "metadata",
    [
        "no json",
        "[]",
        '{"class_names": 3}',
        json.dumps({"class_names": ["a"]}),
        json.dumps({"class_names": [1] * 10}),
        json.dumps(METADATA | {"unsure_below": "much"}),
        json.dumps(METADATA | {"unsure_below": 2}),
        json.dumps(METADATA | {"temperature": 0}),
    ],
)
def test_metadata_that_is_not_ours_is_refused(tmp_path, metadata):
    keras_h5.save(tmp_path / "m.h5", random_params(), METADATA)
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file.attrs["cnn"] = metadata
    refusal(tmp_path / "m.h5")


def test_an_unwritable_place_is_named_and_nothing_left(tmp_path):
    with pytest.raises(
        keras_h5.ModelFileError, match="the model cannot be written there"
    ):
        keras_h5.save(tmp_path / "no" / "m.h5", random_params(), METADATA)
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_unknown_preprocessing_is_refused(tmp_path):
    keras_h5.save(
        tmp_path / "m.h5", random_params(), METADATA | {"preprocessing": "other"}
    )
    with pytest.raises(
        keras_h5.ModelFileError,
        match="made by 'other', which this version does not know",
    ):
        Classifier.load(tmp_path / "m.h5")
