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


def test_what_is_no_file_says_what_to_do(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "none.h5", tmp_path / "fifo" / "m.h5"):
        assert "no such model file; train one with bin/train" in refusal(path)
    for path in (tmp_path, tmp_path / "fifo", "/dev/zero"):
        assert "is no file" in refusal(path)
    assert "cannot be read: File name too long" in refusal(tmp_path / ("x" * 300))


def test_a_file_that_is_too_large_is_refused_early(tmp_path):
    with open(tmp_path / "m.h5", "wb") as file:
        file.truncate(1 << 40)
    assert "not a model of this network: over 256 MiB" in refusal(tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an HDF5 model"),
        (
            b"PK\x03\x04",
            "a .keras file or another archive; open it in Keras and save('x.h5')",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", "by git lfs pull"),
        (b"\x89HDF\r\n\x1a\n", "damaged or truncated model file"),
    ],
)
def test_files_of_another_kind_say_what_to_do(tmp_path, content, words):
    assert words in refusal(rewritten(tmp_path / "m.h5", content))


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


def rewritten(path, content):
    path.write_bytes(content)
    return path


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_own_file_that_is_cut_or_altered_is_never_read(own_content, data):
    folder, content = own_content
    if data.draw(st.booleans()):
        changed = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        changed = bytearray(content)
        for _ in range(data.draw(st.integers(1, 50))):
            # Among the first bytes are the tables that tell where everything is.
            changed[data.draw(st.integers(512, 8000))] ^= data.draw(st.integers(1, 255))
        if changed == content:  # The same byte was changed twice.
            return
    words = refusal(rewritten(folder / "m.h5", changed))
    assert "damaged model file" in words or "not an HDF5 model" in words


@pytest.fixture(scope="module")
def own_content(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    keras_h5.save(folder / "own.h5", random_params(), METADATA)
    return folder, (folder / "own.h5").read_bytes()


def test_damage_to_the_checksum_itself_is_noticed(own_content):
    folder, content = own_content
    for position in (0, 20, 80, 511):
        changed = bytearray(content)
        changed[position] ^= 1
        words = refusal(rewritten(folder / "m.h5", changed))
        assert "its content is not what was saved; copy it again" in words
    # Without any trace of the checksum, the sum of the parameters remains.
    values = random_params()["dense"]["kernel"].tobytes()
    changed = bytearray(content)
    changed[:512] = bytes(512)
    keras_h5.load(rewritten(folder / "m.h5", changed))
    changed[content.index(values) + 3] ^= 1
    assert "its parameters or its description are not those that were saved" in refusal(
        rewritten(folder / "m.h5", changed)
    )


def without_user_block(path):
    """Writes the file again as version 0.3.0 did."""
    old = path.with_name("old.h5")
    with h5py.File(path) as source, h5py.File(old, "w") as file:
        file.attrs.update(source.attrs)
        for name in source:
            source.copy(name, file)
    return old


def test_a_file_of_version_0_3_is_read_and_its_damage_noticed(own_content):
    folder, _ = own_content
    path = without_user_block(folder / "own.h5")
    params, metadata = keras_h5.load(path)
    assert metadata == METADATA
    for name, layer in random_params().items():
        for tensor, values in layer.items():
            np.testing.assert_array_equal(params[name][tensor], values)
    content = bytearray(path.read_bytes())
    content[content.index(params["dense"]["kernel"].tobytes()) + 3] ^= 1
    assert "are not those that were saved" in refusal(
        rewritten(folder / "m.h5", content)
    )


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "m.h5"
    model = keras_model(*model_layers())
    model.save(path)
    return path, model.predict(IMAGES, verbose=0)


def test_a_damaged_file_of_keras_is_refused_or_read_right(keras_file, tmp_path):
    """Changes in the numbers themselves cannot be noticed, so there are none here."""
    path, _ = keras_file
    whole, _ = keras_h5.load(path)
    content = path.read_bytes()
    first = content.index(whole["conv2d"]["kernel"].tobytes())
    rng = np.random.default_rng(7)
    for _ in range(6):
        changed = bytearray(content)
        for position in rng.integers(0, first, rng.integers(1, 50)):
            changed[position] = rng.integers(256)
        try:
            params, _ = keras_h5.load(rewritten(tmp_path / "m.h5", changed))
        except keras_h5.ModelFileError as error:
            assert "\n" not in str(error)
        else:
            np.testing.assert_equal(params, whole)


def test_a_file_of_keras_whose_description_is_no_json_is_refused(keras_file, tmp_path):
    path = rewritten(tmp_path / "m.h5", keras_file[0].read_bytes())
    with h5py.File(path, "a") as file:
        file.attrs["cnn"] = "no json"
    assert "its description is not JSON" in refusal(path)


def test_a_description_of_a_tensor_that_fits_no_type_is_refused(keras_file, tmp_path):
    """A changed exponent bias would multiply all weights of a layer."""
    path = rewritten(tmp_path / "m.h5", keras_file[0].read_bytes())
    with h5py.File(path, "a") as file:
        layer = next(iter(file["model_weights/a"].values()))["a"]
        values = layer["bias"][()]
        del layer["bias"]
        odd = h5py.h5t.IEEE_F32LE.copy()
        odd.set_ebias(126)
        space = h5py.h5s.create_simple(values.shape)
        h5py.h5d.create(layer.id, b"bias", odd, space)
        layer["bias"][...] = values
    assert "bias: expected floating-point numbers" in refusal(path)


def test_a_tensor_in_the_place_of_another_is_refused(keras_file, tmp_path):
    path = rewritten(tmp_path / "m.h5", keras_file[0].read_bytes())
    with h5py.File(path) as file:
        offsets = [
            next(iter(file["model_weights"][name].values()))[name][
                "bias"
            ].id.get_offset()
            for name in ("c", "e")
        ]
    wrong, right = (offset.to_bytes(8, "little") for offset in offsets)
    rewritten(path, path.read_bytes().replace(right, wrong))
    assert "two tensors share their bytes" in refusal(path)


def test_files_of_keras_before_2_2_3_are_read(keras_file, tmp_path):
    """Their `config` is the list of layers itself."""
    path = rewritten(tmp_path / "m.h5", keras_file[0].read_bytes())
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"] = config["config"]["layers"]
        file.attrs["model_config"] = np.bytes_(json.dumps(config))
    np.testing.assert_allclose(probabilities(path), keras_file[1], atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "name"),
    [("int8", "m.h5"), ("int8", "w.weights.h5"), ("float8", "m.h5")],
)
def test_quantized_models_are_refused(tmp_path, mode, name):
    model = keras_model(*model_layers())
    model.quantize(mode)
    path = tmp_path / name
    model.save_weights(path) if "weights" in name else model.save(path)
    words = refusal(path)
    assert "a quantized model" in words
    assert "in Keras without quantize()" in words


def test_lora_weights_are_refused_and_read_where_keras_merges_them(tmp_path):
    model = keras_model(*model_layers())
    model.layers[-1].enable_lora(4)
    model.layers[-1].lora_kernel_b.assign(np.ones((4, 10)))
    model.save(tmp_path / "m.h5")
    words = refusal(tmp_path / "m.h5")
    assert "LoRA weights" in words
    assert "beside the kernel of layer dense_1; save_weights('x.weights.h5')" in words
    model.save_weights(tmp_path / "w.weights.h5")
    np.testing.assert_allclose(
        probabilities(tmp_path / "w.weights.h5"),
        model.predict(IMAGES, verbose=0),
        atol=1e-5,
    )


def test_bfloat16_weights_are_read_exactly(tmp_path):
    keras.config.set_dtype_policy("bfloat16")
    try:
        model = keras_model(*model_layers())
    finally:
        keras.config.set_dtype_policy("float32")
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "w.weights.h5")
    for name in ("m.h5", "w.weights.h5"):
        params, _ = keras_h5.load(tmp_path / name)
        found = [values for layer in params.values() for values in layer.values()]
        for ours, theirs in zip(found, model.get_weights(), strict=True):
            assert theirs.dtype == "bfloat16"
            np.testing.assert_array_equal(ours, theirs.astype(np.float32))


def test_numbers_in_another_file_are_not_read(keras_file, tmp_path):
    path = rewritten(tmp_path / "m.h5", keras_file[0].read_bytes())
    (tmp_path / "secret").write_bytes(bytes(128))
    with h5py.File(path, "a") as file:
        layer = next(iter(file["model_weights/a"].values()))["a"]
        del layer["bias"]
        external = [(str(tmp_path / "secret"), 0, 128)]
        layer.create_dataset("bias", (32,), "f4", external=external)
    assert "its numbers are in another file" in refusal(path)
    with h5py.File(path, "a") as file:
        layer = next(iter(file["model_weights/a"].values()))["a"]
        del layer["bias"]
        layer["bias"] = h5py.ExternalLink(keras_file[0], "/model_weights")
    assert "layer conv2d: no bias of shape (32,)" in refusal(path)


def test_a_small_file_of_an_enormous_tensor_is_refused(keras_file, tmp_path):
    path = rewritten(tmp_path / "m.h5", keras_file[0].read_bytes())
    with h5py.File(path, "a") as file:
        layer = next(iter(file["model_weights/h"].values()))["h"]
        del layer["kernel"]
        kernel = layer.create_dataset(
            "kernel", (64, 10**7), "f4", chunks=(64, 1000), compression="gzip"
        )
        kernel[:, :10] = 1
    assert path.stat().st_size < 1_000_000
    assert "far more memory than a model of this network" in refusal(path)


@pytest.mark.parametrize(
    "metadata",
    [
        "no object",
        [],
        {"class_names": 3},
        {"class_names": ["a"]},
        {"class_names": [1] * 10},
        METADATA | {"unsure_below": "much"},
        METADATA | {"unsure_below": 2},
        METADATA | {"temperature": 0},
    ],
)
def test_metadata_that_is_not_ours_is_refused(tmp_path, metadata):
    keras_h5.save(tmp_path / "m.h5", random_params(), metadata)
    assert "expected" in refusal(tmp_path / "m.h5")


@pytest.mark.parametrize("change", [np.nan, np.inf, 1e30])
def test_parameters_that_no_training_gives_are_refused(tmp_path, change):
    params = random_params()
    params["dense"]["kernel"][0, 0] = change
    keras_h5.save(tmp_path / "m.h5", params, METADATA)
    assert "layer dense holds numbers that are not finite or beyond 1e+09" in refusal(
        tmp_path / "m.h5"
    )


def test_another_writer_of_the_file_and_its_lock_do_not_matter(
    keras_file, own_content, tmp_path, monkeypatch
):
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "TRUE")
    for path in (keras_file[0], own_content[0] / "own.h5"):
        copy = rewritten(tmp_path / "m.h5", path.read_bytes())
        with h5py.File(copy, "r+"):
            keras_h5.load(copy)
            keras_h5.save(copy, random_params(), METADATA)
        assert keras_h5.load(copy)[1] == METADATA


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
