"""Image files of any format and mode."""

import logging
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnn import plots
from cnn.preprocessing import decode, pipeline
from tests.preprocessing.drawings import (
    correlation,
    preprocess,
    preprocess_path,
    seven,
    unreadable_reason,
)

MODES = {
    "1": ("png", lambda im: im.convert("1")),
    "L": ("png", lambda im: im),
    "LA": ("png", lambda im: im.convert("LA")),
    "P": ("png", lambda im: im.convert("RGB").quantize(8)),
    "RGB": ("bmp", lambda im: im.convert("RGB")),
    "RGBA": ("png", lambda im: im.convert("RGBA")),
    "CMYK": ("jpg", lambda im: im.convert("CMYK")),
    "CMYK tiff": ("tiff", lambda im: im.convert("CMYK")),
    "YCbCr": ("tiff", lambda im: im.convert("YCbCr")),
    "I;16": ("png", lambda im: Image.fromarray(np.asarray(im).astype(np.uint16) * 257)),
    "I;16 of 12 bits": (
        "tiff",
        lambda im: Image.fromarray(np.asarray(im).astype(np.uint16) * 16),
    ),
    "I;16B": ("tiff", lambda im: Image.fromarray(np.asarray(im).astype(">u2") * 257)),
    "F": ("tiff", lambda im: Image.fromarray(np.asarray(im).astype(np.float32) / 255)),
    "F of any range": (
        "tiff",
        lambda im: Image.fromarray(np.asarray(im).astype(np.float32) * 3 - 200),
    ),
    "GIF": ("gif", lambda im: im),
    "WebP": ("webp", lambda im: im),
    "PGM": ("pgm", lambda im: im),
    "PPM": ("ppm", lambda im: im.convert("RGB")),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_format_shows_the_same(expected, tmp_path, mode):
    ending, convert = MODES[mode]
    options = {"compression": "jpeg"} if mode == "YCbCr" else {}
    assert (
        correlation(
            preprocess(convert(seven()), tmp_path / f"a.{ending}", **options), expected
        )
        > 0.99
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(expected, tmp_path, orientation):
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = seven() if undo is None else seven().transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert (
        correlation(
            preprocess(stored, tmp_path / "a.jpg", exif=exif, quality=95), expected
        )
        > 0.98
    )
    assert (
        correlation(preprocess(stored, tmp_path / "a.png", exif=exif), expected) > 0.98
    )


def test_broken_exif_is_no_reason_to_refuse_a_picture(expected, tmp_path):
    assert (
        correlation(
            preprocess(
                seven(), tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"
            ),
            expected,
        )
        > 0.98
    )


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "CMYK", "I;16", "F"])
def test_large_images_of_any_mode_show_the_same(expected, tmp_path, mode):
    ending, convert = {**MODES, "P": ("gif", MODES["P"][1])}[mode]
    image = convert(seven().resize((2000, 2000), Image.Resampling.BICUBIC))
    assert correlation(preprocess(image, tmp_path / f"a.{ending}"), expected) > 0.99


def test_the_same_pixels_give_the_same_image_by_any_way_of_storing(tmp_path):
    image = seven()
    first = preprocess(image, tmp_path / "a.png")
    for ending in ("bmp", "tiff", "pgm", "gif"):
        np.testing.assert_array_equal(
            preprocess(image, tmp_path / f"a.{ending}"), first
        )


@pytest.mark.parametrize(
    ("ink", "paper"), [((255, 0, 0), (0, 130, 0)), ((200, 0, 0), (70, 70, 70))]
)
def test_ink_as_light_as_the_paper_is_found_by_its_color(
    expected, tmp_path, ink, paper
):
    image = ImageOps.colorize(seven(), black=ink, white=paper)
    assert correlation(preprocess(image, tmp_path / "a.png"), expected) > 0.95


def test_postscript_is_never_interpreted(tmp_path):
    (tmp_path / "a.png").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"
    )
    assert "not an image" in unreadable_reason(tmp_path / "a.png")


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "tiff", "webp", "bmp"])
def test_a_truncated_file_is_unreadable(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 255, (80, 80), np.uint8)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "damaged image" in unreadable_reason(path)


def png(width, height) -> bytes:
    """Writes a PNG whose header promises more than it holds."""

    def chunk(name, content):
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(60_000, 60_000), (15_000, 15_000)])
def test_a_decompression_bomb_is_not_decoded(tmp_path, size):
    (tmp_path / "a.png").write_bytes(png(*size))
    assert unreadable_reason(tmp_path / "a.png").startswith("too large: ")


def test_ink_that_only_one_color_of_a_large_jpeg_shows_is_found(tmp_path):
    """Its lightness is that of the paper."""
    paper, ink = (120, 120, 120), (220, 70, 120)
    grays = [
        Image.new("RGB", (1, 1), color).convert("L").getpixel((0, 0))
        for color in (paper, ink)
    ]
    assert abs(grays[0] - grays[1]) <= 1
    page = Image.new("RGB", (3000, 2400), paper)
    page.paste(ink, (1400, 600, 1700, 1800))
    page.save(tmp_path / "a.jpg", quality=95)
    with (
        open(tmp_path / "a.jpg", "rb") as file,
        decode.open_image(file, in_color=False) as (image, *_),
    ):
        assert (image.mode, max(image.size)) == ("L", 750)
    candidate = preprocess_path(tmp_path / "a.jpg")
    rows, columns = np.nonzero(candidate > 0.5)
    assert 18 <= np.ptp(rows) + 1 <= 20
    assert 4 <= np.ptp(columns) + 1 <= 6


def test_pillow_is_silent_while_an_image_is_decoded_and_only_then(
    tmp_path, capsys, monkeypatch
):
    seven().save(tmp_path / "a.png")
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    pillow = logging.getLogger("PIL.PngImagePlugin")
    with (
        open(tmp_path / "a.png", "rb") as file,
        decode.open_image(file),
    ):
        pillow.warning("odd")
        warnings.warn("odd", stacklevel=1)
    assert capsys.readouterr().err == ""
    pillow.warning("after")
    assert capsys.readouterr().err == "after\n"


def colored_page() -> Image.Image:
    """Draws ink that is as light as its paper."""
    page = Image.new("RGB", (3000, 2400), (120, 120, 120))
    page.paste((220, 70, 120), (1400, 600, 1700, 1800))
    return page


@pytest.mark.parametrize("damage", ["none", "list of pictures", "second picture"])
def test_a_jpeg_of_several_pictures_is_read_as_its_first(tmp_path, damage):
    page = colored_page()
    expected = preprocess(page, tmp_path / "a.jpg", quality=95)
    assert expected.any()
    second = page.resize((300, 240))
    path = tmp_path / "a.mpo"
    page.save(path, save_all=True, append_images=[second], quality=95)
    with Image.open(path) as image:
        assert image.format == "MPO"
    data = path.read_bytes()
    entries = data.index(b"MPF\0") + 30
    path.write_bytes(
        {
            "none": data,
            "list of pictures": data[:entries] + bytes(20) + data[entries + 20 :],
            "second picture": data[:-500],
        }[damage]
    )
    np.testing.assert_array_equal(preprocess_path(path), expected)
    assert pipeline.preprocess_file(str(path), "mnist").detail == ""


def test_a_plot_of_an_earlier_run_is_not_read_as_a_digit(tmp_path):
    path = tmp_path / "renamed.png"
    original = np.asarray(seven().convert("RGB"))
    ink = np.zeros((280, 280), np.float32)
    plots.plot_preprocessing(original, ink, np.zeros((28, 28, 1)), "a 7", path)
    result = pipeline.preprocess_file(str(path), "mnist")
    detail = "a plot of this program, not a picture of a character"
    assert result[:3] == (None, "blank", detail)
