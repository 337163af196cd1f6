"""Small gray PNGs, decoded as Pillow does."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from cnn.preprocessing import decode, grayscale, small_png


def saved(path, pixels, **options):
    Image.fromarray(pixels).save(path, "PNG", **options)
    return path


def test_small_gray_pngs_are_decoded_as_pillow_does(digits, tmp_path):
    for i, pixels in enumerate(digits[:50]):
        path = saved(tmp_path / f"{i}.png", pixels, compress_level=i % 10, dpi=(72, 72))
        decoded = small_png.decode_small_gray_png(path.read_bytes())
        assert np.array_equal(decoded, pixels)


def with_text():
    about = PngImagePlugin.PngInfo()
    about.add_text("Raw profile type exif", "x")
    return about


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (np.zeros((28, 40), np.uint8), {}),  # Too wide.
        (np.zeros((28, 28, 3), np.uint8), {}),
        (np.zeros((28, 28), bool), {}),
        (np.zeros((28, 28), np.uint16), {}),
        (np.zeros((28, 28), np.uint8), {"transparency": 0}),
        (np.zeros((28, 28), np.uint8), {"pnginfo": with_text()}),
    ],
)
def test_any_other_png_is_left_to_the_general_decoder(pixels, options, tmp_path):
    path = saved(tmp_path / "a.png", pixels, **options)
    assert small_png.decode_small_gray_png(path.read_bytes()) is None


def test_what_is_no_png_is_left_to_the_general_decoder():
    for content in (b"", b"no image", b"\x89PNG\r\n\x1a\n"):
        assert small_png.decode_small_gray_png(content) is None


def chunk(kind, body):
    checksum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + checksum


@pytest.mark.parametrize(("rows", "complete"), [(27, False), (28, True), (29, False)])
def test_a_png_of_too_few_or_too_many_rows_is_left_to_the_general_decoder(
    rows, complete
):
    header = (28).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    pixels = zlib.compress(rows * (bytes([0]) + bytes(28)))
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    decoded = small_png.decode_small_gray_png(content)
    assert (decoded is not None) == complete


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_png_gives_pillows_pixels_or_none(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    pixels = np.random.default_rng(data.draw(st.integers(0, 9))).integers(
        0, 256, (20, 30), np.uint8
    )
    content = bytearray(saved(folder / "whole.png", pixels).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    path = folder / "damaged.png"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    ours = small_png.decode_small_gray_png(path.read_bytes())
    if ours is not None:
        with open(path, "rb") as file, decode.open_image(file) as (image, *_):
            assert np.array_equal(ours, grayscale.to_grayscale(image, background=255))
