import io
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from cnn.data import datasets, records
from tests.data.conftest import message, only


def test_emnist_has_as_many_names_as_classes():
    counts = {config: len(names) for config, names in records.EMNIST_CHARACTERS.items()}
    assert counts == {
        "byclass": 62,
        "bymerge": 47,
        "balanced": 47,
        "letters": 26,
        "digits": 10,
        "mnist": 10,
    }


def test_a_set_prepared_as_tfrecord_is_read_without_tensorflow(copied):
    """TensorFlow users of tfds have the same examples on disk in TFRecord files."""
    expected = {
        split: datasets.load("kmnist", split, copied) for split in ("train", "test")
    }
    raw = tfds.decode.DeserializeMethod.RAW_BYTES
    builder = tfds.builder("kmnist", data_dir=copied)
    for split in expected:
        records = list(builder.as_data_source(split, deserialize_method=raw))
        path = only(copied, f"kmnist/*/kmnist-{split}.array_record*")
        lengths = [len(record).to_bytes(8, "little") for record in records]
        content = b"".join(
            n + b"crc1" + r + b"crc2" for n, r in zip(lengths, records, strict=True)
        )
        path.with_name(f"kmnist-{split}.tfrecord-00000-of-00001").write_bytes(content)
        path.unlink()
    info = only(copied, "kmnist/*/dataset_info.json")
    info.write_text(
        json.dumps(json.loads(info.read_text()) | {"fileFormat": "tfrecord"})
    )
    for split, dataset in expected.items():
        again = datasets.load("kmnist", split, copied)
        assert np.array_equal(again.images, dataset.images)
        assert np.array_equal(again.labels, dataset.labels)
    assert len(datasets.load("kmnist", "train[600:]", copied).labels) == 40


def test_colors_and_other_sizes_become_gray_and_28_by_28(shapes):
    dataset = datasets.load("shapes", "train", shapes)
    assert dataset.images.shape == (20, 28, 28, 1)
    left = dataset.images[dataset.labels == 0][0, ..., 0]
    # 20×40 fits as 14×28 between two black margins of 7; red is 76 of 255 in grey.
    assert not left[:, :7].any()
    assert not left[:, 21:].any()
    assert abs(int(left[14, 9]) - 76) <= 3
    assert left[14, 19] <= 3


def test_an_unknown_split_is_refused_with_the_known(small_dir):
    for split in ("dev", "test[:0]", "test[5:3]"):
        text = message("kmnist", split, small_dir)
        assert text == f"data set 'kmnist' has no split '{split}'; it has: train, test"


def test_a_damaged_prepared_file_is_named_with_the_remedy(copied):
    only(copied, "kmnist/*/cnn-train.npz").unlink()
    record = only(copied, "kmnist/*/*train.array_record*")
    record.write_bytes(record.read_bytes()[:5000])
    text = message("kmnist", data_dir=copied)
    assert str(record.parent) in text
    assert "move that folder away to prepare it again" in text


class Shapes(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A user's own set: color images of another size, and only a train split."""

    name = "shapes"
    VERSION = tfds.core.Version("1.0.0")
    encoding = "png"

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(40, 20, 3)),
            "label": tfds.features.ClassLabel(names=["left", "right"]),
        }
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(
            builder=self, features=features, supervised_keys=("image", "label")
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(20):
            image = Image.new("RGB", (20, 40), "black")
            image.paste("red", (0, 0, 10, 40) if i % 2 == 0 else (10, 0, 20, 40))
            png = io.BytesIO()
            image.save(png, "png")
            png.seek(0)
            yield i, {"image": png, "label": i % 2}


@pytest.fixture
def shapes(tmp_path) -> Path:
    Shapes(data_dir=tmp_path, file_format="array_record").download_and_prepare()
    return tmp_path


def test_a_set_without_test_split_is_tested_on_the_last_tenth(shapes, capsys):
    train, test = datasets.load_train_and_test("shapes", shapes)
    assert (len(train.labels), len(test.labels)) == (18, 2)
    assert "testing on train[90%:]" in capsys.readouterr().err
