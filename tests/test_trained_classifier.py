"""A trained classifier: arrays and files in, calibrated probabilities out."""

import json
import subprocess
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image, ImageOps

from cnn import checkpoint
from cnn.candidate_mixture import combine_candidates
from cnn.classifier import Classifier
from cnn.data import datasets
from cnn.model import CNN
from cnn.preprocessing import pipeline
from tests.conftest import command


@pytest.fixture
def model(trained) -> Path:
    return trained / "mnist_model.h5"


@pytest.fixture
def digit(mnist_test, tmp_path) -> Path:
    """A test digit as a PNG."""
    path = tmp_path / "digit.png"
    Image.fromarray(mnist_test.images[0, ..., 0]).save(path)
    return path


def test_arrays_of_any_dtype_and_files_are_predicted(trained, mnist_test, tmp_path):
    classifier = Classifier.load(trained / "mnist_model.h5")
    images = mnist_test.images[:700]
    labels, probabilities = (
        classifier.predict(images),
        classifier.predict_proba(images),
    )
    assert (labels.shape, labels.dtype) == ((700,), np.int32)
    assert (labels == mnist_test.labels[:700]).mean() > 0.97
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(1), labels)
    # Floats in [0, 1], and images without a channel axis, are the same images.
    np.testing.assert_allclose(
        classifier.predict_proba(images[:5, ..., 0] / 255.0),
        probabilities[:5],
        atol=1e-5,
    )
    assert classifier.predict(images[:0]).shape == (0,)
    np.testing.assert_array_equal(
        classifier.predict(images[:5].astype(np.int64)), labels[:5]
    )
    for wrong in (
        images[0],
        images.reshape(-1, 14, 56),
        np.zeros((1, 28, 28, 3)),
        np.full((1, 28, 28), 255.0),
    ):
        with pytest.raises(ValueError, match="s: expected"):
            classifier.predict(wrong)
    Image.fromarray(images[0, ..., 0]).save(tmp_path / "a.png")
    assert [
        prediction.prediction
        for prediction in classifier.predict_files(tmp_path / "a.png")
    ] == [str(labels[0])]
    good, missing = classifier.predict_files(
        [tmp_path / "a.png", tmp_path / "none.png"]
    )
    assert (good.prediction, good.status) == (str(labels[0]), "ok")
    assert (missing.status, missing.detail) == ("unreadable", "no such file")


def test_the_threshold_of_the_model_keeps_most_test_digits(model, mnist_test):
    classifier = Classifier.load(model)
    confidence = classifier.predict_proba(mnist_test.images).max(-1)
    assert 0.985 < (confidence >= classifier.unsure_below).mean() < 1


def test_a_confidence_does_not_depend_on_the_other_images_of_a_batch(model, mnist_test):
    classifier = Classifier.load(model)
    images = mnist_test.images[:600]
    together = classifier.predict_proba(images)
    order = np.random.default_rng(0).permutation(len(images))
    np.testing.assert_array_equal(
        classifier.predict_proba(images[order]), together[order]
    )
    for i in (0, 255, 256, 599):
        np.testing.assert_array_equal(
            classifier.predict_proba(images[i : i + 1])[0], together[i]
        )


def test_confidence_is_that_at_the_temperature_of_the_report(
    trained, model, mnist_test
):
    """From the parameters of the checkpoint, which know no temperature, by plain Flax."""
    workdir = trained / "runs" / "mnist"
    temperature = json.loads((workdir / "report.json").read_text())["temperature"]
    state, _ = checkpoint.restore(workdir / "checkpoints", 1)
    images = mnist_test.images[:50]
    logits = CNN(10).apply({"params": state["ema_params"]}, images / np.float32(255))
    expected = np.asarray(jax.nn.softmax(logits / temperature))
    assert abs(temperature - 1) > 0.002
    np.testing.assert_allclose(
        Classifier.load(model).predict_proba(images), expected, atol=1e-5
    )


def test_test_digits_as_pngs_read_like_the_arrays(mnist_test, model, tmp_path):
    """A thousand of them, in both polarities; all ten thousand are measured in tests/benchmarks."""
    count = 1000
    classifier = Classifier.load(model)
    right = int(
        (
            classifier.predict(mnist_test.images[:count]) == mnist_test.labels[:count]
        ).sum()
    )
    for invert in (False, True):
        paths = []
        for i in range(count):
            image = Image.fromarray(mnist_test.images[i, ..., 0])
            paths.append(tmp_path / f"{i}.png")
            (ImageOps.invert(image) if invert else image).save(paths[-1])
        read = [prediction.prediction for prediction in classifier.predict_files(paths)]
        assert (
            right
            - sum(
                int(r == str(n)) for r, n in zip(read, mnist_test.labels, strict=False)
            )
            <= 2
        )


def test_a_sure_candidate_decides_among_candidates_of_no_character(digit, model):
    """Its image and its number are those of the prediction."""
    classifier = Classifier.load(model)
    decoded = pipeline.preprocess_file(str(digit), "mnist")
    candidates = np.concatenate(
        [0 * decoded.candidates, decoded.candidates, 0 * decoded.candidates]
    )
    file = decoded._replace(candidates=candidates, weights=np.ones(3, np.float32))
    (prediction,) = classifier.classify(["a"], [file])
    probabilities = classifier.predict_proba(candidates)
    assert prediction.candidate == 1
    assert prediction.prediction == str(probabilities[1].argmax())
    np.testing.assert_array_equal(prediction.image, candidates[1])
    mixture = combine_candidates(probabilities, np.ones(3))
    np.testing.assert_array_equal(prediction.probabilities, mixture.probabilities)
    assert prediction.confidence == mixture.probabilities.max()


def test_files_are_preprocessed_as_the_training_images_of_the_model(
    small_dir, tmp_path
):
    """The model file names the preprocessing of its training images."""
    assert datasets.preprocessing_for("kmnist") == "resize"
    arguments = (
        "--dataset",
        "kmnist",
        "--epochs",
        1,
        "--batch-size",
        16,
        "--data-dir",
        small_dir,
    )
    subprocess.run(
        command("train", *arguments), cwd=tmp_path, capture_output=True, check=True
    )
    classifier = Classifier.load(tmp_path / "kmnist_model.h5")
    assert (classifier.preprocessing, classifier.class_names[1]) == ("resize", "ki")
    dark = Image.new("L", (28, 28), 0)
    dark.paste(90, (3, 3, 9, 9))
    dark.save(tmp_path / "a.png")
    image = classifier.predict_files([tmp_path / "a.png"])[0].image
    np.testing.assert_allclose(
        image[..., 0], np.asarray(dark) / np.float32(255), atol=1e-6
    )
