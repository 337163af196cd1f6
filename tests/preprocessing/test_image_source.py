"""Images in memory: their modes, shapes and ranges."""

import io

import numpy as np
import pytest
from PIL import Image

from cnn.preprocessing.image_source import make_source
from cnn.preprocessing.pipeline import preprocess_sources
from cnn.preprocessing.source import ReadOptions, Source


@pytest.fixture(scope="module")
def digit(digit_paths):
    """Gray pixels, dark on light, larger than a network input."""
    with Image.open(digit_paths[0]) as image:
        return 255 - np.asarray(image.resize((90, 90)))


def preprocess(source):
    (file,) = preprocess_sources([source], ReadOptions("mnist"))
    return file


def assert_same_candidates(source, expected):
    found, expected = preprocess(source), preprocess(expected)
    assert expected.status == "ok"
    assert (found.status, found.detail) == ("ok", expected.detail)
    np.testing.assert_array_equal(found.candidates, expected.candidates)
    np.testing.assert_array_equal(found.weights, expected.weights)


def with_alpha(digit):
    alpha = Image.fromarray(255 - digit)
    return Image.merge("LA", (Image.new("L", alpha.size), alpha))


def palette_with_transparency(digit):
    image = Image.fromarray(np.where(digit < 128, 1, 0).astype(np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 0, 0])
    image.info["transparency"] = 0
    return image


def gray_with_transparency(digit):
    image = Image.fromarray(digit)
    image.info["transparency"] = 255
    return image


@pytest.mark.parametrize(
    "make",
    [
        Image.fromarray,
        lambda digit: Image.fromarray(digit).convert("1"),
        lambda digit: Image.fromarray(digit).convert("RGB"),
        lambda digit: Image.fromarray(digit).convert("P"),
        lambda digit: Image.fromarray(digit.astype(np.uint16) * 257),
        with_alpha,
        lambda digit: with_alpha(digit).convert("RGBA"),
        palette_with_transparency,
        gray_with_transparency,
    ],
)
def test_an_image_of_any_mode_is_read_as_its_png(digit, make):
    image = make(digit)
    file = io.BytesIO()
    image.save(file, "PNG")
    of_file = Source("", content=file.getvalue())
    assert_same_candidates(make_source(image), of_file)
    file.seek(0)
    with Image.open(file) as opened:
        assert_same_candidates(make_source(opened), of_file)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "I", "F", "HSV", "RGBa"])
def test_modes_that_no_png_has_are_read(digit, mode):
    image = Image.fromarray(digit)
    if mode in ("LAB", "HSV", "RGBa"):
        image = image.convert("RGBA" if mode == "RGBa" else "RGB")
    assert preprocess(make_source(image.convert(mode))).status == "ok"


def test_an_image_is_turned_by_its_exif_tag(digit):
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(digit)))
    turned.getexif()[0x0112] = 6  # To be turned by 90 degrees clockwise.
    assert_same_candidates(make_source(turned), make_source(digit))


def test_arrays_of_any_type_are_the_same_pixels(digit):
    expected = make_source(digit)
    for pixels in (
        digit[..., None],
        np.repeat(digit[..., None], 3, axis=2),
        np.asfortranarray(digit),
        digit.astype(np.int64),
        digit / 255,
        (digit / 255).astype(np.float32),
        np.dstack([digit] * 3 + [np.full_like(digit, 255)]),
        digit.astype(np.uint16),
    ):
        assert_same_candidates(make_source(pixels), expected)
    is_paper = digit > 127
    assert_same_candidates(
        make_source(is_paper), make_source(is_paper.astype(np.uint8) * 255)
    )


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros(9), "got (9,)"),
        (np.zeros((9, 9, 2)), "got (9, 9, 2)"),
        (np.zeros((2, 9, 9, 3)), "got (2, 9, 9, 3)"),
        (np.zeros((0, 9)), "got (0, 9)"),
        (np.full((9, 9), 256), "got 256 to 256 as int64"),
        (np.full((9, 9), -1), "got -1 to -1 as int64"),
        (np.full((9, 9), 255.0), "got 255.0 to 255.0 as float64"),
        (np.full((9, 9), np.nan), "got nan to nan as float64"),
        (np.full((9, 9, 3), 65535, np.uint16), "got 65535 to 65535 as uint16"),
    ],
)
def test_pixels_of_another_shape_or_range_are_refused(pixels, words):
    with pytest.raises(ValueError, match="image: expected") as error:
        make_source(pixels)
    assert words in str(error.value)


@pytest.mark.parametrize("wrong", [None, ["text"], object(), io.BytesIO(), 1j])
def test_what_is_no_image_is_refused(wrong):
    with pytest.raises(ValueError, match="image: expected a path, bytes") as error:
        make_source(wrong)
    assert str(error.value).endswith(f"got {type(wrong).__name__}")


def test_a_page_before_the_first_is_refused(digit):
    for page in (0, -1):
        with pytest.raises(ValueError, match=f"page: expected 1 or more, got {page}"):
            make_source(digit, page)


def test_bytes_may_be_in_any_buffer(digit):
    file = io.BytesIO()
    Image.fromarray(digit).save(file, "PNG")
    for content in (bytearray(file.getvalue()), file.getbuffer()):
        assert make_source(content) == make_source(file.getvalue())


def test_an_opened_file_that_is_damaged_is_unreadable(digit):
    file = io.BytesIO()
    Image.fromarray(digit).save(file, "PNG")
    cut = io.BytesIO(file.getvalue()[: len(file.getvalue()) // 2])
    found = preprocess(make_source(Image.open(cut)))
    assert (found.candidates, found.status) == (None, "unreadable")
    assert found.detail
