"""Characters read from Python: paths, bytes, images of Pillow, arrays."""

import numpy as np
import pytest
from PIL import Image

import cnn
from cnn.classifier import Classifier
from cnn.errors import UsageError
from tests.conftest import ROOT

SAMPLES = sorted((ROOT / "tests" / "samples").iterdir())
LOSSLESS = [
    path for path in SAMPLES if path.suffix in (".png", ".bmp", ".tiff", ".gif")
]


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load("digits")


def assert_same(found, expected, path):
    """Compares two predictions, bit for bit."""
    assert found.path == path
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_path_and_the_bytes_of_its_file_are_read_as_a_file(classifier, path):
    (expected,) = classifier.predict_files(path)
    assert expected.prediction
    assert_same(classifier.read_character(path), expected, str(path))
    assert_same(classifier.read_character(str(path)), expected, str(path))
    assert_same(classifier.read_character(path.read_bytes()), expected, "")


@pytest.mark.parametrize("path", LOSSLESS, ids=lambda path: path.name)
def test_the_same_pixels_are_read_as_the_same(classifier, path):
    (expected,) = classifier.predict_files(path)
    with Image.open(path) as image:
        assert_same(classifier.read_character(image), expected, "")
    with Image.open(path) as image:
        if image.mode in ("L", "RGB", "RGBA", "I;16"):
            assert_same(classifier.read_character(np.asarray(image)), expected, "")


def test_a_page_and_a_region_are_read_alone(classifier, tmp_path):
    names = ("mnist_7.png", "mnist_2.png")
    first, second = (
        Image.open(ROOT / "tests" / "samples" / name).resize((90, 90)) for name in names
    )
    both = Image.new("L", (180, 90))
    both.paste(first, (0, 0))
    both.paste(second, (90, 0))
    both.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    for image in (tmp_path / "a.tif", (tmp_path / "a.tif").read_bytes(), both):
        left = classifier.read_character(image, region="0,0,0.5,1")
        right = classifier.read_character(image, region="0.5,0,1,1")
        assert [left.prediction, right.prediction] == ["7", "2"]
    assert classifier.read_character(tmp_path / "a.tif", page=2).prediction == "2"
    content = (tmp_path / "a.tif").read_bytes()
    assert classifier.read_character(content, page=2).prediction == "2"
    missing = classifier.read_character(both, page=2)
    assert missing.status == "unreadable"


def test_what_cannot_be_read_is_told_by_the_status(classifier, tmp_path):
    for image, status, detail in (
        (b"", "unreadable", "empty file"),
        (b"no image", "unreadable", "not an image"),
        (tmp_path / "none.png", "unreadable", "no such file"),
        (np.zeros((50, 50)), "blank", "no ink found"),
        (Image.new("RGB", (50, 50), "red"), "blank", "no ink found"),
        (Image.new("1", (20_000, 20_000)), "unreadable", "too large: 20000×20000"),
    ):
        found = classifier.read_character(image)
        assert (found.prediction, found.status) == ("", status)
        assert found.detail.startswith(detail)


def test_a_model_of_whole_pictures_takes_them_from_memory(classifier):
    other = cnn.Classifier(
        classifier.params, {**classifier.metadata, "preprocessing": "resize"}
    )
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    found = other.read_character(pixels)
    np.testing.assert_array_equal(found.image[..., 0], np.float32(pixels / 255))


def test_a_wrong_region_is_refused(classifier):
    with pytest.raises(UsageError, match="--region: expected"):
        classifier.read_character(np.zeros((9, 9)), region="0,0,2,1")
