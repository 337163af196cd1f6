import zipfile

import numpy as np
import pytest
import tensorflow_datasets as tfds

from cnn.data import builders, datasets
from tests.conftest import idx
from tests.data.conftest import message, multiset


def test_prepared_sets_are_those_of_tfds(data_dir, mnist_test):
    source = tfds.builder("mnist", data_dir=data_dir).as_data_source("test")
    for i in (0, 17, 9999):
        assert np.array_equal(source[i]["image"], mnist_test.images[i])
        assert source[i]["label"] == mnist_test.labels[i]


def test_fashion_mnist_prepares_without_tensorflow_and_names_garments(
    server, tmp_path, monkeypatch
):
    folder, url = server
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(20) % 10))
    monkeypatch.setattr(builders.FashionMnist, "URL", url)
    dataset = datasets.load("fashion_mnist", "train", tmp_path / "data")
    assert multiset(dataset.images, dataset.labels) == multiset(
        images, np.arange(20) % 10
    )
    assert (dataset.class_names[0], dataset.class_names[9]) == (
        "T-shirt/top",
        "Ankle boot",
    )


@pytest.mark.parametrize(
    ("config", "labels", "characters"),
    [
        ("letters", [1, 2, 26], "ABZ"),
        ("balanced", [0, 10, 36, 46], "0Aat"),
        ("byclass", [9, 36, 61], "9az"),
    ],
)
def test_emnist_is_upright_and_names_characters(
    server, tmp_path, monkeypatch, config, labels, characters
):
    folder, url = server
    upright = np.random.default_rng(1).integers(0, 256, (len(labels), 28, 28), np.uint8)
    with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
        for part in ("train", "test"):
            stem = f"gzip/emnist-{config}-{part}"
            archive.writestr(
                f"{stem}-images-idx3-ubyte.gz", idx(upright.transpose(0, 2, 1))
            )
            archive.writestr(f"{stem}-labels-idx1-ubyte.gz", idx(np.array(labels)))
    monkeypatch.setattr(builders.Emnist, "URL", url + "gzip.zip")
    dataset = datasets.load(f"emnist/{config}", "test", tmp_path / "data")
    read = {
        dataset.class_names[n]: image[..., 0]
        for n, image in zip(dataset.labels, dataset.images, strict=True)
    }
    assert sorted(read) == sorted(characters)
    for character, image in zip(characters, upright, strict=True):
        assert np.array_equal(read[character], image)


def test_a_damaged_download_is_named(server, tmp_path, monkeypatch):
    folder, url = server
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(b"<html>moved</html>")
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(10)))
    monkeypatch.setattr(builders.Kmnist, "URL", url)
    assert "not a whole gzipped IDX file" in message(
        "kmnist", data_dir=tmp_path / "data"
    )
    assert not list((tmp_path / "data").rglob("*record*"))
