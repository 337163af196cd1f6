import gzip
import subprocess
import sys

import numpy as np
import pytest

from cnn.data import datasets
from tests.data.conftest import MNIST_FOLDER, message, multiset


def plain_idx(name: str, header: int) -> np.ndarray:
    return np.frombuffer(gzip.open(MNIST_FOLDER / name).read(), np.uint8, offset=header)


@pytest.mark.parametrize(("split", "stem"), [("train", "train"), ("test", "t10k")])
def test_mnist_holds_the_pictures_of_the_original_files(data_dir, split, stem):
    dataset = datasets.load("mnist", split)
    images = plain_idx(f"{stem}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = plain_idx(f"{stem}-labels-idx1-ubyte.gz", 8)
    assert (dataset.images.dtype, dataset.labels.dtype) == (np.uint8, np.int32)
    assert dataset.images.shape == (len(images), 28, 28, 1)
    assert multiset(dataset.images, dataset.labels) == multiset(images, labels)
    assert dataset.class_names == tuple("0123456789")


def test_loading_imports_no_tensorflow_and_the_second_time_not_even_tfds(
    data_dir, tmp_path
):
    script = (
        "import sys; from cnn import data; data.load('mnist', 'test', sys.argv[1])\n"
        "print([name in sys.modules for name in ('tensorflow', 'tensorflow_datasets')])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script, folder],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for folder in (data_dir, tmp_path)
    ]
    assert outputs == ["[False, False]\n", "[False, True]\n"]


def test_sub_splits_are_those_of_tfds(small_dir):
    assert len(datasets.load("kmnist", "train[:10%]", small_dir).labels) == 64


def test_an_unknown_set_is_refused_with_near_names(tmp_path):
    text = message("fashion_mnits", data_dir=tmp_path)
    assert text == (
        "tensorflow-datasets has no data set 'fashion_mnits'; "
        "did you mean fashion_mnist?"
    )


@pytest.mark.parametrize(
    "name", ["", "fashion-mnist", " mnist", "mnist*", "../mnist", "/etc"]
)
def test_what_is_no_name_is_refused_and_looked_for_nowhere(tmp_path, name):
    assert message(name, data_dir=tmp_path).startswith(
        f"tensorflow-datasets has no data set {name!r}"
    )


def test_nothing_of_tfds_comes_to_stdout(tmp_path):
    script = "import sys; from cnn import data; data.load('mnist', 'test', sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert done.stderr == f"preparing mnist in {tmp_path}/mnist/3.0.1, once\n"
