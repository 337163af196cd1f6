from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnn.classifier import Classifier
from cnn.config import TrainConfig
from cnn.data import datasets
from cnn.data.types import DataError
from cnn.errors import UsageError
from cnn.training.training_data import load_training_data

NUM_PER_CLASS = 6


def write_pictures(folder, dataset, classes, count=NUM_PER_CLASS):
    """Writes as many digits of each class, inverted, under the names of classes."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for index in np.flatnonzero(dataset.labels == label)[:count]:
            image = Image.fromarray(dataset.images[index, ..., 0])
            ImageOps.invert(image).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def digits(mnist_test, tmp_path_factory):
    return write_pictures(
        tmp_path_factory.mktemp("mine") / "digits", mnist_test, "0123456789"
    )


@pytest.fixture
def config(digits, data_dir, tmp_path):
    return TrainConfig(images=digits, data_dir=data_dir, workdir=tmp_path / "run")


def count_own(dataset, num_others):
    return len(dataset.labels) - num_others


def test_pictures_have_their_share_of_the_training_images(config):
    data = load_training_data(replace(config, images_share=0.25), None)
    others = 55_000
    assert count_own(data.train, others) == round(others / 3)
    # Four of six pictures a class are learned, and repeated in turn.
    own = data.train.images[others:].reshape(-1, 784)
    distinct, counts = np.unique(own, axis=0, return_counts=True)
    assert len(distinct) == 40
    assert counts.max() - counts.min() <= 1


def test_the_rehearsal_is_a_sample_of_the_data_set_by_the_seed(config, data_dir):
    samples = []
    for seed in (0, 0, 1):
        settings = replace(config, rehearsal_size=500, images_share=0.5, seed=seed)
        train_set = load_training_data(settings, None).train
        assert len(train_set.labels) == 1000
        samples.append(train_set.images[:500].tobytes())
    assert samples[0] == samples[1] != samples[2]
    mnist = datasets.load("mnist", "train", data_dir)
    known = {image.tobytes() for image in mnist.images}
    assert all(image.tobytes() in known for image in train_set.images[:500])


def test_many_pictures_repeat_the_data_set_instead(config):
    settings = replace(config, rehearsal_size=8, images_share=0.8, batch_size=8)
    train_set = load_training_data(settings, None).train
    # 40 pictures are four fifths of 50.
    assert len(train_set.labels) == 50


def test_both_are_validated_on_and_tested_apart(config):
    data = load_training_data(config, None)
    assert len(data.validation.labels) == 5000 + 10
    assert len(data.test.labels) == 10_000
    assert data.pictures.counts() == {"train": 40, "validation": 10, "test": 10}


def test_a_class_that_the_data_set_lacks_is_added_after_its_classes(
    config, mnist_test, tmp_path
):
    folder = write_pictures(tmp_path / "hex", mnist_test, ["7", "B", "A", "10"])
    data = load_training_data(replace(config, images=folder), None)
    names = (*"0123456789", "10", "A", "B")
    assert data.train.class_names == data.test.class_names == names
    assert data.validation.class_names == data.pictures.test.class_names == names
    added = data.train.labels[55_000:]
    assert set(added.tolist()) == {7, 10, 11, 12}
    own = data.pictures.train
    for name, label in zip(own.names, own.labels, strict=True):
        assert name.split("/")[0] == names[label]


def test_pictures_alone_fill_an_epoch_by_whole_repetitions(config):
    data = load_training_data(replace(config, dataset="none"), None)
    assert len(data.train.labels) == 10_000
    _, counts = np.unique(
        data.train.images.reshape(-1, 784), axis=0, return_counts=True
    )
    assert set(counts.tolist()) == {250}
    assert data.test is None
    assert data.train.preprocessing == "mnist"


def test_pictures_alone_are_placed_as_those_of_the_initial_model(config):
    params = {"dense_1": {"bias": np.zeros(2)}}
    metadata = {"class_names": ["a", "b"], "preprocessing": "emnist"}
    initial = Classifier(params, metadata)
    data = load_training_data(replace(config, dataset="none"), initial)
    assert data.train.preprocessing == "emnist"


def test_one_class_alone_is_refused(config, mnist_test, tmp_path):
    folder = write_pictures(tmp_path / "one", mnist_test, ["7"])
    with pytest.raises(DataError, match="expected two classes or more, found 7 alone"):
        load_training_data(replace(config, images=folder, dataset="none"), None)


def test_one_class_beside_a_data_set_is_learned(config, mnist_test, tmp_path):
    folder = write_pictures(tmp_path / "one", mnist_test, ["7"])
    data = load_training_data(replace(config, images=folder), None)
    assert data.train.class_names == tuple("0123456789")


def test_a_batch_larger_than_the_training_set_is_refused(config):
    settings = replace(config, dataset="none", batch_size=10_001)
    with pytest.raises(UsageError, match="expected at most the 10000 training images"):
        load_training_data(settings, None)


def test_the_metadata_counts_the_pictures_and_has_their_digest(config):
    data = load_training_data(config, None)
    described = data.describe_pictures()
    assert described.pop("digest") == data.pictures.train.digest()
    assert described == {"train": 40, "validation": 10, "test": 10}
