"""Which model is meant by a path, by a name, and by nothing."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cnn import keras_h5
from cnn.classifier import Classifier
from cnn.config import InferConfig
from cnn.inference.output_checks import own_files
from cnn.models import DIGITS, find_model
from tests.reference import random_params

METADATA = {"class_names": list("abcdefghij"), "preprocessing": "mnist"}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_path_a_trained_model_goes_before_the_shipped_one(folder):
    assert find_model(None) == DIGITS
    shutil.copy(DIGITS, "mnist_model.h5")
    assert find_model(None) == Path("mnist_model.h5")


def test_a_path_is_itself_whether_it_exists_or_not(folder):
    for path in ("none.h5", "runs/mnist", "./runs/digits", "digits.h5"):
        assert find_model(path) == Path(path)
    (folder / "runs").mkdir()
    assert find_model(folder / "runs") == folder / "runs"


def test_a_shipped_model_has_a_name_which_a_model_of_the_user_may_have_too(folder):
    assert find_model("digits") == find_model(Path("digits")) == DIGITS
    (folder / "digits").mkdir()  # Of images.
    assert find_model("digits") == DIGITS
    (folder / "digits" / "checkpoints").mkdir()  # Of a training run.
    assert find_model("digits") == Path("digits")
    shutil.rmtree("digits")
    (folder / "digits").touch()
    assert find_model("digits") == Path("digits")


def test_loading_without_a_path_says_which_model_it_is(folder, capsys):
    image = np.zeros((1, 28, 28), np.uint8)
    assert Classifier.load().predict_proba(image).shape == (1, 10)
    words = "model: digits, shipped with cnn\n"
    assert capsys.readouterr() == ("", words)
    keras_h5.save("mnist_model.h5", random_params(), METADATA)
    assert Classifier.load().class_names == tuple("abcdefghij")
    words = "model: mnist_model.h5 of the working directory\n"
    assert capsys.readouterr() == ("", words)
    assert Classifier.load("digits").class_names == tuple("0123456789")
    assert capsys.readouterr() == ("", "")


def test_a_trained_model_among_the_images_is_no_image(folder):
    assert DIGITS in own_files(InferConfig(folder))
    shutil.copy(DIGITS, "mnist_model.h5")
    assert Path("mnist_model.h5") in own_files(InferConfig(folder))
