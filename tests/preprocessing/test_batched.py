import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from cnn.data import datasets
from cnn.preprocessing import (
    batched,
    centering,
    decode,
    pipeline,
    segmentation,
    small_png,
)

FIT = pipeline.PREPROCESSING["mnist"]


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist", "test").images[:400, ..., 0]


def by_the_general_chain(shades, fit):
    [found] = segmentation.find_glyphs(shades)
    assert not found.has_other_characters
    return centering.scale_and_center(centering.thicken_strokes(found.mask)[None], fit)[
        0
    ]


@pytest.mark.parametrize("preprocessing", ["mnist", "emnist"])
@pytest.mark.parametrize(
    "change",
    [
        lambda digits: digits,
        lambda digits: 255 - digits,
        lambda digits: (40 + 0.3 * digits).astype(np.uint8),
        lambda digits: digits[:, 2:-2, 1:],
        lambda digits: np.repeat(digits, 2, axis=2)[:, :, 9:-9],
    ],
)
def test_plain_pictures_are_what_the_general_chain_makes_of_them(
    digits, change, preprocessing
):
    greys, fit = (
        np.ascontiguousarray(change(digits)),
        pipeline.PREPROCESSING[preprocessing],
    )
    pictures, is_plain = batched.preprocess_batch(greys, fit)
    assert is_plain.mean() > 0.5
    expected = [by_the_general_chain(shades, fit) for shades in greys[is_plain]]
    np.testing.assert_allclose(pictures, expected, rtol=0, atol=1e-5)


def test_a_picture_is_the_same_bits_whoever_is_beside_it(digits):
    together, is_plain = batched.preprocess_batch(digits, FIT)
    alone = np.concatenate(
        [batched.preprocess_batch(shades[None], FIT)[0] for shades in digits]
    )
    backwards = batched.preprocess_batch(digits[::-1], FIT)[0][::-1]
    assert np.array_equal(together, alone)
    assert np.array_equal(together, backwards)
    assert len(together) == is_plain.sum()


def test_specks_and_parts_are_told_apart_as_by_the_general_chain(digits):
    """Digits with a stroke cut through, and with specks beside them."""
    rng, changed = np.random.default_rng(0), digits.copy()
    for shades in changed:
        row, (top, left) = rng.integers(8, 20), rng.integers(0, 26, 2)
        shades[row : row + 1] = 0
        shades[top : top + 2, left : left + 2] = np.maximum(
            shades[top : top + 2, left : left + 2], 200
        )
    pictures, is_plain = batched.preprocess_batch(changed, FIT)
    assert is_plain.mean() > 0.8
    expected = [by_the_general_chain(shades, FIT) for shades in changed[is_plain]]
    np.testing.assert_allclose(pictures, expected, rtol=0, atol=1e-5)


def drawn(*boxes, paper=255, ink=0, size=28):
    shades = np.full((size, size), paper, np.uint8)
    for top, left, bottom, right in boxes:
        shades[top:bottom, left:right] = ink
    return shades


@pytest.mark.parametrize(
    ("shades", "expected"),
    [
        (drawn((4, 12, 24, 15)), True),
        (drawn((4, 12, 24, 15), paper=0, ink=255), True),
        (drawn(), False),
        (drawn((4, 12, 24, 15), ink=250), False),  # Fainter than the least contrast.
        (drawn((4, 6, 24, 9), (4, 13, 24, 16)), True),  # Two marks of one character.
        (drawn((4, 3, 24, 6), (4, 22, 24, 25)), False),  # Two characters.
        (drawn((0, 12, 28, 15)), False),  # A border of two greys.
        (drawn((3, 3, 25, 25)), False),  # More ink than paper: perhaps a frame.
    ],
)
def test_only_one_character_on_even_paper_is_plain(shades, expected):
    assert batched.preprocess_batch(shades[None], FIT)[1].tolist() == [expected]


def test_a_noisy_picture_is_not_plain():
    noise = np.random.default_rng(0).integers(-5, 6, (28, 28))
    assert not batched.preprocess_batch(
        (drawn((4, 12, 24, 15), paper=200) + noise).astype(np.uint8)[None], FIT
    )[1].any()


def test_a_bar_is_scaled_and_centred():
    """A bar of 20 by 3 pixels keeps them; its middle comes to pixel 14, or half a pixel from it."""
    [picture], _ = batched.preprocess_batch(drawn((2, 2, 22, 5))[None], FIT)
    rows, columns = np.nonzero(picture)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 23, 13, 15)
    assert set(picture.ravel().tolist()) == {0.0, 1.0}


def saved(path, pixels, **options):
    Image.fromarray(pixels).save(path, "PNG", **options)
    return str(path)


def test_small_grey_pngs_are_decoded_as_pillow_does(digits, tmp_path):
    for i, pixels in enumerate(digits[:50]):
        path = saved(tmp_path / f"{i}.png", pixels, compress_level=i % 10, dpi=(72, 72))
        assert np.array_equal(
            small_png.decode_small_gray_png(Path(path).read_bytes()), pixels
        )


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
    assert (
        small_png.decode_small_gray_png(
            Path(saved(tmp_path / "a.png", pixels, **options)).read_bytes()
        )
        is None
    )


def test_what_is_no_png_is_left_to_the_general_decoder():
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n"):
        assert small_png.decode_small_gray_png(content) is None


def chunk(kind, body):
    return (
        len(body).to_bytes(4, "big")
        + kind
        + body
        + zlib.crc32(kind + body).to_bytes(4, "big")
    )


def test_a_png_of_too_few_or_too_many_rows_is_left_to_the_general_decoder(tmp_path):
    header = (28).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    path = tmp_path / "a.png"
    for rows, expected in ((27, False), (28, True), (29, False)):
        pixels = zlib.compress(rows * (bytes([0]) + bytes(28)))
        path.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", pixels)
            + chunk(b"IEND", b"")
        )
        assert (
            small_png.decode_small_gray_png(Path(path).read_bytes()) is not None
        ) == expected


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_of_a_damaged_png_it_gives_pillows_pixels_or_none(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    pixels = np.random.default_rng(data.draw(st.integers(0, 9))).integers(
        0, 256, (20, 30), np.uint8
    )
    content = bytearray(_bytes(folder, pixels))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    path = folder / "damaged.png"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    ours = small_png.decode_small_gray_png(Path(path).read_bytes())
    if ours is not None:
        with open(path, "rb") as file, decode.open_image(file) as image:
            assert np.array_equal(ours, decode.to_grayscale(image, paper=255))


def _bytes(folder, pixels):
    path = folder / "whole.png"
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


def test_files_read_together_are_as_read_alone(digits, tmp_path):
    paths = [
        saved(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate(digits[:40])
    ]
    paths += [
        saved(tmp_path / "wide.png", digits[0][2:-2]),
        saved(tmp_path / "blank.png", digits[0] * 0),
    ]
    (tmp_path / "text.png").write_text("no picture")
    paths.insert(7, str(tmp_path / "text.png"))
    together = pipeline.preprocess_files(paths, "mnist")
    for path, decoded in zip(paths, together, strict=True):
        alone = pipeline.preprocess_file(path, "mnist")
        assert decoded[1:] == alone[1:]
        assert np.array_equal(decoded.candidates, alone.candidates)
    assert [d.status for d in together].count("ok") == 41
