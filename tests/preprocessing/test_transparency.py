"""Images with transparent pixels, or an alpha channel that says nothing."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.preprocessing.drawings import correlation, preprocess, preprocess_path, seven


@pytest.mark.parametrize("ink", [(0, 0, 0), (30, 30, 120), (255, 255, 255)])
def test_ink_on_transparency_is_found_light_ink_too(expected, tmp_path, ink):
    image = Image.new("RGBA", (280, 280), (*ink, 0))
    image.putalpha(ImageOps.invert(seven()))
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.98


def test_a_transparent_palette_color_is_paper(expected, tmp_path):
    image = seven(paper=1, ink=0).convert("P")
    image.putpalette([20, 20, 20, 0, 0, 0])
    assert (
        correlation(preprocess(image, tmp_path / "a.png", transparency=1), expected)
        > 0.98
    )


def bmp(image: Image.Image, header_size: int) -> bytes:
    """Encodes 32 bits per pixel with an alpha of 0, by the definition of the format."""
    colors = np.asarray(image.convert("RGB"))[::-1, :, ::-1]
    pixels = np.pad(colors, ((0, 0), (0, 0), (0, 1))).tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack(
        "<IiiHHIIiiII", header_size, *image.size, 1, 32, 3, len(pixels), 0, 0, 0, 0
    )
    header = (header + masks).ljust(header_size, b"\0")
    start = 14 + header_size
    return struct.pack("<2sIII", b"BM", start + len(pixels), 0, start) + header + pixels


@pytest.mark.parametrize("header_size", [56, 108, 124])
def test_an_alpha_that_hides_a_whole_bmp_is_ignored(expected, tmp_path, header_size):
    (tmp_path / "a.bmp").write_bytes(bmp(seven(), header_size))
    np.testing.assert_array_equal(preprocess_path(tmp_path / "a.bmp"), expected)


@pytest.mark.parametrize(
    ("ending", "mode", "size", "options"),
    [
        ("png", "RGBA", 280, {}),
        ("png", "RGBA", 2000, {}),
        ("png", "LA", 280, {}),
        ("png", "P", 280, {"transparency": bytes(256)}),
        ("tiff", "RGBA", 280, {}),
        ("webp", "RGBA", 280, {"lossless": True, "exact": True}),
    ],
)
def test_an_alpha_that_hides_everything_is_ignored(
    expected, tmp_path, ending, mode, size, options
):
    image = seven().resize((size, size), Image.Resampling.LANCZOS).convert(mode)
    if mode != "P":
        image.putalpha(size % 2)  # 0, or 1 of 255.
    found = preprocess(image, tmp_path / f"a.{ending}", **options)
    assert correlation(found, expected) > 0.99


def test_a_transparent_gray_level_of_16_bits_is_no_reason_to_refuse_an_image(
    expected, tmp_path
):
    image = Image.fromarray(np.asarray(seven()).astype(np.uint16) * 257)
    found = preprocess(image, tmp_path / "a.png", transparency=100)
    assert correlation(found, expected) > 0.99
